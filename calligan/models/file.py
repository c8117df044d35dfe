"""Weights in one safetensors file: fp16, a description as JSON in the header, and a checksum.

safetensors has no checksum and accepts any flipped bit, so the header carries one. The description
is read without torch.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from calligan.errors import ModelError
from calligan.limits import MAX_MODEL_BYTES, MAX_MODEL_HEADER_BYTES
from calligan.reading import check_file
from calligan.storage import write_bytes

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "1"


def write_weights(path: Path, state: "dict[str, Tensor]", kind: str, description: str) -> None:
    """Write tensors and a description, stored under the key `kind`, atomically."""
    from safetensors.torch import save as to_bytes

    stored = {name: _stored(tensor) for name, tensor in state.items()}
    header = {"format": FORMAT, kind: description, "sha256": _digest(stored, description)}
    write_bytes(path, to_bytes(stored, metadata=header))


def read_weights(path: Path, kind: str, noun: str, cure: str) -> "tuple[dict[str, Tensor], str]":
    """Read tensors and their description. Raises ModelError naming the file and the cure.

    `noun` names this sort of file in messages.
    """
    state, header = _read(path, kind, noun, cure)
    if header.get("sha256") != _digest(state, header[kind]):
        raise ModelError(f"{path} is damaged (checksum); {cure}")
    return state, header[kind]


def read_metadata(path: Path, kind: str, noun: str, cure: str) -> str:
    """Read the description without loading the tensors."""
    return _read(path, kind, noun, cure, tensors=False)[1][kind]


def kind_of(path: Path) -> str:
    """The kind of a calligan file: "calligan", "reader", "upscaler", "critic" …; "" for others."""
    try:
        with _opened(path) as file:
            header = file.metadata() or {}
    except (OSError, ValueError, SafetensorError):
        return ""
    return next((kind for kind in header if kind not in ("format", "sha256")), "")


def _read(
    path: Path, kind: str, noun: str, cure: str, tensors: bool = True
) -> "tuple[dict[str, Tensor], dict[str, str]]":
    try:
        with _opened(path, "pt" if tensors else "np") as file:
            header = file.metadata() or {}
            names = file.keys() if tensors else ()
            state = {name: file.get_tensor(name) for name in names}
    except FileNotFoundError as error:
        raise ModelError(f"no {noun} {path}; {cure}") from error
    except ValueError as error:
        raise ModelError(f"{path} is not a {noun}: {error}; {cure}") from error
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is not a {noun}, or is damaged; {cure}") from error
    if header.get("format") != FORMAT or kind not in header:
        raise ModelError(f"{path} is not a calligan {noun}, or is of another version; {cure}")
    return state, header


def _opened(path: Path, framework: str = "np") -> Any:
    """Open a file of safetensors, whose header becomes Python's dictionaries, within its limits."""
    check_file(path, MAX_MODEL_BYTES)
    with path.open("rb") as file:
        if int.from_bytes(file.read(8), "little") > MAX_MODEL_HEADER_BYTES:
            raise ValueError(f"its header is larger than {MAX_MODEL_HEADER_BYTES >> 20} MB")
    return safe_open(path, framework=framework)


def _stored(tensor: "Tensor") -> "Tensor":
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if tensor.is_floating_point() else tensor


def _digest(state: "dict[str, Tensor]", description: str) -> str:
    import torch

    digest = hashlib.sha256(description.encode())
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].reshape(-1).view(torch.uint8).numpy().data)  # for any type
    return digest.hexdigest()
