"""Labels of contact sheets: Latin letters of Pillow's font, other characters as small pictures."""

from collections.abc import Callable, Iterator
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from calligan.errors import CalliganError
from calligan.glyphs.catalog import load_catalog
from calligan.glyphs.raster import font_pictures
from calligan.glyphs.system_fonts import chinese_font

Pictures = Callable[[str], np.ndarray | None]  # of a character, uint8 (S, S), 255 = paper
LABEL_PX = 14
GREY = 96
_PICTURE_PX = 30
_LOCAL_PX = 4 * _PICTURE_PX  # of a character of a font of this machine, before it is reduced


def draw_label(
    sheet: Image.Image, left: int, middle: int, text: str, pictures: Pictures | None = None
) -> None:
    """Draw a text on a grey sheet, its middle at a height in pixels.

    What Pillow's font lacks is drawn by `pictures`, else in a Chinese font of this machine; without
    one its codepoint is written.
    """
    draw, x = ImageDraw.Draw(sheet), float(left)
    for part in _parts(text, pictures):
        if isinstance(part, str):
            draw.text((x, middle - LABEL_PX // 2), part, fill=GREY, font=label_font())
            x += label_font().getlength(part)
        else:
            sheet.paste(part, (round(x), middle - _PICTURE_PX // 2))
            x += _PICTURE_PX


def label_px(text: str, pictures: Pictures | None = None) -> float:
    """The width of a label in pixels."""
    parts = _parts(text, pictures)
    return sum(label_font().getlength(p) if isinstance(p, str) else p.width for p in parts)


@cache
def label_font() -> ImageFont.FreeTypeFont:
    """Pillow's own font."""
    font = ImageFont.load_default(LABEL_PX)
    assert isinstance(font, ImageFont.FreeTypeFont)  # as Pillow's wheels have FreeType
    return font


def _parts(text: str, pictures: Pictures | None) -> Iterator[str | Image.Image]:
    """Runs of letters of Pillow's font, and pictures of the other characters."""
    run = ""
    for char in text:
        if _has(char):
            run += char
            continue
        image = pictures(char) if pictures else None
        image = _local_pictures()(char) if image is None else image
        if image is None:
            run += f"U+{ord(char):04X}"
            continue
        if run:
            yield run
        run = ""
        small = Image.fromarray(image).resize((_PICTURE_PX,) * 2, Image.Resampling.BOX)
        yield small.point(lambda tone: GREY + tone * (255 - GREY) // 255)
    if run:
        yield run


@lru_cache(maxsize=1024)
def _has(char: str) -> bool:
    """Whether Pillow's font has a character: what it lacks looks like a noncharacter."""
    mask, lacking = (label_font().getmask(each) for each in (char, "\uffff"))
    return char.isascii() or bytes(mask) != bytes(lacking)


@cache
def _local_pictures() -> Pictures:
    """Characters of a regular Chinese font that is fetched or installed; none without one."""
    fetched = (f for f in load_catalog().values() if f.role == "source" and f.fetched)
    name = next((font.name for font in fetched), None) or chinese_font()
    try:
        return font_pictures(str(name), _LOCAL_PX) if name else lambda char: None
    except CalliganError:  # a damaged font is no reason to write no sheet
        return lambda char: None
