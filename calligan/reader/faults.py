"""What is wrong with a finished glyph at its full size, beside its source: a detector a fault.

Each measures one thing, and a glyph has the fault where it measures more than a limit. Limits are
what nearly all real glyphs of a hand stay within (`weights/faults.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from contourpy import LineType, contour_generator
from PIL import Image

from calligan.resources import data_folder
from calligan.storage import read_json

MEASURES = {  # and the fault that a large one tells of
    "speck_px2": "speck",  # ink of pieces within 9 px that stand alone
    "pinhole_px2": "pinhole",  # paper of such holes
    "outline_lost": "melted",  # of the source's outline, the most that one window lacks
    "counters_lost": "melted",  # enclosed paper, in pieces, fewer than the source has
    "pieces_more": "broken",  # connected ink, in pieces, beyond the source's
    "ink_missing": "missing",  # share of the source's ink with none near it
    "ink_stray": "stray",  # share of the ink with none of the source's near it
    "ink_thick": "blob",  # share of the ink that lies deeper than strokes of this glyph do
}
Limits = Mapping[str, float]  # by measure

_CANVAS_PX = 256  # what pixels are counted on
_HALF_PX = 128  # what all but specks and pinholes are looked at
_SMALL_PX, _AROUND_PX = (5, 9), 1  # a speck's largest extents, and the clear ring around it
_PIECE_PX2 = 60  # what is smaller is no piece and no counter
_NEAR_PX = 12
_WINDOW, _STEP = 4, 8  # a window's edge in steps, and a step in pixels of the half size
_READS_WELL = 0.5  # a score
_DEEP = 2.2  # half-widths of a stroke


@dataclass(frozen=True)
class Shape:
    """What is looked at of one glyph."""

    ink: np.ndarray  # uint8 (128, 128), 1 = ink
    outlined: np.ndarray  # outline in each window, half-size pixels
    length: int  # of the outline, likewise
    pieces: int
    counters: int

    @classmethod
    def of(cls, image: np.ndarray) -> "Shape":
        """A glyph, uint8 (S, S), 255 = paper."""
        half = np.asarray(Image.fromarray(image).resize((_HALF_PX,) * 2, Image.Resampling.BOX))
        ink = (half < 128).astype(np.uint8)
        edge = _edges(ink)
        areas = _areas_px2(half)
        return cls(
            ink,
            _windows(edge),
            int(edge.sum(dtype=int)),
            int((areas >= _PIECE_PX2).sum()),
            int((areas <= -_PIECE_PX2).sum()),
        )


def measured(image: np.ndarray, source: Shape) -> dict[str, float]:
    """Every measure of a drawn glyph, uint8 (S, S), 255 = paper, beside its source."""
    glyph, full = Shape.of(image), image < 128
    near = _NEAR_PX * _HALF_PX // _CANVAS_PX
    ink, asked = max(1, int(glyph.ink.sum(dtype=int))), max(1, int(source.ink.sum(dtype=int)))
    deep = max(1, round(_DEEP * ink / max(1, glyph.length)))
    lost = (source.outlined - glyph.outlined).max() / max(1, source.length)
    return {
        "speck_px2": _alone_px2(full),
        "pinhole_px2": _alone_px2(~full),
        "outline_lost": float(lost),
        "counters_lost": float(source.counters - glyph.counters),
        "pieces_more": float(glyph.pieces - source.pieces),
        "ink_missing": int((source.ink > _grown(glyph.ink, near)).sum()) / asked,
        "ink_stray": int((glyph.ink > _grown(source.ink, near)).sum()) / ink,
        "ink_thick": int((_grown(1 - glyph.ink, deep) == 0).sum()) / ink,
    }


def faults(glyph: np.ndarray, source: Shape, limits: Limits) -> tuple[str, ...]:
    """What is wrong with a drawn glyph, uint8 (S, S), 255 = paper; each fault once."""
    found = measured(glyph, source)
    wrong = (MEASURES[name] for name, limit in limits.items() if found[name] > limit)
    return tuple(dict.fromkeys(wrong))


@dataclass(frozen=True)
class Calibration:
    """Limits by hand of the catalog, by script, and "" for any; and scores of the reader.

    `least_scores` are what 99 in 100 real glyphs of a hand reach, `floors` what all but 1 in 1,000
    of a script do ("" for any script but the cursive one).
    """

    limits: Mapping[str, Limits]
    least_scores: Mapping[str, float]
    floors: Mapping[str, float]
    reader: str  # the reader's name

    def limits_of(self, script: str, hand: str = "") -> Limits:
        """A hand's, or else its script's."""
        known = (name for name in (hand or script, script, "") if name in self.limits)
        return self.limits[next(known)]

    def floor_of(self, script: str, scores: np.ndarray) -> float:
        """What hardly a real glyph of a script scores less than.

        Where no script is told, scores (N,) of the set tell: if half of it reads well it is not in
        the cursive one, whose real glyphs may score next to nothing.
        """
        if script not in self.floors or not script:
            script = (
                ""
                if np.nanmedian(scores) >= _READS_WELL
                else min(self.floors, key=lambda name: self.floors[name])
            )
        return self.floors[script]


@cache
def shipped() -> Calibration | None:
    """What ships with calligan, if it does."""
    path = calibration_path()
    return Calibration(**_read(path)) if path.is_file() else None


def calibration_path() -> Path:
    """Where `weights/faults.py` puts it."""
    return data_folder("weights") / "faults.json"


def _read(path: Path) -> dict[str, Any]:
    told = read_json(path)
    return {name: told[name] for name in ("limits", "least_scores", "floors", "reader")}


def _edges(ink: np.ndarray) -> np.ndarray:
    """Pixels that differ from the one above or to the left, uint8."""
    edge = np.zeros_like(ink)
    edge[1:] = ink[1:] ^ ink[:-1]
    edge[:, 1:] |= ink[:, 1:] ^ ink[:, :-1]
    return edge


def _windows(edge: np.ndarray) -> np.ndarray:
    """Sums over overlapping square windows."""
    steps = _HALF_PX // _STEP
    cells = edge.reshape(steps, _STEP, steps, _STEP).sum(axis=(1, 3), dtype=int)
    return _boxes(cells, _WINDOW)


def _boxes(counts: np.ndarray, edge: int) -> np.ndarray:
    """Sums over every square of that edge, (H - edge + 1, W - edge + 1), in the counts' type."""
    for axis in (0, 1):
        counts = _runs(np.moveaxis(counts, axis, 0), edge)
        counts = np.moveaxis(counts, 0, axis)
    return counts


