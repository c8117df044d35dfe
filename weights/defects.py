"""Synthetic defects that resemble those of generators. Needs OpenCV; for training and benchmarks.

All functions take ink, float32 (H, W) in [0, 1], 1 = ink, and return ink of the same shape, or None
where the defect is not possible for this glyph.
"""

from collections.abc import Callable

import numpy as np

from calligan.scan.opencv import opencv

Ink = np.ndarray
Rng = np.random.Generator
_MIN_PART_SHARE = 0.08  # share of the glyph's ink that a component has, at least
_MAX_PART_SHARE = 0.6  # and at most


def remove_component(ink: Ink, rng: Rng) -> Ink | None:
    """Remove a component: one side of a gap, or one connected piece."""
    choices = [
        side for side in _sides(ink) if _MIN_PART_SHARE < _share(ink, side) < _MAX_PART_SHARE
    ]
    choices += [
        piece for piece in _pieces(ink) if _MIN_PART_SHARE < _share(ink, piece) < _MAX_PART_SHARE
    ]
    if not choices:
        return None
    rest: Ink = ink * ~choices[rng.integers(len(choices))]
    return rest


def swap_component(ink: Ink, other: Ink, rng: Rng) -> Ink | None:
    """Replace one side of a gap by that of another character of the font."""
    choices = [
        side for side in _sides(ink) if _MIN_PART_SHARE < _share(ink, side) < 1 - _MIN_PART_SHARE
    ]
    if not choices:
        return None
    side = choices[rng.integers(len(choices))]
    mine, theirs = ink * side, other * side
    if theirs.sum() < 0.3 * mine.sum() or _similarity(mine, theirs) > 0.75:
        return None
    return np.where(side, other, ink)


