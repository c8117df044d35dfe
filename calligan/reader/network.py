"""The reader network: a glyph and a reference rendering of its character, to two logits."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.models.layers import Fold
from calligan.models.pixels import ink

SIZE_PX = 64
EMBEDDED = 128  # numbers in an embedding
_CELL_PX = 4
_WIDTHS = (48, 80, 128)  # channels at 16, 8 and 4 cells a side


class Reader(nn.Module):
    """Glyphs and references (N, 1, 64, 64) in [-1, 1] to logits (N, 2): `right`, `whole`.

    Both pass through one tower. Its output is an embedding, similar for a character in any hand
    (after CLIP, Radford et al. 2021). Its first features are compared cell by cell, to find missing
    or broken parts.
    """

    def __init__(self) -> None:
        super().__init__()
        first, last = _WIDTHS[0], _WIDTHS[-1]
        self.fold = Fold(1, first, _CELL_PX)
        self.alone = _Residual(first, first)
        self.tower = _Pyramid()
        self.embed = nn.Linear(16 * last, EMBEDDED)
        self.join = nn.Conv2d(3 * first, first, 1)
        self.together = _Residual(first, first)
        self.compare = _Pyramid()
        self.head = nn.Sequential(nn.Linear(2 * last + 1, last), nn.SiLU(), nn.Linear(last, 2))
        self.sharpness = nn.Parameter(torch.tensor(2.5))  # log of the factor on similarities

    def forward(self, glyph: Tensor, reference: Tensor) -> Tensor:
        """Logits (N, 2), float32."""
        return self.both(glyph, reference)[0]

    def both(self, glyph: Tensor, reference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (N, 2) and the embeddings (N, EMBEDDED) of glyphs and of references."""
        cells = self._cells(torch.cat([glyph, reference]))
        known, count = self._embedded(cells), glyph.shape[0]
        (a, b), (p, q) = (cells[:count], cells[count:]), (known[:count], known[count:])
        h = self.compare(self.together(self.join(torch.cat([a, b, a * b], dim=1))))
        likeness = self.sharpness.exp() * (p * q).sum(dim=1, keepdim=True)
        seen = torch.cat([h.mean(dim=(2, 3)), h.amax(dim=(2, 3)), likeness], dim=1)
        return self.head(seen).float(), p, q

    def embedded(self, glyph: Tensor) -> Tensor:
        """Glyphs (N, 1, 64, 64) to vectors of length one, (N, EMBEDDED), float32."""
        return self._embedded(self._cells(glyph))

    def texture(self, glyph: Tensor) -> Tensor:
        """Style statistics of glyphs (N, 1, 64, 64), (2 W,): similar for glyphs of one hand.

        Mean and standard deviation of the first features (as in AdaIN, Huang & Belongie 2017).
        """
        cells = self._cells(glyph)
        return torch.cat([cells.mean(dim=(0, 2, 3)), cells.std(dim=(0, 2, 3))])

    def _cells(self, glyph: Tensor) -> Tensor:
        cells: Tensor = self.alone(self.fold(ink(glyph)))
        return cells

    def _embedded(self, cells: Tensor) -> Tensor:
        return F.normalize(self.embed(self.tower(cells).flatten(1)).float(), dim=1)


class _Pyramid(nn.Module):
    """Cells (N, W, 16, 16) to (N, W', 4, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList(_Residual(a, b) for a, b in pairwise(_WIDTHS))

    def forward(self, h: Tensor) -> Tensor:
        for level in self.levels:
            h = level(F.avg_pool2d(h, 2))
        return F.relu(h)


class _Residual(nn.Module):
    """Residual block, (N, A, g, g) to (N, B, g, g), with batch norms, which `fused` removes.

    (The generator's blocks normalise each image instead, for style modulation.)
    """

    def __init__(self, width_in: int, width_out: int):
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width_out, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(width_out), nn.BatchNorm2d(width_out)
        self.skip = nn.Conv2d(width_in, width_out, 1) if width_in != width_out else nn.Identity()
        nn.init.zeros_(self.norm2.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(self.conv1(F.relu(x))))
        out: Tensor = self.skip(x) + self.norm2(self.conv2(h))
        return out
