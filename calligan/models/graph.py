"""Export a network to ONNX, store its weights compactly, and compare onnxruntime with torch.

A graph computes in fp32. Weights stored in a smaller type are converted when it is loaded.
"""

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from calligan.errors import Unmeasured

Weights = Literal["fp32", "fp16", "int8"]
OPSET = 18
_MAX_INT8 = 63  # quantised weights are -63 to 63: gzip then saves a quarter more than with 127
_MAX_FP32_SIZE = 4096  # tensors with no more numbers stay fp32: biases, norms
_EXPORT_BATCH = 2  # images in the exporter's example input


@dataclass(frozen=True)
class Port:
    """An input or output, float32 (batch, *shape), and its description."""

    name: str
    shape: tuple[int, ...]
    description: str


@dataclass(frozen=True)
class GraphNote:
    """The documentation of a graph: a description and metadata."""

    about: str
    metadata: Mapping[str, str]


def exported(
    network: nn.Module, inputs: list[Port], output: Port, weights: Weights, note: GraphNote
) -> bytes:
    """Export to ONNX, as bytes. `network` takes the inputs in order, all of one batch size.

    Raises Unmeasured if the exporter is not installed.
    """
    model = _exported(network, inputs, output)
    _strip(model)
    if weights != "fp32":
        _pack(model.graph, weights)
    model.producer_name, model.doc_string = "calligan", note.about
    ports = zip([*inputs, output], [*model.graph.input, *model.graph.output], strict=True)
    for port, value in ports:
        value.doc_string = port.description
    for key, text in note.metadata.items():
        model.metadata_props.add(key=key, value=text)
    data: bytes = model.SerializeToString()
    return data


def difference(data: bytes, network: nn.Module, probe: list[Tensor]) -> np.ndarray:
    """Absolute difference between onnxruntime's output and torch's, of the shape of the output."""
    runtime = needed("onnxruntime")
    session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
    named = {port.name: x.numpy() for port, x in zip(session.get_inputs(), probe, strict=True)}
    with torch.inference_mode():
        wanted = network(*probe).numpy()
    error: np.ndarray = np.abs(session.run(None, named)[0] - wanted)
    return error


def needed(name: str) -> Any:
    """Import a module of the extra `onnx`. Raises Unmeasured naming the cure."""
    try:
        return __import__(name)
    except ImportError as error:
        raise Unmeasured(f"no {error.name} here; pip install 'calligan[onnx]'") from error


def _exported(network: nn.Module, inputs: list[Port], output: Port) -> Any:
    needed("onnxscript")
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            network.eval(),
            tuple(torch.zeros(_EXPORT_BATCH, *port.shape) for port in inputs),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[port.name for port in inputs],
            output_names=[output.name],
            dynamic_shapes=tuple({0: batch} for _ in inputs),
        )
    assert program is not None
    return program.model_proto


def _strip(model: Any) -> None:
    """Remove the source paths of this machine, which the exporter stores as metadata."""
    for holder in (model, model.graph, *model.graph.node, *model.graph.value_info):
        del holder.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    del model.graph.value_info[:]


def _pack(graph: Any, weights: Weights) -> None:
    """Store large weights as fp16, or int8 with a scale per row, and add nodes to convert them."""
    onnx = needed("onnx")
    kept, nodes = [], []
    for tensor in graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= _MAX_FP32_SIZE:
            kept.append(tensor)
            continue
        small = f"{tensor.name}.{weights}"
        if weights == "fp16":
            kept.append(onnx.numpy_helper.from_array(values.astype(np.float16), small))
            to = onnx.TensorProto.FLOAT
            nodes.append(onnx.helper.make_node("Cast", [small], [tensor.name], to=to))
        else:
            rows, scale = quantised(values)
            kept.append(onnx.numpy_helper.from_array(rows, small))
            kept.append(onnx.numpy_helper.from_array(scale, f"{small}.scale"))
            packed = [small, f"{small}.scale"]
            node = onnx.helper.make_node("DequantizeLinear", packed, [tensor.name], axis=0)
            nodes.append(node)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes += list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)


def quantised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantise weights (N, ...) to int8 and a scale per row, float32 (N,): about `int8 * scale`."""
    rows = values.reshape(len(values), -1)
    scale = np.maximum(np.abs(rows).max(axis=1) / _MAX_INT8, np.finfo(np.float32).tiny)
    steps = np.round(rows / scale[:, None]).astype(np.int8)
    return steps.reshape(values.shape), scale.astype(np.float32)
