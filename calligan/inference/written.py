"""A hand's own glyphs, for a font to hold as they are."""

from pathlib import Path

import numpy as np

from calligan.config import RasterConfig
from calligan.glyphs.charset import is_han
from calligan.models.card import FontCard
from calligan.pairs.hand import OWN, of_pictures
from calligan.scan.folder import read_hand


def as_written(font: FontCard, size_px: int) -> dict[str, np.ndarray]:
    """The glyphs that somebody wrote for a style, uint8 (S, S), placed as it was learned.

    Each character's first; none where the style is of a font, or its folder is gone.
    """
    folder = Path(font.path)
    if font.licence != OWN or not folder.is_dir():
        return {}
    glyphs = [(char, image) for char, image in read_hand(folder) if is_han(char)]
    raster = RasterConfig(size_px=size_px)
    found = of_pictures(font.name, folder, glyphs, raster)
    return dict(reversed(list(zip(found.entry.chars, found.images, strict=True))))
