"""Text to ink: the model draws Han characters, the source font everything else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from calligan.errors import DataError
from calligan.glyphs.charset import check_text, is_han
from calligan.glyphs.raster import Renderer
from calligan.inference.source import open_source
from calligan.models.pixels import to_tensor, to_uint8
from calligan.models.weights import load_model
from calligan.page.compose import compose
from calligan.page.tiles import Tile, box_tile, font_tile, glyph_tile, space_tile

Missing = Literal["error", "skip", "box"]
_BATCH = 32
_NEVER_FIRST = "，。、；：！？）」』】》〉”’…,.;:!?)"


@dataclass(frozen=True)
class Text:
    """Checked text: its lines, and which of its characters are drawn by whom."""

    lines: tuple[str, ...]
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

    def read(self, text: str, missing: Missing = "error", wrap: int | None = None) -> Text:
        """Check a text against the source font.

        Raises DataError for an empty text, characters that no font draws, or (unless `missing`
        says otherwise) characters that the source lacks, naming them.
        """
        lines = tuple(_wrapped(check_text(text).replace("\r", ""), wrap))
        chars = dict.fromkeys(char for line in lines for char in line if not char.isspace())
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
        han = "".join(filter(is_han, there))
        return Text(lines, han, "".join(c for c in there if not is_han(c)), lacking)

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

    def write(
        self, text: Text, style_index: int, size_px: int, vertical: bool, missing: Missing
    ) -> np.ndarray:
        """The text as ink coverage, uint8 (H, W), 255 = ink, in cells of `size_px`."""
        drawn = self.draw(text.han, style_index)
        tiles = {char: glyph_tile(image, size_px) for char, image in drawn.items()}
        placement = self.placement.scaled(size_px)
        for char in text.borrowed:
            tiles[char] = font_tile(self.face, placement, char, vertical)
        if missing == "box":
            tiles.update({char: box_tile(size_px) for char in text.missing})
        lines = [self._line(line, tiles, size_px) for line in text.lines]
        return compose(lines, size_px, vertical)

    def _line(self, line: str, tiles: dict[str, Tile], size_px: int) -> list[Tile]:
        return [
            space_tile(char, size_px) if char.isspace() else tiles[char]
            for char in line
            if char.isspace() or char in tiles
        ]

    def lacks(self, char: str) -> bool:
        """Whether the source font has no ink for a character."""
        return self.renderer.render(char, self._paper()) not in (None, "clipped")

    def _source(self, char: str) -> np.ndarray:
        canvas = self._paper()
        self.renderer.render(char, canvas)
        return canvas

    def _paper(self) -> np.ndarray:
        return np.full((self.card.size_px, self.card.size_px), 255, np.uint8)


def _wrapped(text: str, wrap: int | None) -> list[str]:
    """Lines of at most `wrap` characters; a closing mark hangs rather than begin a line."""
    lines = text.strip("\n").split("\n")
    if wrap is None:
        return lines
    done = []
    for line in lines:
        if not line:
            done.append("")
        while line:
            end = wrap
            while end < len(line) and line[end] in _NEVER_FIRST:
                end += 1
            done.append(line[:end])
            line = line[end:]
    return done
