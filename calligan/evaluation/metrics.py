"""Distances between drawn and real glyphs."""

import numpy as np


def ink_l1(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Mean absolute difference of ink in 0-1 for each image; both uint8 (N, H, W). Shape (N,)."""
    difference = np.abs(drawn.astype(np.int16) - real.astype(np.int16))
    return difference.mean(axis=(1, 2), dtype=np.float64) / 255
