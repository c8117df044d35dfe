"""`calligan convert`: a model as an ONNX file."""

from calligan.cli.show import note, result
from calligan.requests import ConversionRequest


def convert(request: ConversionRequest) -> None:
    """Write a model as ONNX: source glyph and style vector to ink.

    Example: calligan convert bundle -o calligan.onnx

    Style vectors and the model card are in the file's metadata (docs/onnx.md). What onnxruntime
    draws is compared with torch before it is written. Needs `pip install 'calligan[onnx]'`.
    """
    from calligan.project.models import network_path
    from calligan.storage import check_writable

    path = network_path(request.model)
    check_writable(request.output)
    from calligan.library.converting import convert as converted

    done = converted(path, request.output, weights=request.weights.value)
    result(done.path)
    far = f"{done.largest_difference:.2g}, on average {done.mean_difference:.2g}"
    size = f"{done.size_bytes / 1e6:.1f} MB"
    note(f"{done.kind}, opset {done.opset}, {done.weights}, {size}; farthest from torch by {far}")
