"""Gradient penalties of the discriminator."""

from collections.abc import Callable

import torch
from torch import Tensor

ScoreFunction = Callable[[Tensor], Tensor]  # images (N, 1, S, S) to scores of any shape
_DRAGAN_NOISE = 0.5  # amplitude of DRAGAN's noise, in standard deviations of the batch


def wgan_gp_penalty(score: ScoreFunction, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
    """WGAN-GP (Gulrajani et al. 2017): a gradient of norm 1 between real and fake.

    `noise` is uniform in [0, 1], shaped as the images; its first pixel mixes each pair.
    """
    share = noise[:, :1, :1, :1]
    return (gradient_norm(score, real + share * (fake - real)) - 1).square().mean()


def dragan_penalty(score: ScoreFunction, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
    """DRAGAN (Kodali et al. 2017): a gradient of norm 1 around real samples."""
    return (gradient_norm(score, real + _DRAGAN_NOISE * real.std() * noise) - 1).square().mean()


def r1_penalty(score: ScoreFunction, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): half the squared gradient norm at real samples."""
    return gradient_norm(score, real).square().mean() / 2


PENALTIES: dict[str, Callable[[ScoreFunction, Tensor, Tensor, Tensor], Tensor]] = {
    "interpolated": wgan_gp_penalty,
    "perturbed": dragan_penalty,
    "r1": r1_penalty,
}


def gradient_norm(score: ScoreFunction, at: Tensor) -> Tensor:
    """The norm (N,) of the gradient of each sample's mean score, differentiable."""
    at = at.detach().requires_grad_(True)
    scores = score(at)
    total = scores.flatten(1).mean(dim=1).sum() if scores.dim() > 1 else scores.sum()
    (gradient,) = torch.autograd.grad(total, at, create_graph=True)
    norm: Tensor = gradient.flatten(1).norm(dim=1)
    return norm
