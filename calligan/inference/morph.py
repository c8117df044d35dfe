"""From style to style: characters drawn between learned ones, of one model or of two."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from calligan.errors import ModelError
from calligan.inference.writer import Writer
from calligan.models.generator import Generator
from calligan.models.pixels import to_tensor, to_uint8

WAYS = ("slerp", "lerp")
_TABLES = ("embedding.", "log_variance.")  # have a row a style; a stop's vector stands for them


@dataclass(frozen=True)
class Stop:
    """A style: the generator that draws it and its style vector (D,)."""

    generator: Generator
    style: Tensor

    def toward(self, other: "Stop", share: float, way: str) -> "Stop":
        """What lies at a share of the way to another.

        `slerp` keeps to the sphere between two vectors (Shoemake 1985), `lerp` to the straight
        line. Where the generators differ their weights are mixed (Wortsman et al. 2022, "Model
        soups"): that is sound where one began at the other, as a learned hand does.
        """
        style = between(self.style, other.style, share, way)
        if other.generator is self.generator or share == 0:
            return Stop(self.generator, style)
        return Stop(_mixed(self.generator, other.generator, share), style)


def stop_of(writer: Writer, index: int) -> Stop:
    """A writer's style numbered from 0; raises ModelError for a model without style vectors."""
    if not isinstance(writer.generator, Generator):
        raise ModelError("this model has no style vectors to go between; give one of calligan's")
    return Stop(writer.generator, writer.generator.embedding.weight.detach()[index])


def path_through(stops: Sequence[Stop], steps: int, way: str, loop: bool) -> Iterator[Stop]:
    """`steps` stops from each to the next, and the last itself.

    A loop ends where it began, without saying that style twice. Raises ModelError, at the first
    step, where two generators are not of one shape.
    """
    round_trip = [*stops, stops[0]] if loop else stops
    for a, b in pairwise(round_trip):
        for step in range(steps):
            yield a.toward(b, step / steps, way)
    if not loop:
        yield stops[-1]


def morphed(writer: Writer, chars: str, path: Iterator[Stop]) -> np.ndarray:
    """Characters at each of F stops: uint8 (F, N, S, S), 255 = paper."""
    sources = np.stack([writer.source_image(char) for char in chars])
    tensor = to_tensor(sources, writer.card.size_px, writer.device)
    frames, last, levels = [], None, []
    with torch.inference_mode():
        for stop in path:
            if stop.generator.size_px != writer.card.size_px:
                raise ModelError("these styles are of models that draw at two sizes; see --model")
            if stop.generator is not last:
                last, levels = stop.generator, stop.generator.encode(tensor)
            drawn = stop.generator.decode(levels, stop.style.expand(len(chars), -1))
            frames.append(to_uint8(stop.generator.image(drawn)))
    return np.stack(frames)


def between(a: Tensor, b: Tensor, share: float, way: str) -> Tensor:
    """The vector at a share of the way from one to another."""
    if way == "lerp":
        return a + share * (b - a)
    cosine = torch.dot(a, b) / (a.norm() * b.norm()).clamp_min(1e-12)
    angle = torch.acos(cosine.clamp(-1, 1))
    if angle < 1e-4:
        return a + share * (b - a)
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)


def _mixed(a: Generator, b: Generator, share: float) -> Generator:
    mixed = deepcopy(a)
    weights, others = mixed.state_dict(), b.state_dict()
    for name, tensor in weights.items():
        if name.startswith(_TABLES):
            continue
        if name not in others or others[name].shape != tensor.shape:
            raise ModelError("these styles are of networks of two shapes, which cannot be mixed")
        tensor.lerp_(others[name], share)
    return mixed
