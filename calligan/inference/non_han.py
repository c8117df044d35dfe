"""Letters, digits, marks and kana in the hands of the shipped model.

The model learned Han characters alone. A second file (weights/non-han.safetensors, made by
weights/non_han.py) has a decoder that goes on from the model's and learned the rest, and says which
characters are drawn well in which hand: by that decoder, or by the model's own, as some kana are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from calligan.config import TraceConfig
from calligan.errors import ConfigError, ModelError
from calligan.glyphs.charset import is_kana
from calligan.glyphs.letter_placement import letter_scale
from calligan.models.file import read_metadata
from calligan.project.source import file_digest
from calligan.resources import non_han_weights
from calligan.settings import from_dict
from calligan.storage import parse_json

KIND, NOUN = "non-han", "decoder of letters"
CURE = "install calligan again"
Advances = Mapping[str, float]  # characters that are drawn in a hand, and their advances in ems


@dataclass(frozen=True)
class NonHanCard:
    """The characters that are drawn in each hand.

    They were chosen with one model and one source font; both are named by their sha256.
    """

    model: str = ""
    source: str = ""
    hands: dict[str, dict[str, float]] = field(default_factory=dict)
    by_model: dict[str, str] = field(default_factory=dict)  # which of them the model draws itself
    edges: dict[str, dict[str, str]] = field(default_factory=dict)  # TraceConfig.edges by class


@dataclass(frozen=True)
class NonHan:
    """The file and its card. Without a file, nothing is drawn."""

    path: Path | None = None
    card: NonHanCard = field(default_factory=NonHanCard)

    def scale_of(self, char: str, hand: str) -> float | None:
        """The scale at which the decoder draws a character of a hand; None if it does not."""
        if char in self.card.by_model.get(hand, "") or char not in self.card.hands.get(hand, ()):
            return None
        return letter_scale(char)

    def tracing(self, char: str, hand: str, han: TraceConfig) -> TraceConfig:
        """How a character is traced, in a hand whose Han characters are traced as `han`."""
        edges = self.card.edges.get(hand, {}).get(class_of(char), han.edges)
        return replace(han, edges=edges)

    @property
    def identity(self) -> str:
        """The checksum of the file."""
        return file_digest(self.path) if self.path else ""

    @classmethod
    def of(cls, model: Path, source_digest: str) -> "NonHan":
        """The shipped file if it belongs to a model and a source font, else none.

        Raises ModelError for a damaged file.
        """
        path = non_han_weights()
        if path is None:
            return cls()
        card = _card(path, path.stat().st_mtime_ns)
        if source_digest != card.source or file_digest(model) != card.model:
            return cls()
        return cls(path, card)


def class_of(char: str) -> str:
    """Whether a character is of the "kana", the "letters" (with digits) or the "marks"."""
    if is_kana(char):
        return "kana"
    return "letters" if char.isalnum() else "marks"


@lru_cache(maxsize=2)
def _card(path: Path, mtime_ns: int) -> NonHanCard:
    try:
        card = from_dict(NonHanCard, parse_json(read_metadata(path, KIND, NOUN, CURE)))
        for each in card.edges.values():
            for edges in each.values():
                TraceConfig(edges=edges).validate()
        return card
    except (ConfigError, ValueError) as error:
        raise ModelError(f"{path} is damaged ({error}); {CURE}") from error
