"""The quality of the line: what a drawn hand's outlines are like beside the real ones.

Per glyph, on a canvas of 512 px (evaluation/walk.py), whatever the image size:

- bends: how often its outlines, smoothed along themselves by 4 px, turn to and fro by more than
  6 degrees; turning: the sum of how much they turn, in radians;
- pieces and counters: connected ink, and paper enclosed by it, that are no specks and pinholes,
  and outlines, both together; specks and pinholes: those of less than 64 square pixels (2 x 2 px
  on 128 px);
- weight: the mean half-width of strokes along the skeleton, in thousandths of an em; spread: its
  standard deviation over that mean;
- cubics: pieces of the outline, curves and lines, after `trace`;
- straying: of long level and upright edges from straight, in thousandths of an em.

A hand's figure is the sum over its characters over the same of the real glyphs; specks and pinholes
are in a thousand glyphs beyond the font's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from calligan.config import TraceConfig
from calligan.evaluation.interval import Estimate, difference, ratio
from calligan.evaluation.skeleton import half_widths
from calligan.evaluation.walk import FINER, Shape, bends, shape_of, straying, turns
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement
from calligan.glyphs.strokes import stroke_count
from calligan.vector.font import UPEM
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

DENSE = 16  # strokes of a dense character, and more
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
_REAL_PX = 256  # the real glyphs are traced, for their cubics, from no fewer pixels


@dataclass(frozen=True)
class Line:
    """A hand's figures: `drawn` and `real` hold, by name, a number for each of `chars`: (N,)."""

    chars: str
    drawn: dict[str, np.ndarray]
    real: dict[str, np.ndarray]

    def figure(self, name: str, dense: bool = False) -> Estimate | None:
        """One of RATIOS, drawn over real, or of COUNTS, in a thousand glyphs beyond the real ones.

        Of all characters, or of dense ones. None where there is nothing to measure.
        """
        rows = np.array([not dense or (stroke_count(c) or 0) >= DENSE for c in self.chars], bool)
        drawn, real = self.drawn[name][rows], self.real[name][rows]
        if name in RATIOS:
            return ratio(drawn, real)
        return difference(1000 * drawn, 1000 * real)

    def means(self, name: str) -> tuple[float, float]:
        """A figure's mean over drawn and over real glyphs, where both have it."""
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
    """Every figure of `measure_line`, and of its dense characters, by name; NaN if unmeasured.

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
    """Glyph images, uint8 (S, S), 255 = paper, by character, traced and measured beside the face's.

    `placement` is the face's on the canvas that the images show, of whatever size. The images
    should be what `export` traces: enlarged, where it enlarges. Characters that the face lacks or
    draws blank are left out; a drawn glyph without ink counts, as one without bends and pieces.
    """
    config = config or TraceConfig()
    chars, rows = [], []
    for char, image in drawn.items():
        real = real_outline(face, char)
        if real is not None:
            outline = trace(image, placement, UPEM, config)
            traced_px = max(_REAL_PX, image.shape[1])
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
    """One glyph's figures by name. Weight, spread and straying are NaN where there is none."""
    walked = [turns(line) for line in shape.whole]
    widths = _half_widths(shape)
    mean = widths.mean() if len(widths) else np.nan
    pieces, counters = shape.count(1, small=False), shape.count(-1, small=False)
    return {
        "bends": sum(map(bends, walked)),
        "turning": float(sum(np.abs(turn).sum() for turn in walked)),
        "outlines": pieces + counters,
        "pieces": pieces,
        "counters": counters,
        "weight": float(1000 * mean / shape.em_px),
        "spread": float(widths.std() / mean) if len(widths) else np.nan,
        "cubics": cubics,
        "straying": straying(shape),
        "specks": shape.count(1, small=True),
        "pinholes": shape.count(-1, small=True),
    }


def real_outline(face: Face, char: str) -> Outline | None:
    """A character as its font draws it, in the font's units; None where it has no ink."""
    glyph = face.glyph_index(char)
    if not glyph:
        return None
    outline = Outline.from_drawing(_OfFace(face, glyph))
    return outline if len(outline.contour) else None


class _OfFace:
    """A glyph of a font as a drawing."""

    def __init__(self, face: Face, glyph: int):
        self.draw = lambda pen: face.draw_outline(glyph, pen)


def _cubics(face: Face, char: str, placement: Placement, config: TraceConfig) -> int:
    image = placement.draw(face, face.glyph_index(char))
    return 0 if image is None else len(trace(image, placement, UPEM, config).contour)


def _half_widths(shape: Shape) -> np.ndarray:
    """Of the strokes, in pixels of the canvas: the skeleton is taken at its size."""
    height, width = shape.ink.shape
    padded = np.pad(shape.ink, ((0, -height % FINER), (0, -width % FINER))).astype(np.float32)
    blocks = padded.reshape(padded.shape[0] // FINER, FINER, padded.shape[1] // FINER, FINER)
    return half_widths(blocks.mean(axis=(1, 3)) >= 127.5, list(shape.whole))
