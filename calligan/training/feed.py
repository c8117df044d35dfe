"""Examples for training steps: glyphs are prefetched, moved to the device and augmented.

If all glyphs of the run fit in GPU memory, they are copied there once. Otherwise they are read from
the data folder's memory-mapped arrays. With `workers`, other processes choose and read the batches
of the next steps, and pass them on in pinned memory.
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
from calligan.training.augment import augment_fields, augment_images
from calligan.training.example import Example, step_seed
from calligan.training.ranks import SINGLE_PROCESS, Ranks

_MAX_GPU_SHARE = 0.6  # of the device's free memory, for cached glyphs
_MAX_CPU_BYTES = 2**30  # for cached glyphs on a machine without a GPU
_CHUNK_GLYPHS = 512  # glyphs converted at a time
_GPU_WORKERS = 2  # default; on a CPU the default is none, as it is busy with training
_INDICES = ("style_index", "wrong_style_index", "source_style_index", "char_index")

StepData = dict[str, Tensor]  # keys: `source` and `target` (cache rows or pixels), and _INDICES


class Feed:
    """The examples of a run by step, at one image size; each process gets its share."""

    def __init__(
        self, pairs: Pairs, config: TrainConfig, size_px: int, ranks: Ranks = SINGLE_PROCESS
    ):
        self.config, self.size_px, self.ranks = config, size_px, ranks
        self.distance = config.generator.output == "distance"
        kind = _CachedGlyphs if _should_cache(pairs, config, size_px) else _MappedGlyphs
        self.glyphs = kind(pairs, config.device, size_px, self.distance)
        self._steps = _StepDataset(pairs, config, ranks, self.glyphs.rows)
        self._ahead: Iterator[StepData] = iter(())
        self._next_step = -1

    def example(self, step: int, augment: float = 1.0) -> Example:
        """The example of a step; `augment` is a factor on the setting augment.amount."""
        config = self.config
        data = self._step_data(step)
        source, target = (self.glyphs.take(data[name]) for name in ("source", "target"))
        settings = replace(config.augment, amount=config.augment.amount * augment)
        indices = _to_device(data, config.device)
        seed = step_seed(config.seed, step)
        if self.distance:
            source, fields = augment_fields(source, target, settings, seed, self.ranks)
            return Example(source, image_of_field(fields), *indices, fields)
        return Example(*augment_images(source, target, settings, seed, self.ranks), *indices)

    def _step_data(self, step: int) -> StepData:
        """The data of a step; the loader is restarted where steps are not consecutive."""
        if step != self._next_step:
            self._ahead = self._start_loader(step)
        self._next_step = step + 1
        return next(self._ahead)

    def _start_loader(self, step: int) -> Iterator[StepData]:
        on_gpu = self.config.device == "cuda"
        workers = self.config.workers
        return iter(
            DataLoader(
                self._steps,
                batch_size=None,
                sampler=range(step, 2**62),
                generator=torch.Generator(),  # the default advances training's generator
                num_workers=(_GPU_WORKERS if on_gpu else 0) if workers is None else workers,
                worker_init_fn=_ignore_interrupts,
                pin_memory=on_gpu,
            )
        )


class _StepDataset(Dataset[StepData]):
    """The data of each step of a run, for one process.

    With `rows`, glyphs are given as rows of the cache; without, as pixels.
    """

    def __init__(self, pairs: Pairs, config: TrainConfig, ranks: Ranks, rows: "_CacheRows | None"):
        self.pairs, self.ranks, self.rows = pairs, ranks, rows
        self.size = (config.batch_size, config.styles_per_char, config.seed)

    def __getitem__(self, step: int) -> StepData:
        choice = _take_share(self.pairs.choose(*self.size, step), self.ranks)
        if self.rows is None:
            batch = self.pairs.fetch(choice)
            source, target = torch.from_numpy(batch.source), torch.from_numpy(batch.target)
        else:
            source, target = self.rows.of(choice.source), self.rows.of(choice.target)
        return {"source": source, "target": target, **_indices(choice)}


def to_example(batch: Batch, config: TrainConfig, size_px: int) -> Example:
    """A batch on the run's device, scaled to `size_px` and not augmented."""
    source, target = (to_tensor(x, size_px, config.device) for x in (batch.source, batch.target))
    return Example(source, target, *_to_device(_indices(batch), config.device))


