"""Convert calligan's networks to ONNX, for use without torch or in a browser."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from calligan.errors import ConfigError, ModelError
from calligan.glyphs.placement import share_of_canvas
from calligan.models.base import GeneratorBase
from calligan.models.distance import UNITS_PER_CANVAS
from calligan.models.file import kind_of
from calligan.models.graph import OPSET, GraphNote, Port, Weights, difference, exported, needed
from calligan.models.pixels import ink
from calligan.models.upscaler import Upscaler, load_upscaler
from calligan.models.weights import load_model
from calligan.project.models import network_path
from calligan.reader.judge import load_reader
from calligan.reader.network import SIZE_PX, Reader
from calligan.storage import check_writable, sha256_file, write_bytes

_UPSCALER_PX = 128  # the upscaler's input size
_PROBES = 3  # images to compare outputs on; a batch size other than the exporter's
# Of a pixel's ink, largest and mean: farther from torch than this is a fault, not rounding.
_FAULT = {"fp32": (0.02, 0.001), "fp16": (0.02, 0.001), "int8": (1.0, 0.05)}
_GLYPH = "ink of a glyph, 0 paper to 1 ink, row by row from the top"


@dataclass(frozen=True)
class Converted:
    """An ONNX file, and the difference between onnxruntime's outputs and torch's."""

    path: Path
    kind: str  # generator, upscaler or reader
    weights: Weights
    opset: int
    size_bytes: int
    largest_difference: float  # of ink, or of a probability; both are 0 to 1
    mean_difference: float

    def notes(self) -> list[str]:
        """What was written, and how far it is from torch."""
        far = f"{self.largest_difference:.2g}, on average {self.mean_difference:.2g}"
        about = f"{self.kind}, opset {self.opset}, {self.weights}, {self.size_bytes / 1e6:.1f} MB"
        return [f"{about}; farthest from torch by {far}"]


@dataclass(frozen=True)
class _Job:
    """A network to convert, with its inputs, output and metadata."""

    kind: str
    network: nn.Module
    inputs: list[Port]
    output: Port
    probe: list[Tensor]  # inputs on which torch and onnxruntime are compared
    metadata: dict[str, str]


class _Drawing(nn.Module):
    """Ink of sources (N, 1, S, S) and style vectors (N, style_dim) to ink (N, 1, S, S).

    With a generator of distance, vectors have one number more, stroke weight: it is added to the
    distance.
    """

    def __init__(self, generator: GeneratorBase):
        super().__init__()
        self.generator = generator

    def forward(self, source: Tensor, style: Tensor) -> Tensor:
        if not self.generator.outputs_distance:
            return ink(self.generator.image(self.generator.field(1 - 2 * source, style)))
        field = self.generator.field(1 - 2 * source, style[:, :-1])
        return ink(self.generator.image(field + style[:, -1, None, None, None]))


class _Enlarging(nn.Module):
    """Ink (N, 1, S, S) to ink (N, 1, 2S, 2S)."""

    def __init__(self, upscaler: Upscaler):
        super().__init__()
        self.upscaler = upscaler

    def forward(self, glyph: Tensor) -> Tensor:
        return ink(self.upscaler(1 - 2 * glyph))


class _Reading(nn.Module):
    """Ink of glyphs and of references (N, 1, 64, 64) to probabilities (N, 2)."""

    def __init__(self, reader: Reader):
        super().__init__()
        self.reader = reader

    def forward(self, glyph: Tensor, reference: Tensor) -> Tensor:
        return torch.sigmoid(self.reader(1 - 2 * glyph, 1 - 2 * reference))


def convert(
    model: Path | str | None, output: Path | str, *, weights: Weights = "fp16"
) -> Converted:
    """Write a model, "reader" or "upscaler" as ONNX, if its outputs agree with torch's.

    `model` is an argument of `load`, or the file of a reader or upscaler. `weights` is the type of
    large tensors: "fp32", "fp16" (the precision of a model file) or "int8" (one scale per row).
    Needs `calligan[onnx]`.
    Raises ModelError for a model that draws from noise, and if outputs differ.
    """
    output = Path(output)
    if weights not in _FAULT:
        raise ConfigError(f"weights {weights!r} is not one of fp32, fp16, int8")
    path = network_path(model)
    check_writable(output)
    needed("onnx")
    job = _JOBS.get(kind_of(path), _no_job)(path)
    metadata = {
        "calligan.kind": job.kind,
        "calligan.weights": weights,
        "calligan.model_sha256": sha256_file(path),
        **job.metadata,
    }
    about = f"calligan's {job.kind}; docs/onnx.md says how to use it"
    data = exported(job.network, job.inputs, job.output, weights, GraphNote(about, metadata))
    off = difference(data, job.network, job.probe)
    largest, mean = float(off.max()), float(off.mean())
    if largest > _FAULT[weights][0] or mean > _FAULT[weights][1] or np.isnan(largest):
        raise ModelError(
            f"{output} was not written: onnxruntime's output differs from torch's by up to "
            f"{largest:.3g} (mean {mean:.3g}); install other versions of onnxscript and onnxruntime"
        )
    write_bytes(output, data)
    return Converted(output, job.kind, weights, OPSET, len(data), largest, mean)


def _generator(path: Path) -> _Job:
    generator, card = load_model(path)
    if generator.takes_char_index:
        raise ModelError(f"{path} draws from noise: it has no ONNX form; give another model")
    size_px = card.size_px
    vectors = generator.embedding.weight.detach()
    if generator.outputs_distance:
        bolder = [share_of_canvas(style.bolder_em) / 2 * UNITS_PER_CANVAS for style in card.styles]
        vectors = torch.cat([vectors, torch.tensor(bolder)[:, None]], dim=1)
    metadata = {
        "calligan.card": json.dumps(asdict(card), ensure_ascii=False, allow_nan=False),
        "calligan.style_vectors": json.dumps([[round(x, 6) for x in v] for v in vectors.tolist()]),
    }
    source = Port("source", (1, size_px, size_px), f"{_GLYPH}, in a regular font")
    style = Port("style", (vectors.shape[1],), "one of the vectors in the metadata, or between")
    drawn = Port("ink", (1, size_px, size_px), f"{_GLYPH}, as the style draws it")
    probe = [_blots(source), vectors[torch.arange(_PROBES) % len(vectors)]]
    return _Job("generator", _Drawing(generator), [source, style], drawn, probe, metadata)


def _upscaler(path: Path) -> _Job:
    glyph = Port("glyph", (1, _UPSCALER_PX, _UPSCALER_PX), _GLYPH)
    large = Port("ink", (1, 2 * _UPSCALER_PX, 2 * _UPSCALER_PX), f"{_GLYPH}, of twice the pixels")
    return _Job("upscaler", _Enlarging(load_upscaler(path)), [glyph], large, [_blots(glyph)], {})


def _reader(path: Path) -> _Job:
    reader, card = load_reader(path)
    glyph = Port("glyph", (1, SIZE_PX, SIZE_PX), _GLYPH)
    reference = Port("reference", (1, SIZE_PX, SIZE_PX), f"{_GLYPH}: the character in print")
    read = Port("probability", (2,), "that the glyph is that character, and that it is whole")
    metadata = {"calligan.card": json.dumps(asdict(card), ensure_ascii=False, allow_nan=False)}
    probe = [_blots(glyph), _blots(reference).flip(3)]
    return _Job("reader", _Reading(reader), [glyph, reference], read, probe, metadata)


def _no_job(path: Path) -> _Job:
    raise ModelError(f"{path} has no ONNX form; give a model, the reader or the upscaler")


_JOBS: dict[str, Callable[[Path], _Job]] = {
    "calligan": _generator,
    "": _generator,  # no file of calligan's: it says why
    "upscaler": _upscaler,
    "reader": _reader,
}


def _blots(port: Port) -> Tensor:
    """Soft-edged blots in place of glyphs; deterministic."""
    random = torch.Generator().manual_seed(0)
    noise = torch.randn(_PROBES, 1, *(max(2, n // 16) for n in port.shape[1:]), generator=random)
    smooth = nn.functional.interpolate(noise, port.shape[1:], mode="bicubic")
    return (0.5 + 8 * smooth).clamp(0, 1)
