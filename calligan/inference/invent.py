"""New styles: mixtures of the learned ones."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor, nn

from calligan.errors import ModelError
from calligan.inference.drawer import Drawer
from calligan.models.base import GeneratorBase
from calligan.models.card import FontCard
from calligan.models.predictor import Predictor

_CONCENTRATION = 0.5  # of a Dirichlet distribution; below 1, a few styles get most of the weight


def with_random_style(drawer: Drawer, seed: int) -> Drawer:
    """A copy of the drawer with a random style appended, determined by a seed.

    If styles are Gaussians (a VAE), it is sampled from their prior N(0, 1); otherwise it is a
    random mixture of the learned ones. Raises ModelError for a model with fewer than two styles.
    """
    _check_styles(drawer)
    return _with_style(drawer, _random_vector(drawer.predictor.generator, seed), f"random-{seed}")


def with_blend(drawer: Drawer, shares: Mapping[int, float], name: str) -> Drawer:
    """A copy of the drawer with a mixture of styles appended; `shares` are by style index.

    Raises ModelError for a model with fewer than two styles.
    """
    _check_styles(drawer)
    learned = drawer.predictor.generator.embedding.weight.detach()
    total = sum(shares.values())
    rows = [learned[index] * (share / total) for index, share in shares.items()]
    return _with_style(drawer, torch.stack(rows).sum(dim=0), name)


def _check_styles(drawer: Drawer) -> None:
    if not drawer.has_styles:
        raise ModelError("a new style needs a model with at least two styles; give another --model")


def _with_style(drawer: Drawer, vector: Tensor, name: str) -> Drawer:
    generator = deepcopy(drawer.predictor.generator)
    rows = [generator.embedding.weight.detach(), vector[None]]
    generator.embedding = nn.Embedding.from_pretrained(torch.cat(rows))
    old = drawer.predictor
    predictor = Predictor(generator, old.device, old.fine, note=old.note)
    licence = " ".join(dict.fromkeys(style.licence for style in drawer.card.styles))
    blank = FontCard(name, name, "", licence, name, "", "", "", None, {})
    style = replace(blank, placement=drawer.card.styles[0].placement)
    card = replace(drawer.card, styles=(*drawer.card.styles, style))
    return replace(drawer, network=lambda: predictor, card=card)


def _random_vector(generator: GeneratorBase, seed: int) -> Tensor:
    learned = generator.embedding.weight.detach()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if generator.log_variance is not None:
            return torch.randn(learned.shape[1]).to(learned)
        shares = torch.distributions.Dirichlet(torch.full((len(learned),), _CONCENTRATION)).sample()
        return shares.to(learned) @ learned
