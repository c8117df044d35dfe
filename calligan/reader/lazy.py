"""A network in a file that ships with calligan, opened, and torch imported, when first used."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from calligan.errors import ModelError
from calligan.models.file import read_metadata, read_weights, write_weights
from calligan.reading import parse_json

if TYPE_CHECKING:
    from torch import Tensor, nn

Network = TypeVar("Network", bound="nn.Module")
Card = TypeVar("Card")
_CURE = "install calligan again, or give --no-verdict"


@dataclass(frozen=True)
class NetworkFile(Generic[Network, Card]):
    """A kind of file: the network's weights and its card, a dataclass."""

    kind: str
    network: Callable[[], type[Network]]  # imports torch
    card: type[Card]

    def save(self, path: Path, state: "dict[str, Tensor]", card: Any) -> None:
        """Write weights and card atomically."""
        write_weights(path, state, self.kind, json.dumps(asdict(card)))

    def load(self, path: Path) -> tuple[Network, Card]:
        """What `save` wrote, for inference. Raises ModelError naming the file and the cure."""
        from calligan.models.layers import fused

        state, description = read_weights(path, self.kind, self.kind, _CURE)
        card, network = self._card(path, description), self.network()()
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise _other_version(path) from error
        return fused(network), card

    def load_card(self, path: Path) -> Card:
        """The card, without the weights. Raises ModelError as `load` does."""
        return self._card(path, read_metadata(path, self.kind, self.kind, _CURE))

    def _card(self, path: Path, description: str) -> Card:
        try:
            return self.card(**parse_json(description))
        except (TypeError, ValueError) as error:
            raise _other_version(path) from error


def _other_version(path: Path) -> ModelError:
    return ModelError(f"{path} is of another version of calligan; install it again")


class LazyNetwork(Generic[Network, Card]):
    """A network and its card, on a device that may be known later, too.

    `name` identifies the file that it is from.
    """

    def __init__(
        self,
        network: Callable[[], Network],
        card: Card,
        name: str = "",
        device: str | Callable[[], str] = "cpu",
    ):
        self._open, self._device = network, device
        self.card, self.name = card, name

    @cached_property
    def device(self) -> str:
        """The device of the network."""
        return self._device if isinstance(self._device, str) else self._device()

    @cached_property
    def network(self) -> Network:
        """The network. Raises ModelError for a damaged file."""
        from calligan.models.layers import to_device

        network: Network = to_device(self._open(), self.device).eval()
        return network
