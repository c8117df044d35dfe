"""Signed distance from an outline: an output of generators instead of ink.

A field is float (N, 1, H, W), positive inside ink, in units of 1/64 of the canvas (4 px at 256 px),
clamped to +-REACH. Its zero level is the outline, with sub-pixel precision. The distance
is that from a pixel's centre to the nearest point where the line of half ink crosses the pixel grid
(exact Euclidean distance to those points, two passes, after Felzenszwalb & Huttenlocher 2012); in a
grey pixel it is the ink itself, so that `image_of_field(field_of_image(x)) == x`.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from calligan.models.pixels import ink

UNITS_PER_CANVAS = 64  # units across the canvas
REACH = 3.0  # units; distances are clamped to this
_FAR_PX = 1e4  # where no outline is near


def unit_px(size_px: int) -> float:
    """Pixels in a unit."""
    return size_px / UNITS_PER_CANVAS


def image_of_field(field: Tensor) -> Tensor:
    """The image in [-1, 1], 1 = paper: ink is 0.5 plus the signed distance in pixels, clamped."""
    return (-2 * unit_px(field.shape[-1]) * field).clamp(-1, 1)


def field_of_image(image: Tensor) -> Tensor:
    """Images (N, 1, H, W) in [-1, 1] as fields, float32."""
    coverage = ink(image.float())
    unit = unit_px(image.shape[-1])
    reach_px = int(REACH * unit + 0.5)
    rows = _distance_px(coverage, reach_px)
    columns = _distance_px(coverage.transpose(2, 3), reach_px).transpose(2, 3)
    magnitude = torch.minimum(rows, columns)  # in a pixel that is not grey at least 0.5
    grey = (coverage > 0) & (coverage < 1)
    signed = torch.where(grey, coverage - 0.5, torch.where(coverage >= 0.5, magnitude, -magnitude))
    return (signed / unit).clamp(-REACH, REACH)


def _distance_px(coverage: Tensor, reach_px: int) -> Tensor:
    """Distance to the nearest place where half ink crosses a row, up to about `reach_px`."""
    row_distance = _row_distance_px(coverage, reach_px)
    nearest = row_distance**2
    squared = F.pad(nearest, (0, 0, reach_px, reach_px), value=_FAR_PX**2)
    height = coverage.shape[2]
    for step in range(2 * reach_px + 1):
        offset = float((step - reach_px) ** 2)
        nearest = torch.minimum(nearest, squared[:, :, step : step + height] + offset)
    return nearest.sqrt()


def _row_distance_px(coverage: Tensor, reach_px: int) -> Tensor:
    """Horizontal distance to the nearest crossing in the same row."""
    a, b = coverage[..., :-1], coverage[..., 1:]
    crosses = (a >= 0.5) != (b >= 0.5)
    # Where the line from a to b has half ink, as a share of the distance between them.
    share = (a - 0.5) / torch.where(crosses, a - b, torch.ones_like(a))
    far = torch.full_like(a, _FAR_PX)
    right = F.pad(torch.where(crosses, share, far), (0, 1), value=_FAR_PX)
    left = F.pad(torch.where(crosses, 1 - share, far), (1, 0), value=_FAR_PX)
    step = 1
    while step <= reach_px:  # each pass doubles the searched range
        right = torch.minimum(right, F.pad(right[..., step:], (0, step), value=_FAR_PX) + step)
        left = torch.minimum(left, F.pad(left[..., :-step], (step, 0), value=_FAR_PX) + step)
        step *= 2
    return torch.minimum(left, right)
