"""Measurements along the contours of a glyph: turning, bends, straightness of edges.

Lengths are in pixels of a canvas of 512 px, whatever the source of the outline. Overlapping
contours count as one shape: the outline is rasterized at twice the resolution, and the measured
line is the 0.5 iso-line of its coverage, which is accurate to some hundredths of a pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calligan.glyphs.placement import Placement
from calligan.vector.contour import iso_lines, resample
from calligan.vector.fill import fill
from calligan.vector.outline import Outline

CANVAS_PX = 512  # the canvas whose pixels are the unit of length
SUPERSAMPLING = 2  # of the rasterized outline
STEP_PX = 1.0  # between consecutive points of a line
SMOOTH_PX = 4.0  # standard deviation of the Gaussian along the line
MIN_BEND_DEG = 6.0  # smaller reversals are not counted as bends
MAX_SPECK_PX2 = 64.0  # smaller areas are specks or pinholes: 2 x 2 px on 128 px
EDGE_SMOOTH_PX = 16.0  # smoothing for the detection of straight edges
MAX_AXIS_DEG = 6.0  # from horizontal or vertical, for an edge to count
MIN_EDGE_EM = 0.2  # minimum length of an edge


@dataclass(frozen=True)
class Shape:
    """A rasterized outline: `ink` uint8 (H, W), 255 = ink, cropped; closed `lines`.

    A line is (N, 2) in pixels of the 512 px canvas from the crop's corner, its points `STEP_PX`
    apart; `area_px2` of a line is positive around ink, negative around a hole. `em_px` is the em.
    """

    ink: np.ndarray
    lines: list[np.ndarray]
    area_px2: np.ndarray
    em_px: float

    @property
    def main_lines(self) -> Iterator[np.ndarray]:
        """The lines that are not specks or pinholes."""
        large = np.abs(self.area_px2) >= MAX_SPECK_PX2
        return (line for line, kept in zip(self.lines, large, strict=True) if kept)

    def count(self, sign: int, small: bool) -> int:
        """Lines around ink (`sign` 1) or holes (-1): specks and pinholes, or larger ones."""
        areas = sign * self.area_px2
        return int(((areas > 0) & ((areas < MAX_SPECK_PX2) == small)).sum())


def shape_of(outline: Outline, placement: Placement, upem: int) -> Shape:
    """Rasterize an outline in font units (y up) on the canvas."""
    place = placement.scaled(CANVAS_PX * SUPERSAMPLING)
    k = place.em_px / upem
    matrix = np.array([[k, 0, place.origin_x_px], [0, -k, place.baseline_y_px]])
    bitmap = fill(outline.transform(matrix))
    em_px = place.em_px / SUPERSAMPLING
    if bitmap is None:
        return Shape(np.zeros((0, 0), np.uint8), [], np.empty(0), em_px)
    found = iso_lines(bitmap.ink)
    rings = [(line[:-1] - 0.5) / SUPERSAMPLING for line in found if len(line) > 4]
    areas = np.array([_area(ring) for ring in rings])
    return Shape(bitmap.ink, [resample(ring, STEP_PX) for ring in rings], areas, em_px)


def turning_angles(line: np.ndarray, smooth_px: float = SMOOTH_PX) -> np.ndarray:
    """The turning angle at each point of a closed line (N, 2), after smoothing: radians (N,)."""
    smooth = smooth_line(line, smooth_px)
    step = np.roll(smooth, -1, axis=0) - smooth
    before = np.roll(step, 1, axis=0)
    cross = before[:, 0] * step[:, 1] - before[:, 1] * step[:, 0]
    turned: np.ndarray = np.arctan2(cross, (before * step).sum(axis=1))
    return turned


def smooth_line(line: np.ndarray, smooth_px: float) -> np.ndarray:
    """Smooth a closed line by a periodic Gaussian of standard deviation `smooth_px` along it."""
    spectrum = np.fft.rfft(line, axis=0)
    frequency = np.fft.rfftfreq(len(line), STEP_PX)
    spectrum *= np.exp(-2 * (np.pi * smooth_px * frequency) ** 2)[:, None]
    return np.fft.irfft(spectrum, len(line), axis=0)


def count_bends(turn: np.ndarray, min_rad: float = np.radians(MIN_BEND_DEG)) -> int:
    """The number of bends of a closed line: reversals of its heading by more than `min_rad`.

    The heading is the cumulative sum of `turn` (N,). A reversal is a local extremum with a
    prominence of more than `min_rad`: the heading rises and then falls by more than that from its
    maximum, or the opposite. A convex line has none, a wave has two per period.
    """
    two_laps = np.tile(turn, 2)  # the first sets the state, only the second is counted
    heading = np.cumsum(two_laps)
    direction = np.sign(two_laps)
    extremes = np.flatnonzero(np.diff(direction) != 0).tolist()
    values = heading[extremes].tolist()
    high = low = 0.0
    rising = 0  # 0 until the first reversal
    count = 0
    for at, value in zip(extremes, values, strict=True):
        high, low = max(high, value), min(low, value)
        if rising >= 0 and high - value > min_rad:
            rising, low = -1, value
        elif rising <= 0 and value - low > min_rad:
            rising, high = 1, value
        else:
            continue
        count += at >= len(turn)
    return count


def measure_straying(shape: Shape) -> float:
    """The deviation of long horizontal and vertical edges from a straight line, in em / 1000.

    An edge is a run of the line, smoothed by `EDGE_SMOOTH_PX`, whose direction stays within
    `MAX_AXIS_DEG` of an axis over `MIN_EDGE_EM`, plus `EDGE_SMOOTH_PX` at either end. Its deviation
    is the root mean squared distance of the unsmoothed line from its least-squares line (of any
    angle). The mean over edges is weighted by length. NaN without such an edge.
    """
    min_px = MIN_EDGE_EM * shape.em_px
    total = length = 0.0
    for line in shape.main_lines:
        for run in _straight_runs(line, min_px):
            total += _rms_from_line(line[run]) * len(run)
            length += len(run)
    return 1000 * total / length / shape.em_px if length else float("nan")


def _straight_runs(line: np.ndarray, min_px: float) -> Iterator[np.ndarray]:
    """Indices of the points of each horizontal or vertical edge."""
    count, trim = len(line), round(EDGE_SMOOTH_PX / STEP_PX)
    if count < 4 * trim:
        return
    smooth = smooth_line(line, EDGE_SMOOTH_PX)
    step = np.roll(smooth, -1, axis=0) - smooth
    angle = np.degrees(np.arctan2(step[:, 1], step[:, 0]))
    side = np.rint(angle / 90)
    even = np.abs(angle - 90 * side) <= MAX_AXIS_DEG
    side = np.where(even, side % 4, -1)
    cuts = np.flatnonzero(side != np.roll(side, 1))
    for start, end in zip(cuts, [*cuts[1:], cuts[0] + count] if len(cuts) else [], strict=True):
        if side[start] >= 0 and (end - start - 2 * trim) * STEP_PX >= min_px:
            yield np.arange(start + trim, end - trim) % count


def _rms_from_line(points: np.ndarray) -> float:
    """Root mean squared distance of points (N, 2) from their total least-squares line."""
    covariance = np.cov(points, rowvar=False, bias=True)
    return float(np.sqrt(max(0.0, np.linalg.eigvalsh(covariance)[0])))


def _area(ring: np.ndarray) -> float:
    """Area of a ring (N, 2) in square pixels; positive around ink, by contourpy's orientation."""
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2
