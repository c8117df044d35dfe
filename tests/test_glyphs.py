"""Charsets, faces, placement, raster: what is drawn, what is left out, and why."""

import numpy as np
import pytest
from conftest import HAN, build_font
from fontTools.ttLib import TTFont
from fontTools.ttLib.ttCollection import TTCollection

from calligan.config import RasterConfig
from calligan.errors import CalliganError, DataError, FontError
from calligan.glyphs.charset import charset_names, is_han, is_kana, load_charset, pick_covering
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import measure_placement
from calligan.glyphs.raster import render_glyphs

CONFIG = RasterConfig(size_px=64)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("gb2312", 6763),
        ("gb2312-1", 3755),
        ("gb2312-2", 3008),
        ("big5-1", 5401),
        ("jis-1", 2965),
        ("kana", 174),
        ("tongyong-8105", 8105),
        ("components-500", 500),
    ],
)
def test_shipped_charsets_hold_what_their_standard_says(name, count):
    assert len(load_charset(name)) == count
    assert name in charset_names()
    assert all(map(is_kana if name == "kana" else is_han, load_charset(name)))


def test_charset_from_file_and_text(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("\ufeff# a comment 书\n书法 书\n", encoding="utf-8")
    assert load_charset(str(path)) == "书法"
    assert load_charset("永和永") == "永和"


@pytest.mark.parametrize("what", ["", "  ", "gb2321", "nowhere.txt", "书\ud800"])
def test_charsets_that_make_no_sense_are_refused(what):
    with pytest.raises(DataError):
        load_charset(what)


def test_left_out_characters_are_counted_by_reason(tmp_path):
    font = build_font(tmp_path / "f.ttf", HAN[:40], blank="書法", as_notdef="佛", huge="僧")
    spec = FontSpec(font)
    chars = HAN[:40] + "書法佛僧道"
    placement = measure_placement(Face(spec), HAN[:40], CONFIG)
    glyphs = render_glyphs(spec, chars, placement, CONFIG.min_ink)
    assert glyphs.chars == HAN[:40]
    assert glyphs.images.shape == (40, 64, 64)
    expected = {"absent": "道", "blank": "書法", "notdef": "佛", "clipped": "僧"}
    assert glyphs.left_out == expected


def test_placement_equalises_fonts_that_differ_in_size_and_height(tmp_path):
    extents, centres = [], []
    for number, (scale, shift) in enumerate([(1.0, 0), (0.6, 150)]):
        path = build_font(tmp_path / f"{number}.ttf", HAN, scale=scale, shift=shift)
        placement = measure_placement(Face(FontSpec(path)), HAN, CONFIG)
        images = render_glyphs(FontSpec(path), HAN, placement, CONFIG.min_ink).images
        rows = [np.flatnonzero((image < 128).any(axis=1)) for image in images]
        extents.append(np.median([r[-1] - r[0] + 1 for r in rows]))
        centres.append(np.median([(r[-1] + r[0] + 1) / 2 for r in rows]))
    assert abs(extents[0] - extents[1]) <= 3
    assert abs(centres[0] - centres[1]) <= 1.5
    assert abs(centres[0] - 32) <= 2


def test_placement_can_be_undone(font_folder):
    """An outline point maps to the pixel that the placement says."""
    face = Face(FontSpec(font_folder / "source.ttf"))
    placement = measure_placement(face, HAN, CONFIG)
    glyph = face.glyph_index("一")
    box = face.ink_box_em(glyph)
    face.draw(glyph, 50, 0.9, -0.9)
    assert face.ink_box_em(glyph) == box, "drawing must not move what is measured"
    left, _bottom, _right, top = face.ink_box_em(glyph)
    rows, columns = np.nonzero(placement.draw(face, glyph) < 250)
    assert abs(columns.min() - (placement.origin_x_px + left * placement.em_px)) <= 1
    assert abs(rows.min() - (placement.baseline_y_px - top * placement.em_px)) <= 1


def test_ttc_faces_by_index_and_by_name(tmp_path):
    collection = TTCollection()
    for name in ("First", "Second"):
        path = build_font(tmp_path / f"{name}.ttf", HAN[:20], family=name)
        collection.fonts.append(TTFont(path))
    path = tmp_path / "both.ttc"
    collection.save(path)
    assert Face(FontSpec.parse(f"{path}#1")).family == "Second"
    assert Face(FontSpec.parse(f"{path}#second")).index == 1
    for wrong in (f"{path}#2", f"{path}#Third"):
        with pytest.raises(FontError):
            Face(FontSpec.parse(wrong))


def test_variable_fonts_at_a_weight_and_a_named_instance(tmp_path):
    path = _variable_font(tmp_path / "v.ttf")
    ink = {}
    for mark in ("", "@900", "@Black", "@400"):
        face = Face(FontSpec.parse(f"{path}{mark}"))
        ink[mark] = int(face.draw(face.glyph_index("一"), 64).ink.sum())
    assert ink["@900"] == ink["@Black"] > 1.5 * ink[""]
    assert ink["@400"] == ink[""]
    for wrong in ("@1200", "@Thin"):
        with pytest.raises(FontError):
            Face(FontSpec.parse(f"{path}{wrong}"))


def test_woff2_is_unpacked_once(tmp_path, monkeypatch, font_folder):
    monkeypatch.setenv("CALLIGAN_CACHE", str(tmp_path / "cache"))
    font = TTFont(font_folder / "source.ttf")
    font.flavor = "woff2"
    path = tmp_path / "f.woff2"
    font.save(path)
    plain = Face(FontSpec(font_folder / "source.ttf"))
    packed = Face(FontSpec(path))
    assert len(list((tmp_path / "cache" / "unpacked").iterdir())) == 1
    glyph = packed.glyph_index("七")
    assert np.array_equal(packed.draw(glyph, 50).ink, plain.draw(glyph, 50).ink)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_fonts_raise_only_our_errors(tmp_path, font_folder, seed):
    rng = np.random.default_rng(seed)
    data = bytearray((font_folder / "source.ttf").read_bytes())
    if seed % 3 == 0:
        data = data[: int(rng.integers(len(data)))]
    else:
        for at in rng.integers(len(data) if seed % 3 == 1 else 400, size=20):
            data[at] = rng.integers(256)
    path = tmp_path / "f.ttf"
    path.write_bytes(data)
    try:
        placement = measure_placement(Face(FontSpec(path)), HAN, CONFIG)
        render_glyphs(FontSpec(path), HAN, placement, CONFIG.min_ink)
    except CalliganError as error:
        assert str(path) in str(error)


def _variable_font(path):
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib.tables.TupleVariation import TupleVariation

    def box(x0, y0, x1, y1):
        pen = TTGlyphPen(None)
        pen.moveTo((x0, y0))
        for point in ((x0, y1), (x1, y1), (x1, y0)):
            pen.lineTo(point)
        pen.closePath()
        return pen.glyph()

    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "one"])
    builder.setupCharacterMap({ord("一"): "one"})
    builder.setupGlyf({".notdef": box(0, 0, 500, 500), "one": box(100, 300, 900, 400)})
    builder.setupHorizontalMetrics({".notdef": (600, 0), "one": (1000, 100)})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": "V", "styleName": "Regular"})
    builder.setupFvar(
        [("wght", 400, 400, 900, "Weight")],
        [{"location": {"wght": 900}, "stylename": "Black"}],
    )
    taller = [(0, 0), (0, 200), (0, 200), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]
    builder.setupGvar({"one": [TupleVariation({"wght": (0.0, 1.0, 1.0)}, taller)], ".notdef": []})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


@pytest.mark.parametrize(
    ("text", "path", "face", "instance"),
    [
        ("a/b.ttc#1", "a/b.ttc", "1", None),
        ("@scope/b.ttf@Bold", "@scope/b.ttf", "0", "Bold"),
        ("x#y/b.ttc#Name@600", "x#y/b.ttc", "Name", "600"),
        ("b.ttf", "b.ttf", "0", None),
    ],
)
def test_font_specs(text, path, face, instance):
    spec = FontSpec.parse(text)
    assert (str(spec.path), spec.face, spec.instance) == (path, face, instance)
    assert str(spec) == text


def test_the_first_characters_of_any_set_cover_components():
    gb2312, cover = load_charset("gb2312"), load_charset("components-500")
    first = pick_covering(gb2312, 60)
    assert first == "".join([char for char in cover if char in gb2312][:60])
    assert pick_covering("书法永", 5) == "书法永"  # all of them, as they were given
    mixed = pick_covering("龘" + cover[4] + "一" + cover[2], 3)
    assert mixed[:2] == cover[2] + cover[4] and len(mixed) == 3
