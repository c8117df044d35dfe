"""Model files: the generator's weights and card, and a second file for the discriminator."""

import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from calligan.config import DiscriminatorConfig
from calligan.errors import ConfigError, ModelError
from calligan.models.card import CURE, KIND, NOUN, ModelCard, card_of
from calligan.models.card import read_card as read_card  # re-exported
from calligan.models.critic import Critic
from calligan.models.file import read_weights, write_weights
from calligan.models.layers import to_device
from calligan.models.networks import AnyGenerator, make_generator
from calligan.settings import from_dict
from calligan.storage import parse_json


def save_model(path: Path, generator: AnyGenerator, card: ModelCard) -> None:
    """Write weights and card atomically."""
    description = json.dumps(asdict(card), allow_nan=False)
    write_weights(path, generator.state_dict(), KIND, description)


def load_model(path: Path, device: torch.device | str = "cpu") -> tuple[AnyGenerator, ModelCard]:
    """Read a model, ready to draw. Raises ModelError naming the file and the cure."""
    state, description = read_weights(path, KIND, NOUN, CURE)
    card = card_of(path, description)
    try:
        make = partial(make_generator, card.generator, len(card.styles), card.size_px)
        with _NoRandomValues():
            with torch.device("meta"):  # takes no memory: a card may ask for any
                _check_shapes(make(), state)
            generator = make()
        generator.load_state_dict(state)
        _check_finite(generator)
    except (ValueError, TypeError, RuntimeError, ZeroDivisionError) as error:
        raise ModelError(f"{path} holds weights that do not match its card; {CURE}") from error
    except OverflowError as error:
        raise ModelError(f"{path} holds weights that are not finite; {CURE}") from error
    return to_device(generator, device).eval(), card


def replace_weights(network: torch.nn.Module, state: dict[str, torch.Tensor], path: Path) -> None:
    """Take some weights of a network from those of the file `path`. Raises ModelError."""
    own = network.state_dict()
    shapes = {name: value.shape for name, value in own.items()}
    if any(shapes.get(name) != value.shape for name, value in state.items()):
        raise ModelError(f"{path} does not fit the model; {CURE}")
    network.load_state_dict({**own, **state})
    try:
        _check_finite(network)
    except OverflowError as error:
        raise ModelError(f"{path} holds weights that are not finite; {CURE}") from error


class _NoRandomValues(TorchFunctionMode):
    """Networks made in it have no initial values: they are loaded next.

    To draw a normal distribution on "meta", torch imports its compiler: two seconds.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Leave the tensor as it is if `func` would fill it at random."""
        kwargs = kwargs or {}
        if func.__name__ in ("normal_", "uniform_"):
            return (*args, *kwargs.values())[0]
        return func(*args, **kwargs)


def _check_shapes(network: torch.nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Raise ValueError unless `state` has the parameters of `network`, whatever their precision."""
    wanted, found = (
        {name: (value.shape, value.is_floating_point()) for name, value in tensors.items()}
        for tensors in (network.state_dict(), state)
    )
    if wanted != found:
        raise ValueError("other parameters")


def _check_finite(network: torch.nn.Module) -> None:
    """Raise OverflowError for a weight that is infinite or NaN: nothing could be drawn with it."""
    if not all(value.isfinite().all() for value in network.state_dict().values()):
        raise OverflowError("a weight is not finite")


@dataclass(frozen=True)
class CriticCard:
    """The metadata in a discriminator's file."""

    discriminator: DiscriminatorConfig
    size_px: int
    styles: tuple[str, ...]


def save_critic(path: Path, critic: Critic, card: CriticCard) -> None:
    """Write a discriminator's weights and card atomically."""
    write_weights(path, critic.state_dict(), "critic", json.dumps(asdict(card)))


def load_critic(path: Path) -> tuple[dict[str, torch.Tensor], CriticCard]:
    """A discriminator's weights and card. Raises ModelError naming the file and the cure."""
    state, description = read_weights(path, "critic", "discriminator", CURE)
    try:
        card = from_dict(CriticCard, parse_json(description))
        card.discriminator.validate()
        return state, card
    except (ConfigError, ValueError) as error:
        raise ModelError(f"{path} is of another version of calligan; remove it") from error


def critic_path(model: Path) -> Path:
    """The path of a model's discriminator, if it is saved."""
    return model.with_name(f"{model.stem}-critic.safetensors")


def critic_beside(model: Path) -> Path | None:
    """The path of a model's discriminator; None where it does not exist."""
    path = critic_path(model)
    return path if path.is_file() else None
