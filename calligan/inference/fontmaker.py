"""Make a font of a style: choose characters, names and licences, and write the file."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from calligan import __version__
from calligan.config import RasterConfig
from calligan.errors import DataError, FontError
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import is_drawn
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement, measure_placement
from calligan.models.card import ModelCard
from calligan.page.flow import Letter
from calligan.pairs.handwriting import OWN_LICENCE
from calligan.storage import atomic_file
from calligan.vector.base_font import BaseFont
from calligan.vector.borrow import Lettering, glyph_name
from calligan.vector.font import UPEM, FontGlyph, build_font
from calligan.vector.name_table import Naming
from calligan.vector.outline import Outline
from calligan.vector.ufo import write_ufo

if TYPE_CHECKING:  # so that a file's name can be checked before torch is imported
    from calligan.inference.writer import Writer

# File name ending to the outline format of a new font and its compression.
_BINARY: dict[str, tuple[Literal["ttf", "otf"], str | None]] = {
    ".ttf": ("ttf", None),
    ".otf": ("otf", None),
    ".woff2": ("ttf", "woff2"),
}
KINDS = (*_BINARY, ".ufo")
_COPYRIGHT, _LICENCE = 0, 13  # numbers of the name table
_MAX_LICENCE_CHARS = 2000


def placed_font(font: str, chars: str, size_px: int, least: int = 1) -> Lettering:
    """Open a font by name or path and measure its placement on those of `chars` that it has.

    It must have `least` of them. With `least` 0, a font that has none is placed as full width.
    """
    face = Face(resolve_font(font).spec)
    if not least and not any(map(face.glyph_index, chars)):
        return Lettering(face, Placement.full_width(size_px))
    raster = RasterConfig(size_px=size_px)
    return Lettering(face, measure_placement(face, chars, raster, least=1))


def drawable(writer: "Writer", charset: str, there: set[int]) -> tuple[str, str]:
    """Characters of a charset to draw, and those of them that the source font lacks."""
    wanted = [char for char in charset if is_drawn(char) and ord(char) not in there]
    lacking = set(filter(writer.source.lacks, wanted))
    return "".join(c for c in wanted if c not in lacking), "".join(
        c for c in wanted if c in lacking
    )


def reserved_names(card: ModelCard, base: BaseFont | None) -> set[str]:
    """Names that a new font's name must not contain, without case and spaces.

    These are the names of the model's training fonts, since their licences may reserve them.
    Handwriting is excepted. The name of the font to complete is included only if its licence
    reserves it.
    """
    fonts = [font for font in (*card.styles, *card.sources) if font.licence != OWN_LICENCE]
    names = {_plain(name) for f in fonts for name in (f.family or f.name, f.chinese)}
    if base is not None:
        names = names | {_plain(base.family)} if base.reserved else names - {_plain(base.family)}
    return {name for name in names if len(name) > 2}


def reserved_by(face: Face) -> set[str]:
    """The name of a font whose letters are used, if its licence reserves the name."""
    said = f"{face.name_entry(_COPYRIGHT)} {face.name_entry(_LICENCE)}".lower()
    return {_plain(face.family)} - {""} if "reserved font name" in said else set()


def named(
    card: ModelCard,
    style_index: int,
    source: str,
    families: tuple[str, str],
    reserved: set[str],
    made: str,
) -> Naming:
    """Names, description and licence of a font drawn in a style. `made` describes its contents.

    `families` are its English and its Chinese name. Raises DataError if the English one is not
    ASCII, or if either contains a reserved name.
    """
    family, family_chinese = families
    style = card.styles[style_index]
    if not re.fullmatch(r"[ -~]{1,63}", family) or not re.search(r"[A-Za-z]", family):
        raise DataError(f"--family {family!r} should be ASCII; --family-chinese takes 汉字")
    for name in families:
        if taken := _held(name, reserved):
            raise DataError(
                f"{name!r} contains the name of a font ({taken}), which its licence may reserve; "
                "choose another --family"
            )
    hand = style.family or style.name
    steps = card.provenance.get("step", "?")
    origin = (
        f"{made} drawn by calligan {__version__} (model of {steps} steps) after {hand}, from "
        f"{source}. Synthetic: look before you publish."
    )
    licence = f"Made after {hand} ({style.licence}) from {source}; their terms apply."
    return Naming(family, family_chinese, origin, licence, __version__)


def with_letters(naming: Naming, face: Face, others: str = "") -> Naming:
    """Add the copyright and licence of a font that supplies letters, digits and punctuation.

    `others` says which they are, if not all.
    """
    which = f"Letters, digits and marks{others}"
    licence = face.name_entry(_LICENCE)[:_MAX_LICENCE_CHARS]
    note = f"{which} are those of {face.family}"
    note += f": {licence}" if licence else ""
    full = f"{naming.licence} {note.rstrip('.')}."
    holders = dict.fromkeys(filter(None, (naming.copyright, face.name_entry(_COPYRIGHT))))
    return replace(naming, licence=full, copyright="; ".join(holders))


def default_family(
    card: ModelCard, style_index: int, base: BaseFont | None, reserved: set[str]
) -> str:
    """A name that is not reserved, after the font to complete or the style."""
    style = card.styles[style_index].name.replace("-", " ").replace("_", " ").title()
    completed = [f"{base.family} Completed"] if base else []
    for name in (*completed, f"Calligan {style}"):
        if name.isascii() and not _held(name, reserved):
            return name
    return f"Calligan Hand {style_index + 1}"


def save_new(
    path: Path, drawn: Iterable[Letter], letterings: Sequence[Lettering], naming: Naming
) -> None:
    """Write a new font; letters and marks that are not drawn are of the first that has them."""
    by_char = {letter.char: letter for letter in drawn}
    glyphs = _lettered(letterings, by_char)
    for letter in by_char.values():
        glyphs += _drawn_glyphs(letter)
    kind = path.suffix.lower()
    if kind == ".ufo":
        return write_ufo(path, glyphs, naming)
    outlines_of, packed = _BINARY[kind]
    font = build_font(glyphs, naming, outlines_of)
    font.flavor = packed
    with atomic_file(path) as file:
        font.save(file)
    return None


def _lettered(letterings: Sequence[Lettering], drawn: Collection[str]) -> list[FontGlyph]:
    """The glyphs of letters and marks that are not drawn, each of the first font that has it."""
    glyphs: dict[str, FontGlyph] = {}
    for lettering in letterings:
        there = {chr(code) for glyph in glyphs.values() for code in glyph.codepoints}.union(drawn)
        for glyph in lettering.glyphs(without=there):
            glyphs.setdefault(glyph.name, glyph)  # both have spaces
    return list(glyphs.values())


def _drawn_glyphs(letter: Letter) -> Iterator[FontGlyph]:
    """The glyph of a character, then its vertical form if it has one."""
    name = glyph_name(ord(letter.char))
    yield FontGlyph(name, (ord(letter.char),), round(letter.advance_em * UPEM), letter.outline)
    if letter.vertical is not None:
        yield FontGlyph(f"{name}.vert", (), UPEM, letter.vertical, vertical_of=name)


def check_kind(path: Path, base: BaseFont) -> None:
    """Raise FontError if the file ending does not match the font to complete."""
    if path.suffix.lower() not in (base.suffix, ".woff2"):
        raise FontError(f"{path}: a completed font is written as {base.suffix} or .woff2")


def save_completed(
    path: Path, outlines: dict[str, Outline], base: BaseFont, naming: Naming
) -> None:
    """Write a font with outlines added."""
    base.add(outlines, naming)
    base.font.flavor = _BINARY[path.suffix.lower()][1]
    with atomic_file(path) as file:
        base.font.save(file)


def holds(families: tuple[str, str], family: str) -> bool:
    """Whether one of the names contains the name of a font."""
    return any(_held(name, {_plain(family)} - {""}) for name in families)


def _held(name: str, reserved: set[str]) -> str | None:
    """The reserved name that `name` contains, if any."""
    return next((taken for taken in sorted(reserved) if taken in _plain(name)), None)


def _plain(name: str) -> str:
    """A name in lower case, without spaces and punctuation."""
    return re.sub(r"[\W_]", "", name).lower()
