"""Find misdrawn glyphs with the inspector network.

The network learned from glyphs that the bundle drew, beside the hands' own glyphs of the same
characters, many of which it was not trained on (weights/inspector.py). It predicts where they
differ in more than position: strokes that are missing, broken, merged or added.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calligan.reader.lazy import LazyNetwork, NetworkFile
from calligan.resources import inspector_model
from calligan.storage import sha256_file

if TYPE_CHECKING:
    from torch import Tensor

    from calligan.reader.inspection import Inspection

MISDRAWN = "misdrawn"  # the fault
MIN_SIZE_PX = 128
_BATCH = 64


@dataclass(frozen=True)
class InspectorCard:
    """The metadata of an inspector file."""

    limits: dict[str, float]  # by script, "" for any: what 95 % of drawn, learned glyphs stay below
    about: dict[str, str]


def _network() -> "type[Inspection]":
    from calligan.reader.inspection import Inspection

    return Inspection


_FILE = NetworkFile("inspector", _network, InspectorCard)


class Inspector(LazyNetwork["Inspection", InspectorCard]):
    """The network and its card. The network is opened when something is measured."""

    @classmethod
    def load(
        cls, device: "str | Callable[[], str]" = "cpu", path: Path | None = None
    ) -> "Inspector | None":
        """An inspector, by default the one that ships with calligan; None without one."""
        if (path := path or inspector_model()) is None:
            return None
        card, name = _FILE.load_card(path), sha256_file(path)[:8]
        return cls(lambda: load_inspection(path), card, name, device)

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
    _FILE.save(path, state, card)


def load_inspection(path: Path) -> "Inspection":
    """Read the network that `save_inspector` wrote. Raises ModelError naming file and cure."""
    return _FILE.load(path)[0]
