"""Centre lines of a pen's strokes: through junctions, straight or smooth, with their corners."""

import itertools
from dataclasses import dataclass
from math import comb

import numpy as np

from calligan.vector.skeleton import Skeleton

_JUNCTION = 1.7  # half-widths around a junction where a skeleton bends away from the strokes
_DIRECTION = (1.2, 3.5)  # half-widths from a junction at which a branch's direction is taken
_GOES_ON = -0.75  # cosine between two directions of one stroke; -1 is straight
_NOISE_PX = 1.5  # of a skeleton: standard deviation of its smoothing
_MAX_DEGREE = 10
_STRAIGHT = 1.25  # a line may be this much farther from a skeleton than a curve
_MIN_FIT_POINTS = 5
_SAME_WIDTH = 0.5  # of the stroke's width: what the ink across a line may differ from it
_CURVE_STEP_PX = 3  # between the points of a curve


@dataclass(frozen=True)
class Corners:
    """What is a corner: the reach of the two chords, in half-widths, and the least turn."""

    reach: float
    degrees: float


SHARP = (Corners(2.2, 48), Corners(3.5, 60))  # corners that a network rounds are sharp again
ROUND = (Corners(1.6, 62),)


def centre_lines(
    skeleton: Skeleton,
    ink: np.ndarray,
    tolerance_px: float,
    corners: tuple[Corners, ...] = SHARP,
) -> list[np.ndarray]:
    """A line (K, 2) for each stroke, within `tolerance_px` of the skeleton, but for junctions.

    `ink` is the glyph's coverage (S, S), 0 to 1, which says where the middle of a stroke is.
    """
    half_width_px = skeleton.half_width_px
    strokes = _Strokes(skeleton)
    lines = (_centred(_resample(points), ink, half_width_px) for points in strokes.walk())
    return [_refit(line, half_width_px, tolerance_px, corners) for line in lines]


class _Strokes:
    """Joins branches through junctions, where two of them go straight on."""

    def __init__(self, skeleton: Skeleton):
        self.skeleton, self.half_width_px = skeleton, skeleton.half_width_px
        self._next: dict[tuple[int, int], tuple[int, int]] = {}  # by branch and its end, 0 or 1
        ends: dict[int, list[tuple[int, int]]] = {}
        for number, branch in enumerate(skeleton.branches):
            ends.setdefault(branch.start, []).append((number, 0))
            ends.setdefault(branch.end, []).append((number, 1))
        for node, meeting in ends.items():
            if len(meeting) > 2:
                self._pair(node, meeting)

    def walk(self) -> list[np.ndarray]:
        """The points of each stroke; none within a junction, but for its middle at an end."""
        count = len(self.skeleton.branches)
        free = [(i, end) for i in range(count) for end in (0, 1) if (i, end) not in self._next]
        loops = [(i, 0) for i in range(count)]  # whose branches all go on
        walked: set[int] = set()
        found = (self._stroke(first, walked) for first in (*free, *loops))
        return [points for points in found if len(points)]

    def _pair(self, node: int, meeting: list[tuple[int, int]]) -> None:
        directions = [self._direction(number, end) for number, end in meeting]
        pairs = sorted(
            (float(directions[i] @ directions[j]), i, j)
            for i in range(len(meeting))
            for j in range(i)
        )
        taken: set[int] = set()
        for cosine, i, j in pairs:
            if cosine < _GOES_ON and not taken & {i, j}:
                taken |= {i, j}
                self._next[meeting[i]], self._next[meeting[j]] = meeting[j], meeting[i]

    def _direction(self, number: int, end: int) -> np.ndarray:
        """The unit vector in which a branch leaves its node."""
        branch = self.skeleton.branches[number]
        points = branch.points if end == 0 else branch.points[::-1]
        place = self.skeleton.places[branch.start if end == 0 else branch.end]
        away_px = np.hypot(*(points - place).T)
        low, high = (reach * self.half_width_px for reach in _DIRECTION)
        chosen = points[(away_px > low) & (away_px < high)]
        vector = (chosen.mean(axis=0) if len(chosen) else points[-1]) - place
        unit: np.ndarray = vector / max(1e-6, float(np.hypot(*vector)))
        return unit

    def _stroke(self, first: tuple[int, int], walked: set[int]) -> np.ndarray:
        parts, at, last = [self._tip(first)], first, first
        while at is not None and at[0] not in walked:
            number, end = at
            walked.add(number)
            parts.append(self._clear(number, end))
            last = (number, 1 - end)
            at = self._next.get(last)  # type: ignore[assignment]
        if len(parts) == 1:
            return np.empty((0, 2))
        looped = at is not None and at == first
        parts.append(parts[1][:1] if looped else self._tip(last))
        return np.concatenate(parts)

    def _tip(self, end: tuple[int, int]) -> np.ndarray:
        """The middle of the junction at which a stroke ends, if it does; (0 or 1, 2)."""
        node = self._node(*end)
        ends_there = self.skeleton.degrees[node] > 2 and end not in self._next
        return self.skeleton.places[node][None] if ends_there else np.empty((0, 2))

    def _clear(self, number: int, end: int) -> np.ndarray:
        """A branch's points outside of junctions, from one of its ends on."""
        branch = self.skeleton.branches[number]
        points = branch.points
        for node in (branch.start, branch.end):
            if self.skeleton.degrees[node] > 2:
                away_px = np.hypot(*(points - self.skeleton.places[node]).T)
                points = points[away_px > _JUNCTION * self.half_width_px]
        return points if end == 0 else points[::-1]

    def _node(self, number: int, end: int) -> int:
        branch = self.skeleton.branches[number]
        return branch.start if end == 0 else branch.end


