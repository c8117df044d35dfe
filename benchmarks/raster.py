"""Time of rasterizing, compared with FreeType alone on the same glyphs in the same run.

    python benchmarks/raster.py [FONT] [--charset gb2312]

FreeType alone loads and renders each glyph and copies its bitmap; calligan also places it on the
canvas, checks for blanks, .notdef and clipping, and stacks the images. One process, one thread.
"""

import argparse
import ctypes
import statistics
import time

import freetype
from freetype import raw as ft

from calligan.config import RasterConfig
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face
from calligan.glyphs.placement import measure_placement
from calligan.glyphs.raster import render_glyphs

FLAGS = freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP


def time_freetype(path: str, em_px: float, chars: str) -> float:
    """The seconds that FreeType alone takes."""
    face = freetype.Face(path)
    face.set_char_size(0, round(em_px * 64), 72, 72)
    start = time.perf_counter()
    for char in chars:
        ft.FT_Load_Glyph(face._FT_Face, face.get_char_index(ord(char)), FLAGS)
        bitmap = face._FT_Face.contents.glyph.contents.bitmap
        ctypes.string_at(bitmap.buffer, bitmap.rows * bitmap.pitch)
    return time.perf_counter() - start


def main() -> None:
    """Print the median ratio over several rounds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("font", nargs="?", default="ma-shan-zheng")
    parser.add_argument("--charset", default="gb2312")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    spec, chars = resolve_font(options.font).spec, load_charset(options.charset)
    config = RasterConfig()
    placement = measure_placement(Face(spec), chars, config)
    ratios, ours_ms, bare_ms = [], [], []
    for _ in range(options.rounds):
        start = time.perf_counter()
        render_glyphs(spec, chars, placement, config.min_ink)
        ours = time.perf_counter() - start
        freetype_alone = time_freetype(str(spec.path), placement.em_px, chars)
        ratios.append(ours / freetype_alone)
        ours_ms.append(ours / len(chars) * 1e3)
        bare_ms.append(freetype_alone / len(chars) * 1e3)
    print(
        f"{spec.path.name}, {len(chars)} glyphs at {config.size_px} px: "
        f"calligan {statistics.median(ours_ms):.3f} ms a glyph, "
        f"FreeType {statistics.median(bare_ms):.3f} ms, "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
