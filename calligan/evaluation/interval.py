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
    weights = resampled(values.shape[1], seed)
    weighed = there.astype(np.float64) @ weights
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nanmean((filled @ weights) / weighed, axis=0)
    mean = (filled.sum(axis=1) / there.sum(axis=1)).mean()
    return within(mean, means, int(there.sum()))


def ratio(drawn: np.ndarray, real: np.ndarray, seed: int = 0) -> Estimate | None:
    """The sum of `drawn` over the sum of `real`, both (N,), where neither is NaN; its bootstrap.

    None where nothing is left, or the real ones add up to nothing.
    """
    both = _both(drawn, real)
    if not both.size or not both[1].sum():
        return None
    sums = both @ resampled(both.shape[1], seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        rounds = np.where(sums[1] != 0, sums[0] / sums[1], np.nan)
    return within(both[0].sum() / both[1].sum(), rounds, both.shape[1])


def difference(drawn: np.ndarray, real: np.ndarray, seed: int = 0) -> Estimate | None:
    """The mean of `drawn` less that of `real`, both (N,), where neither is NaN; its bootstrap."""
    both = _both(drawn, real)
    if not both.size:
        return None
    gaps = both[0] - both[1]
    count = len(gaps)
    return within(gaps.mean(), gaps @ resampled(count, seed) / count, count)


def _both(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    there = ~np.isnan(drawn) & ~np.isnan(real)
    return np.stack([drawn[there], real[there]]).astype(np.float64)


def resampled(count: int, seed: int) -> np.ndarray:
    """How often each of `count` is drawn in each round of a bootstrap: (count, rounds)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=_ROUNDS).T.astype(np.float64)


def within(mean: float, rounds: np.ndarray, count: int) -> Estimate:
    """An estimate from a mean and those of the bootstrap's rounds (rounds,)."""
    low, high = np.nanquantile(rounds, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Estimate(float(mean), float(low), float(high), count)
