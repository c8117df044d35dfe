"""Characters added to an existing font, whose own glyphs, metrics and features stay as they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

from calligan.errors import FontError
from calligan.vector.borrow import glyph_name
from calligan.vector.font import box, charstring, code_pages, quadratic
from calligan.vector.names import Naming
from calligan.vector.outline import Drawing

_STALE = ("hdmx", "VDMX", "LTSH", "DSIG")  # caches of every glyph's metrics; a signature
_NEEDED = {"head", "hhea", "hmtx", "cmap", "name", "OS/2"}
_HINTS = {"gasp", "cvt ", "fpgm", "prep", "FFTM", "PCLT"}  # a font does without these
_SAMPLED = 100  # glyphs by which a font's vertical origin is measured
_RESTRICTED = 0x0002  # OS/2 fsType: may not be modified or embedded


@dataclass
class Base:
    """A font to be completed, and the tables it does without because they cannot be read."""

    font: TTFont
    dropped: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: Path, face_index: int = 0) -> "Base":
        """Open and check a font.

        Raises FontError where it is damaged, variable, without outlines or not to be changed.
        """
        try:
            font = TTFont(path, fontNumber=face_index, lazy=False)
            dropped = _without_damaged_hints(font)
            font.ensureDecompiled()
        except Exception as error:  # fontTools raises a dozen kinds on damaged files
            raise FontError(f"{path} is damaged, or no font ({error}); export it again") from error
        if "fvar" in font:
            cure = f"make an instance first: fonttools varLib.instancer {path.name}"
            raise FontError(f"{path} is variable; {cure}")
        there = set(font.keys())
        if not (there >= _NEEDED and there & {"glyf", "CFF "}):
            raise FontError(f"{path} has no outlines that can be added to; give a TTF or an OTF")
        if "CFF " in font and hasattr(font["CFF "].cff.topDictIndex[0], "ROS"):
            raise FontError(f"{path} is CID-keyed, which cannot be added to; save it as a TTF")
        if font["OS/2"].fsType & _RESTRICTED:
            raise FontError(
                f"{path} forbids changes and embedding (fsType 2); ask its maker, or give another"
            )
        return cls(font, dropped)

    @property
    def upem(self) -> int:
        """Units in an em."""
        return int(self.font["head"].unitsPerEm)

    @property
    def suffix(self) -> str:
        """What a file of its kind ends in."""
        return ".ttf" if "glyf" in self.font else ".otf"

    @property
    def family(self) -> str:
        """Its name."""
        return self.font["name"].getBestFamilyName() or "Font"

    @property
    def reserved(self) -> bool:
        """Whether its copyright or licence reserves its name, as the OFL allows."""
        said = (str(n).lower() for n in self.font["name"].names if n.nameID in (0, 13))
        return any("reserved font name" in text for text in said)

    @property
    def codepoints(self) -> set[int]:
        """What it maps to a glyph with ink."""
        glyphs, cmap = self.font.getGlyphSet(), self.font.getBestCmap() or {}
        return {code for code, name in cmap.items() if _has_ink(glyphs, name)}

    def add(self, drawings: Mapping[str, Drawing], naming: Naming) -> None:
        """Add characters as full-width glyphs, in the font's own units, and rename the font."""
        font = self.font
        advance = _full_width(font)
        names = _free_names(font, drawings)
        for char, drawing in drawings.items():
            _add(font, names[char], drawing, advance)
        top = _vertical_origin(font)
        for char, drawing in drawings.items():
            left, _, _, high = box(font, names[char], drawing)
            font["hmtx"][names[char]] = (advance, left)
            if "vmtx" in font:
                font["vmtx"][names[char]] = (self.upem, top - high)
        _map(font, {ord(char): name for char, name in names.items()})
        for tag in _STALE:
            if tag in font:
                del font[tag]
        font["OS/2"].recalcUnicodeRanges(font)
        if font["OS/2"].version >= 1:
            claimed = font["OS/2"].getCodePageRanges()
            font["OS/2"].setCodePageRanges(claimed | code_pages(font))
        rename(font, naming)


def _without_damaged_hints(font: TTFont) -> tuple[str, ...]:
    """Take out what only helps small sizes or editors, where fontTools cannot read it."""
    damaged = []
    for tag in sorted({*_STALE, *_HINTS} & set(font.keys())):
        try:
            font[tag]
        except Exception:  # as many kinds as there are tables
            damaged.append(tag.strip())
            del font[tag]
    return tuple(damaged)


