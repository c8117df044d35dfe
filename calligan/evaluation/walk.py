"""A glyph's outlines walked along: how they turn, how often they waver, how straight they run.

Lengths are in pixels of a canvas of 512 px, wherever the outline comes from. Overlapping contours
count as the one shape that they fill: the outline is filled with twice the pixels, and what is
walked is the 0.5 iso-line of its coverage, whose error is some hundredths of a pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from contourpy import LineType, contour_generator

from calligan.glyphs.placement import Placement
from calligan.vector.contour import resample
from calligan.vector.fill import fill
from calligan.vector.outline import Outline

CANVAS_PX = 512  # what lengths are told in
FINER = 2  # pixels of the filled outline to one of those
STEP_PX = 1.0  # between the points of a walked line
SMOOTH_PX = 4.0  # standard deviation of the Gaussian along the line
BEND_DEG = 6.0  # what turns back by less does not waver
SPECK_PX2 = 64.0  # ink and holes of less area are specks and pinholes: 2 x 2 px on 128 px
EVEN_PX = 16.0  # smoothing of the line where straight edges are looked for
AXIS_DEG = 6.0  # an edge is level or upright within this angle
LEAST_EM = 0.2  # and so long


@dataclass(frozen=True)
class Shape:
    """A filled outline on its canvas: `ink` uint8 (H, W), 255 = ink, cropped; closed `lines`.

    A line is (N, 2) in pixels of the 512 px canvas from the crop's corner, its points `STEP_PX`
    apart; `area_px2` of a line is positive around ink, negative around a hole. `em_px` is the em.
    """

    ink: np.ndarray
    lines: list[np.ndarray]
    area_px2: np.ndarray
    em_px: float

    @property
    def whole(self) -> Iterator[np.ndarray]:
        """The lines that are neither specks nor pinholes."""
        large = np.abs(self.area_px2) >= SPECK_PX2
        return (line for line, kept in zip(self.lines, large, strict=True) if kept)

    def count(self, sign: int, small: bool) -> int:
        """Lines around ink (`sign` 1) or holes (-1): specks and pinholes, or larger ones."""
        areas = sign * self.area_px2
        return int(((areas > 0) & ((areas < SPECK_PX2) == small)).sum())


def shape_of(outline: Outline, placement: Placement, upem: int) -> Shape:
    """An outline in font units (y up) as it lies on the canvas."""
    place = placement.scaled(CANVAS_PX * FINER)
    k = place.em_px / upem
    matrix = np.array([[k, 0, place.origin_x_px], [0, -k, place.baseline_y_px]])
    bitmap = fill(outline.transform(matrix))
    em_px = place.em_px / FINER
    if bitmap is None:
        return Shape(np.zeros((0, 0), np.uint8), [], np.empty(0), em_px)
    field = np.pad(bitmap.ink, 1).astype(np.float64)
    generator = contour_generator(z=field, line_type=LineType.Separate)
    found = cast("list[np.ndarray]", generator.lines(127.5))
    rings = [(line[:-1] - 0.5) / FINER for line in found if len(line) > 4]
    areas = np.array([_area(ring) for ring in rings])
    return Shape(bitmap.ink, [resample(ring, STEP_PX) for ring in rings], areas, em_px)


def turns(line: np.ndarray, smooth_px: float = SMOOTH_PX) -> np.ndarray:
    """How much a closed line (N, 2), smoothed along itself, turns at each point: radians (N,)."""
    smooth = smoothed(line, smooth_px)
    step = np.roll(smooth, -1, axis=0) - smooth
    before = np.roll(step, 1, axis=0)
    cross = before[:, 0] * step[:, 1] - before[:, 1] * step[:, 0]
    turned: np.ndarray = np.arctan2(cross, (before * step).sum(axis=1))
    return turned


def smoothed(line: np.ndarray, smooth_px: float) -> np.ndarray:
    """A closed line under a periodic Gaussian of standard deviation `smooth_px` along itself."""
    spectrum = np.fft.rfft(line, axis=0)
    frequency = np.fft.rfftfreq(len(line), STEP_PX)
    spectrum *= np.exp(-2 * (np.pi * smooth_px * frequency) ** 2)[:, None]
    return np.fft.irfft(spectrum, len(line), axis=0)


def bends(turn: np.ndarray, least_rad: float = np.radians(BEND_DEG)) -> int:
    """How often a closed line turns to and fro: reversals of its heading by more than `least_rad`.

    The heading is the running sum of `turn` (N,). It reverses where, after rising, it falls by
    more than `least_rad` below the highest point since, or the other way round: turning points of
    the heading with that prominence. A convex line has none, a wave two a period.
    """
    laps = np.tile(turn, 2)  # the first brings the count into step, the second counts
    heading = np.cumsum(laps)
    way = np.sign(laps)
    extremes = np.flatnonzero(np.diff(way) != 0).tolist()
    values = heading[extremes].tolist()
    high = low = 0.0
    rising = 0  # 0 until the first reversal
    count = 0
    for at, value in zip(extremes, values, strict=True):
        high, low = max(high, value), min(low, value)
        if rising >= 0 and high - value > least_rad:
            rising, low = -1, value
        elif rising <= 0 and value - low > least_rad:
            rising, high = 1, value
        else:
            continue
        count += at >= len(turn)
    return count


def straying(shape: Shape) -> float:
    """How far long level and upright edges stray from straight, in thousandths of an em.

    An edge is a run of the line, smoothed by `EVEN_PX`, that stays within `AXIS_DEG` of level or
    upright over `LEAST_EM` besides `EVEN_PX` at either end. It strays by the root of the mean
    squared distance of the unsmoothed line from its least-squares line (of any angle); the mean
    over edges is by length. NaN where there is no such edge.
    """
    least_px = LEAST_EM * shape.em_px
    total = length = 0.0
    for line in shape.whole:
        for run in _even_runs(line, least_px):
            total += _rms_from_line(line[run]) * len(run)
            length += len(run)
    return 1000 * total / length / shape.em_px if length else float("nan")


def _even_runs(line: np.ndarray, least_px: float) -> Iterator[np.ndarray]:
    """Indices of the points of each level or upright edge."""
    count, trim = len(line), round(EVEN_PX / STEP_PX)
    if count < 4 * trim:
        return
    smooth = smoothed(line, EVEN_PX)
    step = np.roll(smooth, -1, axis=0) - smooth
    angle = np.degrees(np.arctan2(step[:, 1], step[:, 0]))
    side = np.rint(angle / 90)
    even = np.abs(angle - 90 * side) <= AXIS_DEG
    side = np.where(even, side % 4, -1)
    cuts = np.flatnonzero(side != np.roll(side, 1))
    for start, end in zip(cuts, [*cuts[1:], cuts[0] + count] if len(cuts) else [], strict=True):
        if side[start] >= 0 and (end - start - 2 * trim) * STEP_PX >= least_px:
            yield np.arange(start + trim, end - trim) % count


def _rms_from_line(points: np.ndarray) -> float:
    """Root mean squared distance of points (N, 2) from their total least-squares line."""
    covariance = np.cov(points, rowvar=False, bias=True)
    return float(np.sqrt(max(0.0, np.linalg.eigvalsh(covariance)[0])))


def _area(ring: np.ndarray) -> float:
    """Square pixels within a ring (N, 2): positive around ink, as contourpy goes round it."""
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2
