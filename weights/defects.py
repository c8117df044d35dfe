"""Glyphs spoiled on purpose, as generators spoil them. Needs OpenCV; for training and benchmarks.

All work on ink, float32 (H, W) in [0, 1], 1 = ink, and return ink of that shape, or None where
this glyph offers no such defect.
"""

from collections.abc import Callable

import numpy as np

from calligan.scan.opencv import opencv

Ink = np.ndarray
Rng = np.random.Generator
_LEAST = 0.08  # a part with less of the glyph's ink is no component
_MOST = 0.6  # nor is one with more


def without_component(ink: Ink, rng: Rng) -> Ink | None:
    """A component missing: one side of a natural gap, or one connected piece."""
    choices = [side for side in _sides(ink) if _LEAST < _share(ink, side) < _MOST]
    choices += [piece for piece in _pieces(ink) if _LEAST < _share(ink, piece) < _MOST]
    if not choices:
        return None
    rest: Ink = ink * ~choices[rng.integers(len(choices))]
    return rest


def with_other_component(ink: Ink, other: Ink, rng: Rng) -> Ink | None:
    """One side of a natural gap taken from another character of the font."""
    choices = [side for side in _sides(ink) if _LEAST < _share(ink, side) < 1 - _LEAST]
    if not choices:
        return None
    side = choices[rng.integers(len(choices))]
    mine, theirs = ink * side, other * side
    if theirs.sum() < 0.3 * mine.sum() or _alike(mine, theirs) > 0.75:
        return None
    return np.where(side, other, ink)


