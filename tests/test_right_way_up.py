"""One glyph, every kind of output: all show it the same way up, in the same place.

The glyph has no symmetry (a hook, a bar and a ring), so that turning, mirroring and moving are
all seen. Pictures are made by other programs than calligan's own (PDFium, Pillow, a scan line
filler here), and compared with calligan's PNG and against the picture that was traced.
"""

import ctypes
import xml.etree.ElementTree as ET
from pathlib import Path

import freetype
import numpy as np
import pypdfium2
import pytest
from conftest import build_font as small_font
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.svgLib.path import parse_path
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from calligan.config import RasterConfig, TraceConfig
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement, measure_placement
from calligan.page.drawing import Page, joined, placed, rectangle
from calligan.page.flow import Letter, set_line
from calligan.page.output import Look, save_pages
from calligan.vector.base_font import BaseFont
from calligan.vector.borrow import Lettering
from calligan.vector.fill import fill
from calligan.vector.font import UPEM, FontGlyph, build_font
from calligan.vector.name_table import Naming
from calligan.vector.outline import Outline, OutlinePen
from calligan.vector.trace import trace

SIZE = 128
NAMING = Naming("Upright", "正", "a test", "none", "0.1")
LESS_THAN_A_TURN = 0.9  # of IoU: what is turned, mirrored or moved by a pixel in ten is below


def hook() -> np.ndarray:
    """The glyph as a picture, uint8 (S, S), 255 = paper: drawn large, and averaged."""
    over = 8
    canvas = Image.new("1", (SIZE * over, SIZE * over))
    draw = ImageDraw.Draw(canvas)
    for box in ((24, 20, 36, 104), (36, 20, 88, 32)):  # an upright stroke, its head to the right
        draw.rectangle([v * over for v in box], fill=1)
    draw.ellipse([v * over for v in (64, 72, 104, 112)], fill=1)  # a ring below on the right
    draw.ellipse([v * over for v in (76, 80, 96, 100)], fill=0)
    ink = np.asarray(canvas).reshape(SIZE, over, SIZE, over).mean(axis=(1, 3))
    return np.rint(255 * (1 - ink)).astype(np.uint8)


CELL = Placement.full_width(SIZE)
OUTLINE = trace(hook(), CELL, UPEM, TraceConfig())


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """How much of the ink of two pictures, 255 = paper, is common to both."""
    first, second = a < 128, b < 128
    return float((first & second).sum() / (first | second).sum())


