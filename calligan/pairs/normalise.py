"""Normalise the size and position of handwritten glyphs, partly, towards those of print.

Handwritten characters vary in size and position by accident, and a network trained on a hundred of
them would memorise that. So a share of each glyph's difference from its character in print is
removed; not all of it, since the position is also part of the style. docs/own-hand.md has figures.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from calligan.pairs.store import PreparedFont

Box = tuple[float, float, float, float]  # left, bottom, right, top of ink; y up

_POSITION_SHARE, _SIZE_SHARE = 0.7, 0.4  # shares of the differences that are removed


def print_boxes(sources: Sequence[PreparedFont], chars: str) -> dict[str, Box]:
    """Ink boxes of characters, relative to the canvas; the mean over the sources that have each."""
    found = {}
    for char in dict.fromkeys(chars):
        boxes = [box for source in sources if (box := _print_box(source, char))]
        if boxes:
            left, bottom, right, top = np.mean(boxes, axis=0).tolist()
            found[char] = (left, bottom, right, top)
    return found


def normalise_boxes(
    chars: Sequence[str], boxes: Sequence[Box], printed: Mapping[str, Box]
) -> list[tuple[float, Box]]:
    """For each glyph's ink box, the scale factor and the new box.

    The mean difference of all glyphs from print is part of the style and is kept. Glyphs that print
    lacks are unchanged.
    """
    known = [row for row, char in enumerate(chars) if char in printed]
    scales, shifts = np.ones(len(boxes)), np.zeros((len(boxes), 2))
    centres, sizes = _centres_and_sizes(boxes)
    if known:
        print_centres, print_sizes = _centres_and_sizes([printed[chars[row]] for row in known])
        log_ratios = np.log(print_sizes / sizes[known])
        scales[known] = np.exp(_SIZE_SHARE * (log_ratios - log_ratios.mean()))
        offsets = print_centres / np.exp(log_ratios.mean()) - centres[known]
        shifts[known] = _POSITION_SHARE * (offsets - offsets.mean(axis=0))
    halves = np.array([(right - left, top - bottom) for left, bottom, right, top in boxes]) / 2
    low, high = (centres + shifts + sign * scales[:, None] * halves for sign in (-1, 1))
    rows = np.concatenate([low, high], axis=1).tolist()
    return [
        (scale, (a, b, c, d)) for scale, (a, b, c, d) in zip(scales.tolist(), rows, strict=True)
    ]


def _print_box(source: PreparedFont, char: str) -> Box | None:
    glyph = source.face.glyph_index(char)
    box = source.face.ink_box_em(glyph) if glyph else None
    if box is None:
        return None
    place = source.placement
    left, right = ((place.origin_x_px + x * place.em_px) / place.size_px for x in box[::2])
    bottom, top = ((y * place.em_px - place.baseline_y_px) / place.size_px for y in box[1::2])
    return left, bottom, right, top


def _centres_and_sizes(boxes: Sequence[Box]) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N, 2) and longer sides (N,) of boxes."""
    left, bottom, right, top = np.array(boxes).T
    centres = np.stack([left + right, bottom + top], axis=1) / 2
    return centres, np.maximum(right - left, top - bottom)