def rename(font: TTFont, naming: Naming) -> None:
    """Give the font its new names: what was changed may not keep the old ones."""
    table = font["name"]
    english = naming.english()
    numbers = {1: "familyName", 3: "uniqueFontIdentifier", 4: "fullName", 6: "psName"}
    for number in (1, 3, 4, 6, 16, 17, 18, 21, 22):
        table.removeNames(nameID=number)
    for number, key in numbers.items():
        table.setName(english[key], number, 3, 1, 0x409)
    for language, names in naming.chinese().items():
        for number in (1, 4):
            table.setName(names[number], number, 3, 1, language)
    told = table.getDebugName(10)
    table.setName("\n".join(filter(None, [told, naming.origin])), 10, 3, 1, 0x409)


def _add(font: TTFont, name: str, drawing: Drawing, advance: int) -> None:
    if "glyf" in font:
        font["glyf"][name] = quadratic(drawing)  # appends to the glyph order too
        return
    cff = font["CFF "].cff
    top = cff.topDictIndex[0]
    strings = top.CharStrings
    glyph: Any = charstring(drawing, advance)
    private = top.Private
    glyph.private, glyph.globalSubrs = private, cff.GlobalSubrs
    _set_width(glyph, private, advance)
    strings.charStringsIndex.append(glyph)
    strings.charStrings[name] = len(strings.charStringsIndex) - 1
    top.charset.append(name)
    font.setGlyphOrder(top.charset)


def _set_width(glyph: Any, private: Any, advance: int) -> None:
    """A charstring states its width as a difference from the nominal one, or not at all."""
    program = glyph.program
    if advance == private.defaultWidthX:
        del program[0]
    else:
        program[0] = advance - private.nominalWidthX


def _full_width(font: TTFont) -> int:
    """The commonest advance of the font's Han glyphs, or an em."""
    widths = [
        font["hmtx"][name][0]
        for code, name in (font.getBestCmap() or {}).items()
        if 0x4E00 <= code <= 0x9FFF
    ]
    commonest: int = max(set(widths), key=widths.count) if widths else font["head"].unitsPerEm
    return commonest


def _vertical_origin(font: TTFont) -> int:
    """How far above the baseline vertical text begins a glyph, as the font's Han glyphs have it.

    https://learn.microsoft.com/typography/opentype/spec/vorg
    """
    if "VORG" in font:
        return int(font["VORG"].defaultVertOriginY)
    names = [n for code, n in (font.getBestCmap() or {}).items() if 0x4E00 <= code <= 0x9FFF]
    origins, glyphs = [], font.getGlyphSet()
    for name in names[:_SAMPLED] if "vmtx" in font else []:
        pen = BoundsPen(glyphs)
        glyphs[name].draw(pen)
        if pen.bounds is not None:
            origins.append(round(font["vmtx"][name][1] + pen.bounds[3]))
    return max(set(origins), key=origins.count) if origins else int(font["hhea"].ascent)


def _has_ink(glyphs: Any, name: str) -> bool:
    pen = BoundsPen(glyphs)
    try:
        glyphs[name].draw(pen)
    except Exception:  # a damaged glyph is one to draw anew
        return False
    return pen.bounds is not None


def _free_names(font: TTFont, chars: Iterable[str]) -> dict[str, str]:
    """A glyph name for each character that the font does not use yet."""
    taken, names = set(font.getGlyphOrder()), {}
    for char in chars:
        name = glyph_name(ord(char))
        while name in taken:
            name += ".1"
        names[char] = name
    return names


def _map(font: TTFont, names: Mapping[int, str]) -> None:
    """Enter characters into every Unicode table that can hold them; one is made where none can."""
    tables = font["cmap"].tables
    if max(names) > 0xFFFF and not any(t.isUnicode() and t.format == 12 for t in tables):
        whole = CmapSubtable.newSubtable(12)
        whole.platformID, whole.platEncID, whole.language = 3, 10, 0
        whole.cmap = dict(font.getBestCmap())
        tables.append(whole)
    for table in tables:
        if table.isUnicode() and table.format in (4, 12):
            limit = 0xFFFF if table.format == 4 else 0x10FFFF
            table.cmap.update({code: name for code, name in names.items() if code <= limit})
