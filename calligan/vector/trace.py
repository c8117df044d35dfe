"""A glyph image to its outline in font units."""

import numpy as np

from calligan.config import TraceConfig
from calligan.glyphs.placement import Placement
from calligan.vector.contour import chains
from calligan.vector.fit import Curves, fit
from calligan.vector.outline import Outline

_FROM_END = 0.04  # an extreme nearer to a curve's end than this share gets no point of its own


def trace(image: np.ndarray, placement: Placement, upem: int, config: TraceConfig) -> Outline:
    """The outline of a glyph image, uint8 (H, W), 255 = paper, that lies as `placement` says.

    The image may have any number of pixels: they are the placement's canvas.
    """
    placement = placement.scaled(image.shape[1])
    tolerance_px = config.tolerance_em * placement.em_px
    curves = _with_extremes(fit(chains(image, config), tolerance_px))
    straight = _straight(curves.controls, tolerance_px)
    origin = np.array([placement.origin_x_px, placement.baseline_y_px])
    scale = np.array([1, -1]) * upem / placement.em_px
    return Outline((curves.controls - origin) * scale, curves.contour, straight).rounded()


def trace_all(
    images: np.ndarray, placement: Placement, upem: int, config: TraceConfig
) -> list[Outline]:
    """The outlines of glyph images, uint8 (N, H, W); another process can do it without torch."""
    return [trace(image, placement, upem, config) for image in images]


def _straight(controls: np.ndarray, tolerance_px: float) -> np.ndarray:
    """Which cubics (K, 4, 2) may as well be lines, by their inner control points."""
    chord = controls[:, 3] - controls[:, 0]
    length = np.maximum(np.hypot(*chord.T), 1e-9)
    inner = controls[:, 1:3] - controls[:, :1]
    off = np.abs(inner[..., 0] * chord[:, None, 1] - inner[..., 1] * chord[:, None, 0])
    straight: np.ndarray = (off / length[:, None]).max(axis=1) <= tolerance_px
    return straight


def _with_extremes(curves: Curves) -> Curves:
    """Cubics parted where they are leftmost, rightmost, highest or lowest, as font tools expect."""
    for axis in (0, 1):
        for _ in range(2):  # a cubic has two extremes at most
            curves = _parted(curves, _extreme(curves.controls[..., axis]))
    return curves


def _extreme(p: np.ndarray) -> np.ndarray:
    """Where each cubic in one dimension (K, 4) turns back, or NaN."""
    a = p[:, 3] - 3 * p[:, 2] + 3 * p[:, 1] - p[:, 0]
    b = 2 * (p[:, 2] - 2 * p[:, 1] + p[:, 0])
    c = p[:, 1] - p[:, 0]
    with np.errstate(all="ignore"):
        root = np.sqrt(b * b - 4 * a * c)
        q = -(b + np.copysign(root, b)) / 2  # the stable pair of roots: q / a and c / q
        t = np.stack([q / a, c / q])
        inside = (t > _FROM_END) & (t < 1 - _FROM_END)
    return np.where(inside, t, np.nan).T[np.arange(len(p)), np.where(inside[0], 0, 1)]


def _parted(curves: Curves, t: np.ndarray) -> Curves:
    """Each cubic as two at t (K,), where that is a number (de Casteljau)."""
    at = np.flatnonzero(~np.isnan(t))
    p, s = curves.controls[at], t[at, None]
    ab, bc, cd = (p[:, i] + s * (p[:, i + 1] - p[:, i]) for i in range(3))
    abc, bcd = ab + s * (bc - ab), bc + s * (cd - bc)
    middle = abc + s * (bcd - abc)
    controls = np.insert(curves.controls, at + 1, np.stack([middle, bcd, cd, p[:, 3]], 1), axis=0)
    controls[at + np.arange(len(at))] = np.stack([p[:, 0], ab, abc, middle], axis=1)
    return Curves(controls, np.insert(curves.contour, at + 1, curves.contour[at]))
