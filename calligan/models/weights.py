"""One model in one file: a generator's weights and its card."""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from calligan.config import GeneratorConfig, from_dict
from calligan.errors import ConfigError, ModelError
from calligan.models.card import FontCard, ModelCard
from calligan.models.file import read_told, read_weights, write_weights
from calligan.models.networks import AnyGenerator, make_generator

_KIND, _NOUN = "calligan", "model"
_CURE = "copy it again, run `calligan train`, or give --model"


def save_model(path: Path, generator: AnyGenerator, card: ModelCard) -> None:
    """Write weights and card atomically."""
    told = json.dumps(asdict(card), allow_nan=False)
    write_weights(path, generator.state_dict(), _KIND, told)


def load_model(path: Path, device: torch.device | str = "cpu") -> tuple[AnyGenerator, ModelCard]:
    """Read a model, ready to draw. Raises ModelError naming the file and the cure."""
    state, told = read_weights(path, _KIND, _NOUN, _CURE)
    card = _card(path, told)
    try:
        generator = make_generator(card.generator, len(card.styles), card.size_px)
        generator.load_state_dict(state)
    except (ValueError, TypeError, RuntimeError, ZeroDivisionError) as error:
        raise ModelError(f"{path} holds weights that do not fit its card") from error
    return generator.to(device).eval(), card


def read_card(path: Path) -> ModelCard:
    """The card alone. Raises ModelError naming the file and the cure."""
    return _card(path, read_told(path, _KIND, _NOUN, _CURE))


def _card(path: Path, told: str) -> ModelCard:
    try:
        values = json.loads(told)
        fonts = {k: tuple(FontCard(**font) for font in values[k]) for k in ("styles", "sources")}
        config = from_dict(GeneratorConfig, values["generator"])
        config.validate()
        return ModelCard(**{**values, **fonts, "generator": config})
    except (ConfigError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged, or is of another version of calligan") from error
