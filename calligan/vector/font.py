"""Glyphs to a full-width font, TrueType or CFF, for horizontal and vertical text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.basePen import AbstractPen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.qu2cuPen import Qu2CuPen
from fontTools.pens.reverseContourPen import ReverseContourPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables.O_S_2f_2 import calcCodePageRanges
from fontTools.ttLib.tables.ttProgram import Program

from calligan.vector.name_table import Naming
from calligan.vector.outline import Drawing

UPEM = 1000
ASCENT_UPEM, DESCENT_UPEM = 880, -120  # the em box of a full-width glyph
QUADRATIC_ERROR_UPEM = 1.0  # largest distance of a cubic from the quadratics that replace it
_PRC = 18  # OS/2 code page bit of simplified Chinese
Kind = Literal["ttf", "otf"]


@dataclass(frozen=True)
class FontGlyph:
    """One glyph of a font that is being built."""

    name: str
    codepoints: tuple[int, ...]
    advance_upem: int
    drawing: Drawing
    vertical_of: str = ""  # name of the glyph that it replaces in vertical text


class NotdefBox:
    """The `.notdef` glyph, shown for missing characters: an empty box."""

    def draw(self, pen: AbstractPen) -> None:
        """Draw two nested rectangles."""
        for inset, reverse in ((60, False), (110, True)):
            low, left, high, right = DESCENT_UPEM + inset, inset, ASCENT_UPEM - inset, UPEM - inset
            corners = [(left, low), (left, high), (right, high), (right, low)]
            pen.moveTo(corners[0])
            for corner in reversed(corners[1:]) if reverse else corners[1:]:
                pen.lineTo(corner)
            pen.closePath()


class Blank:
    """A drawing without ink."""

    def draw(self, pen: AbstractPen) -> None:
        """Draw nothing."""


def build_font(glyphs: Sequence[FontGlyph], naming: Naming, kind: Kind) -> TTFont:
    """Build a font. `.notdef` is added in front; `glyphs` hold all others, the space included."""
    glyphs = [FontGlyph(".notdef", (), UPEM, NotdefBox()), *glyphs]
    builder = FontBuilder(UPEM, isTTF=kind == "ttf")
    builder.setupGlyphOrder([glyph.name for glyph in glyphs])
    builder.setupCharacterMap({code: g.name for g in glyphs for code in g.codepoints})
    if kind == "ttf":
        builder.setupGlyf({glyph.name: to_glyf(glyph.drawing) for glyph in glyphs})
    else:
        charstrings = {g.name: to_charstring(g.drawing, g.advance_upem) for g in glyphs}
        builder.setupCFF(naming.postscript, {"FullName": naming.full}, charstrings, {})
    _setup_metrics(builder, glyphs)
    builder.setupNameTable(naming.english(), mac=False)
    for language, names in naming.chinese().items():
        for number, text in names.items():
            builder.font["name"].setName(text, number, 3, 1, language)
    _setup_metadata(builder, naming)
    if pairs := [(g.vertical_of, g.name) for g in glyphs if g.vertical_of]:
        rules = "".join(f"sub {plain} by {vertical};" for plain, vertical in pairs)
        scripts = "".join(
            f"languagesystem {script} dflt;" for script in ("DFLT", "hani", "kana", "latn")
        )
        feature = f"{scripts} feature vert {{ {rules} }} vert; feature vrt2 {{ {rules} }} vrt2;"
        from fontTools.feaLib.builder import addOpenTypeFeaturesFromString  # slow to import

        addOpenTypeFeaturesFromString(builder.font, feature)
    return builder.font


def to_glyf(drawing: Drawing) -> object:
    """A TrueType `glyf` glyph: quadratic curves, without implied on-curve points."""
    pen = TTGlyphPen(None)
    drawing.draw(Cu2QuPen(pen, QUADRATIC_ERROR_UPEM))
    return pen.glyph(dropImpliedOnCurves=True)


def to_charstring(drawing: Drawing, advance_upem: int) -> object:
    """A CFF charstring: cubic curves, contours reversed so that ink is on their left."""
    from fontTools.pens.t2CharStringPen import T2CharStringPen  # slow to import

    pen = T2CharStringPen(advance_upem, None)
    drawing.draw(ReverseContourPen(Qu2CuPen(pen, QUADRATIC_ERROR_UPEM, all_cubic=True)))
    return pen.getCharString()


def ink_bounds(font: TTFont, name: str, drawing: Drawing) -> tuple[int, int, int, int]:
    """Left, bottom, right, top of a glyph's ink in font units; zeros for a blank glyph.

    A TrueType glyph uses the bounds in its header: renderers shift a glyph by the difference
    between its side bearing and these bounds.
    """
    if "glyf" in font:
        glyph = font["glyf"][name]
        glyph.recalcBounds(font["glyf"])
        return glyph.xMin, glyph.yMin, glyph.xMax, glyph.yMax
    pen = BoundsPen(None)
    drawing.draw(pen)
    return tuple(round(v) for v in pen.bounds or (0, 0, 0, 0))  # type: ignore[return-value]


def _setup_metrics(builder: FontBuilder, glyphs: Sequence[FontGlyph]) -> None:
    boxes = {glyph.name: ink_bounds(builder.font, glyph.name, glyph.drawing) for glyph in glyphs}
    builder.setupHorizontalMetrics({g.name: (g.advance_upem, boxes[g.name][0]) for g in glyphs})
    builder.setupHorizontalHeader(ascent=ASCENT_UPEM, descent=DESCENT_UPEM)
    builder.setupVerticalMetrics({g.name: (UPEM, ASCENT_UPEM - boxes[g.name][3]) for g in glyphs})
    builder.setupVerticalHeader(ascent=UPEM // 2, descent=-UPEM // 2, caretSlopeRun=1)
    if "CFF " in builder.font:
        builder.setupVerticalOrigins({}, ASCENT_UPEM)
    lows, highs = zip(*((box[1], box[3]) for box in boxes.values()), strict=True)
    heights = {char: boxes.get(char, (0, 0, 0, 0))[3] for char in "xH"}
    builder.setupOS2(
        version=4,
        sTypoAscender=ASCENT_UPEM,
        sTypoDescender=DESCENT_UPEM,
        sTypoLineGap=0,
        usWinAscent=max(ASCENT_UPEM, *highs),
        usWinDescent=max(-DESCENT_UPEM, -min(lows)),
        sxHeight=heights["x"],
        sCapHeight=heights["H"],
        fsSelection=1 << 6 | 1 << 7,  # regular, typographic metrics
        fsType=0,  # may be installed and embedded
        achVendID="    ",
    )


def _setup_metadata(builder: FontBuilder, naming: Naming) -> None:
    """Fill `post`, `OS/2` and `head`, and the tables of an unhinted TrueType font."""
    font = builder.font
    builder.setupPost(underlinePosition=DESCENT_UPEM, underlineThickness=50)
    font["OS/2"].panose.bFamilyType = 3  # hand written
    font["OS/2"].recalcUnicodeRanges(font)
    font["OS/2"].setCodePageRanges(code_pages(font) | {_PRC})
    font["head"].fontRevision = naming.revision
    font["head"].flags |= 1 << 3  # integer pixels per em
    if "glyf" in font:
        _setup_unhinted(font)


def code_pages(font: TTFont) -> set[int]:
    """OS/2 bits of the code pages that a font's characters cover; may be empty.

    (fontTools' `recalcCodePageRanges` claims Latin 1 for an empty set.)
    """
    numbers: set[int] = calcCodePageRanges(set(font.getBestCmap() or {}))
    return numbers


def _setup_unhinted(font: TTFont) -> None:
    """Antialiasing at every size and dropout control for thin strokes, without hints.

    https://learn.microsoft.com/typography/opentype/spec/gasp
    """
    gasp = newTable("gasp")
    gasp.version, gasp.gaspRange = 1, {0xFFFF: 0x000F}
    font["gasp"] = gasp
    prep = newTable("prep")
    prep.program = Program()
    prep.program.fromAssembly(["PUSHW[]", "511", "SCANCTRL[]", "PUSHB[]", "4", "SCANTYPE[]"])
    font["prep"] = prep
