"""The discriminator: a PatchGAN on (source, glyph), conditioned on the style.

Patches after Isola et al. 2017, spectral normalisation after Miyato et al. 2018, style by
projection after Miyato & Koyama 2018: score = linear(h) + <embedding(style), h>, at each patch.
"""

from dataclasses import replace
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from calligan.config import DiscriminatorConfig
from calligan.models.critic import Critic, Windows
from calligan.models.layers import Fold, Unfold
from calligan.models.pixels import ink

_ENERGY_UNIT = 0.1  # mean ink difference of a bad reconstruction


class Discriminator(Critic):
    """Patch logits (N, 1, P, P); with separate heads (N, 2, P, P): real, and matching."""

    def __init__(self, config: DiscriminatorConfig, styles: int, size_px: int):
        super().__init__()
        self.styles, widths = styles, config.widths
        self.separate_heads = config.heads == "apart"
        normalise = spectral_norm if config.spectral_norm else _unchanged
        self.fold = Fold(2, widths[0], size_px // config.grid)
        self.convs = nn.ModuleList(
            normalise(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in pairwise(widths)
        )
        self.last = normalise(nn.Conv2d(widths[-1], widths[-1], 3, padding=1))
        self.linear = normalise(nn.Conv2d(widths[-1], 1, 1))
        self.embedding = normalise(nn.Embedding(styles, widths[-1]))
        normalise(self.fold.conv)
        self.names = nn.Linear(widths[-1], styles) if config.names_styles else None

    def features(
        self, source: Tensor, glyph: Tensor, windows: Windows | None = None
    ) -> list[Tensor]:
        """Activations of every layer, first to last."""
        h = F.leaky_relu(self.fold(ink(torch.cat([source, glyph], dim=1))), 0.2)
        found = [h]
        for conv in (*self.convs, self.last):
            h = F.leaky_relu(conv(h), 0.2)
            found.append(h)
        return found

    def score(self, features: list[Tensor], style_index: Tensor) -> Tensor:
        """Patch logits of features under a style numbered from 0."""
        h = features[-1]
        real = self.linear(h)
        projected = (h * self.embedding(style_index)[:, :, None, None]).sum(1, keepdim=True)
        scores = torch.cat([real, projected], dim=1) if self.separate_heads else real + projected
        return scores.float()

    def categories(self, features: list[Tensor]) -> Tensor | None:
        """Style logits (N, styles) of the features averaged over patches."""
        return None if self.names is None else self.names(features[-1].mean(dim=(2, 3))).float()

    def matching_scores(self, scores: Tensor) -> Tensor:
        """The second channel of the patch logits if the heads are separate, else all."""
        return scores[:, 1::2] if self.separate_heads else scores


class MultiScale(Critic):
    """The same network at the full size and at smaller ones (Wang et al. 2018, pix2pixHD).

    Each gets 1 / `scale_step` of the size of the previous one; the first may be limited to windows
    of `crop_px`. Coarser scores are repeated, so that all scales have equal weight:
    (N, scales, P, P).
    """

    def __init__(self, config: DiscriminatorConfig, styles: int, size_px: int):
        super().__init__()
        self.styles, self.crop_px, self.step = styles, config.crop_px, config.scale_step
        smaller = [config.scale_step**i for i in range(config.scales)]
        self.parts = nn.ModuleList(
            Discriminator(replace(config, grid=config.grid // k), styles, size_px // k)
            for k in smaller
        )

    def features(
        self, source: Tensor, glyph: Tensor, windows: Windows | None = None
    ) -> list[Tensor]:
        """The features of each part, the finest first."""
        found: list[Tensor] = []
        for number, part in enumerate(self.parts):
            if number:
                source, glyph = F.avg_pool2d(source, self.step), F.avg_pool2d(glyph, self.step)
            seen = source, glyph
            if not number and windows is not None and self.crop_px:
                seen = crop(source, windows, self.crop_px), crop(glyph, windows, self.crop_px)
            found += part.features(*seen)  # type: ignore[operator]
        return found

    def score(self, features: list[Tensor], style_index: Tensor) -> Tensor:
        """Patch logits of all parts, at the size of the finest."""
        each = len(features) // len(self.parts)
        maps = [
            part.score(features[i * each : (i + 1) * each], style_index)  # type: ignore[operator]
            for i, part in enumerate(self.parts)
        ]
        return torch.cat([F.interpolate(m, maps[0].shape[-2:]) for m in maps], dim=1)

    def matching_scores(self, scores: Tensor) -> Tensor:
        """The matching scores of each part."""
        return cast(Discriminator, self.parts[0]).matching_scores(scores)

    def categories(self, features: list[Tensor]) -> Tensor | None:
        """The style logits of the finest part."""
        each = len(features) // len(self.parts)
        return cast(Discriminator, self.parts[0]).categories(features[:each])


def crop(images: Tensor, windows: Windows, crop_px: int) -> Tensor:
    """Crop (N, 1, S, S) to (N, 1, crop_px, crop_px); each part of the batch has its own window.

    Corners are a tensor, so that a recorded step (training/cuda_graph.py) can change them.
    """
    count, _, _, width = images.shape
    part = torch.arange(count, device=images.device) * len(windows) // count
    top, left = windows[part].unbind(1)
    within = torch.arange(crop_px, device=images.device)
    rows = (top[:, None] + within)[:, None, :, None].expand(-1, 1, -1, width)
    columns = (left[:, None] + within)[:, None, None, :].expand(-1, 1, crop_px, -1)
    return images.gather(2, rows).gather(3, columns)


class Autoencoder(Critic):
    """An energy: the reconstruction error of a glyph from its source, itself and its style.

    After Zhao et al. 2017: scores are minus the mean difference of ink, in units of `_ENERGY_UNIT`.
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

    def features(
        self, source: Tensor, glyph: Tensor, windows: Windows | None = None
    ) -> list[Tensor]:
        """The glyph's ink, and activations of the encoder."""
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
        return -(rebuilt - features[0].float()).abs().mean(dim=(1, 2, 3)) / _ENERGY_UNIT


def _unchanged(module: nn.Module) -> nn.Module:
    return module
