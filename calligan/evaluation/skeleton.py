"""Stroke widths: distances from the skeleton of a glyph to its outline."""

from functools import cache

import numpy as np

_NEIGHBOURS = (
    (-1, 0),
    (-1, 1),
    (0, 1),
    (1, 1),
    (1, 0),
    (1, -1),
    (0, -1),
    (-1, -1),
)  # from N, clockwise
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


def thin(ink: np.ndarray) -> np.ndarray:
    """The skeleton of `ink`, bool (H, W), one pixel wide (Guo & Hall 1989, "Parallel thinning with
    two-subiteration algorithms").
    """
    image = np.pad(ink, 1).astype(np.uint8)
    flat = image.reshape(-1)
    offsets = np.array([row * image.shape[1] + column for row, column in _NEIGHBOURS])
    border = np.flatnonzero(flat)
    border = border[_codes(flat, border, offsets) != 255]
    place = np.zeros(len(flat), np.int64)  # positions in `border`, to remove duplicates
    while True:
        removed = []
        for table in _tables():
            gone = border[table[_codes(flat, border, offsets)]]
            flat[gone] = 0
            removed.append(gone)
            border = np.concatenate([border, (gone[:, None] + offsets).reshape(-1)])
            border = border[flat[border] > 0]
            order = np.arange(len(border))
            place[border] = order
            border = border[place[border] == order]
        if not any(map(len, removed)):
            return image[1:-1, 1:-1].astype(bool)


def _codes(flat: np.ndarray, at: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The eight neighbours of each pixel, as bits of a byte."""
    codes = np.zeros(len(at), np.uint8)
    for bit, offset in enumerate(offsets.tolist()):
        codes |= flat[at + offset] << bit
    return codes


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Whether to remove a pixel in each subiteration, by its neighbours: bool (256,)."""
    p = [(np.arange(256) >> bit & 1).astype(bool) for bit in range(8)]
    n, ne, e, se, s, sw, w, nw = p
    crossings = sum(
        (~a & (b | c)).astype(int) for a, b, c in ((n, ne, e), (e, se, s), (s, sw, w), (w, nw, n))
    )
    pairs = [
        sum((a | b).astype(int) for a, b in sides)
        for sides in (((nw, n), (ne, e), (se, s), (sw, w)), ((n, ne), (e, se), (s, sw), (w, nw)))
    ]
    fewest = np.minimum(*pairs)
    simple = (crossings == 1) & (fewest >= 2) & (fewest <= 3)
    return simple & ~((s | sw | ~nw) & w), simple & ~((n | ne | ~se) & e)


def _ends(skeleton: np.ndarray) -> np.ndarray:
    """End points of a skeleton, bool (H, W): all their neighbours are adjacent."""
    padded = np.pad(skeleton, 1)
    height, width = skeleton.shape
    around = np.stack(
        [padded[1 + r : 1 + r + height, 1 + c : 1 + c + width] for r, c in _NEIGHBOURS]
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
