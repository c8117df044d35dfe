"""Signed distance from an outline: what a generator may draw instead of ink.

A field is float (N, 1, H, W), positive inside ink, in units of 1/64 of the canvas (4 px at 256 px),
clamped to +-REACH. Its zero line is the outline, with a precision far below a pixel. The distance
is that from a pixel's centre to the nearest point where the line of half ink crosses the pixel grid
(exact Euclidean distance to those points, two passes, after Felzenszwalb & Huttenlocher 2012); in a
grey pixel it is the ink itself, so that `image_of_field(field_of_image(x)) == x`.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from calligan.models.pixels import ink

UNITS = 64  # units across the canvas
REACH = 3.0  # units; farther away all is alike
_FAR = 1e4  # pixels; no outline in reach


def unit_px(size_px: int) -> float:
    """Pixels in a unit."""
    return size_px / UNITS


def image_of_field(field: Tensor) -> Tensor:
    """The image in [-1, 1], 1 = paper: a pixel's ink is half and its signed distance in pixels."""
    return (-2 * unit_px(field.shape[-1]) * field).clamp(-1, 1)


def field_of_image(image: Tensor) -> Tensor:
    """Images (N, 1, H, W) in [-1, 1] as fields, float32."""
    coverage = ink(image.float())
    unit = unit_px(image.shape[-1])
    reach_px = int(REACH * unit + 0.5)
    rows = _distance_px(coverage, reach_px)
    columns = _distance_px(coverage.transpose(2, 3), reach_px).transpose(2, 3)
    apart = torch.minimum(rows, columns).clamp_min(0.5)
    grey = (coverage > 0) & (coverage < 1)
    signed = torch.where(grey, coverage - 0.5, torch.where(coverage >= 0.5, apart, -apart))
    return (signed / unit).clamp(-REACH, REACH)


def _distance_px(coverage: Tensor, reach_px: int) -> Tensor:
    """Distance to the nearest place where half ink crosses a row, up to about `reach_px`."""
    along = _along_rows(coverage, reach_px)
    nearest = along**2
    squared = F.pad(nearest, (0, 0, reach_px, reach_px), value=_FAR**2)
    height = coverage.shape[2]
    for step in range(2 * reach_px + 1):
        apart = float((step - reach_px) ** 2)
        nearest = torch.minimum(nearest, squared[:, :, step : step + height] + apart)
    return nearest.sqrt()


def _along_rows(coverage: Tensor, reach_px: int) -> Tensor:
    """Horizontal distance to the nearest crossing in the same row."""
    a, b = coverage[..., :-1], coverage[..., 1:]
    crosses = (a >= 0.5) != (b >= 0.5)
    share = (a - 0.5) / torch.where(crosses, a - b, torch.ones_like(a))  # of the way from a to b
    far = torch.full_like(a, _FAR)
    right = F.pad(torch.where(crosses, share, far), (0, 1), value=_FAR)
    left = F.pad(torch.where(crosses, 1 - share, far), (1, 0), value=_FAR)
    step = 1
    while step <= reach_px:  # each round doubles how far a pixel has looked
        right = torch.minimum(right, F.pad(right[..., step:], (0, step), value=_FAR) + step)
        left = torch.minimum(left, F.pad(left[..., :-step], (step, 0), value=_FAR) + step)
        step *= 2
    return torch.minimum(left, right)
