"""Text to ink: the model draws Han characters, the source font everything else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from calligan.errors import DataError, ModelError
from calligan.glyphs.charset import check_text, is_han
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement
from calligan.glyphs.raster import Renderer
from calligan.models.generator import Generator
from calligan.models.pixels import to_tensor, to_uint8
from calligan.models.precision import drawing
from calligan.models.spinning import spun
from calligan.models.upscaler import Upscaler, upscaled
from calligan.models.weights import load_model
from calligan.page.flow import Letter
from calligan.project.source import open_source, trained_sources
from calligan.vector.borrow import borrowed
from calligan.vector.font import UPEM, Blank, Box
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

Missing = Literal["error", "skip", "box"]
_BATCH = 32
_LARGE_PX = 256  # images of this size are traced as they are


@dataclass(frozen=True)
class Way:
    """How a character is drawn: what a doubtful one is tried in once more."""

    name: str = "as it is"
    source: int = 0  # which of the source fonts
    scale: float = 1.0  # of the source glyph, about the canvas's middle
    shift_x: float = 0.0  # of the source glyph, share of the canvas
    shift_y: float = 0.0
    strength: float = 1.0  # of the style, against the mean of all styles


PLAIN = Way()


@dataclass(frozen=True)
class Text:
    """Checked text, and which of its characters are drawn by whom."""

    text: str
    han: str  # drawn by the model
    borrowed: str  # drawn from the source font as it is
    missing: str  # not in the source font


class Writer:
    """A model and its source font, ready to write."""

    upscaler: Upscaler | None = None  # enlarges glyphs before their outlines are traced
    spins: bool = False  # draws each glyph a few times, for straighter edges

    def __init__(self, model: Path, source: str | None = None, device: str = "cpu"):
        self.generator, self.card = load_model(model, device)
        if self.generator.from_number:
            raise ModelError(f"{model} draws from noise, without a source; use `calligan sample`")
        self.face, self.placement = open_source(self.card, source)
        self.renderer = Renderer(self.face, self.placement, min_ink=0)
        self._renderers = {PLAIN: self.renderer}
        self._lacking: dict[str, bool] = {}
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

    def draw(self, chars: str, style_index: int, way: Way = PLAIN) -> dict[str, np.ndarray]:
        """Characters in a style numbered from 0: uint8 (S, S), 255 = paper, by character."""
        images: dict[str, np.ndarray] = {}
        for start in range(0, len(chars), _BATCH):
            part = chars[start : start + _BATCH]
            sources = np.stack([self.source_image(char, way) for char in part])
            tensor = to_tensor(sources, self.card.size_px, self.device)
            with torch.inference_mode(), drawing(self.generator, self.device):
                drawn = to_uint8(self._generated(tensor, style_index, way.strength))
            images.update(zip(part, drawn, strict=True))
        return images

    @property
    def has_styles(self) -> bool:
        """Whether a style can be made weaker or stronger: there are several, in one space."""
        return isinstance(self.generator, Generator) and len(self.card.styles) > 1

    @cached_property
    def other_sources(self) -> list[tuple[Face, Placement]]:
        """The other fonts that the model takes its content from, where they are here."""
        found = []
        for face, font in trained_sources(self.card):
            if face.sha256 != self.face.sha256:
                place = Placement(**font.placement)
                found.append((face, place.scaled(self.card.size_px)))
        return found

    def _generated(self, sources: Tensor, style_index: int, strength: float) -> Tensor:
        index = torch.full((len(sources),), style_index, device=self.device)
        if not isinstance(self.generator, Generator):
            return self.generator(sources, index)
        style = self.generator.style(index)
        if strength != 1:
            mean = self.generator.embedding.weight.mean(dim=0)
            style = mean + strength * (style - mean)
        if self.spins and self.generator.wavers:
            return self.generator.image(spun(self.generator, sources, style))
        return self.generator.image(self.generator.field(sources, style))

    def letters(
        self, text: Text, style_index: int, progress: Callable[[int], None] = lambda count: None
    ) -> dict[str, Letter]:
        """Every character of a text, ready to be set; a box for those the source lacks."""
        letters = {char: self.borrowed_letter(char) for char in text.missing + text.borrowed}
        for start in range(0, len(text.han), _BATCH):
            part = self.draw(text.han[start : start + _BATCH], style_index)
            traced = self.traced(list(part.values()), style_index)
            letters |= {c: Letter(c, o, 1.0) for c, o in zip(part, traced, strict=True)}
            progress(len(part))
        return letters

    def borrowed_letter(self, char: str) -> Letter:
        """A character as the source font draws it, ready to be set; a box where it lacks it."""
        if self.lacks(char):
            return Letter(char, Outline.of(Box()), 1.0)
        glyphs = list(borrowed(self.face, self.placement, char))
        outlines = [Outline.of(glyph.drawing) for glyph in glyphs] or [Outline.of(Blank())]
        advance = self.face.advance_em(self.face.glyph_index(char))
        return Letter(char, outlines[0], advance, *outlines[1:])

    def traced(self, images: Sequence[np.ndarray], style_index: int) -> list[Outline]:
        """Outlines of glyphs, uint8 (S, S), in an em of UPEM units, y upward."""
        cell, tracing = Placement.full_width(self.card.size_px), self.card.styles[style_index]
        return [trace(image, cell, UPEM, tracing.tracing) for image in self.enlarged(images)]

    def enlarged(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Glyphs as they are traced: uint8 (N, S, S), small ones enlarged by the upscaler."""
        stack = np.stack(images)
        if self.upscaler is None or self.card.size_px >= _LARGE_PX:
            return stack
        return upscaled(self.upscaler, stack)

    def lacks(self, char: str) -> bool:
        """Whether the source font has no ink for a character."""
        if char not in self._lacking:
            paper = np.full((self.card.size_px, self.card.size_px), 255, np.uint8)
            self._lacking[char] = self.renderer.render(char, paper) not in (None, "clipped")
        return self._lacking[char]

    def source_image(self, char: str, way: Way = PLAIN) -> np.ndarray:
        """A character in the source font as the model is shown it: uint8 (S, S), 255 = paper."""
        canvas = np.full((self.card.size_px, self.card.size_px), 255, np.uint8)
        left_out = self._renderer(way).render(char, canvas)
        if left_out and way.source:  # the other source lacks it
            self.renderer.render(char, canvas)
        return canvas

    def _renderer(self, way: Way) -> Renderer:
        if way not in self._renderers:
            face, place = [(self.face, self.placement), *self.other_sources][way.source]
            moved = place.moved(way.scale, way.shift_x, way.shift_y)
            self._renderers[way] = Renderer(face, moved, min_ink=0)
        return self._renderers[way]
