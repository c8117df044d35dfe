"""Trace a glyph image: its outline in font units."""

import numpy as np

from calligan.config import TraceConfig
from calligan.glyphs.placement import Placement
from calligan.vector.contour import Chain, extract_chains
from calligan.vector.fit import Curves, fit
from calligan.vector.outline import Outline
from calligan.vector.straight_edges import KINDS, straighten

_BATCH = 8  # glyphs traced at once: more do not fit the processor's caches
_END_MARGIN = 0.04  # a curve is not split at an extreme whose parameter is nearer to 0 or 1


def trace(image: np.ndarray, placement: Placement, upem: int, config: TraceConfig) -> Outline:
    """The outline, in 1 / `upem` em, of a glyph image, uint8 (H, W), 255 = paper.

    `placement` gives the em box on the canvas; the image is the whole canvas at any resolution.
    """
    return trace_all(image[None], placement, upem, config)[0]


def trace_all(
    images: np.ndarray, placement: Placement, upem: int, config: TraceConfig
) -> list[Outline]:
    """The outlines of glyph images, uint8 (N, H, W), each as `trace` gives it.

    Several are faster than one by one.
    """
    found: list[Outline] = []
    for start in range(0, len(images), _BATCH):
        found += _trace_batch(images[start : start + _BATCH], placement, upem, config)
    return found


def _trace_batch(
    images: np.ndarray, placement: Placement, upem: int, config: TraceConfig
) -> list[Outline]:
    placement = placement.scaled(images.shape[2])
    tolerance_px = config.tolerance_em * placement.em_px
    each = [_chains(image, placement.em_px, config) for image in images]
    chains = [chain for chains in each for chain in chains]
    curves = _split_at_extremes(fit(chains, tolerance_px))
    straight = _are_straight(curves.controls, tolerance_px)
    origin = np.array([placement.origin_x_px, placement.baseline_y_px])
    scale = np.array([1, -1]) * upem / placement.em_px
    controls = (curves.controls - origin) * scale
    whole = Outline(controls, curves.contour, straight).round_coordinates()
    return whole.split([len(chains) for chains in each])


def _chains(image: np.ndarray, em_px: float, config: TraceConfig) -> list[Chain]:
    chains = extract_chains(image, config)
    if not config.edges:
        return chains
    kind = KINDS[config.edges]
    return [straighten(chain, kind, em_px, config.step_px) for chain in chains]


def _are_straight(controls: np.ndarray, tolerance_px: float) -> np.ndarray:
    """Which cubics (K, 4, 2) have both control points within the tolerance of their chord."""
    chord = controls[:, 3] - controls[:, 0]
    length = np.maximum(np.hypot(*chord.T), 1e-9)
    inner = controls[:, 1:3] - controls[:, :1]
    off = np.abs(inner[..., 0] * chord[:, None, 1] - inner[..., 1] * chord[:, None, 0])
    straight: np.ndarray = (off / length[:, None]).max(axis=1) <= tolerance_px
    return straight


def _split_at_extremes(curves: Curves) -> Curves:
    """Cubics split at their horizontal and vertical extremes, as font tools expect."""
    for axis in (0, 1):
        for _ in range(2):  # a cubic has at most two extremes per axis
            curves = _split_at(curves, _find_extreme(curves.controls[..., axis]))
    return curves


def _find_extreme(p: np.ndarray) -> np.ndarray:
    """The parameter (K,) of an extreme of each one-dimensional cubic (K, 4), or NaN."""
    # The derivative is 3 (a t² + b t + c).
    a = p[:, 3] - 3 * p[:, 2] + 3 * p[:, 1] - p[:, 0]
    b = 2 * (p[:, 2] - 2 * p[:, 1] + p[:, 0])
    c = p[:, 1] - p[:, 0]
    with np.errstate(all="ignore"):
        root = np.sqrt(b * b - 4 * a * c)
        q = -(b + np.copysign(root, b)) / 2  # numerically stable roots: q / a and c / q
        t = np.stack([q / a, c / q])
        inside = (t > _END_MARGIN) & (t < 1 - _END_MARGIN)
    return np.where(inside, t, np.nan).T[np.arange(len(p)), np.where(inside[0], 0, 1)]


def _split_at(curves: Curves, t: np.ndarray) -> Curves:
    """Each cubic split in two at its parameter t (K,), by de Casteljau; not where t is NaN."""
    at = np.flatnonzero(~np.isnan(t))
    p, s = curves.controls[at], t[at, None]
    ab, bc, cd = (p[:, i] + s * (p[:, i + 1] - p[:, i]) for i in range(3))
    abc, bcd = ab + s * (bc - ab), bc + s * (cd - bc)
    middle = abc + s * (bcd - abc)
    controls = np.insert(curves.controls, at + 1, np.stack([middle, bcd, cd, p[:, 3]], 1), axis=0)
    controls[at + np.arange(len(at))] = np.stack([p[:, 0], ab, abc, middle], axis=1)
    return Curves(controls, np.insert(curves.contour, at + 1, curves.contour[at]))
