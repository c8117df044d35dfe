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
from calligan.models.layers import Fold, Unfold
from calligan.models.pixels import ink

_UNIT = 0.1  # of mean ink difference: a margin of 1 is that of a poor copy


class Discriminator(nn.Module):
    """Pairs of images in [-1, 1] to patch logits (N, 1, P, P), higher = more real."""

    def __init__(self, config: DiscriminatorConfig, styles: int, size_px: int):
        super().__init__()
        self.styles, widths = styles, config.widths
        bounded = spectral_norm if config.spectral_norm else _as_it_is
        self.fold = Fold(2, widths[0], size_px // config.grid)
        self.convs = nn.ModuleList(
            bounded(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in pairwise(widths)
        )
        self.last = bounded(nn.Conv2d(widths[-1], widths[-1], 3, padding=1))
        self.linear = bounded(nn.Conv2d(widths[-1], 1, 1))
        self.embedding = bounded(nn.Embedding(styles, widths[-1]))
        bounded(self.fold.conv)

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


class Autoencoder(nn.Module):
    """An energy: how badly a glyph is rebuilt from its source, itself and its style.

    After Zhao et al. 2017: scores are minus the mean difference of ink, in units of `_UNIT`.
    """

    def __init__(self, config: DiscriminatorConfig, styles: int, size_px: int):
        super().__init__()
        self.styles, widths = styles, config.widths
        cell_px = size_px // config.grid
        self.fold = Fold(2, widths[0], cell_px)
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(widths)
        )
        self.embedding = nn.Embedding(styles, widths[-1])
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(b, a, 4, stride=2, padding=1)
            for a, b in reversed(list(pairwise(widths)))
        )
        self.unfold = Unfold(widths[0], cell_px)

    def features(self, source: Tensor, glyph: Tensor) -> list[Tensor]:
        """The glyph's ink, and activations on the way down."""
        h = F.leaky_relu(self.fold(ink(torch.cat([source, glyph], dim=1))), 0.2)
        found = [ink(glyph), h]
        for conv in self.down:
            h = F.leaky_relu(conv(h), 0.2)
            found.append(h)
        return found

    def score(self, features: list[Tensor], style_index: Tensor) -> Tensor:
        """Minus the energy of each glyph (N,), float32."""
        h = features[-1] + self.embedding(style_index)[:, :, None, None]
        for conv in self.up:
            h = F.leaky_relu(conv(h), 0.2)
        rebuilt = torch.sigmoid(self.unfold(h).float())
        return -(rebuilt - features[0].float()).abs().mean(dim=(1, 2, 3)) / _UNIT

    def categories(self, features: list[Tensor]) -> Tensor | None:
        """None: it names no styles."""
        return None

    def forward(self, source: Tensor, glyph: Tensor, style_index: Tensor) -> Tensor:
        """Scores of pairs under styles."""
        return self.score(self.features(source, glyph), style_index)


def _as_it_is(module: nn.Module) -> nn.Module:
    return module
