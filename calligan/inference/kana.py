"""Kana that the shipped model draws legibly, though it was trained on Han characters alone.

Which these are depends on the hand; a recogniser chose them (weights/kana.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from calligan.inference.content import PLAIN, WAYS, Way
from calligan.resources import data_folder
from calligan.storage import read_json


@dataclass(frozen=True)
class LegibleKana:
    """The kana by hand, and by the name of the way in which they are drawn.

    They were chosen with one model and one source font; both are named by their sha256.
    """

    model: str = ""
    source: str = ""
    hands: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def ways(self, hand: str) -> dict[str, Way]:
        """How each kana of a hand is drawn."""
        named = {way.name: way for way in (PLAIN, *WAYS)}
        return {c: named[name] for name, kana in self.hands.get(hand, {}).items() for c in kana}


@cache
def legible_kana() -> LegibleKana:
    """The shipped list; an empty one if it was not packaged."""
    path = kana_path()
    return LegibleKana(**read_json(path)) if path.is_file() else LegibleKana()


def kana_path() -> Path:
    """The file that `weights/kana.py` writes."""
    return data_folder("weights") / "kana.json"
