"""Fonts are opened in a child process first: one that crashes FreeType, or never ends, is refused.

A font is looked at once: CACHE/vetted/KEY says that it can be read.
"""

import contextlib
from pathlib import Path

from calligan import apart
from calligan.errors import DataError, FontError
from calligan.glyphs.face import Face, FontSpec, read_font
from calligan.resources import cache_folder
from calligan.storage import sha256_bytes, write_bytes

_VERSION = 1  # of what is looked at
_SIZE_PX = 32.0
_WOFF2_S_PER_MB = 10.0  # fontTools unpacks slowly
DRAWN = "calligan.glyphs.vetting:draw_all"


def vet_font(spec: FontSpec, look: str = DRAWN, s_per_mb: float = 0.0) -> None:
    """Raise FontError for a font that cannot be read within the limits of calligan/limits.py.

    `look` ("module:name") reads it in the child, which may take `s_per_mb` seconds longer.
    """
    data = read_font(spec.path)
    key = f"{_VERSION} {look} {sha256_bytes(data)} {spec.face} {spec.instance}"
    mark = cache_folder() / "vetted" / sha256_bytes(key.encode())
    if mark.is_file():
        return
    more_s = (_WOFF2_S_PER_MB if data[:4] == b"wOF2" else s_per_mb) * len(data) / 2**20
    parts = (str(spec.path), spec.face, spec.instance)
    try:
        apart.call(look, *parts, what=str(spec), seconds=more_s)
    except DataError as error:
        raise FontError(str(error)) from error
    with contextlib.suppress(DataError):  # without a cache
        write_bytes(mark, b"")


def draw_all(path: str, face: str, instance: str | None) -> apart.Answer:
    """Draw every glyph of a font, and read what else of it is used. In the child."""
    opened = Face(FontSpec(Path(path), face, instance))
    for glyph in range(opened.glyph_count):
        opened.ink_box_em(glyph)
        opened.draw(glyph, _SIZE_PX)
    return len(opened.vertical_forms), []
