"""A hand's own glyphs, for a font to hold as they are."""

import numpy as np

from calligan.pairs.handwriting import OWN_LICENCE
from calligan.pairs.store import Selection


def as_written(selection: Selection) -> dict[str, np.ndarray]:
    """The glyphs that a hand was learned from, uint8 (S, S), each character's first.

    None where they are a font's.
    """
    found: dict[str, np.ndarray] = {}
    for font in selection.styles:
        if font.licence == OWN_LICENCE:
            images = selection.store.images(font)
            for char, image in zip(font.chars, images, strict=True):
                found.setdefault(char, image)
    return found
