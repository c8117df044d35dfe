"""A network that is opened, and torch imported, when it is first used."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from torch import nn

Network = TypeVar("Network", bound="nn.Module")


class LazyNetwork(Generic[Network]):
    """A network of `open_network`, on a device that may be known later, too."""

    def __init__(
        self, open_network: Callable[[], Network], device: str | Callable[[], str] = "cpu"
    ):
        self._open, self._device = open_network, device

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
