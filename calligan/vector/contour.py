"""The 0.5 iso-line of a grey glyph as closed point chains, with rounded-off corners restored."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from contourpy import LineType, contour_generator
from numpy.lib.stride_tricks import sliding_window_view

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
        across = np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])
        return float(across + x[-1] * y[0] - x[0] * y[-1]) / 2


def extract_chains(image: np.ndarray, config: TraceConfig) -> list[Chain]:
    """The contours of a glyph image, uint8 (H, W), 255 = paper; coordinates (0, 0) to (W, H).

    The iso-line is interpolated between pixel centres: it is accurate to a fraction of a pixel
    where edges are grey. Specks and pinholes are left out.
    """
    found = iso_lines(255 - image)
    lines = [line[:-1] for line in found if len(line) > 3]
    if not lines:
        return []
    found = _make_chains([resample(line - 0.5, config.step_px) for line in lines], config)
    return [chain for chain in found if abs(chain.area_px) >= config.speck_px2]


def iso_lines(ink: np.ndarray, line_type: LineType = LineType.Separate) -> Any:
    """Closed lines of half ink around glyphs, of ink uint8 (H, W), as contourpy gives them.

    The centre of the first pixel is at (1, 1): there is a border of paper, which closes the lines.
    """
    field = np.zeros((ink.shape[0] + 2, ink.shape[1] + 2))
    field[1:-1, 1:-1] = ink
    return contour_generator(*_centres(field.shape), field, line_type=line_type).lines(127.5)


@lru_cache(maxsize=4)
def _centres(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x, y of all pixels, (H, W) each; contourpy would make them for each glyph."""
    x, y = np.meshgrid(np.arange(shape[1], dtype=float), np.arange(shape[0], dtype=float))
    return x, y


def resample(line: np.ndarray, step_px: float) -> np.ndarray:
    """Points of a closed line (N, 2) at equal distances of about `step_px`."""
    return resample_open(np.concatenate([line, line[:1]]), step_px, min_points=4)


def resample_open(line: np.ndarray, step_px: float, min_points: int = 1) -> np.ndarray:
    """Points of an open line (N, 2) at equal distances of about `step_px`, without its last."""
    along = np.zeros(len(line))
    np.cumsum(np.hypot(*(line[1:] - line[:-1]).T), out=along[1:])
    count = max(min_points, round(along[-1] / step_px))
    at = np.arange(count) * (along[-1] / count)
    return np.column_stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)])


def _make_chains(lines: list[np.ndarray], config: TraceConfig) -> list[Chain]:
    """Chains of resampled lines (N, 2): all at once, each with its ends repeated on either side."""
    reach = max(2, round(config.corner_reach_px / config.step_px))
    margin = 2 * reach
    count = np.array([len(line) for line in lines])
    around = np.concatenate(
        [line[np.arange(-margin, n + margin) % n] for line, n in zip(lines, count, strict=True)]
    )
    first, owner = np.cumsum(count) - count, np.repeat(np.arange(len(lines)), count)
    row = np.arange(len(owner)) + margin * (2 * owner + 1)  # in `around`, of each point
    sharp = _are_corners(around, reach, np.radians(config.corner_deg))[row]
    corner = np.flatnonzero(sharp & (count >= 4 * reach)[owner])
    points = around[row]
    near = max(1, reach // 3)  # points on either side that belong to the rounding
    crossing = _crossings(around, row[corner], near, reach)
    known = np.hypot(*(crossing - points[corner]).T) <= near
    moved, of, crossing = corner[known], owner[corner[known]], crossing[known]
    for step in range(1 - near, near):  # the points of the rounding move onto the straight sides
        side = around[row[moved] + (near if step > 0 else -near)]
        share = abs(step) / near
        at = first[of] + (moved - first[of] + step) % count[of]
        points[at] = (1 - share) * crossing + share * side
    ends = np.searchsorted(corner, [*first, len(owner)])
    return [
        Chain(points[start : start + n], corner[a:b] - start)
        for start, n, a, b in zip(first, count, ends[:-1], ends[1:], strict=True)
    ]


def _are_corners(points: np.ndarray, reach: int, min_turn_rad: float) -> np.ndarray:
    """Where a line (N, 2) turns by `min_turn_rad` or more within `reach` points each side, (N,).

    The first and last 2 * `reach` points count as straight.
    """
    step = points[reach:] - points[:-reach]
    behind, ahead = step[:-reach], step[reach:]
    cross = behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]
    turn = np.abs(np.arctan2(cross, (behind * ahead).sum(axis=1)))
    here, most = turn[reach:-reach], sliding_window_view(turn, 2 * reach + 1).max(axis=1)
    found = np.zeros(len(points), bool)
    found[2 * reach : -2 * reach] = (here >= min_turn_rad) & (here >= most)
    return found


def _crossings(points: np.ndarray, corner: np.ndarray, near: int, reach: int) -> np.ndarray:
    """Where the two sides of each corner (C,) intersect, (C, 2): grey pixels round it off.

    NaN if the sides are nearly parallel.
    """
    # A side is the `near`-th to the `reach`-th point before or behind the corner.
    (p, d), (q, e) = (
        _fit_lines(points[corner[:, None] + sign * np.arange(near, reach + 1)]) for sign in (-1, 1)
    )
    # p + s d = q + t e, solved for s by Cramer's rule.
    cross = d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]
    offset = q - p
    along = offset[:, 0] * e[:, 1] - offset[:, 1] * e[:, 0]
    parallel = np.abs(cross) < 0.2
    found: np.ndarray = p + d * (along / np.where(parallel, np.nan, cross))[:, None]
    return found


def _fit_lines(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and unit directions (C, 2) of runs of points (C, L, 2); they join the halves' means."""
    half = points.shape[1] // 2
    direction = points[:, -half:].mean(axis=1) - points[:, :half].mean(axis=1)
    length = np.maximum(np.hypot(*direction.T), 1e-9)
    return points.mean(axis=1), direction / length[:, None]
