"""A network as an ONNX graph: exported by torch, with its weights packed, and compared with torch.

A graph computes in fp32 whatever its weights are stored in: they are widened when it is loaded.
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
_LEVELS = 63  # of int8, each way: those of 127 that gzip packs into three quarters of the bytes
_FEW = 4096  # tensors of fewer numbers stay fp32: biases, norms
_BATCH = 2  # images that the exporter is shown


@dataclass(frozen=True)
class Port:
    """An input or output: float32 (batch, *shape); a word in `shape` is a free size."""

    name: str
    shape: tuple[int, ...]
    told: str


@dataclass(frozen=True)
class Told:
    """What is written of a graph beside its numbers."""

    about: str
    metadata: Mapping[str, str]


def exported(
    network: nn.Module, inputs: list[Port], output: Port, weights: Weights, told: Told
) -> bytes:
    """An ONNX file's bytes. `network` takes the inputs in order, with one batch size for all.

    Raises Unmeasured where the exporter is not installed.
    """
    model = _exported(network, inputs, output)
    _strip(model)
    if weights != "fp32":
        _pack(model.graph, weights)
    model.producer_name, model.doc_string = "calligan", told.about
    ports = zip([*inputs, output], [*model.graph.input, *model.graph.output], strict=True)
    for port, value in ports:
        value.doc_string = port.told
    for key, text in told.metadata.items():
        model.metadata_props.add(key=key, value=text)
    data: bytes = model.SerializeToString()
    return data


def difference(data: bytes, network: nn.Module, probe: list[Tensor]) -> np.ndarray:
    """How far onnxruntime's answers are from torch's, absolute, of the shape of the answers."""
    runtime = needed("onnxruntime")
    session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
    named = {port.name: x.numpy() for port, x in zip(session.get_inputs(), probe, strict=True)}
    with torch.inference_mode():
        wanted = network(*probe).numpy()
    apart: np.ndarray = np.abs(session.run(None, named)[0] - wanted)
    return apart


def needed(name: str) -> Any:
    """A module of the extra `onnx`. Raises Unmeasured naming the cure."""
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
            tuple(torch.zeros(_BATCH, *port.shape) for port in inputs),
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
    """Take out what the exporter notes of this machine: where each line of source lies."""
    for holder in (model, model.graph, *model.graph.node, *model.graph.value_info):
        del holder.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    del model.graph.value_info[:]


def _pack(graph: Any, weights: Weights) -> None:
    """Store large weights as fp16, or as int8 with a scale for each row, and widen them first."""
    onnx = needed("onnx")
    kept, nodes = [], []
    for tensor in graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= _FEW:
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
            told = [small, f"{small}.scale"]
            made = onnx.helper.make_node("DequantizeLinear", told, [tensor.name], axis=0)
            nodes.append(made)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes += list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)


def quantised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (N, ...) as int8 and a scale (N,), float32: about `int8 * scale`, row by row."""
    rows = values.reshape(len(values), -1)
    scale = np.maximum(np.abs(rows).max(axis=1) / _LEVELS, np.finfo(np.float32).tiny)
    steps = np.round(rows / scale[:, None]).astype(np.int8)
    return steps.reshape(values.shape), scale.astype(np.float32)
