"""What a training step works on: a batch on the device, and what the generator drew of it."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from calligan.config import TrainConfig
from calligan.models.base import GeneratorBase

_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: its multiples are spread evenly


@dataclass(frozen=True)
class Example:
    """A batch on the device: images (…, 1, S, S) in [-1, 1], style indices (N,) from 0."""

    source: Tensor  # M of them, N a multiple of M
    target: Tensor
    style_index: Tensor
    wrong_style_index: Tensor
    source_style_index: Tensor  # (M,), -1 for a source that is of no style
    char_index: Tensor  # (M,), for a generator that draws from a character's number
    target_field: Tensor | None = None  # targets as signed distance, where that is drawn

    @property
    def styles_per_char(self) -> int:
        """How many targets share a source."""
        return len(self.target) // len(self.source)

    @property
    def shown(self) -> Tensor:
        """The targets as a discriminator sees them (`GeneratorBase.shown`)."""
        return self.target if self.target_field is None else -torch.tanh(self.target_field)

    @property
    def source_of_each(self) -> Tensor:
        """The source of each target, (N, 1, S, S)."""
        return self.source.repeat_interleave(self.styles_per_char, 0)


@dataclass(frozen=True)
class Drawn:
    """What the generator drew of an example's sources, and in which styles."""

    style_index: Tensor
    field: Tensor
    image: Tensor
    shown: Tensor  # to a discriminator


def content_of(example: Example, generator: GeneratorBase) -> Tensor:
    """What the generator is told of a character: its source glyph, or its number."""
    return example.char_index if generator.from_number else example.source


def autocast(config: TrainConfig) -> AbstractContextManager[object]:
    """bf16 arithmetic where the run uses it; weights and optimizers stay float32."""
    if config.precision != "bf16":
        return nullcontext()
    return torch.autocast(config.device, torch.bfloat16)


def step_seed(seed: int, step: int) -> int:
    """The seed of a step's noise. Steps of two seeds lie far apart; seed 0 gives the step."""
    return (seed * _GOLDEN + step) % 2**63
