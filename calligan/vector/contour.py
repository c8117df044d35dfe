"""The 0.5 iso-line of a grey glyph as closed point chains, with rounded-off corners restored."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from contourpy import LineType, contour_generator

from calligan.config import TraceConfig


@dataclass(frozen=True)
class Chain:
    """A closed polyline in pixels (y down), with ink on its left.

    `points` (N, 2) are `step_px` apart except at corners; the last point connects to the first.
    """

    points: np.ndarray
    corners: np.ndarray  # ascending indices into `points`

    @property
    def area_px(self) -> float:
        """Enclosed area in square pixels, negative for a hole."""
        # Shoelace formula.
        x, y = self.points.T
        return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2


def extract_chains(image: np.ndarray, config: TraceConfig) -> list[Chain]:
    """The contours of a glyph image, uint8 (H, W), 255 = paper; coordinates (0, 0) to (W, H).

    The iso-line is interpolated between pixel centres: it is accurate to a fraction of a pixel
    where edges are grey. Specks and pinholes are left out.
    """
    field = np.pad(255.0 - image, 1)  # a border of paper closes every line
    generator = contour_generator(z=field, line_type=LineType.Separate)
    lines = cast("list[np.ndarray]", generator.lines(127.5))
    found = (_make_chain(line[:-1] - 0.5, config) for line in lines if len(line) > 3)
    return [chain for chain in found if abs(chain.area_px) >= config.speck_px2]


def _make_chain(line: np.ndarray, config: TraceConfig) -> Chain:
    points = resample(line, config.step_px)
    reach = max(2, round(config.corner_reach_px / config.step_px))
    if len(points) < 4 * reach:
        return Chain(points, np.empty(0, int))
    corners = _find_corners(points, reach, np.radians(config.corner_deg))
    return Chain(_sharpen(points, corners, reach), corners)


def resample(line: np.ndarray, step_px: float) -> np.ndarray:
    """Points of a closed line (N, 2) at equal distances of about `step_px`."""
    closed = np.vstack([line, line[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    count = max(4, round(along[-1] / step_px))
    at = np.linspace(0, along[-1], count, endpoint=False)
    return np.column_stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)])


def _find_corners(points: np.ndarray, reach: int, min_turn_rad: float) -> np.ndarray:
    """Indices at which the line turns by `min_turn_rad` or more within `reach` points each side."""
    ahead = np.roll(points, -reach, axis=0) - points
    behind = points - np.roll(points, reach, axis=0)
    cross = behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]
    turn = np.abs(np.arctan2(cross, (behind * ahead).sum(axis=1)))
    around = np.stack([np.roll(turn, shift) for shift in range(-reach, reach + 1)])
    return np.flatnonzero((turn >= min_turn_rad) & (turn >= around.max(axis=0)))


def _sharpen(points: np.ndarray, corners: np.ndarray, reach: int) -> np.ndarray:
    """Move each corner to the intersection of its two sides: grey pixels round it off."""
    sharp = points.copy()
    near = max(1, reach // 3)  # points on either side that belong to the rounding
    for i in corners:
        sides = [
            np.take(points, i + sign * np.arange(near, reach + 1), axis=0, mode="wrap")
            for sign in (-1, 1)
        ]
        crossing = _intersect(*sides)
        if crossing is None or np.hypot(*(crossing - points[i])) > near:
            continue
        sharp[i] = crossing
        # The points of the rounding move onto the straight sides.
        for sign in (-1, 1):
            for k in range(1, near):
                share = k / near
                at = (i + sign * k) % len(points)
                sharp[at] = (1 - share) * crossing + share * points[(i + sign * near) % len(points)]
    return sharp


def _intersect(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Intersection of the straight lines through two runs of points; None if nearly parallel."""
    (p, d), (q, e) = _fit_line(a), _fit_line(b)
    # p + s d = q + t e, solved for s by Cramer's rule.
    cross = d[0] * e[1] - d[1] * e[0]
    if abs(cross) < 0.2:
        return None
    crossing: np.ndarray = p + d * ((q - p)[0] * e[1] - (q - p)[1] * e[0]) / cross
    return crossing


def _fit_line(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and unit direction of a run of points; the direction joins the means of its halves."""
    half = len(points) // 2
    direction = points[-half:].mean(axis=0) - points[:half].mean(axis=0)
    return points.mean(axis=0), direction / max(np.hypot(*direction), 1e-9)
