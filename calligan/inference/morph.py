"""From style to style: characters drawn with style vectors between the learned ones."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from calligan.errors import ModelError
from calligan.inference.writer import Writer
from calligan.models.generator import Generator
from calligan.models.pixels import image_of_logits, to_tensor, to_uint8

WAYS = ("slerp", "lerp")
_BATCH = 32


def path_through(styles: Tensor, steps: int, way: str, loop: bool) -> Tensor:
    """(K, D) style vectors to (F, D): `steps` from each to the next, and the last itself.

    `slerp` keeps to the sphere between two vectors (Shoemake 1985), `lerp` to the straight line.
    A loop ends where it began, without saying that style twice.
    """
    stops = torch.cat([styles, styles[:1]]) if loop else styles
    shares = torch.arange(steps) / steps
    parts = [
        torch.stack([_between(a, b, float(share), way) for share in shares])
        for a, b in pairwise(stops)
    ]
    return torch.cat(parts if loop else [*parts, stops[-1:]])


def morphed(writer: Writer, chars: str, styles: Tensor) -> np.ndarray:
    """Characters in each of (F, D) style vectors: uint8 (F, N, S, S), 255 = paper."""
    assert isinstance(writer.generator, Generator)
    sources = np.stack([writer.source_image(char) for char in chars])
    tensor = to_tensor(sources, writer.card.size_px, writer.device)
    columns = []
    for source in tensor:
        levels = writer.generator.encode(source[None])
        with torch.inference_mode():
            parts = [writer.generator.decode(levels, part) for part in styles.split(_BATCH)]
        columns.append(to_uint8(image_of_logits(torch.cat(parts))))
    return np.stack(columns, axis=1)


def vectors_of(writer: Writer, indices: Sequence[int]) -> Tensor:
    """The style vectors of styles numbered from 0; raises ModelError where there is no space."""
    if not writer.has_styles:
        raise ModelError("this model has no two styles to go between; give one that has")
    assert isinstance(writer.generator, Generator)
    return writer.generator.embedding.weight.detach()[list(indices)]


def _between(a: Tensor, b: Tensor, share: float, way: str) -> Tensor:
    if way == "lerp":
        return a + share * (b - a)
    cosine = torch.dot(a, b) / (a.norm() * b.norm()).clamp_min(1e-12)
    angle = torch.acos(cosine.clamp(-1, 1))
    if angle < 1e-4:
        return a + share * (b - a)
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
