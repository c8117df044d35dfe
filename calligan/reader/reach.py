"""Which characters are beyond what a model learned: nothing in a drawing need tell it.

What has more strokes than nearly all that a network learned, it melts; and a cursive form is a
convention that no print tells. Both are known before anything is drawn.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from calligan.glyphs.strokes import stroke_count

CURSIVE = "草"
_ENOUGH = 1000  # characters learned; fewer say nothing of what is dense
_LEARNED, _UNLEARNED, _HOPELESS = 0.995, 0.9, 0.998  # shares of the learned that have fewer strokes


class Reach:
    """What a model that learned these characters can be expected to draw."""

    def __init__(self, learned: str):
        self.learned = frozenset(learned)
        counts = [count for char in self.learned if (count := stroke_count(char))]
        known = len(counts) >= _ENOUGH
        shares = (_LEARNED, _UNLEARNED, _HOPELESS)
        self.strokes = tuple(np.quantile(counts, shares).tolist()) if known else ()

    def fault(self, char: str, script: str) -> str:
        """`unlearned`, `dense`, or nothing."""
        if not self.strokes:
            return ""
        learned = char in self.learned
        if script == CURSIVE and not learned:
            return "unlearned"
        return "dense" if self._strokes(char) > self.strokes[0 if learned else 1] else ""

    def hopeless(self, chars: Iterable[str]) -> str:
        """Those with more strokes than networks of this size draw: left out of fonts."""
        return "".join(c for c in chars if self.strokes and self._strokes(c) > self.strokes[2])

    def _strokes(self, char: str) -> int:
        return stroke_count(char) or 0


@lru_cache(maxsize=8)
def reach_of(learned: str) -> Reach:
    """The same, looked up once for a model."""
    return Reach(learned)
