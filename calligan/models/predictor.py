"""Inference with a generator: without gradients, on its device and precision, in batches."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from calligan.errors import ModelError
from calligan.models.base import GeneratorBase
from calligan.models.cycle_spinning import cycle_spin
from calligan.models.device import BATCH_SIZES
from calligan.models.distance import UNITS_PER_CANVAS
from calligan.models.pixels import to_tensor, to_uint8
from calligan.models.precision import inference_precision
from calligan.progress import Note, ignore

Part = TypeVar("Part", Tensor, np.ndarray)


class Predictor:
    """Runs a generator; used for all inference outside a training step.

    `fine` enables cycle spinning for ink (models/cycle_spinning.py). `precision` creates the
    context to draw in; the default depends on generator and device. If the device runs out of
    memory, the batch is halved and `note` gets a message.
    """

    def __init__(
        self,
        generator: GeneratorBase,
        device: str = "cpu",
        fine: bool = False,
        precision: Callable[[], AbstractContextManager[object]] | None = None,
        note: Note = ignore,
    ):
        self.generator, self.device, self.fine, self.note = generator, device, fine, note
        self.precision = precision or (lambda: inference_precision(generator, device))
        self._batch_size = BATCH_SIZES[device]  # smaller once the device ran out of memory

    @property
    def size_px(self) -> int:
        """Edge of its images."""
        return self.generator.size_px

    def style(self, index: int, strength: float = 1.0) -> Tensor:
        """A style's vector (D,), at `strength` times its distance from the mean of all styles."""
        with torch.inference_mode():
            style = self.generator.style(torch.tensor([index], device=self.device))[0]
            if strength == 1:
                return style
            mean = self.generator.embedding.weight.mean(dim=0)
            return mean + strength * (style - mean)

    def draw(self, sources: np.ndarray, style: Tensor, bolder: float = 0.0) -> np.ndarray:
        """Sources uint8 (N, H, W) in a style (D,): uint8 (N, S, S), 255 = paper.

        `bolder` is added to the thickness of strokes, as a share of the canvas; negative values
        make them thinner. Raises ModelError for it if the generator draws ink, not distances.
        """
        if bolder and not self.generator.outputs_distance:
            raise ModelError("this model draws ink, whose strokes cannot be made bolder or lighter")

        def part(rows: slice) -> np.ndarray:
            content = self._content(sources[rows])
            return to_uint8(self._images(content, style.expand(len(content), -1), bolder=bolder))

        blank = np.empty((0, self.size_px, self.size_px), np.uint8)
        return np.concatenate([blank, *self._in_batches(len(sources), part)])

    def images(self, content: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """Content (N, ...) in styles (N, D): (N, 1, S, S) in [-1, 1], 1 = paper.

        `noise` (N, noise_dim) is for a generator that uses it.
        """

        def part(rows: slice) -> Tensor:
            given = None if noise is None else noise[rows]
            return self._images(content[rows], style[rows], given)

        return torch.cat(list(self._in_batches(len(content), part)))

    def frames(
        self, sources: np.ndarray, styles: Iterable[tuple[Tensor, float]]
    ) -> Iterator[np.ndarray]:
        """Sources uint8 (N, H, W), encoded once, in each style: uint8 (N, S, S) each.

        A style is its vector (D,), and how much bolder its strokes are, as in `draw`.
        """
        with torch.inference_mode(), self.precision():
            levels = self.generator.encode(self._content(sources))
        for style, bolder in styles:
            with torch.inference_mode(), self.precision():
                field = self.generator.decode(levels, style.expand(len(sources), -1))
                yield to_uint8(self._image(field, bolder))

    def _content(self, sources: np.ndarray) -> Tensor:
        return to_tensor(sources, self.size_px, self.device)

    def _images(
        self, content: Tensor, style: Tensor, noise: Tensor | None = None, bolder: float = 0.0
    ) -> Tensor:
        generator = self.generator
        with torch.inference_mode(), self.precision():
            if self.fine and generator.has_grid_artefacts:
                return generator.image(cycle_spin(generator, content, style))
            field = generator.field(content, style, noise)
            return self._image(field, bolder)

    def _image(self, field: Tensor, bolder: float) -> Tensor:
        # Both edges of a stroke move by half of `bolder`.
        return self.generator.image(field + bolder / 2 * UNITS_PER_CANVAS)

    def _in_batches(self, count: int, draw: Callable[[slice], Part]) -> Iterator[Part]:
        """The results of each batch; batches get smaller where memory runs out."""
        start = 0
        while start < count:
            rows = slice(start, start + self._batch_size)
            try:
                part = draw(rows)
            except RuntimeError as error:
                if "out of memory" not in str(error).lower() or self._batch_size == 1:
                    raise
                self._batch_size //= 2
                now = f"continuing with {self._batch_size} glyphs at once"
                self.note(f"out of memory on {self.device}: {now}")
                continue
            yield part
            start = rows.stop
