"""The body of a font's Han glyphs, and outlines fitted to it.

A hand draws square glyphs. In a narrow font they would be wider than their advance: all are scaled
about the body's centre, and single ones moved, so that ink keeps within it as the font's own does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calligan.vector.outline import Outline, Point

_WIDE, _EDGE = 95, 98  # percentiles: the width of wide glyphs, and where ink ends
_MIN_CONDENSED = 0.6  # width to height; beyond, glyphs are made lower too
_ROUNDING_EM = 0.002  # by which ink moves when coordinates are rounded


@dataclass(frozen=True)
class Body:
    """Measures of a font's Han glyphs in font units."""

    upem: int
    advance: int
    left: float  # where ink begins: 0, or less if the font's own glyphs overhang
    right: float  # where it ends: the advance, or more
    width: float  # ink of wide glyphs
    centre: Point  # of the median glyph's ink


@dataclass(frozen=True)
class Fit:
    """Outlines fitted to a body."""

    outlines: dict[str, Outline]
    width: float = 1.0  # the scale of their widths
    height: float = 1.0


def measure_body(boxes: Sequence[tuple[float, ...]], advance: int, upem: int) -> Body | None:
    """The body for ink boxes (left, bottom, right, top) in font units; None without any."""
    if not boxes:
        return None
    left, bottom, right, top = np.array(boxes, float).T
    return Body(
        upem,
        advance,
        left=min(0.0, float(np.percentile(left, 100 - _EDGE))),
        right=max(float(advance), float(np.percentile(right, _EDGE))),
        width=float(np.percentile(right - left, _WIDE)),
        centre=(float(np.median((left + right) / 2)), float(np.median((bottom + top) / 2))),
    )


def fit_to_body(outlines: Mapping[str, Outline], body: Body, width: float | None = None) -> Fit:
    """Outlines with their ink within the body's; unchanged where it is.

    `width` is the scale of their widths, if it is known; else it is measured on them.
    """
    inked = {char: outline for char, outline in outlines.items() if len(outline.contour)}
    if not inked:
        return Fit(dict(outlines))
    width = _needed_scale(list(inked.values()), body) if width is None else width
    height = min(1.0, width / _MIN_CONDENSED)
    scaled = {char: _scale(outline, width, height, body.centre) for char, outline in inked.items()}
    found = {char: _move_inside(outline, body) for char, outline in scaled.items()}
    return Fit({**outlines, **found}, width, height)


def _needed_scale(outlines: Sequence[Outline], body: Body) -> float:
    """1 unless wide glyphs are wider than the body's room; then the body's own width is taken."""
    wide = float(np.percentile([np.ptp(outline.controls[..., 0]) for outline in outlines], _WIDE))
    return min(1.0, body.width / wide) if wide > body.right - body.left else 1.0


def _scale(outline: Outline, width: float, height: float, centre: Point) -> Outline:
    if width == height == 1:
        return outline
    x, y = centre
    return outline.transform(np.array([[width, 0, x * (1 - width)], [0, height, y * (1 - height)]]))


def _move_inside(outline: Outline, body: Body) -> Outline:
    """Ink that is outside is moved inside, and what is wider than the body squeezed."""
    left, right = float(outline.controls[..., 0].min()), float(outline.controls[..., 0].max())
    if left >= body.left and right <= body.right:
        return outline
    margin = _ROUNDING_EM * body.upem
    low, high = body.left + margin, body.right - margin
    scale = min(1.0, (high - low) / (right - left))
    start = min(max(left, low), high - scale * (right - left))
    return outline.transform(np.array([[scale, 0, start - scale * left], [0, 1, 0]]))
