"""Reader scores of a style's real glyphs, to compare drawn glyphs with."""

import numpy as np

from calligan.pairs.batches import Pairs
from calligan.pairs.store import Selection
from calligan.reader.judge import Judge, least_of
from calligan.resources import reader_model

_MAX_GLYPHS, _MIN_VALIDATION_GLYPHS = 200, 20  # per style


def least_scores(selection: Selection) -> tuple[dict[str, float], str]:
    """By style, the score that 95 % of its real glyphs reach; and the reader's name.

    Both are empty if there is no reader. Scores are measured on validation characters, since the
    reader was trained on the others of the catalog; if a style has too few, on its training ones.
    """
    if reader_model() is None:
        return {}, ""
    judge, found = Judge.load(), {}
    validation, training = Pairs(selection, "validation"), Pairs(selection, "train")
    for index, style in enumerate(selection.styles):
        enough = len(validation.chars[index]) >= _MIN_VALIDATION_GLYPHS
        pairs = validation if enough else training
        real = pairs.spread(index, _MAX_GLYPHS)
        found[style.name] = least_of(judge.scores(real.target, real.source))
    return found, judge.name


def share_passed(
    drawn: dict[str, tuple[np.ndarray, np.ndarray]], least: dict[str, float]
) -> dict[str, float]:
    """By style, the share of drawn glyphs that reach its least score; empty without a reader.

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
