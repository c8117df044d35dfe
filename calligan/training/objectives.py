"""Adversarial objectives: pure functions of logits, one table from name to implementation.

`discriminator(real, fake)` and `generator(fake)` take patch logits of any shape and return a
scalar to minimise.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Objective:
    """The two players' losses."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


# Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018.
_HINGE = Objective(
    discriminator=lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
    generator=lambda fake: -fake.mean(),
)

# Mao et al. 2017, "Least Squares GAN", labels 0 and 1.
_LSGAN = Objective(
    discriminator=lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
    generator=lambda fake: (fake - 1).square().mean() / 2,
)

# Goodfellow et al. 2014, the non-saturating form.
_VANILLA = Objective(
    discriminator=lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
    generator=lambda fake: F.softplus(-fake).mean(),
)

OBJECTIVES: dict[str, Objective] = {"hinge": _HINGE, "lsgan": _LSGAN, "vanilla": _VANILLA}
