"""Uneven handwriting made more even: each glyph moved and sized some way towards print.

On paper a character comes out a little larger or lower than it was meant. A network of a hundred
such glyphs learns the accidents by heart. So a share of what a glyph differs from its character in
print is taken back; not all of it, since where a character sits is part of the hand too.
docs/own-hand.md says what that brings.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from calligan.pairs.store import Prepared

Box = tuple[float, float, float, float]  # left, bottom, right, top of ink; y up

_PLACE, _SIZE = 0.7, 0.4  # of the differences in place and in size that are taken back


def print_boxes(sources: Sequence[Prepared], chars: str) -> dict[str, Box]:
    """Ink boxes of characters in sides of the canvas, the mean of the sources that have each."""
    found = {}
    for char in dict.fromkeys(chars):
        boxes = [box for source in sources if (box := _on_canvas(source, char))]
        if boxes:
            left, bottom, right, top = np.mean(boxes, axis=0).tolist()
            found[char] = (left, bottom, right, top)
    return found


def evened(
    chars: Sequence[str], boxes: Sequence[Box], printed: Mapping[str, Box]
) -> list[tuple[float, Box]]:
    """For each glyph's ink box, by how much to scale it, and where it should be then.

    What all glyphs have in common, larger or higher than print, is the hand's own and stays. So
    does a glyph that print lacks.
    """
    known = [row for row, char in enumerate(chars) if char in printed]
    scales, shifts = np.ones(len(boxes)), np.zeros((len(boxes), 2))
    middles, sizes = _measured(boxes)
    if known:
        wanted, print_sizes = _measured([printed[chars[row]] for row in known])
        larger = np.log(print_sizes / sizes[known])
        scales[known] = np.exp(_SIZE * (larger - larger.mean()))
        away = wanted / np.exp(larger.mean()) - middles[known]
        shifts[known] = _PLACE * (away - away.mean(axis=0))
    halves = np.array([(right - left, top - bottom) for left, bottom, right, top in boxes]) / 2
    low, high = (middles + shifts + sign * scales[:, None] * halves for sign in (-1, 1))
    rows = np.concatenate([low, high], axis=1).tolist()
    return [
        (scale, (a, b, c, d)) for scale, (a, b, c, d) in zip(scales.tolist(), rows, strict=True)
    ]


def _on_canvas(source: Prepared, char: str) -> Box | None:
    glyph = source.face.glyph_index(char)
    box = source.face.ink_box_em(glyph) if glyph else None
    if box is None:
        return None
    place = source.placement
    left, right = ((place.origin_x_px + x * place.em_px) / place.size_px for x in box[::2])
    bottom, top = ((y * place.em_px - place.baseline_y_px) / place.size_px for y in box[1::2])
    return left, bottom, right, top


def _measured(boxes: Sequence[Box]) -> tuple[np.ndarray, np.ndarray]:
    """Middles (N, 2) and longer sides (N,)."""
    left, bottom, right, top = np.array(boxes).T
    middles = np.stack([left + right, bottom + top], axis=1) / 2
    return middles, np.maximum(right - left, top - bottom)
