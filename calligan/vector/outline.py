"""A filled path: the common form of traced glyphs, borrowed marks, ruled lines and seals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from fontTools.pens.basePen import AbstractPen, BasePen

Point = tuple[float, float]  # x, y


class Drawing(Protocol):
    """An object that draws itself to a pen in font units, ink to the right of each contour."""

    def draw(self, pen: AbstractPen) -> None:
        """Draw to a pen."""


@dataclass(frozen=True)
class Outline:
    """Closed contours of cubics and lines, filled by the non-zero winding rule.

    `controls` (K, 4, 2): control points of the pieces, each starting where the one before ends.
    `contour` (K,): the contour index of each piece. `straight` (K,): which pieces are lines. In a
    font, y points up and ink is to the right of the contour's direction.
    """

    controls: np.ndarray
    contour: np.ndarray
    straight: np.ndarray

    @classmethod
    def from_drawing(cls, drawing: Drawing) -> "Outline":
        """The outline that `drawing` draws."""
        pen = OutlinePen()
        drawing.draw(pen)
        return pen.outline

    def draw(self, pen: AbstractPen) -> None:
        """Draw to a pen, cubics unchanged (fontTools' Cu2QuPen makes them quadratic)."""
        for number in dict.fromkeys(self.contour.tolist()):
            rows = np.flatnonzero(self.contour == number)
            pen.moveTo(tuple(self.controls[rows[0], 0].tolist()))
            for controls, straight in zip(
                self.controls[rows].tolist(), self.straight[rows].tolist(), strict=True
            ):
                if straight:
                    pen.lineTo(tuple(controls[3]))
                else:
                    pen.curveTo(*map(tuple, controls[1:]))
            pen.closePath()

    def round_coordinates(self) -> "Outline":
        """The outline with integer coordinates, without pieces that shrink to a point."""
        controls = np.rint(self.controls)
        kept = (controls[:, 0] != controls[:, 3]).any(axis=1)
        return Outline(controls[kept], self.contour[kept], self.straight[kept])

    def reverse(self) -> "Outline":
        """The outline with reversed contours: inside another contour it cuts a hole."""
        return Outline(self.controls[::-1, ::-1], self.contour[::-1], self.straight[::-1])

    def split(self, counts: Sequence[int]) -> "list[Outline]":
        """Outlines of the first counts[0] contours, the next counts[1] and so on."""
        firsts = np.cumsum([0, *counts])
        rows = np.searchsorted(self.contour, firsts).tolist()
        return [
            Outline(self.controls[a:b], self.contour[a:b] - first, self.straight[a:b])
            for a, b, first in zip(rows[:-1], rows[1:], firsts[:-1], strict=True)
        ]

    def transform(self, matrix: np.ndarray) -> "Outline":
        """The outline with every point p mapped to matrix @ (p, 1); `matrix` is (2, 3)."""
        return replace(self, controls=self.controls @ matrix[:, :2].T + matrix[:, 2])


class OutlinePen(BasePen):  # type: ignore[misc]  # fontTools has no types
    """A pen that collects an Outline."""

    def __init__(self) -> None:
        super().__init__(None)
        self._pieces: list[tuple[list[Point], int, bool]] = []
        self._number = -1

    @property
    def outline(self) -> Outline:
        """The outline drawn so far."""
        controls = np.array([piece[0] for piece in self._pieces], float).reshape(-1, 4, 2)
        numbers = np.array([piece[1] for piece in self._pieces], int)
        return Outline(controls, numbers, np.array([piece[2] for piece in self._pieces], bool))

    def _moveTo(self, pt: Point) -> None:
        self._number += 1
        self._first = pt

    def _lineTo(self, pt: Point) -> None:
        here = self._getCurrentPoint()
        self._pieces.append(([here, here, pt, pt], self._number, True))

    def _curveToOne(self, pt1: Point, pt2: Point, pt3: Point) -> None:
        self._pieces.append(([self._getCurrentPoint(), pt1, pt2, pt3], self._number, False))

    def _closePath(self) -> None:
        if self._getCurrentPoint() != self._first:
            self._lineTo(self._first)
