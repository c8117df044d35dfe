"""The reader: a glyph beside a regular rendering of the character asked for, to two logits."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.models.layers import Block, Fold
from calligan.models.pixels import ink

SIZE_PX = 64
_CELL_PX = 2
WIDTHS = (32, 64, 96, 128)  # channels at 32, 16, 8 and 4 cells a side


class Reader(nn.Module):
    """Glyphs and references (N, 1, 64, 64) in [-1, 1] to logits (N, 2): `right`, `whole`.

    Both pass through the same first layers; where they differ is looked at from there on, so that
    a stroke may stand a little elsewhere than in print.
    """

    def __init__(self) -> None:
        super().__init__()
        first = WIDTHS[0]
        self.fold = Fold(1, first, _CELL_PX)
        self.alone = Block(first, first)
        self.join = nn.Conv2d(3 * first, first, 1)
        self.levels = nn.ModuleList(
            Block(a, b) for a, b in zip((first, *WIDTHS), WIDTHS, strict=False)
        )
        self.norm = nn.GroupNorm(8, WIDTHS[-1])
        self.head = nn.Sequential(
            nn.Linear(2 * WIDTHS[-1], WIDTHS[-1]), nn.SiLU(), nn.Linear(WIDTHS[-1], 2)
        )

    def forward(self, glyph: Tensor, reference: Tensor) -> Tensor:
        """Logits (N, 2), float32."""
        a, b = self.alone(self.fold(ink(torch.cat([glyph, reference])))).chunk(2)
        h = self.join(torch.cat([a, b, a * b], dim=1))
        for number, level in enumerate(self.levels):
            h = level(F.avg_pool2d(h, 2) if number else h)
        h = F.silu(self.norm(h))
        return self.head(torch.cat([h.mean(dim=(2, 3)), h.amax(dim=(2, 3))], dim=1)).float()
