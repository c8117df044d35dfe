"""LPIPS and FID by torchmetrics, if the weights of their networks are available.

No package contains those weights: torchmetrics downloads them. Otherwise they stay unmeasured.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from calligan.errors import Unmeasured
from calligan.models.pixels import to_tensor

_BATCH_SIZE = 32


def lpips() -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """LPIPS (Zhang et al. 2018, AlexNet) of uint8 images (N, H, W), paired; one number each.

    Raises Unmeasured where the library or its weights are not available.
    """
    network = _load_metric(lambda lib: lib.lpip.LearnedPerceptualImagePatchSimilarity("alex")).net

    def measure(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            parts = [
                network(_rgb(drawn[i : i + _BATCH_SIZE]), _rgb(real[i : i + _BATCH_SIZE])).flatten()
                for i in range(0, len(drawn), _BATCH_SIZE)
            ]
        return torch.cat(parts).double().numpy()

    return measure


def fid() -> Callable[[np.ndarray, np.ndarray], float]:
    """FID (Heusel et al. 2017, Inception pool features) of two sets of uint8 images (N, H, W).

    Raises Unmeasured where the library or its weights are not available.
    """
    metric = _load_metric(lambda lib: lib.fid.FrechetInceptionDistance(normalize=True))

    def measure(drawn: np.ndarray, real: np.ndarray) -> float:
        metric.reset()
        for images, is_real in ((drawn, False), (real, True)):
            for i in range(0, len(images), _BATCH_SIZE):
                metric.update((_rgb(images[i : i + _BATCH_SIZE]) + 1) / 2, real=is_real)
        return float(metric.compute())

    return measure


def _load_metric(make: Callable[[Any], Any]) -> Any:
    try:
        import torchmetrics.image as library

        return make(library)
    except Exception as error:  # no library, no network connection, a broken download
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Unmeasured(f"its weights are not available ({reason})") from error


def _rgb(images: np.ndarray) -> Tensor:
    return to_tensor(images, images.shape[-1]).expand(-1, 3, -1, -1)
