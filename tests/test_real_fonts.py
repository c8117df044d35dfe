"""On the catalog's own fonts, where they are fetched (`make fonts`)."""

import pytest
from conftest import save_inked
from PIL import Image

from calligan.config import RasterConfig
from calligan.glyphs.catalog import load_catalog
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import measure_placement
from calligan.glyphs.raster import render_glyphs
from calligan.storage import sha256_file

pytestmark = pytest.mark.real_fonts

CATALOG = load_catalog()
DEMO = [
    "lxgw-wenkai",
    "ma-shan-zheng",
    "zhi-mang-xing",
    "liu-jian-mao-cao",
    "long-cang",
    "zcool-xiaowei",
]


def need(name):
    font = CATALOG[name]
    if not font.fetched:
        pytest.skip(f"{name} is not fetched; run `make fonts` or `calligan fonts fetch {name}`")
    return font


@pytest.mark.parametrize("name", CATALOG)
def test_coverage_by_ink_is_what_the_catalog_says(name):
    font = need(name)
    assert sha256_file(font.path) in {package.sha256 for package in font.packages}
    assert (font.folder / "LICENCE.txt").stat().st_size > 100
    spec = FontSpec(font.path, str(font.packages[0].face))
    chars = load_charset("gb2312")
    placement = measure_placement(Face(spec), chars, RasterConfig(size_px=64))
    glyphs = render_glyphs(spec, chars, placement, min_ink=0.0001)
    with_ink = len(glyphs.chars) + len(glyphs.left_out["clipped"])
    assert with_ink == font.gb2312_ink


@pytest.mark.parametrize("name", DEMO)
def test_hardly_a_glyph_is_clipped(name):
    font = need(name)
    spec = FontSpec(font.path)
    chars = load_charset("gb2312-1")
    placement = measure_placement(Face(spec), chars, RasterConfig())
    glyphs = render_glyphs(spec, chars, placement, RasterConfig().min_ink)
    assert len(glyphs.left_out["clipped"]) <= 0.003 * len(chars)
    assert not glyphs.left_out["notdef"]


def test_vertical_punctuation_of_a_real_font():
    font = need("lxgw-wenkai")
    face = Face(FontSpec(font.path))
    placement = measure_placement(face, load_charset("gb2312-1"), RasterConfig())
    forms = face.vertical_forms
    moved = [c for c in "，。（「" if face.glyph_index(c) in forms]
    assert moved, "the font has vertical forms"
    for char in moved:
        glyph = face.glyph_index(char)
        flat = placement.draw(face, glyph)
        upright = placement.draw(face, forms[glyph])
        assert (flat != upright).any(), char


def test_the_three_commands_on_real_fonts(calligan, tiny_settings, tmp_path):
    for name in DEMO[:3]:
        need(name)
    data = ["--data", tmp_path / "data"]
    charset = ["--charset", "components-500", "--size", 32]
    done = calligan("render-pairs", *DEMO[:3], *data, *charset)
    assert done.returncode == 0, done.stderr
    runs = ["--runs", tmp_path / "runs"]
    done = calligan("train", "--styles", 2, "--steps", 4, *data, *runs, *tiny_settings)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out.png"
    best = tmp_path / "runs" / "0001" / "best.safetensors"
    model = save_inked(best, tmp_path / "inked.safetensors")  # four steps draw nothing yet
    options = ["--style", "zhi-mang-xing", "--model", model, "-o", out]
    done = calligan("infer", "永和九年，岁在癸丑。", "--vertical", *options)
    assert done.returncode == 0, done.stderr
    assert Image.open(out).height > 8 * 32
