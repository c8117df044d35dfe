"""Examples for training steps: glyphs fetched ahead, brought to the device and augmented.

Where a GPU's memory holds every glyph of the run they are put there once, so that a step waits for
no copy; else they are read from the data folder's memory-mapped arrays. With `workers`, other
processes choose and read what the next steps need, and hand it over in pinned memory.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from calligan.config import TrainConfig
from calligan.models.distance import field_of_image, image_of_field
from calligan.models.pixels import to_tensor
from calligan.pairs.batches import Batch, Choice, Glyph, Pairs
from calligan.training.augment import augmented, augmented_fields
from calligan.training.example import Example, step_seed
from calligan.training.ranks import ALONE, Ranks

_SHARE = 0.6  # of the device's free memory, which the glyphs may take
_CPU_BYTES = 2**30  # or of a machine without a GPU
_PART = 512  # glyphs converted at a time
_GPU_WORKERS = 2  # where the setting leaves it open; a CPU has better things to do
_INDICES = ("style_index", "wrong_style_index", "source_style_index", "char_index")

Made = dict[str, Tensor]  # of a step: `source` and `target` (rows, or pixels), and _INDICES


class Feed:
    """The examples of a run as a function of the step, at one image size: a process's share."""

    def __init__(self, pairs: Pairs, config: TrainConfig, size_px: int, ranks: Ranks = ALONE):
        self.config, self.size_px, self.ranks = config, size_px, ranks
        self.distance = config.generator.output == "distance"
        kind = _Kept if _fits(pairs, config, size_px) else _Mapped
        self.glyphs = kind(pairs, config.device, size_px, self.distance)
        self._steps = _Steps(pairs, config, ranks, self.glyphs.rows)
        self._ahead: Iterator[Made] = iter(())
        self._next_step = -1

    def example(self, step: int, augment: float = 1.0) -> Example:
        """The example of a step; `augment` is the stage's factor on augment.amount."""
        config = self.config
        made = self._made(step)
        source, target = (self.glyphs.take(made[name]) for name in ("source", "target"))
        settings = replace(config.augment, amount=config.augment.amount * augment)
        indices = _sent(made, config.device)
        seed = step_seed(config.seed, step)
        if self.distance:
            source, fields = augmented_fields(source, target, settings, seed, self.ranks)
            return Example(source, image_of_field(fields), *indices, fields)
        return Example(*augmented(source, target, settings, seed, self.ranks), *indices)

    def _made(self, step: int) -> Made:
        """What a step needs: from the workers, who go on from there."""
        if step != self._next_step:
            self._ahead = self._begun(step)
        self._next_step = step + 1
        return next(self._ahead)

    def _begun(self, step: int) -> Iterator[Made]:
        on_gpu = self.config.device == "cuda"
        workers = self.config.workers
        return iter(
            DataLoader(
                self._steps,
                batch_size=None,
                sampler=range(step, 2**62),
                generator=torch.Generator(),  # else it would draw from that of training
                num_workers=(_GPU_WORKERS if on_gpu else 0) if workers is None else workers,
                worker_init_fn=_leave_interrupts,
                pin_memory=on_gpu,
            )
        )


class _Steps(Dataset[Made]):
    """What each step of a run needs, by its number: the share of one process.

    `rows` are those of glyphs that are kept in memory; without them pixels are read.
    """

    def __init__(self, pairs: Pairs, config: TrainConfig, ranks: Ranks, rows: "_Rows | None"):
        self.pairs, self.ranks, self.rows = pairs, ranks, rows
        self.size = (config.batch_size, config.styles_per_char, config.seed)

    def __getitem__(self, step: int) -> Made:
        choice = _shared(self.pairs.choose(*self.size, step), self.ranks)
        if self.rows is None:
            batch = self.pairs.fetch(choice)
            source, target = torch.from_numpy(batch.source), torch.from_numpy(batch.target)
        else:
            source, target = self.rows.of(choice.source), self.rows.of(choice.target)
        return {"source": source, "target": target, **_indices(choice)}


def on_device(batch: Batch, config: TrainConfig, size_px: int) -> Example:
    """A batch as it is, on the run's device at a size."""
    source, target = (to_tensor(x, size_px, config.device) for x in (batch.source, batch.target))
    return Example(source, target, *_sent(_indices(batch), config.device))


@dataclass(frozen=True)
class _Rows:
    """Where the glyphs of each font begin among all that are kept in memory."""

    first: dict[str, int]

    def of(self, glyphs: list[Glyph]) -> Tensor:
        """The rows of glyphs, int64 (N,)."""
        return torch.tensor([self.first[name] + row for name, row in glyphs])


class _Mapped:
    """Glyphs from the data folder's arrays, at each step."""

    rows: _Rows | None = None

    def __init__(self, pairs: Pairs, device: str, size_px: int, distance: bool):
        self.device, self.size_px, self.distance = device, size_px, distance

    def take(self, pixels: Tensor) -> Tensor:
        """uint8 (N, H, W) to images in [-1, 1], or to fields where distance is drawn: float
        (N, 1, S, S).
        """
        images = to_tensor(pixels, self.size_px, self.device)
        return field_of_image(images) if self.distance else images


class _Kept(_Mapped):
    """The same, kept in memory once they are converted: as uint8 images, or float16 fields.

    On a GPU all are converted before the first step; on a CPU each when it is first asked for.
    """

    def __init__(self, pairs: Pairs, device: str, size_px: int, distance: bool):
        super().__init__(pairs, device, size_px, distance)
        self.arrays = pairs.glyphs()
        lengths = [len(each) for each in self.arrays.values()]
        self.starts = np.cumsum([0, *lengths])
        self.rows = _Rows(dict(zip(self.arrays, self.starts.tolist(), strict=False)))
        kind = torch.float16 if distance else torch.uint8
        count = int(self.starts[-1])
        self.kept = torch.empty((count, 1, size_px, size_px), dtype=kind, device=device)
        self.there = np.zeros(count, bool)
        if device != "cpu":
            for start in range(0, count, _PART):
                self._keep(np.arange(start, min(start + _PART, count)))

    def take(self, rows: Tensor) -> Tensor:
        """Kept glyphs by their rows, as `_Mapped.take` gives them."""
        if self.device == "cpu":
            missing = rows.numpy()[~self.there[rows.numpy()]]
            if len(missing):
                self._keep(np.unique(missing))
        taken = self.kept[rows.to(self.kept.device, non_blocking=True)].float()
        return taken if self.distance else taken.div(127.5).sub(1)

    def _keep(self, rows: np.ndarray) -> None:
        fonts = np.searchsorted(self.starts, rows, side="right") - 1
        arrays, within = list(self.arrays.values()), rows - self.starts[fonts]
        pixels = np.stack([arrays[f][row] for f, row in zip(fonts, within, strict=True)])
        converted = super().take(torch.from_numpy(pixels))
        converted = converted if self.distance else converted.add(1).mul(127.5).round()
        self.kept[torch.from_numpy(rows).to(self.kept.device)] = converted.to(self.kept.dtype)
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


def _indices(batch: Batch | Choice) -> Made:
    return {name: torch.from_numpy(getattr(batch, name)) for name in _INDICES}


def _sent(made: Made, device: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    a, b, c, d = (made[name].to(device, non_blocking=True) for name in _INDICES)
    return a, b, c, d


def _leave_interrupts(worker: int) -> None:
    """Ctrl-C reaches every process of the terminal; the training process alone answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