def broken(ink: Ink, rng: Rng) -> Ink | None:
    """Strokes severed at one to three places: what hung together does no longer."""
    cv2 = opencv()
    depth = cv2.distanceTransform((ink > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    ridge = (depth >= 1) & (depth >= cv2.dilate(depth, np.ones((3, 3))) - 1e-3)
    places = np.argwhere(ridge)
    wanted, made, spoiled = int(rng.integers(1, 4)), 0, ink
    for y, x in rng.permutation(places)[:12]:
        cut = _severed(spoiled, int(x), int(y), float(depth[y, x]), rng)
        if cut is not None:
            spoiled, made = cut, made + 1
        if made == wanted:
            break
    return spoiled if made else None


def _severed(ink: Ink, x: int, y: int, half: float, rng: Rng) -> Ink | None:
    """Cut through the stroke of that half width at (x, y), if two ends come of it nearby."""
    cv2 = opencv()
    reach, gap = 1.5 * half + 1.5, rng.uniform(2, 3.5) + 0.3 * half
    around = round(reach + gap) + 2
    window = (slice(max(0, y - around), y + around + 1), slice(max(0, x - around), x + around + 1))
    before = _count(ink[window])
    for way in rng.uniform(0, np.pi) + np.arange(4) * np.pi / 4:
        ends = [
            (round(x + sign * reach * np.cos(way)), round(y + sign * reach * np.sin(way)))
            for sign in (-1, 1)
        ]
        line = np.zeros(ink.shape, np.float32)
        cv2.line(line, *ends, 1.0, max(2, round(gap)), cv2.LINE_AA)
        cut = ink * (1 - line)
        if _count(cut[window]) > before:
            return cut
    return None


def with_extra_stroke(ink: Ink, other: Ink, rng: Rng) -> Ink | None:
    """A piece of another character where there was paper, black or grey."""
    cv2 = opencv()
    size = ink.shape[0]
    beside = cv2.dilate(ink, np.ones((5, 5), np.uint8))  # a stroke only made fatter is not seen
    for _ in range(6):
        h, w = (int(v) for v in rng.integers(size // 6, size // 2, 2))
        y, x = (int(rng.integers(0, size - v)) for v in (h, w))
        top, left = (int(rng.integers(0, size - v)) for v in (h, w))
        piece = other[top : top + h, left : left + w] * _ellipse(h, w) * rng.uniform(0.3, 1.3)
        there = (slice(y, y + h), slice(x, x + w))
        fresh = np.clip(piece - beside[there], 0, 1).sum()
        if 0.05 * ink.sum() < fresh < 0.3 * ink.sum():
            spoiled = ink.copy()
            spoiled[there] = np.maximum(ink[there], piece.clip(0, 1))
            return spoiled
    return None


def melted(ink: Ink, rng: Rng) -> Ink | None:
    """Counters run full: part of the glyph thickened until its white is gone."""
    cv2 = opencv()
    thick = int(rng.integers(2, 4)) * 2 + 1
    fat = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((thick, thick), np.uint8))
    mask = _patch(ink.shape[0], rng)
    spoiled = ink * (1 - mask) + fat * mask
    return spoiled if spoiled.sum() - ink.sum() > 0.08 * ink.sum() else None


def faded(ink: Ink, rng: Rng) -> Ink | None:
    """Strokes that grow thin and vanish in part of the glyph."""
    cv2 = opencv()
    thin = cv2.erode(ink, np.ones((3, 3), np.uint8), iterations=int(rng.integers(1, 3)))
    mask = _patch(ink.shape[0], rng)
    spoiled = ink * (1 - mask) + thin * mask * rng.uniform(0, 0.8)
    return spoiled if ink.sum() - spoiled.sum() > 0.15 * ink.sum() else None


def fogged(ink: Ink, rng: Rng) -> Ink | None:
    """Blurred in part, as a network blurs what it cannot decide."""
    cv2 = opencv()
    soft = cv2.GaussianBlur(ink, (0, 0), np.exp(rng.uniform(np.log(1.4), np.log(5))))
    soft = np.clip((soft - 0.3) * rng.uniform(1.2, 3) + 0.35, 0, 1)
    mask = _patch(ink.shape[0], rng)
    spoiled: Ink = ink * (1 - mask) + soft * mask
    return spoiled


ALONE: dict[str, Callable[[Ink, Rng], Ink | None]] = {
    "missing": without_component,
    "broken": broken,
    "melted": melted,
    "faded": faded,
    "fogged": fogged,
}
WITH_OTHER: dict[str, Callable[[Ink, Ink, Rng], Ink | None]] = {
    "swapped": with_other_component,
    "extra": with_extra_stroke,
}


def disturbed(ink: Ink, rng: Rng) -> Ink:
    """A glyph as another hand or scan might give it, and still right: moved, turned, weighted."""
    cv2 = opencv()
    size = ink.shape[0]
    turn, scale = rng.normal(0, 0.03), np.exp(rng.normal(0, 0.05, 2))
    shear, shift = rng.normal(0, 0.05), rng.normal(0, 0.02, 2) * size
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = linear @ np.array([[scale[0], shear], [0, scale[1]]])
    middle = np.full(2, (size - 1) / 2)
    matrix = np.column_stack([linear, middle + shift - linear @ middle])
    ink = cv2.warpAffine(ink, matrix, (size, size), flags=cv2.INTER_LINEAR)
    weight = rng.uniform(-1, 1)
    if abs(weight) > 0.4:
        change = cv2.dilate if weight > 0 else cv2.erode
        other = change(ink, np.ones((2, 2), np.uint8))
        ink = ink + (abs(weight) - 0.4) * (other - ink)
    if rng.random() < 0.3:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.3:
        ink = np.clip(ink + rng.normal(0, 0.05, ink.shape), 0, 1)
    return np.asarray(ink, np.float32)


def _sides(ink: Ink) -> list[np.ndarray]:
    """Masks of the two sides of the emptiest upright and level line near the middle."""
    size, found = ink.shape[0], []
    for axis in (0, 1):
        across = ink.sum(axis=axis)
        low, high = round(0.3 * size), round(0.7 * size)
        at = low + int(across[low:high].argmin())
        if across[at] > 0.12 * size:
            continue
        mask = np.zeros(ink.shape, bool)
        if axis == 0:
            mask[:, :at] = True
        else:
            mask[:at] = True
        found += [mask, ~mask]
    return found


def _pieces(ink: Ink) -> list[np.ndarray]:
    """Masks of connected pieces, if there are several."""
    cv2 = opencv()
    count, labels = cv2.connectedComponents((ink > 0.4).astype(np.uint8), connectivity=8)
    if count <= 2:
        return []
    return [
        cv2.dilate((labels == n).astype(np.uint8), np.ones((3, 3))) > 0 for n in range(1, count)
    ]


def _count(ink: Ink) -> int:
    """Connected pieces."""
    return int(opencv().connectedComponents((ink > 0.4).astype(np.uint8), connectivity=8)[0])


def _share(ink: Ink, mask: np.ndarray) -> float:
    return float((ink * mask).sum() / max(ink.sum(), 1e-6))


def _alike(a: Ink, b: Ink) -> float:
    """Cosine of softened ink."""
    cv2 = opencv()
    p, q = (cv2.GaussianBlur(v.astype(np.float32), (0, 0), 2).ravel() for v in (a, b))
    return float(p @ q / max(np.linalg.norm(p) * np.linalg.norm(q), 1e-6))


def _ellipse(height: int, width: int) -> np.ndarray:
    """A mask without straight edges: they would tell the reader where something was pasted."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    mask: np.ndarray = (np.hypot(y, x) < 1).astype(np.float32)
    return mask


def _patch(size: int, rng: Rng) -> np.ndarray:
    """A soft round patch, or the whole glyph."""
    if rng.random() < 0.25:
        return np.ones((size, size), np.float32)
    y, x = np.mgrid[0:size, 0:size]
    at, radius = rng.uniform(0.25, 0.75, 2) * size, rng.uniform(0.2, 0.4) * size
    far = np.hypot(y - at[0], x - at[1])
    mask: np.ndarray = np.clip((radius - far) / (0.2 * size) + 0.5, 0, 1).astype(np.float32)
    return mask
