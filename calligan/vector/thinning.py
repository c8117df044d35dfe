"""Thin ink to a skeleton one pixel wide."""

from functools import cache

import numpy as np

NEIGHBOURS = (
    (-1, 0),
    (-1, 1),
    (0, 1),
    (1, 1),
    (1, 0),
    (1, -1),
    (0, -1),
    (-1, -1),
)  # from N, clockwise


def thin(ink: np.ndarray) -> np.ndarray:
    """The skeleton of `ink`, bool (H, W), one pixel wide (Guo & Hall 1989, "Parallel thinning with
    two-subiteration algorithms").
    """
    image = np.pad(ink, 1).astype(np.uint8)
    flat = image.reshape(-1)
    offsets = np.array([row * image.shape[1] + column for row, column in NEIGHBOURS])
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
