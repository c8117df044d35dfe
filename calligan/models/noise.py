"""Glyphs out of noise: a generator that is told a character's number and a style, and no source.

After DCGAN (Radford et al. 2016) and its residual form with class-conditional norms (SNGAN, Miyato
et al. 2018). It writes only the characters that it was trained on.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.config import GeneratorConfig
from calligan.models.base import GeneratorBase
from calligan.models.layers import Block, Unfold

_START = 4  # cells a side that noise is first spread over
_CHAR_DIM = 96


class NoiseGenerator(GeneratorBase):
    """Character numbers (M,) and style_index (N,) to images (N, 1, S, S); interface as `Generator`.

    N is a multiple of M. Each glyph has noise of its own.
    """

    from_number = True

    def __init__(self, config: GeneratorConfig, styles: int, size_px: int):
        super().__init__()
        self.size_px, self.noise_dim = size_px, config.noise_dim
        widths = tuple(reversed(config.widths))
        told = config.style_dim + _CHAR_DIM + config.noise_dim
        grid = _START << (len(widths) - 1)
        self.embedding = nn.Embedding(styles, config.style_dim)
        self.characters = nn.Embedding(config.classes, _CHAR_DIM)
        self.first = nn.Linear(told, widths[0] * _START**2)
        self.blocks = nn.ModuleList(Block(a, b, told) for a, b in pairwise((widths[0], *widths)))
        self.norm = nn.GroupNorm(8, widths[-1])
        self.unfold = Unfold(widths[-1], size_px // grid)

    def noise(self, count: int) -> Tensor:
        """Noise for so many glyphs."""
        return torch.randn(count, self.noise_dim, device=self.embedding.weight.device)

    def field(self, content: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """Ink logits of characters by number; `noise` (N, noise_dim) is drawn where not given."""
        each = len(style) // len(content)
        char = self.characters(content).repeat_interleave(each, 0)
        told = torch.cat([style, char, self.noise(len(style)) if noise is None else noise], dim=1)
        h = self.first(told).view(len(style), -1, _START, _START)
        for number, block in enumerate(self.blocks):
            h = block(F.interpolate(h, scale_factor=2.0) if number else h, told)
        logits: Tensor = self.unfold(F.silu(self.norm(h))).float()
        return logits