def grey(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"))


def test_the_test_glyph_would_show_every_turn():
    seen = hook()
    turns = [np.rot90(seen, n) for n in (1, 2, 3)] + [seen[::-1], seen[:, ::-1], seen.T]
    assert max(iou(seen, other) for other in turns) < 0.6
    assert iou(seen, np.roll(seen, 2, 0)) < LESS_THAN_A_TURN


def page_of(direction: str = "horizontal") -> Page:
    """A page with the glyph upright, and one turned by a quarter in a column."""
    letters = {"书": Letter("书", OUTLINE, 1.0), "A": Letter("A", OUTLINE, 0.5)}
    page = Page(60, 40)
    same = np.repeat(np.eye(2, 3)[None], 2, axis=0)
    marks, _ = set_line("书A", letters, direction, 18, 0, "black", same)
    for mark in marks:
        mark.matrix[:, 2] += (12, 2)
    page.marks += marks
    page.add(joined([rectangle(52, 30, 6, 3), rectangle(54, 28, 2, 7)]), "black")  # they cross
    return page


def flattened(outline: Outline) -> list[np.ndarray]:
    """Polygons, one a contour."""
    t = np.linspace(0, 1, 17)[:-1, None]
    polygons = []
    for number in np.unique(outline.contour):
        p = outline.controls[outline.contour == number].transpose(1, 0, 2)[:, :, None]
        cubic = (1 - t) ** 3 * p[0] + 3 * t * (1 - t) ** 2 * p[1]
        polygons.append((cubic + 3 * t**2 * (1 - t) * p[2] + t**3 * p[3]).reshape(-1, 2))
    return polygons


def signed_area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def filled(outlines: list[Outline], size: tuple[int, int], over: int = 4) -> np.ndarray:
    """Outlines in pixels, y downward, filled where they wind round: uint8, 255 = paper."""
    winding = np.zeros((size[1] * over, size[0] * over), int)
    for outline in outlines:
        for polygon in flattened(outline):
            part = Image.new("1", (size[0] * over, size[1] * over))
            ImageDraw.Draw(part).polygon([tuple(p) for p in polygon * over], fill=1)
            winding += np.asarray(part) * int(np.sign(signed_area(polygon)))
    ink = (winding != 0).reshape(size[1], over, size[0], over).mean(axis=(1, 3))
    return np.rint(255 * (1 - ink)).astype(np.uint8)


def svg_picture(path: Path, size: tuple[int, int]) -> np.ndarray:
    """An SVG of calligan's kind as its grammar says: shapes in defs, used under a matrix."""
    root, shapes = ET.parse(path).getroot(), {}
    left, top, width, height = map(float, root.get("viewBox").split())
    assert (left, top) == (0, 0)
    for shape in root.findall(".//{*}path"):
        pen = OutlinePen()
        parse_path(shape.get("d"), pen)
        shapes[f"#{shape.get('id')}"] = pen.outline
    drawn = []
    for use in root.findall("{*}use"):
        a, b, c, d, e, f = map(float, use.get("transform")[7:-1].split())
        scale = np.diag([size[0] / width, size[1] / height])
        drawn.append(shapes[use.get("href")].transform(scale @ np.array([[a, c, e], [b, d, f]])))
    return filled(drawn, size)


@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_png_svg_and_pdf_show_the_same_page(tmp_path, direction):
    page, dpi = page_of(direction), 254.0  # ten pixels a millimetre
    for kind in ("png", "svg", "pdf"):
        save_pages(tmp_path / f"a.{kind}", [page], Look(dpi=dpi))
    png = grey(Image.open(tmp_path / "a.png"))
    assert png.shape == (400, 600)
    pdf = grey(pypdfium2.PdfDocument(tmp_path / "a.pdf")[0].render(scale=dpi / 72).to_pil())
    assert iou(pdf[:400, :600], png) > 0.98
    assert pdf[315, 550] < 128, "where two contours cross there is ink"
    assert iou(svg_picture(tmp_path / "a.svg", (600, 400)), png) > 0.98
    upright = np.full((400, 600), 255, np.uint8)
    em_px = round(180 * SIZE / CELL.em_px)  # the canvas that was traced, at the page's scale
    canvas = Image.fromarray(hook()).resize((em_px, em_px), Image.Resampling.BICUBIC)
    across = 120 if direction == "horizontal" else 120 - 90
    left, up = (round(v * 180 / CELL.em_px) for v in (CELL.origin_x_px, CELL.baseline_y_px))
    area = Image.fromarray(upright)
    area.paste(canvas, (across - left, 20 + round(0.88 * 180) - up))
    first = np.s_[:, :299] if direction == "horizontal" else np.s_[:199]
    assert iou(np.asarray(area)[first], png[first]) > 0.97


def test_a_gif_ends_as_the_png(tmp_path):
    for kind in ("png", "gif"):
        save_pages(tmp_path / f"a.{kind}", [page_of()], Look(dpi=127))
    gif = Image.open(tmp_path / "a.gif")
    gif.seek(gif.n_frames - 1)
    assert iou(grey(gif), grey(Image.open(tmp_path / "a.png"))) > 0.98


def test_a_mark_turned_in_a_column_leans_to_the_right():
    """Clockwise by a quarter, as letters lie in vertical text."""
    upright, turned = (
        fill(OUTLINE.transform(placed(100, 20, 120, UPEM, turn))).ink for turn in (0.0, np.pi / 2)
    )
    assert (
        iou(255 - np.rot90(upright, -1), 255 - turned[: upright.shape[1], : upright.shape[0]]) > 0.9
    )


def made_font(folder: Path, kind: str, marks: str = "ttf") -> Path:
    """A new font of the glyph, with marks of another font whose numbers are not the defaults."""
    face = Face(FontSpec(odd_font(folder / f"odd.{marks}", marks)))
    placement = measure_placement(face, "一丁七万丈", RasterConfig(), least=1)
    glyphs = [*Lettering(face, placement).glyphs(), FontGlyph("uni4E66", (0x4E66,), UPEM, OUTLINE)]
    path = folder / f"made.{kind}"
    build_font(glyphs, NAMING, kind).save(path)
    return path


ODD = {"upem": 2048, "ascent": 1802, "descent": -492, "advance": 2100}


def odd_font(path: Path, kind: str = "ttf") -> Path:
    """A font of 2,048 units whose ascent, descent, advance and vertical origin are its own.

    With a full stop low on the left, （ as an upright on the right, and 一 as an L: an upright and a foot to the right.
    """
    upem, advance = ODD["upem"], ODD["advance"]
    shapes = {
        ".notdef": [],
        "period": [(150, 0, 450, 300)],
        "paren": [(1500, -300, 1700, 1600)],
        "yi": [(300, 100, 500, 1500), (500, 100, 1700, 300)],
    }
    codes = {0x3002: "period", 0xFF08: "paren", **dict.fromkeys(map(ord, "一丁七万丈"), "yi")}
    builder = FontBuilder(upem, isTTF=kind == "ttf")
    builder.setupGlyphOrder(list(shapes))
    builder.setupCharacterMap(codes)
    drawn = {name: _bars(boxes, kind, advance) for name, boxes in shapes.items()}
    if kind == "ttf":
        builder.setupGlyf(drawn)
    else:
        builder.setupCFF("Odd", {"FullName": "Odd"}, drawn, {})
    bearing = {"period": 150, "paren": 1500, "yi": 300, ".notdef": 0}
    builder.setupHorizontalMetrics({name: (advance, bearing[name]) for name in shapes})
    builder.setupHorizontalHeader(ascent=ODD["ascent"], descent=ODD["descent"])
    tops = {"period": 300, "paren": 1600, "yi": 1500, ".notdef": 0}
    builder.setupVerticalMetrics({name: (upem, ORIGIN - tops[name]) for name in shapes})
    builder.setupVerticalHeader(ascent=upem // 2, descent=-upem // 2)
    if kind == "otf":
        builder.setupVerticalOrigins({}, ORIGIN)
    builder.setupNameTable({"familyName": "Odd", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=1700, sTypoDescender=-348)
    builder.setupPost()
    builder.save(path)
    return path


ORIGIN = 1700  # where vertical text takes the top of the em box to be


def _bars(boxes: list, kind: str, advance: int) -> object:
    pen = TTGlyphPen(None) if kind == "ttf" else T2CharStringPen(advance, None)
    for x0, y0, x1, y1 in boxes:
        corners = [(x0, y0), (x0, y1), (x1, y1), (x1, y0)]
        corners = corners if kind == "ttf" else corners[:1] + corners[:0:-1]
        pen.moveTo(corners[0])
        for corner in corners[1:]:
            pen.lineTo(corner)
        pen.closePath()
    return pen.glyph() if kind == "ttf" else pen.getCharString()


def _orientation(face: freetype.Face) -> int:
    """Of the glyph that is loaded: 0 for TrueType's, 1 for PostScript's."""
    return freetype.raw.FT_Outline_Get_Orientation(ctypes.byref(face.glyph.outline._FT_Outline))


def set_by_pillow(path: Path, text: str, size_px: int, direction: str | None = None) -> np.ndarray:
    """A character in a font, its pen at (0, 4/5 of the height) of a square, by Pillow."""
    image = Image.new("L", (size_px, size_px), 255)
    font = ImageFont.truetype(str(path), size_px)
    ImageDraw.Draw(image).text((0, round(0.8 * size_px)), text, fill=0, font=font, anchor="ls")
    return np.asarray(image)


@pytest.mark.parametrize("kind", ["ttf", "otf"])
def test_a_font_shows_what_was_traced(tmp_path, kind):
    path = made_font(tmp_path, kind)
    em_px = 200
    seen = set_by_pillow(path, "书", em_px)
    matrix = placed(em_px, 0, 0.8 * em_px, UPEM)
    bitmap = fill(OUTLINE.transform(matrix))
    wanted = Image.new("L", (em_px, em_px), 255)
    wanted.paste(Image.fromarray(255 - bitmap.ink), (bitmap.left_px, bitmap.top_px))
    assert iou(seen, np.asarray(wanted)) > 0.95  # FreeType's hinting moves edges a little
    face = Face(FontSpec(path))
    assert iou(CELL.draw(face, face.glyph_index("书")), hook()) > 0.97


@pytest.mark.parametrize("marks", ["ttf", "otf"])
@pytest.mark.parametrize("kind", ["ttf", "otf"])
def test_contours_wind_as_their_format_asks(tmp_path, kind, marks):
    """TrueType has ink to the right of a contour's way, PostScript to its left; holes go back."""
    path = made_font(tmp_path, kind, marks)
    font, glyphs = TTFont(path), TTFont(path).getGlyphSet()
    wanted = 0 if kind == "ttf" else 1
    face, inked = freetype.Face(str(path)), 0
    for number, name in enumerate(font.getGlyphOrder()):
        area, bounds = AreaPen(glyphs), BoundsPen(glyphs)
        glyphs[name].draw(area)
        glyphs[name].draw(bounds)
        if bounds.bounds is None:
            continue
        inked += 1
        assert (area.value < 0) == (kind == "ttf"), name
        face.load_glyph(number, freetype.FT_LOAD_NO_SCALE)
        assert _orientation(face) == wanted, name
    assert inked == 6  # .notdef, two marks and their vertical forms, the glyph


@pytest.mark.parametrize("kind", ["ttf", "otf"])
def test_bearings_and_vertical_metrics_are_those_of_the_ink(tmp_path, kind):
    font = TTFont(made_font(tmp_path, kind))
    glyphs = font.getGlyphSet()
    for name in font.getGlyphOrder():
        pen = BoundsPen(glyphs)
        glyphs[name].draw(pen)
        left, _, _, top = pen.bounds or (0, 0, 0, 0)
        assert font["hmtx"][name][1] == pytest.approx(left, abs=1), name
        assert font["vmtx"][name] == (1000, pytest.approx(880 - top, abs=1)), name
    told = font["OS/2"]
    assert (font["hhea"].ascent, font["hhea"].descent, font["hhea"].lineGap) == (880, -120, 0)
    assert (told.sTypoAscender, told.sTypoDescender, told.sTypoLineGap) == (880, -120, 0)
    assert told.usWinAscent >= 880 and told.usWinDescent >= 120
    assert (font["vhea"].ascent, font["vhea"].descent) == (500, -500)
    assert kind == "ttf" or font["VORG"].defaultVertOriginY == 880


def test_borrowed_marks_keep_their_place_and_turn_for_columns(tmp_path):
    """The full stop stands low on the left, and in a column high on the right; a bracket turns."""
    font = TTFont(made_font(tmp_path, "ttf"))
    stop, turned = (font["glyf"][name] for name in ("uni3002", "uni3002.vert"))
    assert stop.xMax < 400 and stop.yMax < 300
    assert (turned.xMin - stop.xMin, turned.yMin - stop.yMin) == (500, 500)
    assert font["hmtx"]["uni3002"][0] == round(1000 * ODD["advance"] / ODD["upem"])
    bracket, turned = (font["glyf"][name] for name in ("uniFF08", "uniFF08.vert"))
    assert bracket.xMin > 500 and bracket.yMax > 600
    assert turned.yMax < 380 and turned.xMin < 200 and turned.xMax > 800  # below, and lying
    lookups = font["GSUB"].table.LookupList.Lookup
    mapped = {"uni3002": "uni3002.vert", "uniFF08": "uniFF08.vert"}
    assert mapped in [lookup.SubTable[0].mapping for lookup in lookups]


@pytest.mark.parametrize("kind", ["ttf", "otf"])
def test_completing_keeps_to_a_fonts_own_numbers(tmp_path, kind):
    """Units, full width and vertical origin are the font's; what was there keeps its numbers."""
    path = odd_font(tmp_path / f"odd.{kind}", kind)
    base = BaseFont.open(path)
    face = Face(FontSpec(path))
    placement = measure_placement(face, "一", RasterConfig(), least=1)
    outline = trace(hook(), placement, base.upem, TraceConfig())
    base.add({"书": outline}, NAMING)
    base.font.save(tmp_path / f"full.{kind}")
    font = TTFont(tmp_path / f"full.{kind}")
    glyphs, name = font.getGlyphSet(), font.getBestCmap()[0x4E66]
    pen, area = BoundsPen(glyphs), AreaPen(glyphs)
    glyphs[name].draw(pen)
    glyphs[name].draw(area)
    left, _, _, top = pen.bounds
    assert (area.value < 0) == (kind == "ttf")
    assert font["head"].unitsPerEm == ODD["upem"]
    assert font["hmtx"][name] == (ODD["advance"], pytest.approx(left, abs=1))
    assert font["vmtx"][name] == (ODD["upem"], pytest.approx(ORIGIN - top, abs=1))
    assert font["hmtx"]["yi"] == (ODD["advance"], 300) and font["vmtx"]["yi"][1] == ORIGIN - 1500
    assert (font["hhea"].ascent, font["hhea"].descent) == (ODD["ascent"], ODD["descent"])
    assert (font["OS/2"].sTypoAscender, font["OS/2"].sTypoDescender) == (1700, -348)
    again = Face(FontSpec(tmp_path / f"full.{kind}"))
    assert iou(placement.draw(again, again.glyph_index("书")), hook()) > 0.97
    assert np.array_equal(*(placement.draw(f, f.glyph_index("一")) for f in (face, again)))


def test_a_source_glyph_lies_on_the_canvas_as_its_font_has_it(tmp_path):
    """Of an odd font too: an L stands upright, in the middle, as large as other fonts'."""
    face = Face(FontSpec(odd_font(tmp_path / "odd.ttf")))
    placement = measure_placement(face, "一丁七万丈", RasterConfig(), least=1)
    ink = placement.draw(face, face.glyph_index("一")) < 128
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    assert ink[rows[0] + 2, columns[0] + 2] and not ink[rows[0] + 2, columns[-1] - 2]
    assert ink[rows[-1] - 2, columns[-1] - 2]
    middle = (rows[0] + rows[-1] + 1) / 2, (columns[0] + columns[-1] + 1) / 2
    assert middle == (pytest.approx(64, abs=1), pytest.approx(64, abs=1))
    other = Face(FontSpec(small_font(tmp_path / "other.ttf", "一")))
    assert face.advance_em(face.glyph_index("一")) == pytest.approx(2100 / 2048)
    assert other.advance_em(other.glyph_index("一")) == 1.0
