"""What is read has bounds, checked before memory is taken."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from conftest import HAN, build_font
from fontTools.ttLib import TTFont

from calligan import limits
from calligan.config import RasterConfig
from calligan.errors import DataError
from calligan.glyphs.face import Face, FontSpec
from calligan.page.drawing import Page
from calligan.page.output import Look, save_pages
from calligan.pairs.handwriting import from_pictures


def font_with(path, boxes: dict[str, tuple], upem: int):
    """A font of HAN whose characters are boxes, in an em of so many units."""
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    build_font(path)
    font = TTFont(path)
    font["head"].unitsPerEm = upem
    for char, (x0, y0, x1, y1) in boxes.items():
        pen = TTGlyphPen(None)
        pen.moveTo((x0, y0))
        for point in ((x0, y1), (x1, y1), (x1, y0)):
            pen.lineTo(point)
        pen.closePath()
        font["glyf"][f"u{ord(char):04X}"] = pen.glyph()
    font.save(path)
    return path


def test_every_limit_of_the_table_is_used():
    package = Path(limits.__file__).parent
    text = "".join(p.read_text() for p in package.rglob("*.py") if p.name != "limits.py")
    unused = [name for name in vars(limits) if name.startswith("MAX_") and name not in text]
    assert not unused


TINY_BOX, HUGE_BOX = (0, 0, 8, 8), (-16000, -16000, 16000, 16000)
MEASURE = """
import resource, sys
from calligan import limits
from calligan.config import RasterConfig
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import measure_placement
from calligan.glyphs.raster import render_glyphs
from pathlib import Path
spec, before = FontSpec(Path(sys.argv[1])), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
place = measure_placement(Face(spec), sys.argv[2], RasterConfig())
glyphs = render_glyphs(spec, sys.argv[2], place, 0.001)
print(place.em_px, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource usage is POSIX")
@pytest.mark.parametrize("upem", [16, 1000, 16384])
def test_a_font_with_a_huge_em_takes_little_memory(tmp_path, upem):
    """Most characters are specks in their em, so that the em is drawn large; some fill many ems."""
    boxes = dict.fromkeys(HAN[:60], TINY_BOX) | dict.fromkeys(HAN[60:70], HUGE_BOX)
    path = font_with(tmp_path / "huge.ttf", boxes, upem)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, path, "".join(boxes)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    em_px, more_mb = map(float, done.stdout.split())
    assert em_px <= 8 * 128 and more_mb < 100


def test_a_glyph_beyond_any_canvas_is_not_drawn(tmp_path):
    path = font_with(tmp_path / "huge.ttf", {HAN[0]: HUGE_BOX}, 1000)
    face = Face(FontSpec(path))
    assert face.draw(face.glyph_index(HAN[0]), 500.0) is None  # 16,000 pixels square
    assert face.draw(face.glyph_index(HAN[1]), 500.0) is not None
    assert face.draw(face.glyph_index(HAN[0]), 50.0).ink.shape == (1600, 1600)


def test_specks_on_a_picture_are_not_drawn_large(tmp_path):
    image = np.full((256, 256), 255, np.uint8)
    image[100, 100] = 0
    made = from_pictures("hand", tmp_path, [("书", image)], RasterConfig())
    assert made.images.shape == (1, 128, 128) and made.entry.placement.em_px <= 8 * 128


@pytest.mark.parametrize("look", [Look(dpi=2400), Look(dpi=2400, grain=True)])
def test_a_picture_of_an_absurd_size_takes_no_memory(tmp_path, look):
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="pixels"):
            save_pages(tmp_path / "a.png", [Page(2000, 2000)], look)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert not list(tmp_path.iterdir())
