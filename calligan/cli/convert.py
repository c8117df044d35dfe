"""`calligan convert`: a model as an ONNX file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.show import note


class Weights(StrEnum):
    """How large tensors are stored."""

    fp32 = "fp32"
    fp16 = "fp16"
    int8 = "int8"


def convert(
    model: Annotated[
        str,
        typer.Argument(help="Model file, run folder, hand or `bundle`; `reader` or `upscaler`."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .onnx file to write.")],
    weights: Annotated[
        Weights,
        typer.Option(help="fp16 is all that a model file holds; int8 draws a little otherwise."),
    ] = Weights.fp16,
) -> None:
    """Write a model as ONNX: source glyph and style vector to ink.

    Example: calligan convert bundle -o calligan.onnx

    Style vectors and the model card are in the file's metadata (docs/onnx.md). What onnxruntime
    draws is compared with torch before it is written. Needs `pip install 'calligan[onnx]'`.
    """
    from calligan.project.models import network_path
    from calligan.storage import check_writable

    path = network_path(model)
    check_writable(output)
    from calligan.library.converting import convert as converted

    done = converted(path, output, weights=weights.value)
    typer.echo(done.path)
    far = f"{done.largest_difference:.2g}, on average {done.mean_difference:.2g}"
    size = f"{done.size_bytes / 1e6:.1f} MB"
    note(f"{done.kind}, opset {done.opset}, {done.weights}, {size}; farthest from torch by {far}")
