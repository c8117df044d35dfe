"""A page as filled outlines in millimetres, y downward: the common input of PNG, SVG and PDF."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from calligan.page.latin import is_wide
from calligan.vector.outline import Outline, OutlinePen

LINE_BREAK, SPACE = "\n", " "
_QUARTER_CIRCLE = 0.5522847  # distance of a cubic's control points along the tangents, in radii


@dataclass(frozen=True)
class Mark:
    """An outline on a page, moved by `matrix` (2, 3) from its own units to millimetres."""

    outline: Outline
    matrix: np.ndarray
    colour: str
    text: str = ""  # the character, if it is one; makes the page searchable
    size_mm: float = 0.0  # and its em
    lead: str = ""  # SPACE, LINE_BREAK or nothing: what is before it


@dataclass
class Page:
    """A sheet and what is on it, from back to front. No `paper` means transparent."""

    width_mm: float
    height_mm: float
    paper: str | None = "white"
    marks: list[Mark] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)  # metadata of its file, by PNG keyword
    title: str = ""  # of its file, where that has one

    def add(self, outline: Outline, colour: str) -> None:
        """Add an outline in millimetres."""
        self.marks.append(Mark(outline, np.eye(2, 3), colour))

    @property
    def text(self) -> str:
        """Its characters in order, and the spaces between words."""
        return "".join(char for char, _ in self.chars())

    def chars(self) -> list[tuple[str, Mark]]:
        """The same, each with the mark that it is or that it follows.

        A line break is a space between two words of letters, and nothing between Han characters.
        """
        found: list[tuple[str, Mark]] = []
        for mark in self.marks:
            if not mark.text:
                continue
            if found and _are_apart(found[-1][1], mark):
                found.append((SPACE, found[-1][1]))
            found.append((mark.text, mark))
        return found


def _are_apart(last: Mark, mark: Mark) -> bool:
    if mark.lead == LINE_BREAK:
        return not (is_wide(last.text) or is_wide(mark.text))
    return mark.lead == SPACE


def placed(
    size_mm: float, x_mm: float, y_mm: float, upem: float, turn_rad: float = 0
) -> np.ndarray:
    """The matrix (2, 3) of font units, y upward, to a page: an em of `size_mm`, from (x, y)."""
    k, cos, sin = size_mm / upem, np.cos(turn_rad), np.sin(turn_rad)
    return np.array([[k * cos, k * sin, x_mm], [k * sin, -k * cos, y_mm]])


def polygon(points: Sequence[tuple[float, float]]) -> Outline:
    """A closed figure of straight lines."""
    pen = OutlinePen()
    pen.moveTo(points[0])
    for point in points[1:]:
        pen.lineTo(point)
    pen.closePath()
    return pen.outline


def rectangle(x: float, y: float, width: float, height: float) -> Outline:
    """A filled rectangle."""
    return polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def line(a: tuple[float, float], b: tuple[float, float], width: float) -> Outline:
    """A straight line of a given width, as a filled rectangle."""
    along = np.subtract(b, a)
    across = np.array([-along[1], along[0]]) * width / 2 / max(np.hypot(*along), 1e-9)
    corners = [np.add(a, across), np.add(b, across), np.subtract(b, across), np.subtract(a, across)]
    return polygon([(float(x), float(y)) for x, y in corners])


def dashes(
    a: tuple[float, float], b: tuple[float, float], width: float, dash: float
) -> list[Outline]:
    """A broken line: dashes and gaps of equal length, a dash at either end."""
    length = float(np.hypot(*np.subtract(b, a)))
    count = max(1, round((length / dash + 1) / 2)) * 2 - 1
    at = np.linspace(0, 1, count + 1)
    points = [tuple(np.add(a, t * np.subtract(b, a)).tolist()) for t in at]
    return [line(points[i], points[i + 1], width) for i in range(0, count, 2)]


def frame(x: float, y: float, width: float, height: float, thick: float) -> Outline:
    """A rectangle's border, inside its bounds."""
    outer = rectangle(x, y, width, height)
    inner = polygon(
        [
            (x + thick, y + thick),
            (x + thick, y + height - thick),
            (x + width - thick, y + height - thick),
            (x + width - thick, y + thick),
        ]
    )
    return joined([outer, inner])


def rounded_rectangle(x: float, y: float, width: float, height: float, radius: float) -> Outline:
    """A filled rectangle with round corners."""
    pen, r, k = OutlinePen(), radius, radius * (1 - _QUARTER_CIRCLE)
    right, low = x + width, y + height
    pen.moveTo((x + r, y))
    pen.lineTo((right - r, y))
    pen.curveTo((right - k, y), (right, y + k), (right, y + r))
    pen.lineTo((right, low - r))
    pen.curveTo((right, low - k), (right - k, low), (right - r, low))
    pen.lineTo((x + r, low))
    pen.curveTo((x + k, low), (x, low - k), (x, low - r))
    pen.lineTo((x, y + r))
    pen.curveTo((x, y + k), (x + k, y), (x + r, y))
    pen.closePath()
    return pen.outline


def joined(outlines: Sequence[Outline]) -> Outline:
    """Several outlines as one, with all their contours."""
    numbers, first = [], 0
    for outline in outlines:
        numbers.append(outline.contour + first)
        first += int(outline.contour.max(initial=-1)) + 1
    return Outline(
        np.concatenate([outline.controls for outline in outlines]),
        np.concatenate(numbers),
        np.concatenate([outline.straight for outline in outlines]),
    )
