"""Where letters, digits and marks lie on the canvas of a model that draws them.

They are drawn smaller than Han characters, so that what hangs below the baseline is not cut off,
and with the middle of their advance in the middle of the canvas. Kana lie as Han characters do.
"""

import unicodedata
from dataclasses import replace

import numpy as np

from calligan.glyphs.charset import is_kana
from calligan.glyphs.face import Face
from calligan.glyphs.placement import PITCH, Placement

_SCALE = 0.75  # against Han characters
_SHIFT_Y = -0.06  # upward, as a share of the canvas
_LEAST_FULL_EM = 0.9  # marks of Chinese fonts that are at least so wide fill a cell
_FULL_WIDTH = "一"  # its advance is that of all Han characters


def letter_placement(face: Face, char: str, han: Placement) -> Placement:
    """The placement of a character, for a font whose Han characters are placed as `han`."""
    spare_em = _advance_em(face, _FULL_WIDTH) - _advance_em(face, char)
    centred = replace(han, origin_x_px=han.origin_x_px + spare_em / 2 * han.em_px)
    return centred if is_kana(char) else centred.moved(_SCALE, 0, _SHIFT_Y)


def letter_scale(char: str) -> float:
    """The scale at which a character is drawn, against Han characters."""
    return 1.0 if is_kana(char) else _SCALE


def letter_advance_em(face: Face, char: str, han: Placement) -> float:
    """The advance of a character as a model draws it, in ems of a full-width font."""
    wide = unicodedata.east_asian_width(char) in "WF"
    if wide or _advance_em(face, char) / _advance_em(face, _FULL_WIDTH) >= _LEAST_FULL_EM:
        return 1.0
    return round(_advance_em(face, char) * han.em_px / (PITCH * han.size_px), 3)


def letter_matrix(char: str, advance_em: float, em: Placement, upem: int) -> np.ndarray:
    """From outlines traced with the placement `em` to the character's place, (2, 3), in units.

    Then the pen's position is 0, and `advance_em` the advance.
    """
    if is_kana(char):
        return np.eye(2, 3)
    unit = upem / em.em_px
    middle_x = (em.size_px / 2 - em.origin_x_px) * unit
    middle_y = (em.baseline_y_px - em.size_px / 2) * unit
    raised = -_SHIFT_Y * em.size_px * unit
    x = middle_x * (1 - 1 / _SCALE) - (1 - advance_em) / 2 * upem
    return np.array([[1 / _SCALE, 0, x], [0, 1 / _SCALE, middle_y - (middle_y + raised) / _SCALE]])


def _advance_em(face: Face, char: str) -> float:
    return face.advance_em(face.glyph_index(char))