@dataclass(frozen=True)
class _CacheRows:
    """The first row of each font in the glyph cache."""

    first: dict[str, int]

    def of(self, glyphs: list[Glyph]) -> Tensor:
        """Cache rows of glyphs, int64 (N,)."""
        return torch.tensor([self.first[name] + row for name, row in glyphs])


class _MappedGlyphs:
    """Glyphs read from the data folder's arrays at each step."""

    rows: _CacheRows | None = None

    def __init__(self, pairs: Pairs, device: str, size_px: int, distance: bool):
        self.device, self.size_px, self.distance = device, size_px, distance

    def take(self, pixels: Tensor) -> Tensor:
        """uint8 (N, H, W) to float (N, 1, S, S): images in [-1, 1], or fields if `distance`."""
        images = to_tensor(pixels, self.size_px, self.device)
        return field_of_image(images) if self.distance else images


class _CachedGlyphs(_MappedGlyphs):
    """Glyphs cached in memory after conversion: as uint8 images, or float16 fields.

    On a GPU all are converted before the first step; on a CPU each on first use.
    """

    def __init__(self, pairs: Pairs, device: str, size_px: int, distance: bool):
        super().__init__(pairs, device, size_px, distance)
        self.arrays = pairs.glyphs()
        lengths = [len(each) for each in self.arrays.values()]
        self.starts = np.cumsum([0, *lengths])
        self.rows = _CacheRows(dict(zip(self.arrays, self.starts.tolist(), strict=False)))
        kind = torch.float16 if distance else torch.uint8
        count = int(self.starts[-1])
        self.cache = torch.empty((count, 1, size_px, size_px), dtype=kind, device=device)
        self.cached = np.zeros(count, bool)
        if device != "cpu":
            for start in range(0, count, _CHUNK_GLYPHS):
                self._fill_cache(np.arange(start, min(start + _CHUNK_GLYPHS, count)))

    def take(self, rows: Tensor) -> Tensor:
        """Cached glyphs by row, in the format of `_MappedGlyphs.take`."""
        if self.device == "cpu":
            missing = rows.numpy()[~self.cached[rows.numpy()]]
            if len(missing):
                self._fill_cache(np.unique(missing))
        taken = self.cache[rows.to(self.cache.device, non_blocking=True)].float()
        return taken if self.distance else taken.div(127.5).sub(1)

    def _fill_cache(self, rows: np.ndarray) -> None:
        fonts = np.searchsorted(self.starts, rows, side="right") - 1
        arrays, within = list(self.arrays.values()), rows - self.starts[fonts]
        pixels = np.stack([arrays[f][row] for f, row in zip(fonts, within, strict=True)])
        converted = super().take(torch.from_numpy(pixels))
        converted = converted if self.distance else converted.add(1).mul(127.5).round()
        self.cache[torch.from_numpy(rows).to(self.cache.device)] = converted.to(self.cache.dtype)
        self.cached[rows] = True


def _should_cache(pairs: Pairs, config: TrainConfig, size_px: int) -> bool:
    """Whether to cache glyphs: on a GPU if they fit; on a CPU only distance fields, if few."""
    distance = config.generator.output == "distance"
    size = sum(map(len, pairs.glyphs().values())) * size_px**2 * (2 if distance else 1)
    if config.device == "cuda":
        return size < _MAX_GPU_SHARE * torch.cuda.mem_get_info()[0]
    return distance and size < _MAX_CPU_BYTES


def _take_share(choice: Choice, ranks: Ranks) -> Choice:
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


def _indices(batch: Batch | Choice) -> StepData:
    return {name: torch.from_numpy(getattr(batch, name)) for name in _INDICES}


def _to_device(data: StepData, device: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    a, b, c, d = (data[name].to(device, non_blocking=True) for name in _INDICES)
    return a, b, c, d


def _ignore_interrupts(worker: int) -> None:
    """Ctrl-C reaches every process of the terminal; only the training process handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
