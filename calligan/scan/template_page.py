"""Draw template pages: cells with guides, a small grey model above each, markers, a QR code."""

from collections.abc import Mapping

import numpy as np
import segno

from calligan.config import RasterConfig
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face
from calligan.glyphs.placement import measure_placement
from calligan.page.drawing import Mark, Page, joined, rectangle
from calligan.page.flow import Letter, moved, set_line
from calligan.page.practice import cell
from calligan.scan.template_sheet import MARKER_MM, QR_MM, STRIP_MM, TemplateSheet
from calligan.vector.borrow import Lettering
from calligan.vector.font import UPEM, Blank
from calligan.vector.outline import Outline

GUIDE = "#f3c1bb"  # pale red: in the red channel of a photograph it is as light as paper
_MODEL, _BLACK = "#8c8c8c", "#000000"
# The first four markers of OpenCV's DICT_4X4_50, row by row: one for each corner.
_MARKERS = (".#..#.#.##..##.#", "####.....##..#.#", "##..##..##.#..#.", ".##..##.#.###..#")
_QUIET_MODULES = 4  # white modules around a QR code
_MODEL_SHARE = 0.86  # size of a model character, as a share of the strip's height


def template_page(
    sheet: TemplateSheet, letters: Mapping[str, Letter], foot: str, grid: str
) -> Page:
    """A page to print. `foot` is a line of text; `letters` contain its characters too."""
    page = Page(*sheet.size_mm)
    guides = cell(grid, 0, 0, sheet.cell_mm)
    for index, char in enumerate(sheet.chars):
        x, y = sheet.cell_origin_mm(index)
        page.marks.append(moved(Mark(guides, np.eye(2, 3), GUIDE), x, y))
        size = STRIP_MM * _MODEL_SHARE
        marks, _ = set_line(char, letters, "horizontal", size, 0, _MODEL, np.eye(2, 3)[None])
        page.marks += [moved(mark, x, y - size - 0.4) for mark in marks]
    for number, (x, y) in enumerate(sheet.marker_origins_mm()):
        page.marks.append(moved(Mark(_draw_marker(number), np.eye(2, 3), _BLACK), x, y))
    code = Mark(_draw_qr(sheet.code()), np.eye(2, 3), _BLACK)
    page.marks.append(moved(code, *sheet.qr_origin_mm()))
    vary = np.repeat(np.eye(2, 3)[None], len(foot) + 1, axis=0)
    marks, _ = set_line(foot, letters, "horizontal", 3.2, 0, _MODEL, vary)
    x, y = sheet.marker_origins_mm()[3]
    page.marks += [moved(mark, x + MARKER_MM + 4, y + MARKER_MM - 3.6) for mark in marks]
    return page


def _draw_marker(number: int) -> Outline:
    """An ArUco marker, MARKER_MM wide: its bits in a black frame of one module."""
    bits = np.frombuffer(_MARKERS[number].encode(), np.uint8) == ord("#")
    return _draw_modules(np.pad(bits.reshape(4, 4), 1, constant_values=True), MARKER_MM / 6, 0)


def _draw_qr(text: str) -> Outline:
    """A QR code, QR_MM wide with its quiet zone."""
    code = segno.make_qr(text, error="m", mode="alphanumeric", boost_error=False)
    black = np.array([list(row) for row in code.matrix]) == 1
    return _draw_modules(black, QR_MM / (len(black) + 2 * _QUIET_MODULES), _QUIET_MODULES)


def _draw_modules(black: np.ndarray, side_mm: float, margin: int) -> Outline:
    """Black modules of a code, bool (N, N), as rectangles; runs in a row share one rectangle."""
    bars = []
    for row, line in enumerate(black):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            corner = ((start + margin) * side_mm, (row + margin) * side_mm)
            bars.append(rectangle(*corner, (end - start) * side_mm, side_mm * 1.01))
    return joined(bars)


def font_letters(font: str, chars: str) -> tuple[dict[str, Letter], str]:
    """Letters of a font by character, and the characters it lacks, which get empty letters."""
    face = Face(resolve_font(font).spec)
    placement = measure_placement(face, load_charset("components-500"), RasterConfig())
    letters, lacking = {}, ""
    for char in dict.fromkeys(chars):
        glyphs = list(Lettering(face, placement).glyph(char)) if face.glyph_index(char) else []
        outline = Outline.from_drawing(glyphs[0].drawing if glyphs else Blank())
        advance = glyphs[0].advance_upem / UPEM if glyphs else 1.0
        letters[char] = Letter(char, outline, advance)
        lacking += "" if glyphs or char.isspace() else char
    return letters, lacking
