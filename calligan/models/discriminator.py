"""The discriminator: a PatchGAN that sees (source, glyph) and knows the style.

Patches after Isola et al. 2017, spectral normalisation after Miyato et al. 2018, style by
projection after Miyato & Koyama 2018: score = linear(h) + <embedding(style), h>, at each patch.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from calligan.config import DiscriminatorConfig
from calligan.models.layers import Fold
from calligan.models.pixels import ink


class Discriminator(nn.Module):
    """Pairs of images in [-1, 1] to patch logits (N, 1, P, P), higher = more real."""

    def __init__(self, config: DiscriminatorConfig, styles: int, size_px: int):
        super().__init__()
        self.styles, widths = styles, config.widths
        self.fold = Fold(2, widths[0], size_px // config.grid)
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in pairwise(widths)
        )
        self.last = spectral_norm(nn.Conv2d(widths[-1], widths[-1], 3, padding=1))
        self.linear = spectral_norm(nn.Conv2d(widths[-1], 1, 1))
        self.embedding = spectral_norm(nn.Embedding(styles, widths[-1]))
        spectral_norm(self.fold.conv)

    def features(self, source: Tensor, glyph: Tensor) -> list[Tensor]:
        """Activations of every layer, first to last, for feature matching and `score`."""
        h = F.leaky_relu(self.fold(ink(torch.cat([source, glyph], dim=1))), 0.2)
        found = [h]
        for conv in (*self.convs, self.last):
            h = F.leaky_relu(conv(h), 0.2)
            found.append(h)
        return found

    def score(self, features: list[Tensor], style_index: Tensor) -> Tensor:
        """Patch logits (N, 1, P, P), float32, of features under a style numbered from 0."""
        h = features[-1]
        projected = (h * self.embedding(style_index)[:, :, None, None]).sum(1, keepdim=True)
        return (self.linear(h) + projected).float()

    def categories(self, features: list[Tensor]) -> Tensor | None:
        """None: it judges a style by projection and names none."""
        return None

    def forward(self, source: Tensor, glyph: Tensor, style_index: Tensor) -> Tensor:
        """Patch logits of pairs under styles."""
        return self.score(self.features(source, glyph), style_index)
