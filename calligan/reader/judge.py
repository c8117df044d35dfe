"""Score glyphs with the reader: is each the character asked for, and whole?

The reader's card is read without torch, which is imported when a glyph is scored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calligan.errors import ModelError
from calligan.reader.lazy import LazyNetwork, NetworkFile
from calligan.resources import reader_model
from calligan.storage import sha256_file

if TYPE_CHECKING:
    from torch import Tensor

    from calligan.reader.network import Reader

_BATCH = 64
_PASS_SHARE = 0.95  # share of real glyphs that reach the least score


@dataclass(frozen=True)
class ReaderCard:
    """The metadata of a reader file."""

    least_scores: dict[str, float]  # by script or font of the catalog, see least_of; "" for any
    about: dict[str, str]


def _network() -> "type[Reader]":
    from calligan.reader.network import Reader

    return Reader


_FILE = NetworkFile("reader", _network, ReaderCard)


class Judge(LazyNetwork["Reader", ReaderCard]):
    """The reader and its card. The network is opened when something is scored."""

    @classmethod
    def load(cls, device: "str | Callable[[], str]" = "cpu", path: Path | None = None) -> "Judge":
        """A reader, by default the one that ships with calligan. Raises ModelError without one."""
        if (path := path or reader_model()) is None:
            raise ModelError("this installation of calligan has no reader; install it again")
        card, name = _FILE.load_card(path), sha256_file(path)[:8]
        return cls(lambda: load_reader(path)[0], card, name, device)

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
    _FILE.save(path, state, card)


def load_reader(path: Path) -> "tuple[Reader, ReaderCard]":
    """Read what `save_reader` wrote. Raises ModelError naming the file and the cure."""
    return _FILE.load(path)
