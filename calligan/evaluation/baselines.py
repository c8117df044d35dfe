"""A baseline without a model: the nearest training glyph."""

import numpy as np

from calligan.models.pixels import to_tensor
from calligan.pairs.batches import Batch

_SMALL_PX = 32


def nearest_training_glyph(query: Batch, training: Batch) -> np.ndarray:
    """For each source glyph of `query`, the target of the training glyph with the nearest source.

    Nearest in L2 over 32 x 32 averages. Returns uint8 (N, H, W).
    """
    a, b = _small(query.source), _small(training.source)
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    nearest: np.ndarray = training.target[squared.argmin(axis=1)]
    return nearest


def _small(images: np.ndarray) -> np.ndarray:
    return to_tensor(images, _SMALL_PX).flatten(1).numpy()
