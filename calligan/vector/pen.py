"""Redraw a glyph with a pen of even width: its centre lines, straight or smooth, as strokes.

A network bends the edges of strokes that a pen draws straight, and lets them swell. For hands
whose strokes all have one width, the lines of the skeleton say where the pen went; drawn again,
both edges of a stroke are parallel. Other hands would lose what makes them.
"""

import itertools
from collections.abc import Iterable

import numpy as np

from calligan.vector.centre_lines import ROUND, SHARP, Corners, centre_lines
from calligan.vector.skeleton import skeleton_of

# Corners: as sharp as the pen allows, or as round as they are.
CORNERS: dict[str, tuple[Corners, ...]] = {"sharp": SHARP, "round": ROUND}
MIN_SIZE_PX = 128
_TOLERANCE = 0.00625  # how far a line may be from the skeleton: a share of the canvas
_MIN_HALF_WIDTH_PX = 1.5
_MAX_SPREAD = 0.25  # of the strokes' widths, ends and junctions included
_MAX_PEN_SPREAD = 0.12  # the same, of the median glyph of a hand that was written with a pen
_MAX_PEN_DIFFERENCE = 0.055  # of the real glyphs' ink, between them and what the pen draws
_MIN_INK_PX = 20
_MIN_SAME = 0.7  # intersection over union of the ink before and after, or the glyph stays
_MARGIN_PX = 2  # around a stroke


def pen_of(images: Iterable[np.ndarray]) -> str:
    """The pen that draws real glyphs, uint8 (S, S), nearly as they are; "" if none does."""
    glyphs = [each for each in images if len(each) >= MIN_SIZE_PX and (each < 128).any()]
    if not glyphs:
        return ""
    if np.median([skeleton_of(glyph < 128).spread for glyph in glyphs]) > _MAX_PEN_SPREAD:
        return ""
    ink = sum(float((255 - glyph.astype(np.float32)).sum()) for glyph in glyphs)
    off = {}
    for pen in CORNERS:
        each = (np.abs(redraw(glyph, pen).astype(np.float32) - glyph).sum() for glyph in glyphs)
        off[pen] = float(sum(each)) / ink
    best = min(off, key=lambda pen: off[pen])
    return best if off[best] < _MAX_PEN_DIFFERENCE else ""


def redraw(image: np.ndarray, pen: str) -> np.ndarray:
    """A glyph uint8 (S, S), 255 = paper, redrawn; the same image if no pen can have drawn it."""
    size_px = image.shape[0]
    ink = image < 128
    if size_px < MIN_SIZE_PX or ink.sum() < _MIN_INK_PX:
        return image
    skeleton = skeleton_of(ink)
    half_width_px = skeleton.half_width_px
    if half_width_px < _MIN_HALF_WIDTH_PX or skeleton.spread > _MAX_SPREAD:
        return image
    covered = 1 - image.astype(np.float32) / 255
    tolerance_px = _TOLERANCE * size_px
    lines = centre_lines(skeleton, covered, tolerance_px, CORNERS[pen])
    if not lines:
        return image
    drawn = _drawn(lines, half_width_px, size_px)
    # A second time, so that the glyph has as much ink as before.
    half_width_px *= float(covered.sum()) / max(1.0, float(drawn.sum()))
    drawn = _drawn(lines, half_width_px, size_px)
    there = drawn >= 0.5
    if (ink & there).sum() < _MIN_SAME * (ink | there).sum():
        return image
    return np.asarray(np.round(255 * (1 - drawn)), np.uint8)


def _drawn(lines: list[np.ndarray], half_width_px: float, size_px: int) -> np.ndarray:
    """Coverage (S, S), 0 to 1, of strokes with round ends along lines (K, 2) in pixels."""
    inside = np.full((size_px, size_px), -1.0)  # pixels from the nearest edge, in the ink
    reach = half_width_px + _MARGIN_PX
    for line in lines:
        points = line if len(line) > 1 else np.concatenate([line, line])
        for a, b in itertools.pairwise(points):
            low = np.maximum(0, np.floor(np.minimum(a, b) - reach)).astype(int)
            high = np.minimum(size_px, np.ceil(np.maximum(a, b) + reach) + 1).astype(int)
            x = np.arange(low[0], high[0])[None] + 0.5 - a[0]
            y = np.arange(low[1], high[1])[:, None] + 0.5 - a[1]
            dx, dy = b - a
            share = np.clip((x * dx + y * dy) / max(1e-9, dx * dx + dy * dy), 0, 1)
            window = inside[low[1] : high[1], low[0] : high[0]]
            depth = half_width_px - np.hypot(x - share * dx, y - share * dy)
            np.maximum(window, depth, out=window)
    coverage: np.ndarray = np.clip(inside + 0.5, 0, 1)
    return coverage
