"""One character as ink in its cell, ready to be set on a page.

A cell is the model's square canvas at the page's size; the next cell begins a pitch further.
"""

import unicodedata
from dataclasses import dataclass

import numpy as np
from PIL import Image

from calligan.glyphs.face import Face
from calligan.glyphs.placement import PITCH, Placement
from calligan.glyphs.vertical import TO_CORNER, TURNED

_SPACE = 0.4  # a space's width, as a share of the pitch
_HAZE = 20  # of 255: fainter ink is what a network leaves on blank paper
_WIDE_SPACE = "\u3000"


@dataclass(frozen=True)
class Tile:
    """Ink coverage, uint8 (H, W), 255 = ink, its corner's offset in the cell, and the advance."""

    ink: np.ndarray
    x_px: int
    y_px: int
    advance_px: float


def glyph_tile(image: np.ndarray, size_px: int) -> Tile:
    """A glyph on its canvas, uint8 (S, S), 255 = paper, as a cell of `size_px`."""
    if image.shape[0] != size_px:
        resized = Image.fromarray(image).resize((size_px, size_px), Image.Resampling.LANCZOS)
        image = np.asarray(resized)
    ink = 255 - image
    return Tile(np.where(ink < _HAZE, 0, ink).astype(np.uint8), 0, 0, size_px * PITCH)


def space_tile(char: str, size_px: int) -> Tile:
    """An empty tile; the ideographic space is as wide as a character."""
    width = 1.0 if char == _WIDE_SPACE else _SPACE
    return Tile(np.zeros((0, 0), np.uint8), 0, 0, size_px * PITCH * width)


def box_tile(size_px: int) -> Tile:
    """An empty box: a character that could not be drawn."""
    edge, line = round(size_px * 0.7), max(1, size_px // 64)
    box = np.full((edge, edge), 255, np.uint8)
    box[line:-line, line:-line] = 0
    corner = (size_px - edge) // 2
    return Tile(box, corner, corner, size_px * PITCH)


def font_tile(face: Face, placement: Placement, char: str, vertical: bool) -> Tile:
    """A character from a font itself: punctuation, digits, letters.

    `placement` is the font's, at the page's size.
    """
    glyph = face.glyph_index(char)
    advance_em = face.advance_em(glyph)
    if vertical and (_is_wide(char) or glyph in face.vertical_forms):
        return _vertical_tile(face, placement, char, glyph)
    pitch = placement.size_px * PITCH
    advance = advance_em * pitch
    margin = (advance - advance_em * placement.em_px) / 2 + (placement.size_px - pitch) / 2
    bitmap = face.draw(glyph, placement.em_px)
    if bitmap is None:
        return Tile(np.zeros((0, 0), np.uint8), 0, 0, advance)
    x = round(margin) + bitmap.left_px
    y = round(placement.baseline_y_px) - bitmap.top_px
    if not vertical:
        return Tile(bitmap.ink, x, y, advance)
    turned_x = placement.size_px - y - bitmap.ink.shape[0]
    return Tile(np.rot90(bitmap.ink, -1), turned_x, x, advance)


def _is_wide(char: str) -> bool:
    """Whether a character has a square of its own (UAX 11), or is a mark that takes one."""
    return unicodedata.east_asian_width(char) in "WF" or char in TO_CORNER + TURNED


def _vertical_tile(face: Face, placement: Placement, char: str, glyph: int) -> Tile:
    """A character in a square: its vertical form, or turned or moved where there is none."""
    size = placement.size_px
    form = face.vertical_forms.get(glyph, glyph)
    drawn = placement.draw(face, form)
    if drawn is None:
        return space_tile(_WIDE_SPACE, size)
    tile = glyph_tile(drawn, size)
    if form != glyph:
        return tile
    if char in TURNED:
        return Tile(np.rot90(tile.ink, -1), 0, 0, tile.advance_px)
    if char in TO_CORNER:
        half = round(placement.em_px / 2)
        return Tile(tile.ink, half, -half, tile.advance_px)
    return tile
