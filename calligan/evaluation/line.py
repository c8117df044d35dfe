"""Quality of the outlines: figures of a drawn style's outlines, compared with the real ones.

Per glyph, on a canvas of 512 px (evaluation/contour_walk.py), whatever the image size:

- bends: reversals of the direction of turning by more than 6 degrees, after smoothing by 4 px;
  turning: the sum of absolute turning angles, in radians;
- pieces and counters: connected regions of ink, and of enclosed paper, without specks and pinholes;
  outlines: both together; specks and pinholes: regions of less than 64 square pixels (2 x 2 px on
  128 px);
- weight: the mean half-width of strokes along the skeleton, in thousandths of an em; spread: its
  standard deviation divided by the mean;
- cubics: segments of the outline, curves and lines, after `trace`;
- straying: deviation of long horizontal and vertical edges from straight lines, in em / 1000.

A style's figure is the sum over its characters, divided by that of the real glyphs. Specks and
pinholes are the difference from the font's own, per thousand glyphs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from calligan.config import TraceConfig
from calligan.evaluation.contour_walk import (
    SUPERSAMPLING,
    Shape,
    count_bends,
    measure_straying,
    shape_of,
    turning_angles,
)
from calligan.evaluation.interval import Estimate, difference, ratio
from calligan.evaluation.stroke_width import half_widths
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement
from calligan.glyphs.strokes import stroke_count
from calligan.vector.font import UPEM
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

MIN_DENSE_STROKES = 16  # of a dense character
RATIOS = (
    "bends",
    "turning",
    "outlines",
    "pieces",
    "counters",
    "weight",
    "spread",
    "cubics",
    "straying",
)
COUNTS = ("specks", "pinholes")
_MIN_STRAYING = 0.02  # em / 1000, of real edges that are not exact
_MIN_REAL_PX = 256  # image size from which the real glyphs are traced, at least


@dataclass(frozen=True)
class Line:
    """A style's figures: `drawn` and `real` hold, by name, a value for each of `chars`: (N,)."""

    chars: str
    drawn: dict[str, np.ndarray]
    real: dict[str, np.ndarray]

    def figure(self, name: str, dense: bool = False) -> Estimate | None:
        """One of RATIOS (drawn / real) or of COUNTS (drawn - real, per thousand glyphs).

        Of all characters, or of dense ones only. None where there is nothing to measure, or where
        the real edges are exact, so that nothing can be divided by how far they stray.
        """
        counts = [stroke_count(char) or 0 for char in self.chars]
        rows = np.array([not dense or count >= MIN_DENSE_STROKES for count in counts], bool)
        drawn, real = self.drawn[name][rows], self.real[name][rows]
        if name == "straying" and np.nansum(real) < _MIN_STRAYING * (~np.isnan(real)).sum():
            return None
        if name in RATIOS:
            return ratio(drawn, real)
        return difference(1000 * drawn, 1000 * real)

    def means(self, name: str) -> tuple[float, float]:
        """A figure's mean over drawn and over real glyphs, of characters where both have it."""
        drawn, real = self.drawn[name], self.real[name]
        there = ~np.isnan(drawn) & ~np.isnan(real)
        if not there.any():
            return float("nan"), float("nan")
        return float(drawn[there].mean()), float(real[there].mean())


def line_figures(
    drawn: Mapping[str, np.ndarray],
    face: Face,
    placement: Placement,
    config: TraceConfig | None = None,
) -> dict[str, float]:
    """All figures of `measure_line`, also for dense characters, by name; NaN if unmeasured.

    Also `straying drawn` and `straying real` in thousandths of an em.
    """
    line = measure_line(drawn, face, placement, config)
    found = {}
    for kind, dense in (("", False), ("dense ", True)):
        for name in (*RATIOS, *COUNTS):
            value = line.figure(name, dense)
            found[kind + name] = value.mean if value else float("nan")
    found["straying drawn"], found["straying real"] = line.means("straying")
    return found


def measure_line(
    drawn: Mapping[str, np.ndarray],
    face: Face,
    placement: Placement,
    config: TraceConfig | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> Line:
    """Trace glyph images, uint8 (S, S), 255 = paper, by character, and measure them and the face's.

    `placement` is the face's, on a canvas of any size. The images should be those that `export`
    traces: upscaled, where it upscales. Characters that the face lacks or draws blank are left out.
    A drawn glyph without ink counts as one without bends and pieces.
    """
    config = config or TraceConfig()
    chars, rows = [], []
    for char, image in drawn.items():
        real = real_outline(face, char)
        if real is not None:
            outline = trace(image, placement, UPEM, config)
            traced_px = max(_MIN_REAL_PX, image.shape[1])
            rows.append(
                (
                    glyph_figures(shape_of(outline, placement, UPEM), len(outline.contour)),
                    glyph_figures(
                        shape_of(real, placement, face.upem),
                        _cubics(face, char, placement.scaled(traced_px), TraceConfig()),
                    ),
                )
            )
            chars.append(char)
        progress(1)
    tables = [
        {name: np.array([pair[side][name] for pair in rows]) for name in (*RATIOS, *COUNTS)}
        for side in (0, 1)
    ]
    return Line("".join(chars), *tables)


def glyph_figures(shape: Shape, cubics: int) -> dict[str, float]:
    """One glyph's figures by name. Weight, spread and straying are NaN where undefined."""
    angles = [turning_angles(line) for line in shape.main_lines]
    widths = _half_widths(shape)
    mean = widths.mean() if len(widths) else np.nan
    pieces, counters = shape.count(1, small=False), shape.count(-1, small=False)
    return {
        "bends": sum(map(count_bends, angles)),
        "turning": float(sum(np.abs(turn).sum() for turn in angles)),
        "outlines": pieces + counters,
        "pieces": pieces,
        "counters": counters,
        "weight": float(1000 * mean / shape.em_px),
        "spread": float(widths.std() / mean) if len(widths) else np.nan,
        "cubics": cubics,
        "straying": measure_straying(shape),
        "specks": shape.count(1, small=True),
        "pinholes": shape.count(-1, small=True),
    }


def real_outline(face: Face, char: str) -> Outline | None:
    """The font's outline of a character, in its units; None where it has no ink."""
    glyph = face.glyph_index(char)
    if not glyph:
        return None
    outline = Outline.from_drawing(_FaceDrawing(face, glyph))
    return outline if len(outline.contour) else None


class _FaceDrawing:
    """Adapter from a glyph of a font to the interface that `Outline.of` takes."""

    def __init__(self, face: Face, glyph: int):
        self.draw = lambda pen: face.draw_outline(glyph, pen)


def _cubics(face: Face, char: str, placement: Placement, config: TraceConfig) -> int:
    image = placement.draw(face, face.glyph_index(char))
    return 0 if image is None else len(trace(image, placement, UPEM, config).contour)


def _half_widths(shape: Shape) -> np.ndarray:
    """Half-widths of strokes, in pixels of the canvas, at whose resolution they are measured."""
    height, width = shape.ink.shape
    k = SUPERSAMPLING
    padded = np.pad(shape.ink, ((0, -height % k), (0, -width % k))).astype(np.float32)
    blocks = padded.reshape(padded.shape[0] // k, k, padded.shape[1] // k, k)
    return half_widths(blocks.mean(axis=(1, 3)) >= 127.5, list(shape.main_lines))
