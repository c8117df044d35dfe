"""A glyph drawn a few times, a little shifted, and averaged.

After cycle spinning (Coifman & Donoho 1995, "Translation-invariant de-noising").
The generator draws cell by cell (models/layers.py), and its edges waver with the cells. Where the
glyph lies elsewhere on their grid they waver elsewhere: on average, they run straight.
"""

from math import floor

import torch
from torch import Tensor

from calligan.models.base import GeneratorBase

# Of a cell, down and right. Near each other: the generator heeds where on the canvas a stroke lies,
# and drawings that are some cells apart part strokes in two.
_PLACES = ((-0.5, 0.25), (-0.25, -0.5), (0.0, 0.0), (0.25, -0.25))


def spun(generator: GeneratorBase, source: Tensor, style: Tensor) -> Tensor:
    """The mean field (N, 1, S, S) of sources in styles (N, style_dim), for four times the work."""
    cell_px = generator.cell_px
    shifts = {(floor(down * cell_px), floor(right * cell_px)) for down, right in _PLACES}
    drawn = [
        generator.bounded(generator.field(source.roll(shift, (2, 3)), style)).roll(
            (-shift[0], -shift[1]), (2, 3)
        )
        for shift in sorted(shifts)
    ]
    return torch.stack(drawn).mean(dim=0)
