"""Means with bootstrap intervals, resampled by character."""

from dataclasses import dataclass

import numpy as np

_RESAMPLES = 1000
_CONFIDENCE = 0.95


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
    """The mean over styles of each style's mean over characters; None without any values.

    `values` (styles, characters), NaN where there is no glyph. Percentile bootstrap over
    characters (Efron & Tibshirani 1993), the same characters for all styles.
    """
    present = ~np.isnan(values)
    measured = present.any(axis=1)
    if not measured.any():
        return None
    values, present = values[measured], present[measured]
    filled = np.where(present, values, 0)
    weights = bootstrap_weights(values.shape[1], seed)
    counts = present.astype(np.float64) @ weights
    drawn = counts > 0  # whether a resample has characters of a style
    by_style = np.divide(filled @ weights, counts, out=np.zeros(counts.shape), where=drawn)
    styles = drawn.sum(axis=0)
    means = by_style.sum(axis=0)[styles > 0] / styles[styles > 0]
    mean = (filled.sum(axis=1) / present.sum(axis=1)).mean()
    return estimate_from_resamples(mean, means, int(present.sum()))


def ratio(drawn: np.ndarray, real: np.ndarray, seed: int = 0) -> Estimate | None:
    """The sum of `drawn` over the sum of `real`, both (N,), without NaN; with its interval.

    None where no values remain, or the sum of `real` is 0.
    """
    paired = _paired(drawn, real)
    if not paired.size or not paired[1].sum():
        return None
    sums = paired @ bootstrap_weights(paired.shape[1], seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        resamples = np.where(sums[1] != 0, sums[0] / sums[1], np.nan)
    return estimate_from_resamples(paired[0].sum() / paired[1].sum(), resamples, paired.shape[1])


def difference(drawn: np.ndarray, real: np.ndarray, seed: int = 0) -> Estimate | None:
    """The mean of `drawn` minus that of `real`, both (N,), without NaN; with its interval."""
    paired = _paired(drawn, real)
    if not paired.size:
        return None
    gaps = paired[0] - paired[1]
    count = len(gaps)
    return estimate_from_resamples(
        gaps.mean(), gaps @ bootstrap_weights(count, seed) / count, count
    )


def _paired(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    present = ~np.isnan(drawn) & ~np.isnan(real)
    return np.stack([drawn[present], real[present]]).astype(np.float64)


def bootstrap_weights(count: int, seed: int) -> np.ndarray:
    """How often each of `count` items is drawn in each bootstrap resample: (count, resamples)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=_RESAMPLES).T.astype(np.float64)


def estimate_from_resamples(mean: float, resamples: np.ndarray, count: int) -> Estimate:
    """An estimate from a mean and the means of the bootstrap resamples (resamples,)."""
    low, high = np.nanquantile(resamples, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return Estimate(float(mean), float(low), float(high), count)
