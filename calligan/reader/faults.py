"""Detect faults of a drawn glyph at full size, by comparison with its source glyph.

Each measure belongs to one fault. A glyph has the fault if the measure exceeds its limit. Nearly
all real glyphs of a hand are within the limits (`weights/faults.py`).
"""

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from contourpy import LineType
from PIL import Image, ImageDraw

from calligan.vector.contour import iso_lines

MEASURES = {  # measure to the fault that a large value means
    "speck_px2": "speck",  # area of isolated pieces of ink, of at most 9 px
    "pinhole_px2": "pinhole",  # area of isolated holes, of at most 9 px
    "outline_lost": "melted",  # largest loss of outline in a window, share of the source's outline
    "counters_lost": "melted",  # enclosed areas of paper: how many fewer than in the source
    "pieces_more": "broken",  # connected pieces of ink: how many more than in the source
    "ink_missing": "missing",  # share of the source's ink without ink near it
    "ink_stray": "stray",  # share of the ink without ink of the source near it
    "ink_thick": "blob",  # share of the ink that is deeper than this glyph's stroke width allows
}
Limits = Mapping[str, float]  # by measure
# Simple glyphs differ more from their source than dense ones, so each class has its own limits. A
# class is bounded by the length of the source's outline, in half-size pixels.
CLASSES_PX = (560, 700, 840, 1000)
SIMPLE = 2  # the first classes, of simple glyphs: 3 % of the characters of the bundle

_CANVAS_PX = 256  # the canvas that lengths and areas in pixels refer to
_HALF_PX = 128  # the canvas of all measures but specks and pinholes
_SPECK_SIZES_PX, _SPECK_RING_PX = (5, 9), 1  # maximum sizes, and the clear ring around a speck
_MIN_PIECE_PX2 = 60  # smaller areas do not count as pieces or counters
_MIN_COUNTER_PX2 = 9  # of a counter that is left when strokes are made bolder
_INK_BELOW = 128  # grey levels
_NEAR_PX = 12
_WINDOW_STEPS, _STEP_PX = 4, 8  # a window's edge; a step, in pixels of the half-size canvas
_MAX_DEPTH = 2.2  # in half-widths of a stroke


@dataclass(frozen=True)
class Shape:
    """What is measured of one glyph."""

    ink: np.ndarray  # uint8 (128, 128), 1 = ink
    outlined: np.ndarray  # length of outline in each window, half-size pixels
    length: int  # of the whole outline, half-size pixels
    pieces: int
    counters: int

    @classmethod
    def of(cls, image: np.ndarray) -> "Shape":
        """Measure a glyph, uint8 (S, S), 255 = paper."""
        half = np.asarray(Image.fromarray(image).resize((_HALF_PX,) * 2, Image.Resampling.BOX))
        ink = (half < 128).astype(np.uint8)
        edge = _edge_pixels(ink)
        areas = _areas_px2(half)
        return cls(
            ink,
            _window_sums(edge),
            int(edge.sum(dtype=int)),
            int((areas >= _MIN_PIECE_PX2).sum()),
            int((areas <= -_MIN_PIECE_PX2).sum()),
        )


def measured(image: np.ndarray, source: Shape) -> dict[str, float]:
    """All measures of a drawn glyph, uint8 (S, S), 255 = paper, against its source."""
    glyph, full = Shape.of(image), image < 128
    near = _NEAR_PX * _HALF_PX // _CANVAS_PX
    ink = max(1, int(glyph.ink.sum(dtype=int)))
    source_ink = max(1, int(source.ink.sum(dtype=int)))
    # A stroke's half-width is about its area over the length of its outline.
    deep = max(1, round(_MAX_DEPTH * ink / max(1, glyph.length)))
    lost = (source.outlined - glyph.outlined).max() / max(1, source.length)
    return {
        "speck_px2": _isolated_px2(full),
        "pinhole_px2": _isolated_px2(~full),
        "outline_lost": float(lost),
        "counters_lost": float(source.counters - glyph.counters),
        "pieces_more": float(glyph.pieces - source.pieces),
        "ink_missing": int((source.ink > _dilate(glyph.ink, near)).sum()) / source_ink,
        "ink_stray": int((glyph.ink > _dilate(source.ink, near)).sum()) / ink,
        "ink_thick": int((_dilate(1 - glyph.ink, deep) == 0).sum()) / ink,
    }


@dataclass(frozen=True)
class Findings:
    """What the detectors find in a drawn glyph."""

    faults: tuple[str, ...]  # each once
    loose: int = 0  # pieces more than the source, if that is simple: perhaps a stroke is broken


def detect(
    glyph: np.ndarray, source: Shape, limits: Sequence[Limits], most_pieces: int | None = None
) -> Findings:
    """Measure a drawn glyph, uint8 (S, S), 255 = paper; `limits` by the class of the source.

    A glyph in more than `most_pieces` pieces is broken.
    """
    found, of_class = measured(glyph, source), limits[class_of(source)]
    wrong = [MEASURES[name] for name, limit in of_class.items() if found[name] > limit]
    if most_pieces is not None and source.pieces + found["pieces_more"] > most_pieces:
        wrong.append(MEASURES["pieces_more"])
    more = max(0, int(found["pieces_more"])) if is_simple(source) else 0
    return Findings(tuple(dict.fromkeys(wrong)), more)


