"""Metrics of single glyphs, and of pairs of drawn and real glyphs.

Images are uint8 (N, H, W), 255 = paper; every function returns float64 (N,). Distances are on ink
coverage, 0 to 1.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from calligan.models.pixels import ink, to_tensor

SSIM_WINDOW_PX = 11
SSIM_SIGMA_PX = 1.5
_NEAR, _AROUND = 3 / 128, 13 / 128  # of the image; see `clean`
_LEAST_INK = 16 / 128**2  # of the image's area, in the square around a pixel of a stroke
GREY = (0.2, 0.8)  # ink between these counts as grey
_BATCH_SIZE = 128


def ink_l1(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Mean absolute difference of ink."""
    difference = np.abs(drawn.astype(np.int16) - real.astype(np.int16))
    distance: np.ndarray = difference.mean(axis=(1, 2), dtype=np.float64) / 255
    return distance


def rmse(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Root of the mean squared difference of ink."""
    squared = (drawn.astype(np.int32) - real.astype(np.int32)) ** 2
    distance: np.ndarray = np.sqrt(squared.mean(axis=(1, 2), dtype=np.float64)) / 255
    return distance


def ssim(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Structural similarity of ink (Wang et al. 2004).

    Gaussian window of 11 px, sigma 1.5 px, data range 1, K1 .01, K2 .03; mean over the windows
    that are entirely inside the image.
    """
    size_px = drawn.shape[-1]
    done = []
    for start in range(0, len(drawn), _BATCH_SIZE):
        part = slice(start, start + _BATCH_SIZE)
        done.append(
            _ssim(ink(to_tensor(drawn[part], size_px)), ink(to_tensor(real[part], size_px)))
        )
    return torch.cat(done).double().numpy()


def mid_grey(images: np.ndarray) -> np.ndarray:
    """Share of pixels with ink between 0.2 and 0.8; only blur increases it."""
    drawn = 1 - images / np.float32(255)
    share: np.ndarray = ((drawn > GREY[0]) & (drawn < GREY[1])).mean(axis=(1, 2), dtype=np.float64)
    return share


def clean(images: np.ndarray) -> np.ndarray:
    """Share of the ink that lies on strokes or near them; fog, wide haloes and specks lower it.

    A stroke is ink above 0.5 that has enough of it around. Sizes are shares of the image. NaN for
    an image without ink.
    """
    size_px, done = images.shape[-1], []
    near, around = (max(1, round(share * size_px / 2)) for share in (2 * _NEAR, _AROUND))
    for start in range(0, len(images), _BATCH_SIZE):
        drawn = ink(to_tensor(images[start : start + _BATCH_SIZE], size_px))
        solid = (drawn > 0.5).to(drawn.dtype)
        local = F.avg_pool2d(solid, 2 * around + 1, 1, around) * (2 * around + 1) ** 2
        strokes = solid * (local >= _LEAST_INK * size_px**2)
        beside = F.max_pool2d(strokes, 2 * near + 1, 1, near)
        done.append((drawn * beside).sum(dim=(1, 2, 3)) / drawn.sum(dim=(1, 2, 3)))
    return torch.cat(done).double().numpy()


def edge_slope(images: np.ndarray) -> np.ndarray:
    """Mean step of ink between neighbouring pixels across an outline, over rows and columns.

    An outline lies between neighbours on different sides of 0.5. NaN without outlines.
    """
    drawn = 1 - images / np.float32(255)
    total, count = np.zeros(len(drawn)), np.zeros(len(drawn))
    for axis in (1, 2):
        step = np.abs(np.diff(drawn, axis=axis))
        crossed = np.diff(drawn > 0.5, axis=axis)
        total += (step * crossed).sum(axis=(1, 2))
        count += crossed.sum(axis=(1, 2))
    slope: np.ndarray = np.divide(total, count, out=np.full(len(drawn), np.nan), where=count > 0)
    return slope


def _ssim(a: Tensor, b: Tensor) -> Tensor:
    window = _window(a.dtype)
    n = len(a)
    blurred = F.conv2d(torch.cat([a, b, a * a, b * b, a * b]), window)
    mean_a, mean_b, aa, bb, ab = blurred.split(n)
    c1, c2 = 0.01**2, 0.03**2
    variance_a, variance_b = aa - mean_a**2, bb - mean_b**2
    covariance = ab - mean_a * mean_b
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    bottom = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    similarity: Tensor = (top / bottom).mean(dim=(1, 2, 3))
    return similarity


def _window(dtype: torch.dtype) -> Tensor:
    reach = SSIM_WINDOW_PX // 2
    line = torch.exp(-(torch.arange(-reach, reach + 1, dtype=dtype) ** 2) / (2 * SSIM_SIGMA_PX**2))
    line = line / line.sum()
    return (line[:, None] * line[None])[None, None]
