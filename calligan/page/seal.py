"""A name seal (印章): one to four characters in red, square, or upright for two characters."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from calligan.errors import DataError
from calligan.page.drawing import Mark, frame, joined, rounded_rectangle
from calligan.vector.outline import Outline

_MAX_CHARS = 4
_EDGE = 0.07  # the border, as a share of the seal
_GAP = 0.05  # between characters and round them
_TWO = (0.76, 1.32)  # width and height of a seal of two characters, which a square would flatten
_Place = tuple[float, float, float, float]  # x, y, width, height
Kind = Literal["white", "red"]  # white characters cut into red, or red ones in a frame


def seal_size(count: int) -> tuple[float, float]:
    """Width and height of a seal of so many characters, as shares of its size."""
    return _TWO if count == 2 else (1.0, 1.0)


def seal(
    outlines: Sequence[Outline], size_mm: float, at_mm: tuple[float, float], kind: Kind, colour: str
) -> Mark:
    """A seal with its top left corner at `at_mm`, read in columns from right to left.

    Each character is stretched to its place, as seal cutters do. Raises DataError for none, or for
    more than four.
    """
    if not 1 <= len(outlines) <= _MAX_CHARS:
        raise DataError(f"a seal holds 1 to {_MAX_CHARS} characters, not {len(outlines)}")
    width, height = (size_mm * share for share in seal_size(len(outlines)))
    edge = size_mm * _EDGE
    places = _places(len(outlines), width - 2 * edge, height - 2 * edge)
    cells = [_stretched(*each) for each in zip(outlines, places, strict=True)]
    shift = np.array([[1, 0, edge], [0, 1, edge]])
    inside = [cell.transform(shift) for cell in cells]
    if kind == "white":
        square = rounded_rectangle(0, 0, width, height, size_mm * 0.06).reverse()
        whole = joined([square, *inside])
    else:
        whole = joined([frame(0, 0, width, height, edge * 0.8), *inside])
    return Mark(whole, np.array([[1, 0, at_mm[0]], [0, 1, at_mm[1]]]), colour)


def _places(count: int, width: float, height: float) -> list[_Place]:
    """Each character's place."""
    half, below = width / 2, height / 2
    if count == 1:
        return [(0, 0, width, height)]
    if count == 2:
        return [(0, 0, width, below), (0, below, width, below)]
    left = [(0, 0, half, below), (0, below, half, below)] if count == 4 else [(0, 0, half, height)]
    return [(half, 0, half, below), (half, below, half, below), *left]


def _stretched(outline: Outline, place: _Place) -> Outline:
    """A glyph, y upward, filling a place on the page, y downward."""
    x, y, width, height = place
    points = outline.controls.reshape(-1, 2)
    if not len(points):
        raise DataError("a character of the seal has no ink; choose another")
    low, high = points.min(axis=0), points.max(axis=0)
    gap = _GAP * max(width, height)
    across = (width - 2 * gap) / max(high[0] - low[0], 1)
    down = (height - 2 * gap) / max(high[1] - low[1], 1)
    across, down = min(across, 2.5 * down), min(down, 2.5 * across)
    left = x + (width - across * (high[0] - low[0])) / 2 - across * low[0]
    top = y + (height - down * (high[1] - low[1])) / 2 + down * high[1]
    return outline.transform(np.array([[across, 0, left], [0, -down, top]]))
