"""New styles: mixtures of the learned ones, also of models that were trained from one another."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from calligan.errors import ModelError
from calligan.inference.drawer import Drawer
from calligan.models.average import average_weights
from calligan.models.base import GeneratorBase
from calligan.models.card import FontCard, ModelCard
from calligan.models.predictor import Predictor
from calligan.progress import Note, ignore

_CONCENTRATION = 0.5  # of a Dirichlet distribution; below 1, a few styles get most of the weight

_LEAST_SHOWN = 0.05  # share of a style that is named


def with_random_style(drawer: Drawer, seed: int, note: Note = ignore) -> Drawer:
    """A copy of the drawer with a random style appended, determined by a seed.

    If styles are Gaussians (a VAE), it is sampled from their prior N(0, 1); otherwise it is a
    random mixture of the learned ones, which are reported to `note`. Raises ModelError for a model
    with fewer than two styles.
    """
    _check_styles(drawer)
    name, generator = f"random-{seed}", drawer.predictor.generator
    if generator.log_variance is not None:
        note(f"{name} is sampled from N(0, 1), the prior of the styles")
        return _with_style(drawer, _sampled_vector(generator, seed), name)
    shares = _random_shares(generator, seed)
    note(f"{name} mixes {_describe_shares(drawer.card, shares.tolist())}")
    learned = generator.embedding.weight.detach()
    bolder_em = _bolder_em(drawer.card, dict(enumerate(shares.tolist())))
    return _with_style(drawer, shares.to(learned) @ learned, name, bolder_em=bolder_em)


def with_blend(drawer: Drawer, shares: Mapping[int, float], name: str) -> Drawer:
    """A copy of the drawer with a mixture of styles appended; `shares` are by style index.

    Raises ModelError for a model with fewer than two styles.
    """
    _check_styles(drawer)
    learned = drawer.predictor.generator.embedding.weight.detach()
    total = sum(shares.values())
    rows = [learned[index] * (share / total) for index, share in shares.items()]
    bolder_em = _bolder_em(drawer.card, shares) / total
    return _with_style(drawer, torch.stack(rows).sum(dim=0), name, bolder_em=bolder_em)


def with_hands(
    drawer: Drawer,
    shares: Mapping[int, float],
    hands: Sequence[tuple[GeneratorBase, float]],
    name: str,
    sha256: str,
) -> Drawer:
    """A copy of the drawer with a mixture of its styles and of other models' first styles appended.

    `shares` are by style index; `sha256` identifies the other models, in the style's card. The
    mixture is drawn with averaged weights. Raises ModelError if the networks differ in shape or
    have no style vectors.
    """
    own = drawer.predictor.generator
    parts = ((own, sum(shares.values())), *hands)
    if not all(generator.interpolates_styles for generator, _ in parts):
        raise ModelError("this model has no style vectors; give one of kind calligan")
    average_weights(parts)  # raises before anything is drawn
    total = sum(share for _, share in parts)
    learned = own.embedding.weight.detach()
    rows = [learned[index] * (s / total) for index, s in shares.items()]
    rows += [hand.embedding.weight.detach()[0].to(learned) * (s / total) for hand, s in hands]
    bolder_em = _bolder_em(drawer.card, shares) / total  # learned hands have none
    mixed = _with_style(drawer, torch.stack(rows).sum(dim=0), name, sha256, bolder_em)
    return replace(mixed, networks={**mixed.networks, len(drawer.card.styles): parts})


def _check_styles(drawer: Drawer) -> None:
    if not drawer.has_styles:
        raise ModelError("a new style needs a model with at least two styles; give another --model")


def _bolder_em(card: ModelCard, shares: Mapping[int, float]) -> float:
    """The sum of what is added to the strokes of styles, by shares."""
    return sum(card.styles[index].bolder_em * share for index, share in shares.items())


def _with_style(
    drawer: Drawer, vector: Tensor, name: str, sha256: str = "", bolder_em: float = 0.0
) -> Drawer:
    generator = _shallow_copy(drawer.predictor.generator)
    rows = [generator.embedding.weight.detach(), vector[None]]
    generator.embedding = nn.Embedding.from_pretrained(torch.cat(rows))
    old = drawer.predictor
    predictor = Predictor(generator, old.device, old.fine, note=old.note)
    licence = " ".join(dict.fromkeys(style.licence for style in drawer.card.styles))
    blank = FontCard(name, name, "", licence, name, sha256, "", "", None, {})
    style = replace(blank, placement=drawer.card.styles[0].placement, bolder_em=bolder_em)
    card = replace(drawer.card, styles=(*drawer.card.styles, style))
    return replace(drawer, network=lambda: predictor, card=card)


def _shallow_copy(generator: GeneratorBase) -> GeneratorBase:
    """A copy that shares all weights, but whose modules can be replaced."""
    copied = copy(generator)
    copied._modules = dict(generator._modules)
    return copied


def _sampled_vector(generator: GeneratorBase, seed: int) -> Tensor:
    learned = generator.embedding.weight.detach()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.randn(learned.shape[1]).to(learned)


def _random_shares(generator: GeneratorBase, seed: int) -> Tensor:
    """A share for each style, from a Dirichlet distribution."""
    count = len(generator.embedding.weight)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.distributions.Dirichlet(torch.full((count,), _CONCENTRATION)).sample()


def _describe_shares(card: ModelCard, shares: list[float]) -> str:
    """The styles with the largest shares, as they are given to --style."""
    every = sorted(zip(shares, card.styles, strict=True), key=lambda each: -each[0])
    shown = [f"{style.name}:{share:.2f}" for share, style in every if share >= _LEAST_SHOWN]
    rest = len(every) - len(shown)
    return "+".join(shown) + (f" and {rest} with smaller shares" if rest else "")
