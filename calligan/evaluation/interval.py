"""Means with bootstrap intervals, resampled by character."""

from dataclasses import dataclass

import numpy as np

_ROUNDS = 1000
_LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over n glyphs and the 95 % interval of its bootstrap."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.3f}"


def estimate(values: np.ndarray, seed: int = 0) -> Estimate | None:
    """The mean over styles of each style's mean over characters; None where nothing was measured.

    `values` (styles, characters), NaN where there is no glyph. Percentile bootstrap over
    characters (Efron & Tibshirani 1993), the same characters for all styles.
    """
    there = ~np.isnan(values)
    measured = there.any(axis=1)
    if not measured.any():
        return None
    values, there = values[measured], there[measured]
    filled = np.where(there, values, 0)
    count = values.shape[1]
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=_ROUNDS).astype(np.float64)
    weighed = there.astype(np.float64) @ weights.T
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nanmean((filled @ weights.T) / weighed, axis=0)
    low, high = np.nanquantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    mean = (filled.sum(axis=1) / there.sum(axis=1)).mean()
    return Estimate(float(mean), float(low), float(high), int(there.sum()))
