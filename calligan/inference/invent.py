"""New hands between the learned ones."""

from dataclasses import replace

import torch
from torch import nn

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
    generator = writer.generator
    if not writer.has_styles or not isinstance(generator, Generator):
        raise ModelError("this model has no two styles to draw a new one between")
    learned = generator.embedding.weight.detach()
    torch.manual_seed(seed)
    if generator.log_variance is not None:
        vector = torch.randn_like(learned[0])
    else:
        shares = torch.distributions.Dirichlet(torch.full((len(learned),), _EVENNESS)).sample()
        vector = shares.to(learned) @ learned
    generator.embedding = nn.Embedding.from_pretrained(torch.cat([learned, vector[None]]))
    name = f"random-{seed}"
    licence = " ".join(dict.fromkeys(style.licence for style in writer.card.styles))
    blank = FontCard(name, name, "", licence, name, "", "", "", None, {})
    card = replace(blank, placement=writer.card.styles[0].placement)
    writer.card = replace(writer.card, styles=(*writer.card.styles, card))
    return len(learned)
