"""Penalties on a discriminator's gradient: functions of the critic as a callable."""

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]  # images (N, 1, S, S) to scores of any shape
_SPREAD = 0.5  # DRAGAN's noise, in standard deviations of the batch


def interpolated(critic: Critic, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
    """WGAN-GP (Gulrajani et al. 2017): a gradient of norm 1 between real and fake.

    `noise` is uniform in [0, 1], shaped as the images; its first pixel mixes each pair.
    """
    share = noise[:, :1, :1, :1]
    return (gradient_norm(critic, real + share * (fake - real)) - 1).square().mean()


def perturbed(critic: Critic, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
    """DRAGAN (Kodali et al. 2017): a gradient of norm 1 about real samples."""
    return (gradient_norm(critic, real + _SPREAD * real.std() * noise) - 1).square().mean()


def at_real(critic: Critic, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): no gradient at real samples; half its square."""
    return gradient_norm(critic, real).square().mean() / 2


PENALTIES: dict[str, Callable[[Critic, Tensor, Tensor, Tensor], Tensor]] = {
    "interpolated": interpolated,
    "perturbed": perturbed,
    "r1": at_real,
}


def gradient_norm(critic: Critic, at: Tensor) -> Tensor:
    """The norm (N,) of the gradient of each sample's mean score, differentiable."""
    at = at.detach().requires_grad_(True)
    scores = critic(at)
    total = scores.flatten(1).mean(dim=1).sum() if scores.dim() > 1 else scores.sum()
    (gradient,) = torch.autograd.grad(total, at, create_graph=True)
    norm: Tensor = gradient.flatten(1).norm(dim=1)
    return norm
