"""Glyphs from noise: a generator conditioned on a character index and a style, without a source.

After DCGAN (Radford et al. 2016) and its residual form with class-conditional norms (SNGAN, Miyato
et al. 2018). It can draw only the characters that it was trained on.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.config import GeneratorConfig
from calligan.models.base import GeneratorBase
from calligan.models.layers import Block, GroupNorm, Unfold

_START_CELLS = 4  # edge of the first grid, in cells
_CHAR_DIM = 96


class NoiseGenerator(GeneratorBase):
    """Character indices (M,) and style_index (N,) to images (N, 1, S, S); interface as `Generator`.

    N is a multiple of M. Each glyph has its own noise.
    """

    takes_char_index = True

    def __init__(self, config: GeneratorConfig, styles: int, size_px: int):
        super().__init__()
        self.size_px, self.noise_dim = size_px, config.noise_dim
        widths = tuple(reversed(config.widths))
        conditioning = config.style_dim + _CHAR_DIM + config.noise_dim
        grid = _START_CELLS << (len(widths) - 1)
        self.embedding = nn.Embedding(styles, config.style_dim)
        self.characters = nn.Embedding(config.classes, _CHAR_DIM)
        self.first = nn.Linear(conditioning, widths[0] * _START_CELLS**2)
        self.blocks = nn.ModuleList(
            Block(a, b, conditioning) for a, b in pairwise((widths[0], *widths))
        )
        self.norm = GroupNorm(8, widths[-1])
        self.unfold = Unfold(widths[-1], size_px // grid)

    def noise(self, count: int) -> Tensor:
        """Noise (count, noise_dim) from a normal distribution."""
        return torch.randn(count, self.noise_dim, device=self.embedding.weight.device)

    def field(self, content: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """Ink logits of characters by index; `noise` (N, noise_dim) is sampled if not given."""
        each = len(style) // len(content)
        char = self.characters(content).repeat_interleave(each, 0)
        conditioning = torch.cat(
            [style, char, self.noise(len(style)) if noise is None else noise], dim=1
        )
        h = self.first(conditioning).view(len(style), -1, _START_CELLS, _START_CELLS)
        for number, block in enumerate(self.blocks):
            h = block(F.interpolate(h, scale_factor=2.0) if number else h, conditioning)
        logits: Tensor = self.unfold(F.silu(self.norm(h))).float()
        return logits
