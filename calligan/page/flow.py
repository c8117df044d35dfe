"""Break text into lines, and lines into marks: horizontal, or in columns from right to left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from calligan.glyphs.vertical import SMALL_KANA, TO_CORNER, TURNED
from calligan.page.drawing import LINE_BREAK, SPACE, Mark, placed
from calligan.page.latin import is_in_word, is_wide
from calligan.vector.font import ASCENT_UPEM, DESCENT_UPEM, UPEM
from calligan.vector.outline import Outline

Direction = Literal["horizontal", "vertical"]
NEVER_FIRST = "，。、；：！？）」』】》〉”’…—～·．,.;:!?)]}%"  # a line does not begin with these
# Small kana, sound and repetition marks do not begin a line either; they stay with the character
# before them.
FOLLOWERS = f"{SMALL_KANA}ーゝゞヽヾ々〻"
NEVER_LAST = "（「『【《〈“‘([{"  # nor end with these
_SPACE_EM = 0.4
_FULL_EM, _SIDE_UPEM = 0.9, 60.0  # of an apostrophe that fills a cell; what is beside it in a word
_WIDE_SPACE = "\u3000"
_MIDDLE_EM = (ASCENT_UPEM + DESCENT_UPEM) / 2 / UPEM  # of the em box above the baseline


@dataclass(frozen=True)
class Letter:
    """A character for typesetting: outline in font units, advance, and vertical form."""

    char: str
    outline: Outline
    advance_em: float
    vertical: Outline | None = None

    @property
    def upright(self) -> bool:
        """Whether it stands upright in a column, unless it is an apostrophe within a word."""
        wide = is_wide(self.char) or self.char in TO_CORNER + TURNED
        return wide or self.vertical is not None


@dataclass(frozen=True)
class Variation:
    """Random variation between repeats of a character, as in handwriting."""

    strength: float = 0.0  # 0 to 1
    seed: int = 0

    def matrices(self, count: int) -> np.ndarray:
        """Small random rotations, scalings and shifts of an em, (count, 2, 3), about its middle."""
        rng = np.random.default_rng(self.seed)
        turn = rng.normal(0, 0.018, count) * self.strength
        scale = 1 + rng.normal(0, 0.02, (count, 2)) * self.strength
        shift = rng.normal(0, 0.012, (count, 2)) * self.strength
        cos, sin = np.cos(turn), np.sin(turn)
        linear = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
        linear = linear * scale[:, None, :]
        middle = np.array([0.5, _MIDDLE_EM])
        return np.concatenate([linear, (middle + shift - linear @ middle)[..., None]], axis=-1)


def advances_em(letters: Mapping[str, Letter], text: str, direction: Direction) -> list[float]:
    """The advances of a text's characters, in ems. A word of the text is whole."""
    known = {char: _advance_em(letters, char, direction) for char in set(text)}
    return [
        within_word(letters[char]).advance_em if is_in_word(text, index) else known[char]
        for index, char in enumerate(text)
    ]


def within_word(letter: Letter) -> Letter:
    """An apostrophe within a word: as narrow as its ink, where the font's fills a cell."""
    if letter.advance_em < _FULL_EM or not len(letter.outline.contour):
        return letter
    x = letter.outline.controls[..., 0]
    shift = np.array([[1, 0, _SIDE_UPEM - x.min()], [0, 1, 0]])
    advance_em = float(np.ptp(x) + 2 * _SIDE_UPEM) / UPEM
    return replace(letter, outline=letter.outline.transform(shift), advance_em=advance_em)


