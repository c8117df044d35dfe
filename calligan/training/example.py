"""The input of a training step: a batch on the device, and the generator's output for it."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from calligan.config import TrainConfig
from calligan.models.base import GeneratorBase

_GOLDEN_RATIO_64 = (
    0x9E3779B97F4A7C15  # 2^64 / golden ratio: its multiples modulo 2^64 are evenly spread
)


@dataclass(frozen=True)
class Example:
    """A batch on the device: images (…, 1, S, S) in [-1, 1], style indices (N,) from 0."""

    source: Tensor  # (M, …); N is a multiple of M
    target: Tensor
    style_index: Tensor
    wrong_style_index: Tensor
    source_style_index: Tensor  # (M,), -1 for a source that is not a style
    char_index: Tensor  # (M,), for a generator whose content is a character index
    target_field: Tensor | None = (
        None  # targets as signed distance, where the generator outputs that
    )

    @property
    def styles_per_char(self) -> int:
        """Number of targets per source."""
        return len(self.target) // len(self.source)

    @property
    def critic_input(self) -> Tensor:
        """The targets in the form given to a discriminator (`GeneratorBase.critic_input`)."""
        return self.target if self.target_field is None else -torch.tanh(self.target_field)

    @property
    def source_of_each(self) -> Tensor:
        """The source of each target, (N, 1, S, S)."""
        return self.source.repeat_interleave(self.styles_per_char, 0)


@dataclass(frozen=True)
class Drawn:
    """Generated glyphs of an example's sources, and their styles."""

    style_index: Tensor
    field: Tensor
    image: Tensor
    critic_input: Tensor  # the image in the form given to a discriminator


def content_of(example: Example, generator: GeneratorBase) -> Tensor:
    """The generator's content input: source glyphs, or character indices."""
    return example.char_index if generator.takes_char_index else example.source


def autocast(config: TrainConfig) -> AbstractContextManager[object]:
    """bf16 arithmetic where the run uses it; weights and optimizers stay float32."""
    if config.precision != "bf16":
        return nullcontext()
    return torch.autocast(config.device, torch.bfloat16)


def step_seed(seed: int, step: int) -> int:
    """The seed of a step's noise: `step` plus an offset that is far apart for different seeds."""
    return (seed * _GOLDEN_RATIO_64 + step) % 2**63
