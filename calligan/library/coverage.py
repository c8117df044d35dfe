"""The characters that a font has and lacks, by charset."""

from dataclasses import dataclass
from pathlib import Path

from calligan.errors import FontError
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import charset_names, is_drawn, load_charset
from calligan.glyphs.face import Face
from calligan.vector.base_font import BaseFont


@dataclass(frozen=True)
class Coverage:
    """The characters of a font that are in any shipped charset."""

    family: str
    han: str  # mapped to a glyph with ink
    sets: dict[str, tuple[int, int]]  # shipped charsets: how many it has, of how many
    refusal: str = ""  # why `complete_font` cannot add to it; "" if it can

    def lacking(self, charset: str) -> str:
        """The characters of a charset that it lacks."""
        there = set(self.han)
        return "".join(char for char in load_charset(charset) if char not in there)


def coverage(font: Path | str) -> Coverage:
    """A font's characters, and whether `complete_font` can add to it. Raises FontError."""
    spec = resolve_font(str(font)).spec
    face, refusal = Face(spec), ""
    try:
        BaseFont.open(spec.path, face.index)
    except FontError as error:
        refusal = str(error)
    wanted = {name: list(filter(is_drawn, load_charset(name))) for name in charset_names()}
    every = dict.fromkeys(char for chars in wanted.values() for char in chars)
    there = {char for char in every if _has_ink(face, char)}
    sets = {name: (sum(c in there for c in chars), len(chars)) for name, chars in wanted.items()}
    return Coverage(face.family, "".join(c for c in every if c in there), sets, refusal)


def _has_ink(face: Face, char: str) -> bool:
    glyph = face.glyph_index(char)
    return bool(glyph) and face.ink_box_em(glyph) is not None
