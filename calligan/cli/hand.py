"""The glyphs that a command is given: a folder of pictures, or a font."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from calligan.cli.show import note

if TYPE_CHECKING:
    from calligan.glyphs.catalog import FontInfo
    from calligan.pairs.hand import Written
    from calligan.pairs.store import Prepared


def written(
    name: str,
    origin: str,
    chars: str | None,
    size_px: int,
    printed: "Callable[[], Sequence[Prepared]] | None" = None,
) -> "Written":
    """What a folder of PNGs named by character, or a font, shows of `chars` (a charset; all).

    Pictures of other than Han characters are left out, and named. With fonts in print, uneven
    pictures are made more even. Raises DataError where nothing is left.
    """
    from calligan.config import RasterConfig
    from calligan.errors import DataError
    from calligan.glyphs.charset import is_han, load_charset
    from calligan.pairs.even import print_boxes
    from calligan.pairs.hand import of_font, of_pictures
    from calligan.scan.folder import read_hand

    raster = RasterConfig(size_px=size_px)
    if not Path(origin).is_dir():
        every = load_charset(chars or "gb2312+jis-1+big5-1")
        return of_font(name, _font(origin), every, raster)
    every_glyph = list(read_hand(Path(origin)))
    if other := "".join(dict.fromkeys(char for char, _ in every_glyph if not is_han(char))):
        note(f"left out, being no Han characters: {other}")
    wanted = set(load_charset(chars)) if chars else None
    read = [
        (char, image)
        for char, image in every_glyph
        if is_han(char) and (wanted is None or char in wanted)
    ]
    if not read:
        raise DataError(f"{origin} holds none of the characters asked for")
    boxes = print_boxes(printed() if printed else (), "".join(char for char, _ in read))
    hand = of_pictures(name, Path(origin), read, raster, boxes)
    if pale := "".join(dict.fromkeys(char for char, _ in read if char not in hand.entry.chars)):
        note(f"left out, no dark ink in the picture: {pale}")
    return hand


def _font(origin: str) -> "FontInfo":
    """The font of that name or path; where there is none, a folder may have been meant."""
    from difflib import get_close_matches

    from calligan.errors import FontError
    from calligan.glyphs.catalog import load_catalog, resolve_font

    try:
        return resolve_font(origin)
    except FontError as error:
        if Path(origin).exists() or origin in load_catalog():
            raise
        folders = [path.name for path in Path().iterdir() if path.is_dir()]
        near = get_close_matches(origin, folders, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise FontError(f"no folder {origin}{hint}; as a font: {error}") from error
