"""The generator: a residual U-Net from a source glyph to the same character in a style.

Skips carry the content's geometry, as in pix2pix (Isola et al. 2017) and zi2zi; the style enters
every block of the decoder through feature-wise modulation (Perez et al. 2018) instead of the
bottleneck alone.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.config import GeneratorConfig
from calligan.models.base import GeneratorBase
from calligan.models.layers import Block, Fold, GroupNorm, Unfold, grow_state
from calligan.models.pixels import ink

_INITIAL_LOG_VARIANCE = -4.0  # of a Gaussian style embedding
_INITIAL_BIAS = {"ink": -2.0, "distance": -1.0}  # of the output: mostly paper


class Generator(GeneratorBase):
    """Sources (M, 1, S, S) in [-1, 1] and style_index (N,) to images (N, 1, S, S).

    N is a multiple of M: the encoder does not depend on the style, so each source is encoded once
    and decoded in N / M styles, which are consecutive in `style_index`.
    """

    interpolates_styles = True

    def __init__(self, config: GeneratorConfig, styles: int, size_px: int):
        super().__init__()
        self.size_px, self.outputs_distance = size_px, config.output == "distance"
        widths, style_dim = config.widths, config.style_dim
        cell_px = size_px // config.grid
        self.config, self.cell_px = config, float(cell_px)
        self.embedding = nn.Embedding(styles, style_dim)
        self.embedding.requires_grad_(config.embedding != "fixed")
        if config.embedding == "gaussian":
            self.log_variance = nn.Embedding(styles, style_dim)
            nn.init.constant_(self.log_variance.weight, _INITIAL_LOG_VARIANCE)
        self.fold = Fold(1, widths[0], cell_px)
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        for above, here in zip((widths[0], *widths), widths, strict=False):
            self.encoder.append(_make_level(above, here, config.encoder_blocks, 0))
            self.decoder.insert(0, _make_level(here, above, config.blocks, style_dim))
        self.middle = Block(widths[-1], widths[-1], style_dim)
        self.norm = GroupNorm(8, widths[0])
        self.unfold = Unfold(widths[0], cell_px)
        assert self.unfold.conv.bias is not None
        nn.init.constant_(self.unfold.conv.bias, _INITIAL_BIAS[config.output])

    def style(self, style_index: Tensor) -> Tensor:
        """Style vectors (N, style_dim); for Gaussian styles a sample in training, else the mean."""
        mean: Tensor = self.embedding(style_index)
        if self.log_variance is None or not self.training:
            return mean
        return mean + torch.exp(self.log_variance(style_index) / 2) * torch.randn_like(mean)

    def divergence(self, style_index: Tensor) -> Tensor | None:
        """Mean KL divergence of the styles' Gaussians from N(0, 1) (Kingma & Welling 2014)."""
        if self.log_variance is None:
            return None
        mean, log_variance = self.embedding(style_index), self.log_variance(style_index)
        divergence: Tensor = (mean**2 + log_variance.exp() - 1 - log_variance).mean() / 2
        return divergence

    def encode(self, source: Tensor) -> list[Tensor]:
        """Encode sources, finest level first: (M, width, g, g) each."""
        h = self.fold(ink(source))  # as ink, so that zero padding is paper
        levels: list[Tensor] = []
        for level in self.encoder:
            h = _apply_level(level, F.avg_pool2d(h, 2) if levels else h, None)
            levels.append(h)
        return levels

    def decode(self, levels: list[Tensor], style: Tensor) -> Tensor:
        """The field (N, 1, S, S), float32, of encoded sources in styles (N, style_dim)."""
        each = style.shape[0] // levels[0].shape[0]
        skips = [level.repeat_interleave(each, 0) if each > 1 else level for level in levels]
        h = self.middle(skips[-1], style)
        for level in self.decoder:
            # A sum, as a concatenation would take twice the work.
            h = _apply_level(level, h + skips.pop(), style)
            if skips:
                h = F.interpolate(h, scale_factor=2.0, mode="nearest")
        field: Tensor = self.unfold(F.silu(self.norm(h))).float()
        return field

    def double_size(self) -> "Generator":
        """A copy for images of twice the size, which computes the same at the old resolution."""
        grown = Generator(self.config, self.embedding.num_embeddings, self.size_px * 2)
        grown.load_state_dict(grow_state(self.state_dict(), self.fold.cell_px))
        return grown


def _make_level(width_in: int, width_out: int, blocks: int, style_dim: int) -> nn.ModuleList:
    widths = [width_in, *[width_out] * blocks]
    return nn.ModuleList(Block(a, b, style_dim) for a, b in pairwise(widths))


def _apply_level(level: nn.Module, h: Tensor, style: Tensor | None) -> Tensor:
    for block in level.children():
        h = block(h, style)
    return h
