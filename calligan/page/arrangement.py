"""Arrangement of text lines in a region: the common base of columns, rows and a fan.

*Along* is the direction of the text in a line, *across* the direction from one line to the next.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from calligan.page.drawing import Mark, rectangle
from calligan.page.flow import Direction, moved, set_line
from calligan.page.formats import Region
from calligan.page.words import Setting
from calligan.vector.outline import Outline

_ROUNDING_MM = 1e-6  # so that lines which fill a room exactly fit it


class Place(NamedTuple):
    """The origin of a line on the page, and its clockwise rotation."""

    x_mm: float
    y_mm: float
    turn_rad: float = 0.0


class Box(NamedTuple):
    """A rectangle, from its top left corner."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


@dataclass(frozen=True)
class Fit:
    """The lines of a text, and the size of a character at which they are set."""

    size_mm: float
    lines: list[str]
    evened: bool = False  # whether they were made equally long


@dataclass(frozen=True)
class Arrangement(ABC):
    """Lines in a region."""

    region: Region
    reserve_em: float = 0.0  # room for signature and seal, in sizes of a character of the text
    balanced: bool = False  # leave as much room on the other side, so that the text is centred

    direction: ClassVar[Direction] = "vertical"

    @property
    def is_vertical(self) -> bool:
        """Whether lines run downward."""
        return self.direction == "vertical"

    @property
    def inner(self) -> Box:
        """The region without its padding."""
        region, pad = self.region, self.region.padding_mm
        width, height = region.width_mm - 2 * pad, region.height_mm - 2 * pad
        return Box(region.x_mm + pad, region.y_mm + pad, width, height)

    @property
    def both_reserves_em(self) -> float:
        """The room on both sides of the text."""
        return self.reserve_em * (2 if self.balanced else 1)

    @abstractmethod
    def room_along_mm(self, size_mm: float) -> float:
        """The maximum length of a line, for a character size."""

    @abstractmethod
    def room_across_mm(self, size_mm: float) -> float:
        """The room across all lines, for a character size."""

    @abstractmethod
    def place(self, across_mm: float, along_mm: float, fit: Fit) -> Place:
        """The point `along_mm` from the start of a line that is `across_mm` from the first one."""

    def pitch_mm(self, size_mm: float) -> float:
        """The distance from one line to the next."""
        return size_mm * (1 + self.region.line_gap)

    def extent_mm(self, lines: int, size_mm: float) -> float:
        """The room across that a number of lines takes; no gap follows the last one."""
        return lines * self.pitch_mm(size_mm) - size_mm * self.region.line_gap

    def capacity(self, size_mm: float) -> int:
        """The number of lines that fit: the inverse of `extent_mm`."""
        gap = size_mm * self.region.line_gap
        return int((self.room_across_mm(size_mm) + gap + _ROUNDING_MM) / self.pitch_mm(size_mm))

    def before_mm(self, fit: Fit) -> float:
        """Empty room before the first line: half of the remaining room, none on ruled paper."""
        if self.region.rule:
            return 0.0
        size = fit.size_mm
        # Negative if the lines continue on further pages.
        left = self.room_across_mm(size) - self.extent_mm(len(fit.lines), size)
        return max(0.0, left) / 2

    def line(
        self, text: str, index: int, fit: Fit, setting: Setting, vary: np.ndarray
    ) -> list[Mark]:
        """Marks of a page's line `index`, from 0; `vary` (≥ len(text), 2, 3) as in `set_line`."""
        region, size, gap_em = self.region, fit.size_mm, self.region.gap
        order, room_mm = self.page_order(text), self.room_along_mm(size)

        def set_with(gap_em: float) -> tuple[list[Mark], float]:
            how = (self.direction, size, gap_em, setting.ink, vary)
            return set_line(text, setting.letters, *how, order=order)

        marks, length_mm = set_with(gap_em)
        if region.spread and len(text) > 1:
            # Distribute the free room of the line over its gaps, up to `spread` ems each.
            free_em = (room_mm - length_mm) / size
            marks, length_mm = set_with(gap_em + min(region.spread, free_em / (len(text) - 1)))
        start = (room_mm - length_mm) / 2 if region.centred else self.start_mm(length_mm, room_mm)
        place = self.place(index * self.pitch_mm(size), start, fit)
        return [moved(mark, *place) for mark in marks]

    def page_order(self, text: str) -> Sequence[int]:
        """A line's characters, numbered as they are read, in the order in which they are set."""
        return range(len(text))

    def start_mm(self, length_mm: float, room_mm: float) -> float:
        """Where a line begins that is not centred, from the beginning of its room."""
        return 0.0

    def room_for_signature_mm(self, size_mm: float) -> float:
        """The maximum length of the column of signature and seal, for a character size."""
        return self.room_along_mm(size_mm)

    def place_of_signature(
        self, lines: int, fit: Fit, signature_mm: float, length_mm: float
    ) -> Place:
        """Where signature and seal begin, a column of `length_mm`, after the last of the lines.

        The column ends where the text's columns may end. `signature_mm` is its character's size.
        """
        size = fit.size_mm
        last_edge = (lines - 1) * self.pitch_mm(size) + size / 2
        across = last_edge + size * self.region.line_gap / 2 + signature_mm
        return self.place(across, max(0.0, self.room_for_signature_mm(size) - length_mm), fit)

    def sheet(self) -> Outline:
        """The region's own paper."""
        region = self.region
        return rectangle(region.x_mm, region.y_mm, region.width_mm, region.height_mm)

    def rules(self, size_mm: float) -> list[Outline]:
        """Lines of the paper between lines of text."""
        return []
