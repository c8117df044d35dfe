"""One model in one safetensors file: fp16 weights, and the card as JSON in the header.

safetensors has no checksum and accepts any flipped bit, so the card carries one.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from calligan.config import GeneratorConfig, from_dict
from calligan.errors import ConfigError, ModelError
from calligan.models.card import FontCard, ModelCard
from calligan.models.networks import AnyGenerator, make_generator
from calligan.storage import write_bytes

FORMAT = "1"


def save_model(path: Path, generator: AnyGenerator, card: ModelCard) -> None:
    """Write weights and card atomically."""
    state = {k: _stored(v) for k, v in generator.state_dict().items()}
    card_json = json.dumps(asdict(card), allow_nan=False)
    digest = _digest(state, card_json)
    header = {"format": FORMAT, "calligan": card_json, "sha256": digest}
    write_bytes(path, to_bytes(state, metadata=header))


def load_model(path: Path, device: torch.device | str = "cpu") -> tuple[AnyGenerator, ModelCard]:
    """Read a model, ready to draw. Raises ModelError naming the file and the cure."""
    state, header = _read(path)
    card = _card(path, header)
    if header.get("sha256") != _digest(state, header["calligan"]):
        raise ModelError(f"{path} is damaged (checksum); copy it or train it again")
    try:
        generator = make_generator(card.generator, len(card.styles), card.size_px)
        generator.load_state_dict(state)
    except (ValueError, TypeError, RuntimeError, ZeroDivisionError) as error:
        raise ModelError(f"{path} holds weights that do not fit its card") from error
    return generator.to(device).eval(), card


def read_card(path: Path) -> ModelCard:
    """The card alone. Raises ModelError naming the file and the cure."""
    return _card(path, _read(path)[1])


def _stored(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if tensor.is_floating_point() else tensor


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError as error:
        raise ModelError(f"no model {path}; run `calligan train` or give --model") from error
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is not a model, or is damaged; train or copy it again") from error


def _card(path: Path, header: dict[str, str]) -> ModelCard:
    if header.get("format") != FORMAT:
        raise ModelError(f"{path} is not a calligan model, or is of another version")
    try:
        values = json.loads(header["calligan"])
        fonts = {k: tuple(FontCard(**font) for font in values[k]) for k in ("styles", "sources")}
        config = from_dict(GeneratorConfig, values["generator"])
        config.validate()
        return ModelCard(**{**values, **fonts, "generator": config})
    except (ConfigError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged, or is of another version of calligan") from error


def _digest(state: dict[str, Tensor], card_json: str) -> str:
    digest = hashlib.sha256(card_json.encode())
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].numpy().tobytes())
    return digest.hexdigest()
