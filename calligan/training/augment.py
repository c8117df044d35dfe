"""Data augmentation of training pairs, so that the network does not memorise them.

Source and target get the same affine map and smooth warp. The stroke weight of the source alone is
varied too, since users' source fonts are lighter or heavier than those trained with.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from calligan.config import AugmentConfig
from calligan.models.device import moved
from calligan.models.distance import REACH, UNITS_PER_CANVAS, image_of_field
from calligan.models.pixels import ink
from calligan.training.ranks import SINGLE_PROCESS, Ranks

_SHARPENING = 1.4  # resampling blurs edges; this factor restores the share of grey pixels


class _Random:
    """Random numbers of a batch; each process takes its own part of them."""

    def __init__(self, seed: int, ranks: Ranks):
        self.generator, self.ranks = torch.Generator().manual_seed(seed), ranks

    def uniform(self, count: int, bound: float) -> Tensor:
        """(count,), uniform from -bound to bound."""
        all_ranks = torch.rand(count * self.ranks.count, generator=self.generator)
        return (2 * all_ranks[self.ranks.share(len(all_ranks))] - 1) * bound

    def normal(self, count: int, *shape: int) -> Tensor:
        """(count, *shape) with a standard deviation of 1."""
        all_ranks = torch.randn(count * self.ranks.count, *shape, generator=self.generator)
        return all_ranks[self.ranks.share(len(all_ranks))]


def augment_images(
    source: Tensor, target: Tensor, config: AugmentConfig, seed: int, ranks: Ranks = SINGLE_PROCESS
) -> tuple[Tensor, Tensor]:
    """Sources (M, 1, S, S) and targets (N, 1, S, S) in [-1, 1], augmented; N is a multiple of M.

    All targets of a source get its map. The result depends on the arguments only, so that a resumed
    run repeats it.
    """
    rng = _Random(seed, ranks)
    if config.amount:
        grid = _sampling_grid(source, config, rng)
        target_grid = grid.repeat_interleave(len(target) // len(source), 0)
        source, target = _resample(source, grid), _resample(target, target_grid)
    if config.weight:
        share = moved(rng.uniform(len(source), 1), source.device)
        source = _change_weight(source, share, config.weight)
    return source, target


def augment_fields(
    source: Tensor, target: Tensor, config: AugmentConfig, seed: int, ranks: Ranks = SINGLE_PROCESS
) -> tuple[Tensor, Tensor]:
    """As `augment_images`, for signed distances, which resampling does not blur.

    Returns source images and target fields. The source's weight is changed by adding an offset to
    its distance.
    """
    rng = _Random(seed, ranks)
    if config.amount:
        grid = _sampling_grid(source, config, rng)
        target_grid = grid.repeat_interleave(len(target) // len(source), 0)
        source, target = (
            F.grid_sample(fields + REACH, where, align_corners=False)
            - REACH  # zero padding then means paper
            for fields, where in ((source, grid), (target, target_grid))
        )
    if config.weight:
        # `weight` is in pixels of a canvas of 128 px; one unit is two of those pixels.
        offset = rng.uniform(len(source), config.weight * UNITS_PER_CANVAS / 128)
        source = source + moved(offset, source.device)[:, None, None, None]
    return image_of_field(source), target


def _sampling_grid(images: Tensor, config: AugmentConfig, rng: _Random) -> Tensor:
    """The sampling grid for `grid_sample`: (M, S, S, 2) in [-1, 1]."""
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
    maps = moved(torch.stack(rows, 1), device)
    grid = F.affine_grid(maps, [count, 1, size_px, size_px], align_corners=False)
    knots = rng.normal(count, 2, config.warp_knots, config.warp_knots)
    if not config.warp:
        return grid
    shape = (size_px, size_px)
    warp = F.interpolate(moved(knots, device), shape, mode="bicubic", align_corners=True)
    return grid + 2 * amount * config.warp * warp.permute(0, 2, 3, 1)


def _resample(images: Tensor, grid: Tensor) -> Tensor:
    """Images resampled on a grid, with paper outside the canvas."""
    resampled = F.grid_sample(ink(images), grid, align_corners=False)
    return _sharpen(resampled, _SHARPENING)


def _change_weight(images: Tensor, share: Tensor, bound: float) -> Tensor:
    """Make strokes bolder (share above 0) or thinner, by moving the threshold on blurred ink.

    `share` (N,), from -1 to 1, is a share of `bound`. At 0 images stay unchanged.
    """
    share = share[:, None, None, None]
    blurred = F.avg_pool2d(ink(images), 3, 1, 1)
    changed = _sharpen(blurred + bound * share, 2 * _SHARPENING)
    return images + share.abs() * (changed - images)


def _sharpen(coverage: Tensor, factor: float) -> Tensor:
    """Coverage as an image in [-1, 1], its edges `factor` times as steep."""
    return 1 - 2 * ((coverage - 0.5) * factor + 0.5).clamp(0, 1)
