"""Characters that a model cannot draw well, known before anything is drawn.

A network melts the strokes of a character with more strokes than nearly all it was trained on. A
cursive form is a convention that cannot be inferred from a printed one.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from calligan.glyphs.strokes import stroke_count

CURSIVE = "草"
_MIN_LEARNED = 1000  # characters; with fewer, stroke counts are not used
# Limits of stroke counts, as quantiles of the learned characters' counts.
_LEARNED, _UNLEARNED, _HOPELESS = 0.995, 0.9, 0.998


class Reach:
    """What a model trained on these characters can be expected to draw."""

    def __init__(self, learned: str):
        self.learned = frozenset(learned)
        counts = [count for char in self.learned if (count := stroke_count(char))]
        quantiles = (_LEARNED, _UNLEARNED, _HOPELESS)
        enough = len(counts) >= _MIN_LEARNED
        self.strokes = tuple(np.quantile(counts, quantiles).tolist()) if enough else ()

    def fault(self, char: str, script: str) -> str:
        """The expected fault of a character: `unlearned`, `dense`, or ""."""
        if not self.strokes:
            return ""
        if script == CURSIVE and char not in self.learned:
            return "unlearned"
        return "dense" if self.is_dense(char) else ""

    def is_dense(self, char: str) -> bool:
        """Whether a character has more strokes than nearly all that were learned."""
        limit = 0 if char in self.learned else 1
        return bool(self.strokes) and self._strokes(char) > self.strokes[limit]

    def hopeless(self, chars: Iterable[str]) -> str:
        """Characters with too many strokes for the network: left out of fonts."""
        return "".join(c for c in chars if self.strokes and self._strokes(c) > self.strokes[2])

    def _strokes(self, char: str) -> int:
        return stroke_count(char) or 0


@lru_cache(maxsize=8)
def reach_of(learned: str) -> Reach:
    """`Reach(learned)`, cached."""
    return Reach(learned)
