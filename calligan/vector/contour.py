"""The 0.5 iso-line of a grey glyph as closed chains of points, with its corners made sharp."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from contourpy import LineType, contour_generator

from calligan.config import TraceConfig


@dataclass(frozen=True)
class Chain:
    """One closed line in pixels, ink on its left seen with y downward.

    `points` (N, 2) stand `step_px` apart, those at corners excepted; the last joins the first.
    """

    points: np.ndarray
    corners: np.ndarray  # ascending indices into `points`

    @property
    def area_px(self) -> float:
        """Enclosed area in square pixels, negative for a hole."""
        x, y = self.points.T
        return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2


def chains(image: np.ndarray, config: TraceConfig) -> list[Chain]:
    """The outlines of a glyph image, uint8 (H, W), 255 = paper; canvas corner (0, 0) to (W, H).

    Bilinear between pixel centres, so its precision is a fraction of a pixel where edges are grey.
    Specks and pinholes are left out.
    """
    field = np.pad(255.0 - image, 1)  # a ring of paper closes every line
    generator = contour_generator(z=field, line_type=LineType.Separate)
    lines = cast("list[np.ndarray]", generator.lines(127.5))
    found = (_chain(line[:-1] - 0.5, config) for line in lines if len(line) > 3)
    return [chain for chain in found if abs(chain.area_px) >= config.speck_px2]


def _chain(line: np.ndarray, config: TraceConfig) -> Chain:
    points = evenly(line, config.step_px)
    reach = max(2, round(config.corner_reach_px / config.step_px))
    if len(points) < 4 * reach:
        return Chain(points, np.empty(0, int))
    corners = _corners(points, reach, np.radians(config.corner_deg))
    return Chain(_sharpened(points, corners, reach), corners)


def evenly(line: np.ndarray, step_px: float) -> np.ndarray:
    """A closed line's points at equal distances, about `step_px`."""
    closed = np.vstack([line, line[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    count = max(4, round(along[-1] / step_px))
    at = np.linspace(0, along[-1], count, endpoint=False)
    return np.column_stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)])


def _corners(points: np.ndarray, reach: int, least_rad: float) -> np.ndarray:
    """Where the line turns by `least_rad` or more within `reach` points on either side."""
    ahead = np.roll(points, -reach, axis=0) - points
    behind = points - np.roll(points, reach, axis=0)
    cross = behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]
    turn = np.abs(np.arctan2(cross, (behind * ahead).sum(axis=1)))
    around = np.stack([np.roll(turn, shift) for shift in range(-reach, reach + 1)])
    return np.flatnonzero((turn >= least_rad) & (turn >= around.max(axis=0)))


def _sharpened(points: np.ndarray, corners: np.ndarray, reach: int) -> np.ndarray:
    """Corners moved to where their two sides meet: grey pixels round them off."""
    sharp = points.copy()
    near = max(1, reach // 3)  # so many points on either side belong to the rounding
    for i in corners:
        sides = [
            np.take(points, i + sign * np.arange(near, reach + 1), axis=0, mode="wrap")
            for sign in (-1, 1)
        ]
        meeting = _meeting(*sides)
        if meeting is None or np.hypot(*(meeting - points[i])) > near:
            continue
        sharp[i] = meeting
        for sign in (-1, 1):
            for k in range(1, near):
                share = k / near
                at = (i + sign * k) % len(points)
                sharp[at] = (1 - share) * meeting + share * points[(i + sign * near) % len(points)]
    return sharp


def _meeting(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Where the straight lines through two runs of points cross."""
    (p, d), (q, e) = _line(a), _line(b)
    cross = d[0] * e[1] - d[1] * e[0]
    if abs(cross) < 0.2:  # all but parallel
        return None
    crossing: np.ndarray = p + d * ((q - p)[0] * e[1] - (q - p)[1] * e[0]) / cross
    return crossing


def _line(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and direction of a run of points, the latter by its ends' halves."""
    half = len(points) // 2
    way = points[-half:].mean(axis=0) - points[:half].mean(axis=0)
    return points.mean(axis=0), way / max(np.hypot(*way), 1e-9)
