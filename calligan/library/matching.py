"""Which styles of a model are nearest to a font."""

from pathlib import Path

import numpy as np
from PIL import Image

from calligan.errors import DataError
from calligan.glyphs.charset import load_charset
from calligan.inference.fontmaker import placed_font
from calligan.library.model import Model
from calligan.training.transfer import nearest_styles

_COMPARED_GLYPHS = 8
_MIN_SQUARE = 0.8  # width to height of the ink of glyphs that are not condensed
_SOUGHT = "components-500+gb2312+big5-1+jis-1"  # characters to compare


def nearest_to(font: Path | str, model: Model) -> list[str]:
    """The model's styles by name, the nearest to the font's Chinese characters first.

    Raises DataError if the font has none of them.
    """
    size_px, source = model.card.size_px, model.writer.source
    placed = placed_font(str(font), load_charset(_SOUGHT), size_px)
    found: dict[str, np.ndarray] = {}
    for char in load_charset(_SOUGHT):
        glyph = placed.face.glyph_index(char)
        image = placed.placement.draw(placed.face, glyph) if glyph else None
        if image is not None and not source.lacks(char):
            found[char] = image
        if len(found) == _COMPARED_GLYPHS:
            break
    if not found:
        raise DataError(f"{font} has no character to compare with the model's styles")
    sources, targets = source.images("".join(found)), _widened(np.stack(list(found.values())))
    styles = model.card.styles
    generator = model.writer.drawer.predictor.generator
    order = nearest_styles(generator, len(styles), size_px, sources, targets)
    return [styles[index].name for index in order]


def _widened(images: np.ndarray) -> np.ndarray:
    """Condensed glyphs, uint8 (N, S, S), as wide as high: hands are square. Others as they are."""
    size = images.shape[-1]
    spans = [np.ptp(np.nonzero(image < 128), axis=1) + 1 for image in images if image.min() < 128]
    height, width = np.median(spans, axis=0) if spans else (1, 1)
    if width >= _MIN_SQUARE * height:
        return images
    wide = round(size * height / width)
    at = (wide - size) // 2
    large = (Image.fromarray(image).resize((wide, size)) for image in images)
    return np.stack([np.asarray(image)[:, at : at + size] for image in large])
