"""Interpolate between styles, of one model or of two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import torch
from torch import Tensor

from calligan.errors import ModelError
from calligan.glyphs.placement import share_of_canvas
from calligan.inference.drawer import Drawer
from calligan.models.average import average_weights
from calligan.models.base import GeneratorBase
from calligan.models.card import ModelCard
from calligan.models.predictor import Predictor


@dataclass(frozen=True)
class Stop:
    """A style: the generator that draws it, its style vector (D,), and its stroke weight."""

    generator: GeneratorBase
    style: Tensor
    bolder_em: float = 0.0  # added to the thickness of strokes

    def toward(self, other: "Stop", share: float, way: str) -> "Stop":
        """Interpolate to another stop; `share` is 0 for this one and 1 for the other.

        `slerp` interpolates on the sphere (Shoemake 1985), `lerp` linearly. If the generators
        differ, their weights are averaged (Wortsman et al. 2022, "Model soups"). This works if one
        was fine-tuned from the other, as a learned hand is.
        """
        style = between(self.style, other.style, share, way)
        bolder_em = self.bolder_em + share * (other.bolder_em - self.bolder_em)
        if other.generator is self.generator or share == 0:
            return Stop(self.generator, style, bolder_em)
        shares = ((self.generator, 1 - share), (other.generator, share))
        return Stop(average_weights(shares), style, bolder_em)


def stop_of(generator: GeneratorBase, card: ModelCard, index: int) -> Stop:
    """A model's style numbered from 0; raises ModelError for a model without style vectors."""
    if not generator.interpolates_styles:
        raise ModelError("this model has no style vectors; give one of kind calligan")
    vector = generator.embedding.weight.detach()[index]
    return Stop(generator, vector, card.styles[index].bolder_em)


def path_through(stops: Sequence[Stop], steps: int, way: str, loop: bool) -> Iterator[Stop]:
    """`steps` stops from each stop to the next, and the last itself.

    A loop returns to the first stop, without repeating it. Raises ModelError, at the first step,
    if two generators differ in shape.
    """
    round_trip = [*stops, stops[0]] if loop else stops
    for a, b in pairwise(round_trip):
        for step in range(steps):
            yield a.toward(b, step / steps, way)
    if not loop:
        yield stops[-1]


def morphed(drawer: Drawer, chars: str, path: Iterator[Stop]) -> Iterator[np.ndarray]:
    """Draw characters at each stop as it is asked for: uint8 (N, S, S), 255 = paper."""
    sources = drawer.source.images(chars)
    for generator, stops in groupby(path, key=lambda stop: stop.generator):
        if generator.size_px != drawer.card.size_px:
            raise ModelError("the models of these styles draw at different sizes; see --model")
        predictor = Predictor(generator, drawer.predictor.device)
        styles = ((stop.style, share_of_canvas(stop.bolder_em)) for stop in stops)
        yield from predictor.frames(sources, styles)


def between(a: Tensor, b: Tensor, share: float, way: str) -> Tensor:
    """Interpolate between two vectors."""
    if way == "lerp":
        return a + share * (b - a)
    cosine = torch.dot(a, b) / (a.norm() * b.norm()).clamp_min(1e-12)
    angle = torch.acos(cosine.clamp(-1, 1))
    if angle < 1e-4:
        return a + share * (b - a)
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
