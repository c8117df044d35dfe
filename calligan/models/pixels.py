"""Conversion between pixels and tensors, done only here.

On disk a glyph is uint8 (H, W), 255 = paper, 0 = ink. In tensors it is float (N, 1, H, W) in
[-1, 1], 1 = paper. `ink` is coverage in [0, 1], 1 = ink. Generators output ink
logits or signed distances.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def to_tensor(
    images: np.ndarray | Tensor, size_px: int, device: torch.device | str = "cpu"
) -> Tensor:
    """uint8 (N, H, W) to float (N, 1, size, size); smaller sizes by averaging whole pixels."""
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(np.ascontiguousarray(images))
    tensor = images.to(device, non_blocking=images.is_pinned())
    return resize(tensor.unsqueeze(1).float().div_(127.5).sub_(1), size_px)


def resize(tensor: Tensor, size_px: int) -> Tensor:
    """Resize images (N, 1, H, W) to (N, 1, size, size), by averaging whole pixels if possible."""
    if tensor.shape[-1] == size_px:
        return tensor
    if tensor.shape[-1] % size_px == 0:
        return F.avg_pool2d(tensor, tensor.shape[-1] // size_px)
    shape = (size_px, size_px)
    return F.interpolate(tensor, shape, mode="bilinear", antialias=True).clamp(-1, 1)


def to_uint8(tensor: Tensor) -> np.ndarray:
    """Float (N, 1, H, W) in [-1, 1] to uint8 (N, H, W)."""
    pixels = tensor.detach().squeeze(1).float().add(1).mul(127.5).round().clamp(0, 255)
    return pixels.to("cpu", torch.uint8).numpy()


def ink(tensor: Tensor) -> Tensor:
    """[-1, 1] with 1 = paper, to coverage in [0, 1] with 1 = ink."""
    return (1 - tensor) / 2


def image_of_logits(ink_logits: Tensor) -> Tensor:
    """Ink logits to an image in [-1, 1]: sigmoid gives coverage, 1 = ink."""
    return 1 - 2 * torch.sigmoid(ink_logits)
