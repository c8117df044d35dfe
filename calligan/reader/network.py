"""The reader: a glyph beside a regular rendering of the character asked for, to two logits."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.models.layers import Block, Fold
from calligan.models.pixels import ink

SIZE_PX = 64
EMBEDDED = 128  # numbers in an embedding
_CELL_PX = 4
_WIDTHS = (64, 96, 128)  # channels at 16, 8 and 4 cells a side


class Reader(nn.Module):
    """Glyphs and references (N, 1, 64, 64) in [-1, 1] to logits (N, 2): `right`, `whole`.

    Both pass through one tower. Its end is an embedding, alike for a character in any hand (after
    CLIP, Radford et al. 2021); its middle is compared cell by cell, for what is missing or broken.
    """

    def __init__(self) -> None:
        super().__init__()
        first, last = _WIDTHS[0], _WIDTHS[-1]
        self.fold = Fold(1, first, _CELL_PX)
        self.alone = Block(first, first)
        self.tower = _Pyramid()
        self.embed = nn.Linear(16 * last, EMBEDDED)
        self.join = nn.Conv2d(3 * first, first, 1)
        self.together = Block(first, first)
        self.compare = _Pyramid()
        self.head = nn.Sequential(nn.Linear(2 * last + 1, last), nn.SiLU(), nn.Linear(last, 2))
        self.sharpness = nn.Parameter(torch.tensor(2.5))  # log of the scale of likenesses

    def forward(self, glyph: Tensor, reference: Tensor) -> Tensor:
        """Logits (N, 2), float32."""
        return self.both(glyph, reference)[0]

    def both(self, glyph: Tensor, reference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (N, 2) and the embeddings (N, EMBEDDED) of glyphs and of references."""
        cells = self._cells(torch.cat([glyph, reference]))
        known = self._embedded(cells)
        (a, b), (p, q) = cells.chunk(2), known.chunk(2)
        h = self.compare(self.together(self.join(torch.cat([a, b, a * b], dim=1))))
        likeness = self.sharpness.exp() * (p * q).sum(dim=1, keepdim=True)
        seen = torch.cat([h.mean(dim=(2, 3)), h.amax(dim=(2, 3)), likeness], dim=1)
        return self.head(seen).float(), p, q

    def embedded(self, glyph: Tensor) -> Tensor:
        """Glyphs (N, 1, 64, 64) to vectors of length one, (N, EMBEDDED), float32."""
        return self._embedded(self._cells(glyph))

    def texture(self, glyph: Tensor) -> Tensor:
        """How glyphs (N, 1, 64, 64) are drawn, whatever they say: (2 W,), alike for a hand's own.

        Mean and deviation of the first features (as in AdaIN, Huang & Belongie 2017).
        """
        cells = self._cells(glyph)
        return torch.cat([cells.mean(dim=(0, 2, 3)), cells.std(dim=(0, 2, 3))])

    def _cells(self, glyph: Tensor) -> Tensor:
        return self.alone(self.fold(ink(glyph)))

    def _embedded(self, cells: Tensor) -> Tensor:
        return F.normalize(self.embed(self.tower(cells).flatten(1)).float(), dim=1)


class _Pyramid(nn.Module):
    """Cells (N, W, 16, 16) to (N, W', 4, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList(Block(a, b) for a, b in pairwise(_WIDTHS))
        self.norm = nn.GroupNorm(8, _WIDTHS[-1])

    def forward(self, h: Tensor) -> Tensor:
        for level in self.levels:
            h = level(F.avg_pool2d(h, 2))
        return F.silu(self.norm(h))