def broken(
    text: str, longest_em: float, length_em: Callable[[str], float], short: float = 1.0
) -> list[str]:
    """Lines of at most `longest_em` (every second of `short` times that); closing marks may hang.

    Lines never begin with a closing mark nor end with an opening one, and words of letters stay
    whole where they fit (kinsoku, JLREQ 3.1; CLREQ 3.1.3).
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, length = "", 0.0
        for unit in _units(paragraph):
            room = longest_em * (short if len(lines) % 2 else 1.0)
            width = length_em(unit)
            hangs = len(unit) == 1 and unit in NEVER_FIRST
            if line and length + width > room + 1e-6 and not hangs:
                line, carried = _carried(line, unit)
                lines.append(line.rstrip(" "))
                line, length = carried, length_em(carried)
                unit = unit.lstrip(" ")
                width = length_em(unit)
            line += unit
            length += width
        lines.append(line)
    return lines


def set_line(
    line: str,
    letters: Mapping[str, Letter],
    direction: Direction,
    size_mm: float,
    gap_em: float,
    colour: str,
    vary: np.ndarray,
    start_mm: tuple[float, float] = (0.0, 0.0),
    order: Sequence[int] | None = None,
) -> tuple[list[Mark], float]:
    """A line's marks, as they are read, and its length in mm, from `start_mm`.

    A horizontal line runs to the right, its em boxes from 0 to `size_mm` downward; a column runs
    downward, its em boxes centred on x = 0. `vary` (≥ len(line), 2, 3) are matrices of Variation.
    Characters are set in the `order` of their indices, or else as they are read.
    """
    advances = [(em + gap_em) * size_mm for em in advances_em(letters, line, direction)]
    order = range(len(line)) if order is None else order
    pens = np.cumsum([0.0, *(advances[index] for index in order)])
    length_mm = max(0.0, float(pens[-1]) - gap_em * size_mm)
    shown = [index for index, char in enumerate(line) if not char.isspace()]
    if not shown:
        return [], length_mm
    chars = [(line[index], is_in_word(line, index)) for index in shown]
    forms = {
        (char, lies): _form(
            within_word(letters[char]) if lies else letters[char], direction, size_mm, lies
        )
        for char, lies in dict.fromkeys(chars)
    }
    numbers = {char: number for number, char in enumerate(forms)}
    matrices = np.stack([matrix for _, matrix in forms.values()])[[numbers[c] for c in chars]]
    places = np.argsort(order)[shown]
    matrices[:, 1 if direction == "vertical" else 0, 2] += pens[places]
    jitter = vary[places]
    shifts = matrices[:, :, :2] @ jitter[:, :, 2:] * UPEM  # jitter is in ems, outlines in units
    matrices[:, :, 2] += shifts[..., 0] + start_mm
    matrices[:, :, :2] = matrices[:, :, :2] @ jitter[:, :, :2]
    leads = [LINE_BREAK, *(SPACE if b - a > 1 else "" for a, b in pairwise(shown))]
    marks = zip(chars, matrices, leads, strict=True)
    return [Mark(forms[c][0], at, colour, c[0], size_mm, lead) for c, at, lead in marks], length_mm


def moved(mark: Mark, x_mm: float, y_mm: float, turn_rad: float = 0.0) -> Mark:
    """Rotate a mark about the origin (clockwise, since y is downward), then move it."""
    if not (x_mm or y_mm or turn_rad):
        return mark
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    turn = np.array([[cos, -sin], [sin, cos]])
    matrix = turn @ mark.matrix
    matrix[:, 2] += (x_mm, y_mm)
    return replace(mark, matrix=matrix)


def _advance_em(letters: Mapping[str, Letter], char: str, direction: Direction) -> float:
    """The advance of a character that is no apostrophe within a word, in ems."""
    if char == _WIDE_SPACE:
        return 1.0
    if char.isspace():
        return _SPACE_EM
    letter = letters[char]
    return 1.0 if direction == "vertical" and letter.upright else letter.advance_em


def _form(
    letter: Letter, direction: Direction, size: float, lies: bool
) -> tuple[Outline, np.ndarray]:
    """The outline of a letter at the start of a line, and its matrix (2, 3) there.

    In a column it `lies` on its side within a word.
    """
    ascent = ASCENT_UPEM / UPEM * size
    if direction == "horizontal":
        return letter.outline, placed(size, 0, ascent, UPEM)
    if letter.upright and not lies:
        outline = letter.outline if letter.vertical is None else letter.vertical
        return outline, placed(size, -size / 2, ascent, UPEM)
    return letter.outline, placed(size, -_MIDDLE_EM * size, 0, UPEM, np.pi / 2)


def _units(text: str) -> list[str]:
    """What a line may be broken between: single characters, but words of ASCII as a whole."""
    units: list[str] = []
    joins = False
    for index, char in enumerate(text):
        word = (char.isascii() and not char.isspace()) or is_in_word(text, index)
        if word and joins:
            units[-1] += char
        else:
            units.append(char)
        joins = word
    return units


def _carried(line: str, following: str) -> tuple[str, str]:
    """A full line without what has to stand before `following`, on the next line; and that.

    These are opening marks at its end, and the character that a small kana belongs to.
    """
    keep = len(line)
    if following in FOLLOWERS:
        keep -= 1
        while keep > 0 and line[keep] in FOLLOWERS + NEVER_FIRST:
            keep -= 1
    while keep > 1 and line[keep - 1] in NEVER_LAST:
        keep -= 1
    return (line[:keep], line[keep:]) if keep > 0 else (line, "")
