"""Sheets to write on: cells with guides, a small grey model above each, markers and a code."""

from collections.abc import Callable, Mapping

import numpy as np

from calligan.config import RasterConfig
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face
from calligan.glyphs.placement import measure_placement
from calligan.page.drawing import Mark, Page, joined, rectangle
from calligan.page.flow import Letter, moved, set_line
from calligan.page.practice import cell
from calligan.scan.opencv import opencv
from calligan.scan.sheet import MARKER_MM, QR_MM, STRIP_MM, Sheet
from calligan.vector.borrow import Lettering
from calligan.vector.font import UPEM, Blank
from calligan.vector.outline import Outline

GUIDE = "#f3c1bb"  # pale red: photographed, it stays far lighter than any ink
_MODEL, _BLACK = "#8c8c8c", "#000000"
_QUIET = 4  # modules of white round a QR code
_MODEL_SHARE = 0.86  # of the strip


def template_page(sheet: Sheet, letters: Mapping[str, Letter], foot: str, grid: str) -> Page:
    """A page to print. `foot` is a line of text whose letters are among `letters`."""
    page = Page(*sheet.size_mm)
    guides = cell(grid, 0, 0, sheet.cell_mm)
    for index, char in enumerate(sheet.chars):
        x, y = sheet.cell(index)
        page.marks.append(moved(Mark(guides, np.eye(2, 3), GUIDE), x, y))
        size = STRIP_MM * _MODEL_SHARE
        marks, _ = set_line(char, letters, "horizontal", size, 0, _MODEL, np.eye(2, 3)[None])
        page.marks += [moved(mark, x, y - size - 0.4) for mark in marks]
    for number, (x, y) in enumerate(sheet.markers()):
        page.marks.append(moved(Mark(_marker(number), np.eye(2, 3), _BLACK), x, y))
    page.marks.append(moved(Mark(_qr(sheet.code()), np.eye(2, 3), _BLACK), *sheet.qr()))
    vary = np.repeat(np.eye(2, 3)[None], len(foot) + 1, axis=0)
    marks, _ = set_line(foot, letters, "horizontal", 3.2, 0, _MODEL, vary)
    x, y = sheet.markers()[3]
    page.marks += [moved(mark, x + MARKER_MM + 4, y + MARKER_MM - 3.6) for mark in marks]
    return page


def _marker(number: int) -> Outline:
    """An ArUco marker of MARKER_MM."""
    cv2 = opencv()
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    return _modules(cv2.aruco.generateImageMarker(dictionary, number, 6), MARKER_MM / 6, 0)


def _qr(text: str) -> Outline:
    """A QR code of QR_MM with its quiet zone."""
    cv2 = opencv()
    settings = cv2.QRCodeEncoder_Params()
    settings.mode = cv2.QRCodeEncoder_MODE_ALPHANUMERIC
    settings.correction_level = cv2.QRCodeEncoder_CORRECT_LEVEL_M
    modules = cv2.QRCodeEncoder.create(settings).encode(text)
    rows, columns = (
        np.flatnonzero((modules == 0).any(axis=1)),
        np.flatnonzero((modules == 0).any(axis=0)),
    )
    bare = modules[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _modules(bare, QR_MM / (len(bare) + 2 * _QUIET), _QUIET)


def _modules(picture: np.ndarray, side_mm: float, margin: int) -> Outline:
    """Black modules of a code as rectangles, those beside each other in one."""
    bars = []
    for row, line in enumerate(picture):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], (line == 0).astype(int), [0]])))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            corner = ((start + margin) * side_mm, (row + margin) * side_mm)
            bars.append(rectangle(*corner, (end - start) * side_mm, side_mm * 1.01))
    return joined(bars)


def font_letters(font: str, chars: str) -> tuple[dict[str, Letter], str]:
    """Characters of a font, ready to be set, and those that it lacks (as empty letters)."""
    face = Face(resolve_font(font).spec)
    placement = measure_placement(face, load_charset("components-500"), RasterConfig())
    letters, lacking = {}, ""
    for char in dict.fromkeys(chars):
        glyphs = list(Lettering(face, placement).glyph(char)) if face.glyph_index(char) else []
        outline = Outline.of(glyphs[0].drawing if glyphs else Blank())
        advance = glyphs[0].advance_upem / UPEM if glyphs else 1.0
        letters[char] = Letter(char, outline, advance)
        lacking += "" if glyphs or char.isspace() else char
    return letters, lacking


def font_image(font: str, size_px: int) -> Callable[[str], np.ndarray | None]:
    """A function from a character to its picture by a font: uint8 (S, S), 255 = paper."""
    face = Face(resolve_font(font).spec)
    config = RasterConfig(size_px=size_px)
    placement = measure_placement(face, load_charset("components-500"), config)

    def draw(char: str) -> np.ndarray | None:
        glyph = face.glyph_index(char)
        return placement.draw(face, glyph) if glyph else None

    return draw
