"""Signature and seal: a column of small characters after the last line, the seal below it."""

from calligan.page.arrangement import Arrangement, Fit
from calligan.page.drawing import Mark
from calligan.page.flow import Variation, moved, set_line
from calligan.page.formats import Region
from calligan.page.seal import seal, seal_size
from calligan.page.words import Setting, Words

_SIZE = 0.42  # of a signature's character, as a share of the text's
_GAP_EM = 0.05  # between its characters
_SEAL_EM = 1.7  # a seal's side, in characters of the signature
_SEAL_GAP_EM = 0.4  # between signature and seal


def reserve_em(region: Region) -> float:
    """Room that the text leaves for signature and seal, in sizes of the text's characters.

    Half a line gap, one character of the signature to the middle of its column, and half a seal,
    which is wider than the column. None on ruled paper, where the next column is taken.
    """
    return 0.0 if region.rule else region.line_gap / 2 + _SIZE * (1 + _SEAL_EM / 2)


def signature_em(words: Words) -> float:
    """The length of signature and seal, in sizes of the text's characters."""
    return _SIZE * _column_em(words)


def _column_em(words: Words) -> float:
    """The same, in characters of the signature."""
    seal_em = _SEAL_EM * seal_size(len(words.seal))[1] + _SEAL_GAP_EM if words.seal else 0
    return len(words.signature) * (1 + _GAP_EM) + seal_em


def signed(
    words: Words, arrangement: Arrangement, lines: int, fit: Fit, setting: Setting
) -> list[Mark]:
    """Marks of signature and seal after `lines` lines; none where there is neither."""
    if not words.signed:
        return []
    # At most the share of the text's size, and small enough for the column.
    width, height = (_SEAL_EM * share for share in seal_size(len(words.seal)))
    room_mm = arrangement.room_for_signature_mm(fit.size_mm)
    size_mm = min(fit.size_mm * _SIZE, room_mm / _column_em(words))
    vary = Variation(setting.vary, setting.seed + 1).matrices(len(words.signature))
    marks, length_mm = set_line(
        words.signature, setting.letters, "vertical", size_mm, _GAP_EM, setting.ink, vary
    )
    if words.seal:
        top_mm = length_mm + size_mm * _SEAL_GAP_EM
        corner = (-size_mm * width / 2, top_mm)  # the column's middle is at x = 0
        how = (words.seal_kind, setting.seal)
        marks.append(seal(words.seal, size_mm * _SEAL_EM, corner, *how))
        length_mm = top_mm + size_mm * height
    place = arrangement.place_of_signature(lines, fit, size_mm, length_mm)
    return [moved(mark, *place) for mark in marks]
