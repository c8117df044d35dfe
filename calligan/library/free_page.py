"""A photographed page without template, cut into the characters of its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calligan.errors import DataError
from calligan.glyphs.charset import is_drawn
from calligan.scan.copybook import (
    CharacterBox,
    Column,
    Reading,
    count_cells,
    crop,
    find_characters,
    find_columns,
    find_doubts,
    given_columns,
    remove_rules,
)
from calligan.scan.folder import ScannedGlyph
from calligan.scan.pages import flat_page
from calligan.scan.template_page import font_letters

Edges = Sequence[tuple[float, float]]  # of columns, as shares of the page's width; rows: height
Cuts = Sequence[Sequence[float]]  # along each column, as shares of its page, both ends included
READINGS: tuple[Reading, ...] = ("rtl", "ltr", "rows")
_MIN_RULED_CHARS = 8  # rules are not removed with fewer: a stroke may be as long as a rule


def page_words(text: str) -> str:
    """The Chinese characters, kana and line breaks of a text."""
    return "".join(char for char in text if is_drawn(char) or char == "\n")


@dataclass(frozen=True)
class FreePage:
    """A page, cropped and straightened."""

    name: str
    picture: np.ndarray  # uint8 (H, W, 3), RGB
    ink: np.ndarray  # float (H, W), 1 = ink, without printed rules

    @classmethod
    def open(cls, path: Path, words: str) -> "FreePage":
        """Open a photograph of a page that holds `words`. Raises DataError if it is no picture."""
        picture, ink = flat_page(path)
        if len(words) >= _MIN_RULED_CHARS:
            ink = remove_rules(ink)
        return cls(path.name, picture, ink)

    def columns(self, reading: str) -> Edges:
        """The columns, or rows, that are found."""
        across = self._across(reading)
        return [(a / across, b / across) for a, b in find_columns(self.ink, _reading(reading))]

    def cut(
        self,
        words: str,
        reading: str,
        edges: Edges | None,
        size_px: int,
        font: str,
        cuts: Cuts | None = None,
    ) -> tuple[list[CharacterBox], list[ScannedGlyph]]:
        """The characters' boxes in pixels of the picture, and their glyphs, in the text's order.

        `edges` are used instead of the columns that are found, and `cuts` instead of the cuts of
        those columns that have any there. `font` is a regular font, for the heights of characters.
        Raises DataError if columns, cuts and text do not fit together.
        """
        letters, _ = font_letters(font, words.replace("\n", ""))
        columns = None if edges is None else self._given(reading, edges, cuts or [()] * len(edges))
        boxes = find_characters(self.ink, words, _reading(reading), letters, columns)
        glyphs = [
            ScannedGlyph(box.char, crop(self.ink, box, size_px), self.name, doubt)
            for box, doubt in zip(boxes, find_doubts(boxes), strict=True)
        ]
        return boxes, glyphs

    def cuts(self, boxes: Sequence[CharacterBox], reading: str) -> Cuts:
        """Where the columns of these boxes are cut, as `cut` takes it."""
        along = self._along(reading)
        columns = given_columns(boxes, _reading(reading))
        return [[at / along for at in column.cuts] for column in columns]

    def count(self, boxes: Sequence[CharacterBox], reading: str) -> int:
        """How many characters the page seems to have, if it was cut into these."""
        return count_cells(self.ink, boxes, _reading(reading))

    def _given(self, reading: str, edges: Edges, cuts: Cuts) -> list[Column]:
        if not all(0 <= a < b <= 1 for a, b in edges):
            raise DataError("the edges of a column are shares of the page: 0 to 1, ascending")
        across, along = self._across(reading), self._along(reading)
        return [
            Column(round(a * across), round(b * across), tuple(round(at * along) for at in places))
            for (a, b), places in zip(edges, cuts, strict=True)
        ]

    def _across(self, reading: str) -> int:
        return int(self.ink.shape[0 if reading == "rows" else 1])

    def _along(self, reading: str) -> int:
        return int(self.ink.shape[1 if reading == "rows" else 0])


def _reading(name: str) -> Reading:
    return next(reading for reading in READINGS if reading == name)
