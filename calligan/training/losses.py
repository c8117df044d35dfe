"""Reconstruction and feature-matching losses of the generator."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from calligan.config import LossConfig
from calligan.models.distance import REACH
from calligan.models.pixels import ink


def reconstruction(ink_logits: Tensor, target: Tensor, config: LossConfig) -> Tensor:
    """Cross-entropy of ink at each pixel, and L1 of ink at several scales.

    `ink_logits` (N, 1, H, W); `target` (N, 1, H, W) in [-1, 1].
    """
    target_ink, drawn = ink(target), torch.sigmoid(ink_logits)
    bce = F.binary_cross_entropy_with_logits(ink_logits, target_ink)
    return config.bce * bce + config.l1 * multiscale_l1(drawn, target_ink, config.scales)


def distance_reconstruction(field: Tensor, target: Tensor, config: LossConfig) -> Tensor:
    """L1 of signed distance at several scales: over the whole range, and near the outline.

    `field` and `target` (N, 1, H, W) as in models/distance.py. The first term has a gradient far
    from the outline too. In the second (tanh), narrow gaps and thin strokes count as much as wide
    ones.
    """
    whole = multiscale_l1(field / REACH, target / REACH, config.scales)
    near = multiscale_l1(torch.tanh(field), torch.tanh(target), config.scales)
    return config.l1 * (whole + near) / 2


def multiscale_l1(drawn: Tensor, target_ink: Tensor, scales: Sequence[int]) -> Tensor:
    """Mean over scales of the L1 between averages over scale x scale pixels."""
    difference = drawn - target_ink
    terms = [(F.avg_pool2d(difference, k) if k > 1 else difference).abs().mean() for k in scales]
    return torch.stack(terms).mean()


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """L1 between the discriminator's activations (Wang et al. 2018, pix2pixHD)."""
    terms = [F.l1_loss(f.float(), r.detach().float()) for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()
