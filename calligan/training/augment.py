"""Disturbing training pairs, so that the network cannot learn its characters by heart.

Source and target move together (an affine map and a smooth warp); the source's weight changes by
itself, since users' source fonts are lighter and heavier than those trained with.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from calligan.config import AugmentConfig
from calligan.models.distance import REACH, UNITS, image_of_field
from calligan.models.pixels import ink
from calligan.training.ranks import ALONE, Ranks

_STEEPER = 1.4  # resampling softens edges; this gives glyphs their share of grey pixels back


class _Random:
    """Random numbers of a batch, of which each process takes its share."""

    def __init__(self, seed: int, ranks: Ranks):
        self.generator, self.ranks = torch.Generator().manual_seed(seed), ranks

    def uniform(self, count: int, most: float) -> Tensor:
        """(count,) from -most to most."""
        every = torch.rand(count * self.ranks.count, generator=self.generator)
        return (2 * every[self.ranks.share(len(every))] - 1) * most

    def normal(self, count: int, *shape: int) -> Tensor:
        """(count, *shape) with a standard deviation of 1."""
        every = torch.randn(count * self.ranks.count, *shape, generator=self.generator)
        return every[self.ranks.share(len(every))]


def augmented(
    source: Tensor, target: Tensor, config: AugmentConfig, seed: int, ranks: Ranks = ALONE
) -> tuple[Tensor, Tensor]:
    """Sources (M, 1, S, S) and targets (N, 1, S, S), N a multiple of M, in [-1, 1]: the same moved.

    All targets of a source move as it does. A function of the arguments: resuming repeats it.
    """
    rng = _Random(seed, ranks)
    if config.amount:
        places = _places(source, config, rng)
        of_each = places.repeat_interleave(len(target) // len(source), 0)
        source, target = _moved(source, places), _moved(target, of_each)
    if config.weight:
        share = rng.uniform(len(source), 1).to(source.device)
        source = _reweighted(source, share, config.weight)
    return source, target


def augmented_fields(
    source: Tensor, target: Tensor, config: AugmentConfig, seed: int, ranks: Ranks = ALONE
) -> tuple[Tensor, Tensor]:
    """The same for signed distances (models/distance.py), which lose nothing when resampled.

    Returns source images and target fields. An offset of the distance is the source's weight.
    """
    rng = _Random(seed, ranks)
    if config.amount:
        places = _places(source, config, rng)
        of_each = places.repeat_interleave(len(target) // len(source), 0)
        source, target = (
            F.grid_sample(fields + REACH, where, align_corners=False) - REACH  # paper beyond edges
            for fields, where in ((source, places), (target, of_each))
        )
    if config.weight:
        # `weight` is in pixels of a canvas of 128; a unit has two of them.
        share = rng.uniform(len(source), config.weight * UNITS / 128).to(source.device)
        source = source + share[:, None, None, None]
    return image_of_field(source), target


def _places(images: Tensor, config: AugmentConfig, rng: _Random) -> Tensor:
    """Where each pixel is taken from: (M, S, S, 2) in [-1, 1], as grid_sample wants it."""
    count, size_px, device = len(images), images.shape[-1], images.device
    amount = config.amount
    turn = torch.deg2rad(rng.uniform(count, amount * config.turn_deg))
    width = 1 + rng.uniform(count, amount * config.stretch)
    height = 1 + rng.uniform(count, amount * config.stretch)
    slant = rng.uniform(count, amount * config.slant)
    right, down = (rng.uniform(count, 2 * amount * config.shift) for _ in range(2))
    cos, sin = torch.cos(turn), torch.sin(turn)
    rows = (
        torch.stack([width * cos, slant - sin, right], 1),
        torch.stack([sin, height * cos, down], 1),
    )
    maps = torch.stack(rows, 1).to(device)
    places = F.affine_grid(maps, [count, 1, size_px, size_px], align_corners=False)
    knots = rng.normal(count, 2, config.warp_knots, config.warp_knots)
    if not config.warp:
        return places
    warp = F.interpolate(knots.to(device), (size_px, size_px), mode="bicubic", align_corners=True)
    return places + 2 * amount * config.warp * warp.permute(0, 2, 3, 1)


def _moved(images: Tensor, places: Tensor) -> Tensor:
    """Images resampled, with paper beyond their edges."""
    moved = F.grid_sample(ink(images), places, align_corners=False)
    return _steeper(moved, _STEEPER)


def _reweighted(images: Tensor, share: Tensor, most: float) -> Tensor:
    """Strokes made bolder (share above 0) or thinner: their blurred edge is cut elsewhere.

    `share` (N,) from -1 to 1 is of `most`; at 0 images stay as they are.
    """
    share = share[:, None, None, None]
    blurred = F.avg_pool2d(ink(images), 3, 1, 1)
    changed = _steeper(blurred + most * share, 2 * _STEEPER)
    return images + share.abs() * (changed - images)


def _steeper(coverage: Tensor, factor: float) -> Tensor:
    """Coverage as an image in [-1, 1], its edges `factor` times as steep."""
    return 1 - 2 * ((coverage - 0.5) * factor + 0.5).clamp(0, 1)
