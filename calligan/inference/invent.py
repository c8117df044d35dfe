"""New hands between the learned ones."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from calligan.errors import ModelError
from calligan.inference.writer import Writer
from calligan.models.card import FontCard
from calligan.models.generator import Generator

_EVENNESS = 0.5  # of a Dirichlet distribution: below 1, a few styles share most of the weight


def invent(writer: Writer, seed: int) -> int:
    """Add a style drawn by a seed to a writer and return its index.

    Where styles are Gaussians (a VAE), it is drawn from their prior N(0, 1); else it is a mixture
    of the learned ones. Raises ModelError for a model that has no two styles.
    """
    generator = _with_styles(writer)
    learned = generator.embedding.weight.detach()
    torch.manual_seed(seed)
    if generator.log_variance is not None:
        vector = torch.randn_like(learned[0])
    else:
        shares = torch.distributions.Dirichlet(torch.full((len(learned),), _EVENNESS)).sample()
        vector = shares.to(learned) @ learned
    return _added(writer, generator, vector, f"random-{seed}")


def blend(writer: Writer, shares: Mapping[int, float], name: str) -> int:
    """Add a mixture of styles, given by shares of their indices, to a writer; its index.

    The same mixture is added once. Raises ModelError for a model that has no two styles.
    """
    generator = _with_styles(writer)
    names = [style.name for style in writer.card.styles]
    if name in names:
        return names.index(name)
    learned = generator.embedding.weight.detach()
    total = sum(shares.values())
    rows = [learned[index] * (share / total) for index, share in shares.items()]
    return _added(writer, generator, torch.stack(rows).sum(dim=0), name)


def _with_styles(writer: Writer) -> Generator:
    if not writer.has_styles or not isinstance(writer.generator, Generator):
        raise ModelError("this model has no two styles to draw a new one between")
    return writer.generator


def _added(writer: Writer, generator: Generator, vector: Tensor, name: str) -> int:
    """The index of a new style, by its vector (D,)."""
    learned = generator.embedding.weight.detach()
    generator.embedding = nn.Embedding.from_pretrained(torch.cat([learned, vector[None]]))
    licence = " ".join(dict.fromkeys(style.licence for style in writer.card.styles))
    blank = FontCard(name, name, "", licence, name, "", "", "", None, {})
    card = replace(blank, placement=writer.card.styles[0].placement)
    writer.card = replace(writer.card, styles=(*writer.card.styles, card))
    return len(learned)
