"""Dry brush effect: streaks along the strokes, as of a fast or nearly empty brush."""

import numpy as np
from PIL import Image

# Shares of a glyph's size:
_STREAK_WIDTH = 0.006
_STREAK_LENGTH = 0.16
_PATCH_SIZE = 0.25  # of a dry area
_DIRECTION_RADIUS = 0.03  # the direction of strokes is averaged over this distance
# Shares of ink coverage:
_STREAK_SOFTNESS = 0.12  # how gradually a streak ends
_MAX_LOSS = 0.55  # ink that is lost in the driest area


def dried(ink: np.ndarray, amount: float, seed: int) -> np.ndarray:
    """Coverage uint8 (H, W) with streaks; `amount` 0 (none) to 1 (very dry), by a seed.

    Noise is smeared along the strokes (line integral convolution, Cabral & Leedom 1993), whose
    direction is that in which blurred ink changes least (the structure tensor).
    """
    size = max(ink.shape)
    if amount <= 0 or size < 24:  # too small to show
        return ink
    rng = np.random.default_rng(seed)
    hairs = _smeared(
        _noise(rng, ink.shape, max(1.0, _STREAK_WIDTH * size)), ink, _STREAK_LENGTH * size
    )
    places = _noise(rng, ink.shape, _PATCH_SIZE * size)
    dry = amount * _MAX_LOSS * np.clip(2 * places - 0.6, 0, 1)
    kept = np.clip((_ranked(hairs, ink > 0) - dry) / _STREAK_SOFTNESS + 0.5, 0, 1)
    return np.asarray(np.rint(ink * np.where(dry > 0, kept, 1)), np.uint8)


def _smeared(noise: np.ndarray, ink: np.ndarray, length_px: float) -> np.ndarray:
    """The mean of noise along the stroke through each pixel of ink, in both directions."""
    dx, dy = _along(ink)
    rows, columns = np.nonzero(ink)
    total, steps = noise[rows, columns].copy(), max(2, round(length_px / 2))
    for sign in (1.0, -1.0):
        x: np.ndarray = columns.astype(np.float32)
        y: np.ndarray = rows.astype(np.float32)
        step_x, step_y = sign * dx[rows, columns], sign * dy[rows, columns]
        for _ in range(steps):
            x, y = x + step_x, y + step_y
            i = np.clip(np.rint(y), 0, ink.shape[0] - 1).astype(np.intp)
            j = np.clip(np.rint(x), 0, ink.shape[1] - 1).astype(np.intp)
            total += noise[i, j]
            next_x, next_y = dx[i, j], dy[i, j]
            back = np.where(next_x * step_x + next_y * step_y < 0, -1, 1)  # a line has no direction
            step_x, step_y = back * next_x, back * next_y
    found = np.zeros(ink.shape, np.float32)
    found[rows, columns] = total / (2 * steps + 1)
    return found


def _along(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors along the strokes, x and y (H, W)."""
    radius = max(1, round(_DIRECTION_RADIUS * max(ink.shape)))
    down, right = np.gradient(_averaged(ink.astype(np.float32) / 255, radius))
    xx, xy, yy = (_averaged(v, 2 * radius) for v in (right * right, right * down, down * down))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    return np.cos(angle), np.sin(angle)


def _ranked(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Replace values by their rank among the chosen ones, 0 to 1."""
    found = np.ones(values.shape, np.float32)
    order = values[where].argsort(kind="stable")
    ranks = np.empty(len(order), np.float32)
    ranks[order] = np.linspace(0, 1, len(order), dtype=np.float32)
    found[where] = ranks
    return found


def _noise(rng: np.random.Generator, shape: tuple[int, int], cell_px: float) -> np.ndarray:
    """Smooth noise in [0, 1] with a given wavelength in pixels."""
    small = tuple(round(side / cell_px) + 3 for side in shape)
    large = tuple(round(side * cell_px) for side in reversed(small))
    values = Image.fromarray(rng.random(small).astype(np.float32))
    smooth = values.resize(large, Image.Resampling.BICUBIC)  # type: ignore[arg-type]
    return np.asarray(smooth)[: shape[0], : shape[1]].clip(0, 1)


def _averaged(values: np.ndarray, radius: int) -> np.ndarray:
    """A box blur over squares of 2 * radius + 1 pixels, applied twice."""
    side = 2 * radius + 1
    for _ in range(2):
        for axis in (0, 1):
            padded = np.pad(values, [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)])
            sums = np.cumsum(padded, axis=axis)
            values = (
                np.take(sums, range(side, sums.shape[axis]), axis)
                - np.take(sums, range(sums.shape[axis] - side), axis)
            ) / side
    return values