def counters_filled(plain: np.ndarray, bold: np.ndarray) -> int:
    """How many enclosed areas of paper of a glyph are ink in the same glyph with bolder strokes.

    Both are uint8 (S, S), 255 = paper.
    """
    scale, filled = _CANVAS_PX / len(plain), 0
    for line in iso_lines(255 - plain):
        x, y = line.T
        area = float(x[:-1] @ y[1:] - x[1:] @ y[:-1]) / 2 * scale**2
        if area > -_MIN_PIECE_PX2:
            continue
        inside = Image.new("1", plain.shape[::-1])
        ImageDraw.Draw(inside).polygon([tuple(point) for point in (line - 1).tolist()], fill=1)
        left = (bold >= _INK_BELOW) & np.asarray(inside)
        filled += int(left.sum()) * scale**2 < _MIN_COUNTER_PX2
    return filled


def class_of(source: Shape) -> int:
    """The class of a source glyph: 0, the simplest, to `len(CLASSES_PX)`."""
    return bisect(CLASSES_PX, source.length)


def is_simple(source: Shape) -> bool:
    """Whether a source glyph is of the simplest classes."""
    return class_of(source) < SIMPLE


def _edge_pixels(ink: np.ndarray) -> np.ndarray:
    """Pixels that differ from the one above or to the left, uint8."""
    edge = np.zeros_like(ink)
    edge[1:] = ink[1:] ^ ink[:-1]
    edge[:, 1:] |= ink[:, 1:] ^ ink[:, :-1]
    return edge


def _window_sums(edge: np.ndarray) -> np.ndarray:
    """The outline's length in overlapping square windows."""
    steps = _HALF_PX // _STEP_PX
    cells = edge.reshape(steps, _STEP_PX, steps, _STEP_PX).sum(axis=(1, 3), dtype=int)
    return _box_sums(cells, _WINDOW_STEPS)


def _box_sums(counts: np.ndarray, edge: int) -> np.ndarray:
    """Sums over all squares of an edge, (H - edge + 1, W - edge + 1), of the type of `counts`."""
    return _row_sums(_row_sums(counts, edge).T, edge).T


def _row_sums(counts: np.ndarray, length: int) -> np.ndarray:
    """Sums over `length` consecutive rows, added up from sums over 1, 2, 4 … rows."""
    kept = len(counts) - length + 1
    total, done, width = np.zeros_like(counts[:kept]), 0, 1
    while done < length:
        if length & width:
            total += counts[done : done + kept]
            done += width
        if done < length:
            counts, width = counts[:-width] + counts[width:], 2 * width
    return total


def _areas_px2(half: np.ndarray) -> np.ndarray:
    """Area that each contour encloses: positive around ink, negative around paper."""
    (points,), (starts,) = iso_lines(255 - half, LineType.ChunkCombinedOffset)
    if points is None:
        return np.empty(0)
    x, y = points.T
    sums = np.cumsum(np.concatenate([[0.0], x[:-1] * y[1:] - x[1:] * y[:-1]]))
    ends = starts.astype(int)
    areas: np.ndarray = (sums[ends[1:] - 1] - sums[ends[:-1]]) / 2
    return areas * (_CANVAS_PX / _HALF_PX) ** 2


def _isolated_px2(ink: np.ndarray) -> float:
    """Area of small isolated pieces of `ink`, bool (S, S), in pixels of the 256 px canvas."""
    scale = ink.shape[0] / _CANVAS_PX
    around = max(1, round(_SPECK_RING_PX * scale))
    found = np.zeros_like(ink)
    for extent in sorted({max(2, round(extent * scale)) for extent in _SPECK_SIZES_PX}):
        kind = np.uint8 if extent + 2 * around < 16 else np.uint16
        wide = _bordered(ink, around, kind)
        within = _box_sums(wide, extent)[around:-around, around:-around]
        alone = (within > 0) & (within == _box_sums(wide, extent + 2 * around))
        if alone.any():
            found |= _box_sums(_bordered(alone, extent - 1, kind), extent) > 0
    return float((ink & found).sum() / scale**2)


def _dilate(ink: np.ndarray, by_px: int) -> np.ndarray:
    """Dilate ink, uint8 (H, W), by a square of radius `by_px`: shifts that double in length."""
    by_px = min(by_px, len(ink))  # farther than the canvas there is nothing
    rows, wanted = _bordered(ink, by_px, np.uint8), 2 * by_px + 1
    for _ in range(2):
        width = 1
        while width < wanted:
            step = min(width, wanted - width)
            rows, width = np.maximum(rows[:-step], rows[step:]), width + step
        rows = rows.T
    return rows


def _bordered(image: np.ndarray, by_px: int, kind: type) -> np.ndarray:
    """An image with a border of zeros (np.pad takes ten times as long)."""
    wide = np.zeros((image.shape[0] + 2 * by_px, image.shape[1] + 2 * by_px), kind)
    wide[by_px:-by_px, by_px:-by_px] = image
    return wide
