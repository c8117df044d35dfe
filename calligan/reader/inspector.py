"""Find misdrawn glyphs with the inspector network.

The network learned from glyphs that the bundle drew, beside the hands' own glyphs of the same
characters, many of which it was not trained on (weights/inspector.py). It predicts where they
differ in more than position: strokes that are missing, broken, merged or added.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calligan.errors import ModelError
from calligan.models.file import read_metadata, read_weights, write_weights
from calligan.reader.lazy import LazyNetwork
from calligan.reading import parse_json
from calligan.resources import inspector_model
from calligan.storage import sha256_file

if TYPE_CHECKING:
    from torch import Tensor

    from calligan.reader.inspection import Inspection

MISDRAWN = "misdrawn"  # the fault
MIN_SIZE_PX = 128
_KIND, _CURE = "inspector", "install calligan again, or give --no-verdict"
_BATCH = 64


@dataclass(frozen=True)
class InspectorCard:
    """The metadata of an inspector file."""

    limits: dict[str, float]  # by script, "" for any: what 93 % of drawn, learned glyphs stay below
    about: dict[str, str]


class Inspector(LazyNetwork["Inspection"]):
    """The network and its card. The network is opened when something is measured."""

    def __init__(
        self,
        network: "Callable[[], Inspection]",
        card: InspectorCard,
        name: str = "",
        device: "str | Callable[[], str]" = "cpu",
    ):
        super().__init__(network, device)
        self.card, self.name = card, name

    @classmethod
    def load(
        cls, device: "str | Callable[[], str]" = "cpu", path: Path | None = None
    ) -> "Inspector | None":
        """An inspector, by default the one that ships with calligan; None without one."""
        if (path := path or inspector_model()) is None:
            return None
        card = _card_of(path, read_metadata(path, _KIND, _KIND, _CURE))
        return cls(lambda: load_inspection(path), card, sha256_file(path)[:8], device)

    def differences(self, glyphs: np.ndarray, sources: np.ndarray) -> np.ndarray:
        """How many cells (of 16 x 16) of each glyph probably differ from the hand's own, (N,).

        Both uint8 (N, S, S), 255 = paper; sources in a regular font.
        """
        import torch

        from calligan.models.pixels import to_tensor
        from calligan.models.precision import has_bf16
        from calligan.reader.inspection import to_ink

        found = [np.empty(0, np.float32)]
        fast = has_bf16(self.device)  # half the time; counts of cells differ by .03 on average
        precision = torch.autocast(self.device, torch.bfloat16, enabled=fast)
        for start in range(0, len(glyphs), _BATCH):
            part = slice(start, start + _BATCH)
            with torch.inference_mode(), precision:
                both = (
                    to_ink(to_tensor(images[part], images.shape[-1], self.device))
                    for images in (glyphs, sources)
                )
                shares = torch.sigmoid(self.network(torch.cat([*both], dim=1)))
                found.append(shares.sum(dim=(1, 2, 3)).cpu().numpy())
        return np.concatenate(found)

    def limit_of(self, script: str) -> float:
        """The most that a sound glyph of a script differs."""
        limits = self.card.limits
        return limits.get(script, limits[""])


def save_inspector(path: Path, state: "dict[str, Tensor]", card: InspectorCard) -> None:
    """Write weights and card atomically."""
    write_weights(path, state, _KIND, json.dumps(asdict(card)))


def load_inspection(path: Path) -> "Inspection":
    """Read the network that `save_inspector` wrote. Raises ModelError naming file and cure."""
    from calligan.reader.inspection import Inspection

    state, description = read_weights(path, _KIND, _KIND, _CURE)
    _card_of(path, description)
    try:
        network = Inspection()
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"{path} is of another version of calligan; install it again") from error
    return network.fused()


def _card_of(path: Path, description: str) -> InspectorCard:
    try:
        return InspectorCard(**parse_json(description))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path} is of another version of calligan; install it again") from error
