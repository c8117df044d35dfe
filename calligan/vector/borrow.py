"""Punctuation, digits and letters of a new font, copied from an existing font."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from fontTools.misc.transform import Transform
from fontTools.pens.basePen import AbstractPen
from fontTools.pens.recordingPen import RecordingPen
from fontTools.pens.transformPen import TransformPen

from calligan.glyphs.charset import is_drawn
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement
from calligan.glyphs.vertical import TO_CORNER, TURNED
from calligan.vector.font import UPEM, Blank, FontGlyph
from calligan.vector.vertical_form import INTO_CORNER, QUARTER_TURN

_BLOCKS = ((0x21, 0x7E), (0xA1, 0xAC), (0xAE, 0xFF), (0x2010, 0x205E), (0x20AC, 0x20AC))
_WIDE_BLOCKS = ((0x3001, 0x303F), (0xFF01, 0xFFEF))
_SPACES = {"space": (0x20, 0xA0), "uni3000": (0x3000,)}  # no-break space shares the space's glyph
_DEFAULT_SPACE_UPEM = 250  # advance of a space if the font has no space


@dataclass(frozen=True)
class BorrowedOutline:
    """An outline of another font with a transform (scale, rotation, shift)."""

    recorded: RecordingPen
    transform: Transform

    def draw(self, pen: AbstractPen) -> None:
        """Draw the transformed outline."""
        self.recorded.replay(TransformPen(pen, self.transform))


@dataclass(frozen=True)
class Lettering:
    """A font from which punctuation, digits and letters are copied.

    `placement` is its place on the canvas on which Han characters are drawn, so that both have
    the same size. `bolder_em` is added to the thickness of strokes.
    """

    face: Face
    placement: Placement
    bolder_em: float = 0.0

    def glyphs(self, without: Container[str] = ()) -> Iterator[FontGlyph]:
        """Spaces, then each mark, digit and letter, followed by its vertical form if it has one.

        Characters in `without` are left out.
        """
        space = self.face.glyph_index(" ")
        narrow = round(self.face.advance_em(space) * UPEM) if space else _DEFAULT_SPACE_UPEM
        for name, codes in _SPACES.items():
            yield FontGlyph(name, codes, narrow if name == "space" else UPEM, Blank())
        for first, last in (*_BLOCKS, *_WIDE_BLOCKS):
            for char in map(chr, range(first, last + 1)):
                if char not in without and self.has(char):
                    yield from self.glyph(char)

    def has(self, char: str) -> bool:
        """Whether it supplies a character: a mark, digit or letter that the font has."""
        blocks = (*_BLOCKS, *_WIDE_BLOCKS)
        inside = any(first <= ord(char) <= last for first, last in blocks)
        return inside and not is_drawn(char) and bool(self.face.glyph_index(char))

    def advance_em(self, char: str) -> float:
        """Horizontal advance of a character in ems."""
        return self.face.advance_em(self.face.glyph_index(char))

    def glyph(self, char: str) -> Iterator[FontGlyph]:
        """The glyph of a character, then its vertical form if it has one; nothing if blank."""
        face = self.face
        glyph = face.glyph_index(char)
        name, advance = glyph_name(ord(char)), round(face.advance_em(glyph) * UPEM)
        plain = self._borrowed(glyph, advance)
        if not plain.recorded.value:
            return
        yield FontGlyph(name, (ord(char),), advance, plain)
        form = face.vertical_forms.get(glyph)
        if form:
            vertical = self._borrowed(form, UPEM)
        elif char in TURNED:
            vertical = BorrowedOutline(plain.recorded, QUARTER_TURN.transform(plain.transform))
        elif char in TO_CORNER:
            vertical = BorrowedOutline(plain.recorded, INTO_CORNER.transform(plain.transform))
        else:
            return
        yield FontGlyph(f"{name}.vert", (), UPEM, vertical, vertical_of=name)

    def _borrowed(self, glyph: int, advance_upem: int) -> BorrowedOutline:
        """A glyph at the scale and height its font has on the canvas, centred in its advance."""
        placement, face = self.placement, self.face
        cell = Placement.full_width(placement.size_px)
        scale = placement.em_px / cell.em_px
        raise_upem = (cell.baseline_y_px - placement.baseline_y_px) / cell.em_px * UPEM
        recorded = RecordingPen()
        face.draw_outline(glyph, recorded, round(self.bolder_em / scale * face.upem))
        side_upem = advance_upem * (1 - scale) / 2
        unit = scale * UPEM / face.upem
        return BorrowedOutline(recorded, Transform(unit, 0, 0, unit, side_upem, raise_upem))


def glyph_name(codepoint: int) -> str:
    """Glyph name in the Adobe Glyph List's notation: uni4E66, u2000B."""
    return f"uni{codepoint:04X}" if codepoint <= 0xFFFF else f"u{codepoint:X}"