def _refit(
    line: np.ndarray, half_width_px: float, tolerance_px: float, kinds: tuple[Corners, ...]
) -> np.ndarray:
    """A line of points 1 px apart, straight or smooth between its corners."""
    if len(line) < _MIN_FIT_POINTS:
        return line
    closed = len(line) > 8 * half_width_px and _length(line[[0, -1]]) < half_width_px
    if not closed:
        line = _smooth(line, _NOISE_PX)
        return _fit_between(line, find_corners(line, half_width_px, kinds), tolerance_px)
    ring = line[:-1]
    for kind in kinds:
        reach = round(kind.reach * half_width_px)
        turns = _turns(np.concatenate([ring[-reach:], ring, ring[:reach]]), reach)
        if turns.max() >= np.radians(kind.degrees):
            line = np.roll(ring, -int(turns.argmax()), axis=0)
            line = _smooth(np.concatenate([line, line[:1]]), _NOISE_PX)
            corners = find_corners(line, half_width_px, kinds)
            margin = _margin(kind, half_width_px)
            return _fit_between(line, corners | {0: margin, len(line) - 1: margin}, tolerance_px)
    return _smooth_ring(ring, half_width_px)


def _centred(line: np.ndarray, ink: np.ndarray, half_width_px: float) -> np.ndarray:
    """A line of points 1 px apart, moved to the middle of its stroke.

    A skeleton consists of pixels, so it is up to half a pixel off the middle, and bends in steps.
    Points where the ink across is wider or narrower than a stroke stay where they are.
    """
    if len(line) < _MIN_FIT_POINTS:
        return line
    smooth = _smooth(line, 2 * _NOISE_PX)
    along = np.gradient(smooth, axis=0)
    across = along[:, ::-1] * (-1, 1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    reach = int(np.ceil(1.6 * half_width_px))
    steps = np.arange(-reach, reach + 1)
    covered = _read(ink, smooth[:, None] + steps[:, None] * across[:, None])
    middle = reach
    for side in (range(middle, -1, -1), range(middle, 2 * reach + 1)):  # no other strokes' ink
        part = covered[:, list(side)]
        covered[:, list(side)] = part * (np.minimum.accumulate(part, axis=1) > 0.02)
    width_px = covered.sum(axis=1)
    shift_px = (covered * steps).sum(axis=1) / np.maximum(width_px, 1e-9)
    clear = np.abs(width_px / (2 * half_width_px) - 1) < _SAME_WIDTH
    moved: np.ndarray = smooth + (np.where(clear, shift_px, 0.0))[:, None] * across
    return moved


def _read(ink: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Ink (S, S) at points (..., 2), x and y in pixels, linearly between pixels' centres."""
    x, y = np.moveaxis(np.clip(points - 0.5, 0, ink.shape[0] - 1.001), -1, 0)
    column, row = x.astype(int), y.astype(int)
    right, below = x - column, y - row
    top = ink[row, column] * (1 - right) + ink[row, column + 1] * right
    bottom = ink[row + 1, column] * (1 - right) + ink[row + 1, column + 1] * right
    value: np.ndarray = top * (1 - below) + bottom * below
    return value


def find_corners(
    line: np.ndarray, half_width_px: float, kinds: tuple[Corners, ...]
) -> dict[int, int]:
    """The corners of a line of points 1 px apart: index, and how many points near it are bent."""
    found: dict[int, int] = {}
    for kind in kinds:
        reach = min(round(kind.reach * half_width_px), (len(line) - 1) // 3)
        if reach < 3:
            continue
        turns = _turns(line, reach)
        for other in found:
            turns[max(0, other - 2 * reach) : max(0, other + 1)] = 0
        while turns.max() >= np.radians(kind.degrees):
            at = int(turns.argmax())
            found[at + reach] = _margin(kind, half_width_px)
            turns[max(0, at - reach) : at + reach + 1] = 0
    return found


def _margin(kind: Corners, half_width_px: float) -> int:
    return round(0.55 * kind.reach * half_width_px)


def _turns(line: np.ndarray, reach: int) -> np.ndarray:
    """The angle between the chords before and after each point, but for `reach` at both ends."""
    before, after = line[reach:-reach] - line[: -2 * reach], line[2 * reach :] - line[reach:-reach]
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turns: np.ndarray = np.abs(np.arctan2(cross, (before * after).sum(axis=1)))
    return turns


def _fit_between(line: np.ndarray, corners: dict[int, int], tolerance_px: float) -> np.ndarray:
    """Straight or smooth parts, from corner to corner, which are where the parts' ends meet."""
    cuts = sorted({0, len(line) - 1, *corners})
    parts = []
    for a, b in itertools.pairwise(cuts):
        low, high = a + corners.get(a, 0), b - corners.get(b, 0)
        clear = line[low : high + 1] if high - low >= _MIN_FIT_POINTS else line[a : b + 1]
        parts.append(_fit(clear, tolerance_px))
    closed = 0 in corners
    joined: list[np.ndarray] = []
    for number, part in enumerate(parts):
        joined.append(part)
        if number + 1 < len(parts) or closed:
            following = parts[(number + 1) % len(parts)]
            at = cuts[number + 1]
            joined.append(_crossing(part, following, line[at], 4 * corners[at])[None])
    if closed:
        joined.append(joined[0][:1])
    return np.concatenate(joined)


def _crossing(
    before: np.ndarray, after: np.ndarray, corner: np.ndarray, max_px: float
) -> np.ndarray:
    """Where two lines meet if both go on straight; `corner` if that is farther from it."""
    if len(before) < 2 or len(after) < 2:
        return corner
    ahead, back = (
        before[-1] - before[max(0, len(before) - 3)],
        after[0] - after[min(2, len(after) - 1)],
    )
    across = ahead[0] * back[1] - ahead[1] * back[0]
    if abs(across) < 0.2 * np.hypot(*ahead) * np.hypot(*back) + 1e-9:
        return corner
    gap = after[0] - before[-1]
    met: np.ndarray = before[-1] + (gap[0] * back[1] - gap[1] * back[0]) / across * ahead
    return met if np.hypot(*(met - corner)) < max_px else corner


def _fit(points: np.ndarray, tolerance_px: float) -> np.ndarray:
    """The straight line through points, or the polynomial of the least degree within tolerance.

    Least squares in Bernstein polynomials of the arc length. A straight line has two points.
    """
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], steps.cumsum()])
    t = along / max(float(along[-1]), 1e-9)
    for degree in (1, *range(3, _MAX_DEGREE + 1)):
        if degree + 1 >= len(points):
            break
        basis = np.stack(
            [comb(degree, k) * t**k * (1 - t) ** (degree - k) for k in range(degree + 1)], axis=1
        )
        controls = np.linalg.lstsq(basis, points, rcond=None)[0]
        fitted: np.ndarray = basis @ controls
        off_px = np.hypot(*(fitted - points).T).max()
        if off_px < tolerance_px * (_STRAIGHT if degree == 1 else 1):
            return fitted[[0, -1]] if degree == 1 else _thinned(fitted)
    return _thinned(_smooth(points, 2 * _NOISE_PX))