def _runs(counts: np.ndarray, length: int) -> np.ndarray:
    """Sums over so many rows in sequence: of sums over 1, 2, 4 … rows."""
    kept = len(counts) - length + 1
    total, done, width = np.zeros_like(counts[:kept]), 0, 1
    while done < length:
        if length & width:
            total += counts[done : done + kept]
            done += width
        counts, width = counts[:-width] + counts[width:], 2 * width
    return total


def _areas_px2(half: np.ndarray) -> np.ndarray:
    """What each ring of the outline encloses: positive around ink, negative around paper."""
    field = np.pad(255 - half, 1).astype(np.float64)
    drawn = contour_generator(z=field, line_type=LineType.ChunkCombinedOffset).lines(127.5)
    (points,), (starts,) = cast("tuple[list[np.ndarray], list[np.ndarray]]", drawn)
    if points is None:
        return np.empty(0)
    x, y = points.T
    sums = np.cumsum(np.concatenate([[0.0], x[:-1] * y[1:] - x[1:] * y[:-1]]))
    ends = starts.astype(int)
    areas: np.ndarray = (sums[ends[1:] - 1] - sums[ends[:-1]]) / 2
    return areas * (_CANVAS_PX / _HALF_PX) ** 2


def _alone_px2(ink: np.ndarray) -> float:
    """Square pixels of small pieces of `ink`, bool (S, S), with a clear ring around them."""
    scale = ink.shape[0] / _CANVAS_PX
    around = max(1, round(_AROUND_PX * scale))
    found = np.zeros_like(ink)
    for extent in sorted({max(2, round(extent * scale)) for extent in _SMALL_PX}):
        wide = np.pad(ink, around).astype(np.uint8 if extent + 2 * around < 16 else np.uint16)
        within = _boxes(wide, extent)[around:-around, around:-around]
        alone = (within > 0) & (within == _boxes(wide, extent + 2 * around))
        if alone.any():
            found |= _boxes(np.pad(alone, extent - 1).astype(wide.dtype), extent) > 0
    return float((ink & found).sum() / scale**2)


def _grown(ink: np.ndarray, by_px: int) -> np.ndarray:
    """Ink, uint8 (H, W), grown by a square of that reach: shifts of double the length each time."""
    for axis in (0, 1):
        rows = np.moveaxis(ink, axis, 0)
        rows = np.pad(rows, ((by_px, by_px), (0, 0)))
        width, wanted = 1, 2 * by_px + 1
        while width < wanted:
            step = min(width, wanted - width)
            rows, width = np.maximum(rows[:-step], rows[step:]), width + step
        ink = np.moveaxis(rows, 0, axis)
    return ink
