"""Punctuation, digits and letters of a new font, taken from an existing one."""

from collections.abc import Iterator
from dataclasses import dataclass

from fontTools.misc.transform import Transform
from fontTools.pens.basePen import AbstractPen
from fontTools.pens.recordingPen import RecordingPen
from fontTools.pens.transformPen import TransformPen

from calligan.glyphs.charset import is_han
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement
from calligan.glyphs.vertical import TO_CORNER, TURNED
from calligan.vector.font import ASCENT_UPEM, DESCENT_UPEM, UPEM, Blank, FontGlyph

_BLOCKS = ((0x21, 0x7E), (0xA1, 0xAC), (0xAE, 0xFF), (0x2010, 0x205E), (0x20AC, 0x20AC))
_WIDE_BLOCKS = ((0x3001, 0x303F), (0xFF01, 0xFFEF))
_SPACES = {"space": (0x20, 0xA0), "uni3000": (0x3000,)}  # no-break space shares the space's glyph
_SPACE_UPEM = 250  # a space's advance, where the font has none
_MIDDLE = (UPEM / 2, (ASCENT_UPEM + DESCENT_UPEM) / 2)
# Clockwise about the middle of the em box: (x, y) to (y, -x).
_QUARTER_TURN = Transform(0, -1, 1, 0, _MIDDLE[0] - _MIDDLE[1], _MIDDLE[0] + _MIDDLE[1])


@dataclass(frozen=True)
class Borrowed:
    """An outline of another font, moved and scaled."""

    recorded: RecordingPen
    transform: Transform

    def draw(self, pen: AbstractPen) -> None:
        """Draw."""
        self.recorded.replay(TransformPen(pen, self.transform))


@dataclass(frozen=True)
class Lettering:
    """A font that marks, digits and letters are taken from.

    `placement` is where it lies on the canvas that Han characters were drawn on, so that both come
    to the same size.
    """

    face: Face
    placement: Placement

    def glyphs(self) -> Iterator[FontGlyph]:
        """Spaces, and every mark, digit and letter, each with its vertical form after it."""
        space = self.face.glyph_index(" ")
        narrow = round(self.face.advance_em(space) * UPEM) if space else _SPACE_UPEM
        for name, codes in _SPACES.items():
            yield FontGlyph(name, codes, narrow if name == "space" else UPEM, Blank())
        for first, last in (*_BLOCKS, *_WIDE_BLOCKS):
            for code in range(first, last + 1):
                char = chr(code)
                if self.face.glyph_index(char) and not is_han(char):
                    yield from self.glyph(char)

    def advance_em(self, char: str) -> float:
        """A character's advance."""
        return self.face.advance_em(self.face.glyph_index(char))

    def glyph(self, char: str) -> Iterator[FontGlyph]:
        """A character's glyph, and its vertical form where it has one; none without ink."""
        face = self.face
        glyph = face.glyph_index(char)
        name, advance = glyph_name(ord(char)), round(face.advance_em(glyph) * UPEM)
        plain = _borrowed(face, self.placement, glyph, advance)
        if not plain.recorded.value:
            return
        yield FontGlyph(name, (ord(char),), advance, plain)
        form = face.vertical_forms.get(glyph)
        if form:
            turned = _borrowed(face, self.placement, form, UPEM)
        elif char in TURNED:
            turned = Borrowed(plain.recorded, _QUARTER_TURN.transform(plain.transform))
        elif char in TO_CORNER:
            shift = Transform().translate(UPEM / 2, UPEM / 2)
            turned = Borrowed(plain.recorded, shift.transform(plain.transform))
        else:
            return
        yield FontGlyph(f"{name}.vert", (), UPEM, turned, vertical_of=name)


def glyph_name(codepoint: int) -> str:
    """As the Adobe Glyph List writes it: uni4E66, u2000B."""
    return f"uni{codepoint:04X}" if codepoint <= 0xFFFF else f"u{codepoint:X}"


def _borrowed(face: Face, placement: Placement, glyph: int, advance_upem: int) -> Borrowed:
    """A glyph scaled as its font is on the canvas, in the middle of its advance."""
    cell = Placement.full_width(placement.size_px)
    scale = placement.em_px / cell.em_px
    up = (cell.baseline_y_px - placement.baseline_y_px) / cell.em_px * UPEM
    recorded = RecordingPen()
    face.draw_outline(glyph, recorded)
    middle = advance_upem * (1 - scale) / 2
    unit = scale * UPEM / face.upem
    return Borrowed(recorded, Transform(unit, 0, 0, unit, middle, up))
