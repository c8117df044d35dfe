"""Examples for training steps: glyphs fetched, brought to the device and augmented.

Where a GPU's memory holds every glyph of the run they are put there once, so that a step waits for
no copy; else they are read from the data folder's memory-mapped arrays.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from calligan.config import TrainConfig
from calligan.models.distance import field_of_image, image_of_field
from calligan.models.pixels import to_tensor
from calligan.pairs.batches import Batch, Choice, Glyph, Pairs
from calligan.training.augment import augmented, augmented_fields
from calligan.training.example import Example
from calligan.training.ranks import ALONE, Ranks

_SHARE = 0.6  # of the device's free memory, which the glyphs may take
_CPU_BYTES = 2**30  # or of a machine without a GPU
_PART = 512  # glyphs converted at a time


class Feed:
    """The examples of a run as a function of the step, at one image size: a process's share."""

    def __init__(self, pairs: Pairs, config: TrainConfig, size_px: int, ranks: Ranks = ALONE):
        self.pairs, self.config, self.size_px, self.ranks = pairs, config, size_px, ranks
        self.distance = config.generator.output == "distance"
        kind = _Kept if _fits(pairs, config, size_px) else _Mapped
        self.glyphs = kind(pairs, config.device, size_px, self.distance)

    def example(self, step: int, augment: float = 1.0) -> Example:
        """The example of a step; `augment` is the stage's factor on augment.amount."""
        config, seed = self.config, self.config.seed
        ranks = self.ranks
        whole = self.pairs.choose(config.batch_size, config.styles_per_char, seed, step)
        choice = _shared(whole, ranks)
        source, target = (self.glyphs.take(each) for each in (choice.source, choice.target))
        settings = replace(config.augment, amount=config.augment.amount * augment)
        indices = _indices(choice, config.device)
        if self.distance:
            source, fields = augmented_fields(source, target, settings, seed + step, ranks)
            return Example(source, image_of_field(fields), *indices, fields)
        return Example(*augmented(source, target, settings, seed + step, ranks), *indices)


def on_device(batch: Batch, config: TrainConfig, size_px: int) -> Example:
    """A batch as it is, on the run's device at a size."""
    source, target = (to_tensor(x, size_px, config.device) for x in (batch.source, batch.target))
    return Example(source, target, *_indices(batch, config.device))


class _Mapped:
    """Glyphs from the data folder's arrays, at each step."""

    def __init__(self, pairs: Pairs, device: str, size_px: int, distance: bool):
        self.arrays, self.device = pairs.glyphs(), device
        self.size_px, self.distance = size_px, distance

    def take(self, glyphs: Sequence[Glyph]) -> Tensor:
        """Images in [-1, 1], or fields where distance is drawn: float (N, 1, S, S)."""
        stack = np.stack([self.arrays[name][row] for name, row in glyphs])
        images = to_tensor(stack, self.size_px, self.device)
        return field_of_image(images) if self.distance else images


class _Kept(_Mapped):
    """The same, kept in memory once they are converted: as uint8 images, or float16 fields.

    On a GPU all are converted before the first step; on a CPU each when it is first asked for.
    """

    def __init__(self, pairs: Pairs, device: str, size_px: int, distance: bool):
        super().__init__(pairs, device, size_px, distance)
        count = sum(map(len, self.arrays.values()))
        kind = torch.float16 if distance else torch.uint8
        self.kept = torch.empty((count, 1, size_px, size_px), dtype=kind, device=device)
        self.there = np.zeros(count, bool)
        starts = np.cumsum([0, *map(len, self.arrays.values())])
        self.first = dict(zip(self.arrays, starts.tolist(), strict=False))
        if device != "cpu":
            every = [(name, row) for name, all_ in self.arrays.items() for row in range(len(all_))]
            for start in range(0, count, _PART):
                self._keep(every[start : start + _PART])

    def take(self, glyphs: Sequence[Glyph]) -> Tensor:
        """As `_Mapped.take`."""
        rows = [self.first[name] + row for name, row in glyphs]
        each = dict(zip(rows, glyphs, strict=True))
        if missing := [glyph for row, glyph in each.items() if not self.there[row]]:
            self._keep(missing)
        taken = self.kept[torch.tensor(rows).to(self.kept.device, non_blocking=True)].float()
        return taken if self.distance else taken.div(127.5).sub(1)

    def _keep(self, glyphs: Sequence[Glyph]) -> None:
        told = super().take(glyphs)
        rows = [self.first[name] + row for name, row in glyphs]
        told = told if self.distance else told.add(1).mul(127.5).round()
        self.kept[torch.tensor(rows, device=self.kept.device)] = told.to(self.kept.dtype)
        self.there[rows] = True


def _fits(pairs: Pairs, config: TrainConfig, size_px: int) -> bool:
    """Whether glyphs are kept: all of them on a GPU with room; few whose distance costs time."""
    distance = config.generator.output == "distance"
    size = sum(map(len, pairs.glyphs().values())) * size_px**2 * (2 if distance else 1)
    if config.device == "cuda":
        return size < _SHARE * torch.cuda.mem_get_info()[0]
    return distance and size < _CPU_BYTES


def _shared(choice: Choice, ranks: Ranks) -> Choice:
    """A process's part of a batch."""
    if ranks.count == 1:
        return choice
    sources, targets = ranks.share(len(choice.source)), ranks.share(len(choice.target))
    return Choice(
        choice.source[sources],
        choice.target[targets],
        choice.style_index[targets],
        choice.wrong_style_index[targets],
        choice.source_style_index[sources],
        choice.char_index[sources],
        choice.chars[targets],
    )


def _indices(batch: Batch | Choice, device: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    def sent(column: np.ndarray) -> Tensor:
        return torch.from_numpy(column).to(device, non_blocking=True)

    wrong, of_source = sent(batch.wrong_style_index), sent(batch.source_style_index)
    return sent(batch.style_index), wrong, of_source, sent(batch.char_index)
