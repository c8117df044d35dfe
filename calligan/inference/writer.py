"""Text to ink: the model draws Han characters, the source font everything else."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from calligan.config import TraceConfig
from calligan.errors import DataError
from calligan.glyphs.charset import check_text, is_han
from calligan.glyphs.placement import Placement
from calligan.glyphs.raster import Renderer
from calligan.inference.source import open_source
from calligan.models.pixels import to_tensor, to_uint8
from calligan.models.weights import load_model
from calligan.page.flow import Letter
from calligan.vector.borrow import borrowed
from calligan.vector.font import UPEM, Blank, Box
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

Missing = Literal["error", "skip", "box"]
_BATCH = 32


@dataclass(frozen=True)
class Text:
    """Checked text, and which of its characters are drawn by whom."""

    text: str
    han: str  # drawn by the model
    borrowed: str  # drawn from the source font as it is
    missing: str  # not in the source font


class Writer:
    """A model and its source font, ready to write."""

    def __init__(self, model: Path, source: str | None = None, device: str = "cpu"):
        self.generator, self.card = load_model(model, device)
        self.face, self.placement = open_source(self.card, source)
        self.renderer = Renderer(self.face, self.placement, min_ink=0)
        self.device = device

    def read(self, text: str, missing: Missing = "error") -> Text:
        """Check a text against the source font.

        Raises DataError for an empty text, characters that no font draws, or (unless `missing`
        says otherwise) characters that the source lacks, naming them.
        """
        text = check_text(text).replace("\r", "").strip("\n")
        chars = dict.fromkeys(char for char in text if not char.isspace())
        if not chars:
            raise DataError("the text is empty; give some characters to write")
        if odd := "".join(char for char in chars if not char.isprintable()):
            raise DataError(f"the text holds characters that cannot be drawn: {odd!r}; remove them")
        lacking = "".join(filter(self.lacks, chars))
        if lacking and missing == "error":
            raise DataError(
                f"the source font {self.face.spec.path.name} lacks: {' '.join(lacking)}; "
                "give another --source, or --missing skip or box"
            )
        there = [char for char in chars if char not in lacking]
        if not there and missing == "skip":
            raise DataError(
                "the source font lacks every character of the text; give another --source"
            )
        if missing == "skip":
            text = "".join(char for char in text if char not in lacking)
        han = "".join(filter(is_han, there))
        return Text(text, han, "".join(c for c in there if not is_han(c)), lacking)

    def draw(self, chars: str, style_index: int) -> dict[str, np.ndarray]:
        """Characters in a style numbered from 0: uint8 (S, S), 255 = paper, by character."""
        sources = np.stack([self._source(char) for char in chars]) if chars else np.empty((0,))
        images: dict[str, np.ndarray] = {}
        for start in range(0, len(chars), _BATCH):
            part = to_tensor(sources[start : start + _BATCH], self.card.size_px, self.device)
            style = torch.full((len(part),), style_index, device=self.device)
            with torch.inference_mode():
                drawn = to_uint8(self.generator(part, style))
            images.update(zip(chars[start:], drawn, strict=False))
        return images

    def letters(
        self, text: Text, style_index: int, progress: Callable[[int], None] = lambda count: None
    ) -> dict[str, Letter]:
        """Every character of a text, ready to be set; a box for those the source lacks."""
        cell = Placement.full_width(self.card.size_px)
        letters = {char: Letter(char, Outline.of(Box()), 1.0) for char in text.missing}
        for char in text.borrowed:
            glyphs = list(borrowed(self.face, self.placement, char))
            outlines = [Outline.of(glyph.drawing) for glyph in glyphs] or [Outline.of(Blank())]
            advance = self.face.advance_em(self.face.glyph_index(char))
            letters[char] = Letter(char, outlines[0], advance, *outlines[1:])
        for start in range(0, len(text.han), _BATCH):
            part = self.draw(text.han[start : start + _BATCH], style_index)
            for char, image in part.items():
                letters[char] = Letter(char, trace(image, cell, UPEM, TraceConfig()), 1.0)
            progress(len(part))
        return letters

    def lacks(self, char: str) -> bool:
        """Whether the source font has no ink for a character."""
        return self.renderer.render(char, self._paper()) not in (None, "clipped")

    def _source(self, char: str) -> np.ndarray:
        canvas = self._paper()
        self.renderer.render(char, canvas)
        return canvas

    def _paper(self) -> np.ndarray:
        return np.full((self.card.size_px, self.card.size_px), 255, np.uint8)
