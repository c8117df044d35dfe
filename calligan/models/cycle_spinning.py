"""Cycle spinning: average a glyph over several small shifts, against grid artefacts.

After Coifman & Donoho 1995, "Translation-invariant de-noising". The generator draws cell by cell
(models/layers.py), which makes edges slightly wavy with the period of a cell. The artefacts depend
on the position on the grid, so that averaging over shifted copies cancels them.
"""

from math import floor

import torch
from torch import Tensor

from calligan.models.base import GeneratorBase

# Down and right, in cells. The shifts are small: the generator uses the position on the canvas, and
# with shifts of several cells the averaged strokes would not coincide.
_SHIFTS = ((-0.5, 0.25), (-0.25, -0.5), (0.0, 0.0), (0.25, -0.25))


def cycle_spin(generator: GeneratorBase, source: Tensor, style: Tensor) -> Tensor:
    """The mean field (N, 1, S, S) of four shifts, of sources in styles (N, style_dim)."""
    cell_px = generator.cell_px
    shifts = {(floor(down * cell_px), floor(right * cell_px)) for down, right in _SHIFTS}
    drawn = [
        generator.clamp_field(generator.field(source.roll(shift, (2, 3)), style)).roll(
            (-shift[0], -shift[1]), (2, 3)
        )
        for shift in sorted(shifts)
    ]
    return torch.stack(drawn).mean(dim=0)
