"""Forms of glyphs for vertical text, in a font of UPEM units to the em."""

import numpy as np
from fontTools.misc.transform import Transform

from calligan.glyphs.vertical import SMALL_KANA, TO_CORNER, TURNED
from calligan.vector.font import ASCENT_UPEM, DESCENT_UPEM, UPEM
from calligan.vector.outline import Outline

_CENTRE_UPEM = (UPEM / 2, (ASCENT_UPEM + DESCENT_UPEM) / 2)
# Clockwise about the centre of the em box: (x, y) to (y, -x).
QUARTER_TURN = Transform(
    *(0, -1, 1, 0), _CENTRE_UPEM[0] - _CENTRE_UPEM[1], _CENTRE_UPEM[0] + _CENTRE_UPEM[1]
)
INTO_CORNER = Transform().translate(UPEM / 2, UPEM / 2)
_TO_UPPER_RIGHT = Transform().translate(130, 100)  # as most Japanese fonts move small kana


def vertical_form(char: str, outline: Outline, advance_em: float = 1.0) -> Outline | None:
    """A drawn character's form for vertical text; None where it is the same."""
    if char in SMALL_KANA:
        return outline.transform(_matrix(_TO_UPPER_RIGHT))
    if char in TO_CORNER:
        return outline.transform(_matrix(INTO_CORNER))
    if char in TURNED:
        centred = Transform().translate((1 - advance_em) / 2 * UPEM, 0)
        return outline.transform(_matrix(QUARTER_TURN.transform(centred)))
    return None


def _matrix(change: Transform) -> np.ndarray:
    xx, xy, yx, yy, dx, dy = change
    return np.array([[xx, yx, dx], [xy, yy, dy]])
