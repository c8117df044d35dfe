"""Score glyphs with the reader: is each the character asked for, and whole?

The reader's card is read without torch, which is imported when a glyph is scored.
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
from calligan.resources import reader_model
from calligan.storage import parse_json, sha256_file

if TYPE_CHECKING:
    from torch import Tensor

    from calligan.reader.network import Reader

_KIND, _CURE = "reader", "install calligan again, or give --no-verdict"
_BATCH = 64
_PASS_SHARE = 0.95  # share of real glyphs that reach the least score


@dataclass(frozen=True)
class ReaderCard:
    """The metadata of a reader file."""

    least_scores: dict[str, float]  # by script or font of the catalog, see least_of; "" for any
    about: dict[str, str]


class Judge(LazyNetwork["Reader"]):
    """The reader and its card. The network is opened when something is scored."""

    def __init__(
        self,
        reader: "Callable[[], Reader]",
        card: ReaderCard,
        name: str = "",
        device: "str | Callable[[], str]" = "cpu",
    ):
        super().__init__(reader, device)
        self.card, self.name = card, name

    @classmethod
    def load(cls, device: "str | Callable[[], str]" = "cpu", path: Path | None = None) -> "Judge":
        """A reader, by default the one that ships with calligan. Raises ModelError without one."""
        if (path := path or reader_model()) is None:
            raise ModelError("this installation of calligan has no reader; install it again")
        card = _card_of(path, read_metadata(path, _KIND, _KIND, _CURE))
        return cls(lambda: load_reader(path)[0], card, sha256_file(path)[:8], device)

    def scores(self, glyphs: np.ndarray, references: np.ndarray) -> np.ndarray:
        """The probability that each glyph is the character of its reference and is whole, (N,).

        Both uint8 (N, H, W), 255 = paper; references in a regular font.
        """
        import torch

        from calligan.models.pixels import to_tensor
        from calligan.reader.network import SIZE_PX

        found = [np.empty(0, np.float32)]
        for start in range(0, len(glyphs), _BATCH):
            part = slice(start, start + _BATCH)
            both = (glyphs[part], references[part])
            pair = (to_tensor(images, SIZE_PX, self.device) for images in both)
            with torch.inference_mode():
                found.append(torch.sigmoid(self.network(*pair)).prod(dim=1).cpu().numpy())
        return np.concatenate(found)

    def embeddings(self, glyphs: np.ndarray) -> np.ndarray:
        """Unit vectors, float32 (N, EMBEDDED), similar for the same character in any hand.

        `glyphs` uint8 (N, H, W), 255 = paper, written or printed.
        """
        import torch

        from calligan.models.pixels import to_tensor
        from calligan.reader.network import EMBEDDED, SIZE_PX

        found = [np.empty((0, EMBEDDED), np.float32)]
        for start in range(0, len(glyphs), _BATCH):
            with torch.inference_mode():
                part = to_tensor(glyphs[start : start + _BATCH], SIZE_PX, self.device)
                found.append(self.network.embedded(part).cpu().numpy())
        return np.concatenate(found)

    def least_score(self, script: str, font: str = "") -> float:
        """The score that nearly all real glyphs of a font, or else of a script, reach."""
        known = self.card.least_scores
        return next(known[name] for name in (font or None, script, "") if name in known)


def least_of(scores: np.ndarray, passed: float = _PASS_SHARE) -> float:
    """The score that a share `passed` of real glyphs reaches, to four significant digits."""
    return four_digits(float(np.quantile(scores, 1 - passed)))


def four_digits(score: float) -> float:
    """Round a score to four significant digits, which keeps low scores (cursive hands) distinct."""
    return float(f"{score:.4g}")


def save_reader(path: Path, state: "dict[str, Tensor]", card: ReaderCard) -> None:
    """Write weights and card atomically."""
    write_weights(path, state, _KIND, json.dumps(asdict(card)))


def load_reader(path: Path) -> "tuple[Reader, ReaderCard]":
    """Read what `save_reader` wrote. Raises ModelError naming the file and the cure."""
    from calligan.reader.network import Reader

    state, description = read_weights(path, _KIND, _KIND, _CURE)
    try:
        reader = Reader()
        reader.load_state_dict(state)
        return reader.fused(), _card_of(path, description)
    except (TypeError, ValueError, RuntimeError) as error:
        raise _other_version(path) from error


def _card_of(path: Path, description: str) -> ReaderCard:
    try:
        return ReaderCard(**parse_json(description))
    except (TypeError, ValueError) as error:
        raise _other_version(path) from error


def _other_version(path: Path) -> ModelError:
    return ModelError(f"{path} is of another version of calligan; install it again")
