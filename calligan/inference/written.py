"""Handwritten glyphs, to include in a font unchanged."""

import numpy as np

from calligan.pairs.handwriting import OWN_LICENCE
from calligan.pairs.store import Selection


def as_written(selection: Selection) -> dict[str, np.ndarray]:
    """The first handwritten glyph of each character, uint8 (S, S); none for glyphs of a font."""
    found: dict[str, np.ndarray] = {}
    for font in selection.styles:
        if font.licence == OWN_LICENCE:
            images = selection.store.images(font)
            for char, image in zip(font.chars, images, strict=True):
                found.setdefault(char, image)
    return found
