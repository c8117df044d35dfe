"""Stroke widths: distances from the skeleton of a glyph to its outline."""

import numpy as np

from calligan.vector.thinning import NEIGHBOURS, thin

_END_MARGIN = 1.5  # half-widths; closer to an end, the skeleton depends on the shape of the end
_CHUNK = 256
_OUTLINE_STEP = 2  # uses every second point of the outline


def half_widths(ink: np.ndarray, lines: list[np.ndarray]) -> np.ndarray:
    """Half of the stroke width at each point of the skeleton, in pixels (K,).

    `ink` bool (H, W); `lines` are its outlines (N, 2), x and y in the same pixels. Points closer
    than 1.5 half-widths to an end of the skeleton are left out, if others remain, as skeletons
    extend into corners.

    The half-width is the maximum, across the stroke, of the distance d to the outline. The maximum
    is up to one pixel away from the skeleton's point p. As d decreases by one per pixel on either
    side, it is (d(p) + d(q) + 1) / 2, with q one pixel from p, away from the nearest outline point.
    """
    skeleton = thin(ink)
    if not lines or not skeleton.any():
        return np.empty(0)
    outline = np.concatenate([line[::_OUTLINE_STEP] for line in lines])
    at = np.argwhere(skeleton)[:, ::-1] + 0.5
    distance, nearest = _nearest(at, outline)
    ends = np.argwhere(_ends(skeleton))[:, ::-1] + 0.5
    if len(ends):
        kept = _nearest(at, ends)[0] >= _END_MARGIN * distance
        if kept.any():
            at, distance, nearest = at[kept], distance[kept], nearest[kept]
    away = (at - nearest) / np.maximum(distance, 1e-6)[:, None]
    half: np.ndarray = (distance + _nearest(at + away, outline)[0] + 1) / 2
    return half


def _ends(skeleton: np.ndarray) -> np.ndarray:
    """End points of a skeleton, bool (H, W): all their neighbours are adjacent."""
    padded = np.pad(skeleton, 1)
    height, width = skeleton.shape
    around = np.stack(
        [padded[1 + r : 1 + r + height, 1 + c : 1 + c + width] for r, c in NEIGHBOURS]
    )
    begins = around & ~np.roll(around, 1, axis=0)
    ends: np.ndarray = skeleton & (begins.sum(axis=0) <= 1) & (around.sum(axis=0) <= 2)
    return ends


def _nearest(points: np.ndarray, to: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of `points` (N, 2), the nearest of `to` (M, 2): distances (N,) and points (N, 2)."""
    middle = to.mean(axis=0)
    a, b = (points - middle).astype(np.float32), (to - middle).astype(np.float32)
    squares = (b**2).sum(axis=1)
    found = [
        (squares - 2 * part @ b.T).argmin(axis=1)
        for part in np.array_split(a, max(1, len(a) // _CHUNK))
    ]
    nearest = to[np.concatenate(found)]
    return np.hypot(*(points - nearest).T), nearest
