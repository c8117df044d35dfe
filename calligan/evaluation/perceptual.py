"""LPIPS and FID, through torchmetrics, where its networks' weights can be had.

No package carries those weights: torchmetrics downloads them. Elsewhere they stay unmeasured.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from calligan.errors import Unmeasured
from calligan.models.pixels import to_tensor

_BATCH = 32


def lpips() -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """LPIPS (Zhang et al. 2018, AlexNet) of uint8 images (N, H, W), paired; one number each.

    Raises Unmeasured where the library or its weights cannot be had.
    """
    network = _made(lambda lib: lib.lpip.LearnedPerceptualImagePatchSimilarity("alex")).net

    def measure(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            parts = [
                network(_rgb(drawn[i : i + _BATCH]), _rgb(real[i : i + _BATCH])).flatten()
                for i in range(0, len(drawn), _BATCH)
            ]
        return torch.cat(parts).double().numpy()

    return measure


def fid() -> Callable[[np.ndarray, np.ndarray], float]:
    """FID (Heusel et al. 2017, Inception pool features) of two sets of uint8 images (N, H, W).

    Raises Unmeasured where the library or its weights cannot be had.
    """
    metric = _made(lambda lib: lib.fid.FrechetInceptionDistance(normalize=True))

    def measure(drawn: np.ndarray, real: np.ndarray) -> float:
        metric.reset()
        for images, is_real in ((drawn, False), (real, True)):
            for i in range(0, len(images), _BATCH):
                metric.update((_rgb(images[i : i + _BATCH]) + 1) / 2, real=is_real)
        return float(metric.compute())

    return measure


def _made(make: Callable[[Any], Any]) -> Any:
    try:
        import torchmetrics.image as library

        return make(library)
    except Exception as error:  # no library, no network, a broken download: all mean the same
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Unmeasured(f"its weights could not be had ({reason})") from error


def _rgb(images: np.ndarray) -> Tensor:
    return to_tensor(images, images.shape[-1]).expand(-1, 3, -1, -1)