def break_strokes(ink: Ink, rng: Rng) -> Ink | None:
    """Cut strokes at one to three places, so that connected parts are separated."""
    cv2 = opencv()
    depth = cv2.distanceTransform((ink > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    ridge = (depth >= 1) & (depth >= cv2.dilate(depth, np.ones((3, 3))) - 1e-3)
    places = np.argwhere(ridge)
    wanted, made, spoiled = int(rng.integers(1, 4)), 0, ink
    for y, x in rng.permutation(places)[:12]:
        cut = _cut_stroke(spoiled, int(x), int(y), float(depth[y, x]), rng)
        if cut is not None:
            spoiled, made = cut, made + 1
        if made == wanted:
            break
    return spoiled if made else None


def _cut_stroke(ink: Ink, x: int, y: int, half: float, rng: Rng) -> Ink | None:
    """Cut the stroke of that half-width at (x, y), if that separates it locally."""
    cv2 = opencv()
    reach, gap = 1.5 * half + 1.5, rng.uniform(2, 3.5) + 0.3 * half
    around = round(reach + gap) + 2
    window = (slice(max(0, y - around), y + around + 1), slice(max(0, x - around), x + around + 1))
    before = _count_pieces(ink[window])
    for angle in rng.uniform(0, np.pi) + np.arange(4) * np.pi / 4:
        ends = [
            (round(x + sign * reach * np.cos(angle)), round(y + sign * reach * np.sin(angle)))
            for sign in (-1, 1)
        ]
        line = np.zeros(ink.shape, np.float32)
        cv2.line(line, *ends, 1.0, max(2, round(gap)), cv2.LINE_AA)
        cut = ink * (1 - line)
        if _count_pieces(cut[window]) > before:
            return cut
    return None


def add_stroke(ink: Ink, other: Ink, rng: Rng) -> Ink | None:
    """Add a piece of another character where there was paper, in black or grey."""
    cv2 = opencv()
    size = ink.shape[0]
    # Ink next to a stroke is not counted: it only makes the stroke bolder.
    beside = cv2.dilate(ink, np.ones((5, 5), np.uint8))
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


def close_counters(ink: Ink, rng: Rng) -> Ink | None:
    """Fill counters: thicken part of the glyph until its white areas close."""
    cv2 = opencv()
    thick = int(rng.integers(2, 4)) * 2 + 1
    fat = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((thick, thick), np.uint8))
    mask = _soft_mask(ink.shape[0], rng)
    spoiled = ink * (1 - mask) + fat * mask
    return spoiled if spoiled.sum() - ink.sum() > 0.08 * ink.sum() else None


def fade(ink: Ink, rng: Rng) -> Ink | None:
    """Make strokes thin or invisible in part of the glyph."""
    cv2 = opencv()
    thin = cv2.erode(ink, np.ones((3, 3), np.uint8), iterations=int(rng.integers(1, 3)))
    mask = _soft_mask(ink.shape[0], rng)
    spoiled = ink * (1 - mask) + thin * mask * rng.uniform(0, 0.8)
    return spoiled if ink.sum() - spoiled.sum() > 0.15 * ink.sum() else None


def blur_part(ink: Ink, rng: Rng) -> Ink | None:
    """Blur part of the glyph, as networks do where they are uncertain."""
    cv2 = opencv()
    soft = cv2.GaussianBlur(ink, (0, 0), np.exp(rng.uniform(np.log(1.4), np.log(5))))
    soft = np.clip((soft - 0.3) * rng.uniform(1.2, 3) + 0.35, 0, 1)
    mask = _soft_mask(ink.shape[0], rng)
    spoiled: Ink = ink * (1 - mask) + soft * mask
    return spoiled


ALONE: dict[str, Callable[[Ink, Rng], Ink | None]] = {
    "missing": remove_component,
    "broken": break_strokes,
    "melted": close_counters,
    "faded": fade,
    "fogged": blur_part,
}
WITH_OTHER: dict[str, Callable[[Ink, Ink, Rng], Ink | None]] = {
    "swapped": swap_component,
    "extra": add_stroke,
}


def augment(ink: Ink, rng: Rng) -> Ink:
    """Data augmentation that keeps a glyph correct: moved, rotated, with another stroke weight."""
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
    """Masks of both sides of the lines with the least ink near the middle, in both directions."""
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
    """Masks of connected pieces, if there is more than one."""
    cv2 = opencv()
    count, labels = cv2.connectedComponents((ink > 0.4).astype(np.uint8), connectivity=8)
    if count <= 2:
        return []
    return [
        cv2.dilate((labels == n).astype(np.uint8), np.ones((3, 3))) > 0 for n in range(1, count)
    ]


def _count_pieces(ink: Ink) -> int:
    """The number of connected pieces."""
    return int(opencv().connectedComponents((ink > 0.4).astype(np.uint8), connectivity=8)[0])


def _share(ink: Ink, mask: np.ndarray) -> float:
    return float((ink * mask).sum() / max(ink.sum(), 1e-6))


def _similarity(a: Ink, b: Ink) -> float:
    """Cosine similarity of blurred ink."""
    cv2 = opencv()
    p, q = (cv2.GaussianBlur(v.astype(np.float32), (0, 0), 2).ravel() for v in (a, b))
    return float(p @ q / max(np.linalg.norm(p) * np.linalg.norm(q), 1e-6))


def _ellipse(height: int, width: int) -> np.ndarray:
    """A mask without straight edges, from which the reader could detect pasted pieces."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    mask: np.ndarray = (np.hypot(y, x) < 1).astype(np.float32)
    return mask


def _soft_mask(size: int, rng: Rng) -> np.ndarray:
    """A mask with a soft round spot, or the whole glyph."""
    if rng.random() < 0.25:
        return np.ones((size, size), np.float32)
    y, x = np.mgrid[0:size, 0:size]
    at, radius = rng.uniform(0.25, 0.75, 2) * size, rng.uniform(0.2, 0.4) * size
    far = np.hypot(y - at[0], x - at[1])
    mask: np.ndarray = np.clip((radius - far) / (0.2 * size) + 0.5, 0, 1).astype(np.float32)
    return mask
