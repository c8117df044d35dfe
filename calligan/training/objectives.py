"""Adversarial objectives as pure functions of scores, in a table by name.

`discriminator(real, fake)` and `generator(real, fake)` take scores of any shape (higher is more
real) and return a scalar to minimise. The f-GANs (Nowozin et al. 2016) apply an output activation g
to the scores and use the convex conjugate f*. Their generators use the paper's alternative loss,
whose gradient does not vanish where the discriminator is confident.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """The losses of both networks, and the training rules of the objective's paper."""

    discriminator: Loss
    generator: Loss
    relative: bool = False  # the generator's loss uses real scores too
    penalty: str = ""  # a name in penalties.PENALTIES
    penalty_weight: float = 0.0
    clip: float = 0.0  # bound that the discriminator's weights are clipped to; 0 for none
    n_critic: int = 1  # discriminator updates per generator update


def _f_divergence(
    activation: Callable[[Tensor], Tensor], conjugate: Callable[[Tensor], Tensor]
) -> Objective:
    """`activation` is g(v), `conjugate` is f*(g(v)) in closed form, as composing them overflows."""
    return Objective(
        discriminator=lambda real, fake: conjugate(fake).mean() - activation(real).mean(),
        generator=lambda real, fake: -activation(fake).mean(),
    )


# Goodfellow et al. 2014: the minimax loss ...
_MINIMAX = Objective(
    discriminator=lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
    generator=lambda real, fake: -F.softplus(fake).mean(),
)

# ... and the non-saturating generator loss.
_VANILLA = Objective(
    discriminator=_MINIMAX.discriminator,
    generator=lambda real, fake: F.softplus(-fake).mean(),
)

# Mao et al. 2017, "Least Squares GAN", labels 0 and 1.
_LSGAN = Objective(
    discriminator=lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
    generator=lambda real, fake: (fake - 1).square().mean() / 2,
)

# Arjovsky et al. 2017: a critic kept Lipschitz by clipping ...
_WGAN = Objective(
    discriminator=lambda real, fake: fake.mean() - real.mean(),
    generator=lambda real, fake: -fake.mean(),
    clip=0.01,
    n_critic=5,
)

# ... or, Gulrajani et al. 2017, by a gradient penalty between real and fake.
_WGAN_GP = Objective(
    _WGAN.discriminator, _WGAN.generator, penalty="interpolated", penalty_weight=10, n_critic=5
)

# Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018.
_HINGE = Objective(
    discriminator=lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
    generator=lambda real, fake: -fake.mean(),
)

# Kodali et al. 2017, "On convergence and stability of GANs": a penalty around real samples.
_DRAGAN = Objective(
    _VANILLA.discriminator, _VANILLA.generator, penalty="perturbed", penalty_weight=10
)

# Jolicoeur-Martineau 2018, "The relativistic discriminator", the average form.
_RELATIVISTIC = Objective(
    discriminator=lambda real, fake: (
        (F.softplus(-(real - fake.mean())).mean() + F.softplus(fake - real.mean()).mean()) / 2
    ),
    generator=lambda real, fake: (
        (F.softplus(-(fake - real.mean())).mean() + F.softplus(real - fake.mean()).mean()) / 2
    ),
    relative=True,
)

# Zhao et al. 2017, "Energy-based GAN": a score is minus the reconstruction error of an autoencoder.
# Real glyphs should have a low error, generated ones at least the margin.
EBGAN_MARGIN = 1.0
_EBGAN = Objective(
    discriminator=lambda real, fake: -real.mean() + F.relu(EBGAN_MARGIN + fake).mean(),
    generator=lambda real, fake: -fake.mean(),
)

# No adversarial loss: no discriminator is created.
_NONE = Objective(
    discriminator=lambda real, fake: real.new_zeros(()),
    generator=lambda real, fake: fake.new_zeros(()),
)

OBJECTIVES: dict[str, Objective] = {
    "none": _NONE,
    "minimax": _MINIMAX,
    "vanilla": _VANILLA,
    "lsgan": _LSGAN,
    "wgan": _WGAN,
    "wgan-gp": _WGAN_GP,
    "hinge": _HINGE,
    "dragan": _DRAGAN,
    "ebgan": _EBGAN,
    "relativistic": _RELATIVISTIC,
    "f-kl": _f_divergence(lambda v: v, lambda v: torch.exp(v - 1)),
    "f-reverse-kl": _f_divergence(lambda v: -torch.exp(-v), lambda v: v - 1),
    "f-pearson": _f_divergence(lambda v: v, lambda v: v.square() / 4 + v),
    "f-hellinger": _f_divergence(lambda v: -torch.expm1(-v), torch.expm1),
    "f-js": _f_divergence(
        lambda v: math.log(2) - F.softplus(-v), lambda v: F.softplus(v) - math.log(2)
    ),
}
