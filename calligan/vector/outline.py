"""A filled path: what a traced glyph, a borrowed mark, a ruled line and a seal all are."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from fontTools.pens.basePen import AbstractPen, BasePen

Point = tuple[float, float]  # x, y


class Drawing(Protocol):
    """Whatever draws itself to a pen, in font units, ink to the right of its contours' way."""

    def draw(self, pen: AbstractPen) -> None:
        """Draw."""


@dataclass(frozen=True)
class Outline:
    """Closed contours of cubics and lines, filled where they wind round (non-zero).

    `controls` (K, 4, 2), each piece beginning where the one before it ends; `contour` (K,) tells
    pieces of one contour from those of the next; `straight` (K,) pieces are lines. In a font y
    points upward and ink is to the right of a contour's way.
    """

    controls: np.ndarray
    contour: np.ndarray
    straight: np.ndarray

    @classmethod
    def of(cls, drawing: Drawing) -> "Outline":
        """What something draws."""
        pen = OutlinePen()
        drawing.draw(pen)
        return pen.outline

    def draw(self, pen: AbstractPen) -> None:
        """Draw to a pen; cubics as they are (fontTools' Cu2QuPen makes them quadratic)."""
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

    def rounded(self) -> "Outline":
        """With whole coordinates; what shrinks to a point is left out."""
        controls = np.rint(self.controls)
        there = (controls[:, 0] != controls[:, 3]).any(axis=1)
        return Outline(controls[there], self.contour[there], self.straight[there])

    def turned_round(self) -> "Outline":
        """The same contours the other way round: what was filled is cut out of its surroundings."""
        return Outline(self.controls[::-1, ::-1], self.contour[::-1], self.straight[::-1])

    def moved(self, matrix: np.ndarray) -> "Outline":
        """Every point p as matrix @ (p, 1); `matrix` is (2, 3)."""
        return replace(self, controls=self.controls @ matrix[:, :2].T + matrix[:, 2])


class OutlinePen(BasePen):  # type: ignore[misc]  # fontTools has no types
    """Gathers what is drawn to it into an Outline."""

    def __init__(self) -> None:
        super().__init__(None)
        self._pieces: list[tuple[list[Point], int, bool]] = []
        self._number = -1

    @property
    def outline(self) -> Outline:
        """What was drawn."""
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
