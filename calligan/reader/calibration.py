"""What a style's real glyphs score by the reader: the measure for drawn ones."""

import numpy as np

from calligan.pairs.batches import Pairs
from calligan.pairs.store import Selection
from calligan.reader.verdict import Judge, least_of
from calligan.resources import reader_model

_LOOKED_AT, _ENOUGH = 200, 20  # glyphs a style


def least_scores(selection: Selection) -> tuple[dict[str, float], str]:
    """By style, what 95 in 100 of its real glyphs score, and the reader's name.

    Empty where there is no reader.

    Validation characters are looked at, since the reader learned from the catalog's others; of a
    hand with too few of them, the rest.
    """
    if reader_model() is None:
        return {}, ""
    judge, found = Judge.load(), {}
    kept, shown = Pairs(selection, "validation"), Pairs(selection, "train")
    for index, style in enumerate(selection.styles):
        pairs = kept if len(kept.chars[index]) >= _ENOUGH else shown
        real = pairs.spread(index, _LOOKED_AT)
        found[style.name] = least_of(judge.scores(real.target, real.source))
    return found, judge.name


def share_passed(
    drawn: dict[str, tuple[np.ndarray, np.ndarray]], least: dict[str, float]
) -> dict[str, float]:
    """By style, the share of drawn glyphs that score as its real ones do; empty without a reader.

    `drawn` holds glyphs and their sources, both uint8 (N, S, S), by style.
    """
    if not least or reader_model() is None:
        return {}
    judge = Judge.load()
    return {
        name: round(float((judge.scores(glyphs, sources) >= least[name]).mean()), 4)
        for name, (glyphs, sources) in drawn.items()
        if name in least
    }
