"""Nearly straight runs of a closed chain, and the lines through them."""

import numpy as np

from calligan.vector.contour import Chain

_MERGED_SHARE = 0.75  # of the waver allowed, on either side of the line through two runs
_MAX_MERGED_TURN = 0.36  # tangent of the angle between two runs that may be one


def vertices_of(chain: Chain, waver_px: float, bend: float = 0.0) -> list[int]:
    """Indices of points between which the chain is nearly straight (Douglas & Peucker 1973).

    It strays by `waver_px` at most, or by `bend` times the length of a long run.
    """
    points, count = chain.points, len(chain.points)
    found = set(chain.corners.tolist())
    if len(found) < 2:
        x, y = points.T
        found |= {int(x.argmin()), int(y.argmin()), int(x.argmax()), int(y.argmax())}
    ordered, around = sorted(found), np.concatenate([points] * 3)
    todo = list(zip(ordered, [*ordered[1:], ordered[0] + count], strict=True))
    while todo:
        a, b = todo.pop()
        part = around[a : b + 1]
        off = _distances_from_chord(part)
        worst = int(off.argmax())
        if off[worst] > waver_px and 0 < worst < b - a:
            found.add((a + worst) % count)
            todo += [(a, a + worst), (a + worst, b)]
    kept_px = _MERGED_SHARE * waver_px
    return _without_needless(sorted(found), set(chain.corners.tolist()), around, kept_px, bend)


def _without_needless(
    vertices: list[int], corners: set[int], around: np.ndarray, waver_px: float, bend: float
) -> list[int]:
    """Vertices without those where both sides together are nearly straight too.

    The chords of a wave begin at its crests, so that a wave is split at half the amplitude.
    """
    kept, count, at = list(vertices), len(around) // 3, 0
    while at < len(kept) and len(kept) > 2:
        here, before, after = kept[at], kept[at - 1], kept[(at + 1) % len(kept)]
        before, after = before - count * (before >= here), after + count * (after <= here)
        if here not in corners and _is_straight(
            around[before + count : after + count + 1], here - before, waver_px, bend
        ):
            kept.pop(at)
        else:
            at += 1
    return kept


def _is_straight(points: np.ndarray, vertex: int, waver_px: float, bend: float) -> bool:
    """Whether points (N, 2) stay near one line, which turns but little at the `vertex`."""
    (ax, ay), (bx, by) = points[vertex] - points[0], points[-1] - points[vertex]
    if abs(ax * by - ay * bx) > _MAX_MERGED_TURN * (ax * bx + ay * by):
        return False
    middle, direction = line_through(points)
    offset = points - middle
    across = direction[0] * offset[:, 1] - direction[1] * offset[:, 0]
    return bool(np.abs(across).max() <= max(waver_px, bend * np.hypot(*(points[-1] - points[0]))))


def line_through(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A point and the unit direction of the least-squares line of points (N, 2)."""
    middle = points.mean(axis=0)
    x, y = (points - middle).T
    angle = np.arctan2(2 * (x @ y), x @ x - y @ y) / 2  # of the larger principal axis
    direction = np.array([np.cos(angle), np.sin(angle)])
    return middle, direction


def _distances_from_chord(points: np.ndarray) -> np.ndarray:
    """Distances (N,) of points from the line through the first and the last."""
    offset, chord = points - points[0], points[-1] - points[0]
    length = np.hypot(*chord)
    if length < 1e-9:
        return np.asarray(np.hypot(*offset.T))
    return np.asarray(np.abs(offset[:, 0] * chord[1] - offset[:, 1] * chord[0]) / length)


def turns_deg(chords: np.ndarray) -> np.ndarray:
    """By how much each chord (K, 2) turns from the one before it, (K,), positive clockwise."""
    before = np.roll(chords, 1, axis=0)
    cross = before[:, 0] * chords[:, 1] - before[:, 1] * chords[:, 0]
    return np.asarray(np.degrees(np.arctan2(cross, (before * chords).sum(axis=1))))


def degrees_off_axis(direction: np.ndarray) -> np.ndarray:
    """The angle (...) between directions (..., 2) and the nearest axis."""
    angle = np.degrees(np.arctan2(direction[..., 1], direction[..., 0]))
    return np.asarray(np.abs(angle - 90 * np.rint(angle / 90)))