def _thinned(curve: np.ndarray) -> np.ndarray:
    """Every few points of a curve, and its last."""
    return np.concatenate([curve[:-1:_CURVE_STEP_PX], curve[-1:]])


def _smooth(line: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian smoothing along a line of points 1 px apart; its ends stay where they are."""
    reach = min(int(3 * sigma_px), len(line) - 1)
    if reach < 1:
        return line
    before, after = 2 * line[0] - line[reach:0:-1], 2 * line[-1] - line[-2 : -reach - 2 : -1]
    return _convolve(np.concatenate([before, line, after]), sigma_px, reach)


def _smooth_ring(ring: np.ndarray, half_width_px: float) -> np.ndarray:
    """A closed line without corners, smoothed; its first point is repeated."""
    reach = min(int(2 * half_width_px), len(ring) // 2)
    smooth = _convolve(
        np.concatenate([ring[-reach:], ring, ring[:reach]]), max(1.0, reach / 3), reach
    )
    return _thinned(np.concatenate([smooth, smooth[:1]]))


def _convolve(line: np.ndarray, sigma_px: float, reach: int) -> np.ndarray:
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma_px**2))
    weights /= weights.sum()
    return np.stack([np.convolve(line[:, axis], weights, "valid") for axis in (0, 1)], axis=1)


def _resample(line: np.ndarray) -> np.ndarray:
    """Points about 1 px apart along a line (K, 2)."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    line = line[np.concatenate([[True], steps > 1e-9])]
    along = np.concatenate([[0.0], steps[steps > 1e-9].cumsum()])
    at = np.linspace(0, along[-1], max(1, round(along[-1])) + 1)
    return np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=1)


def _length(line: np.ndarray) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())
