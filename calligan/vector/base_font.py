"""Add characters to an existing font. Its own glyphs, metrics and features stay as they are."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

from calligan.apart import Answer
from calligan.errors import FontError
from calligan.glyphs.face import Face, FontSpec
from calligan.vector.body import Body, measure_body
from calligan.vector.borrow import glyph_name
from calligan.vector.font import NotdefBox, code_pages, ink_bounds, to_charstring, to_glyf
from calligan.vector.name_table import Naming
from calligan.vector.outline import Drawing

_STALE_TABLES = ("hdmx", "VDMX", "LTSH", "DSIG")  # caches of every glyph's metrics; a signature
_REQUIRED_TABLES = {"head", "hhea", "hmtx", "cmap", "name", "OS/2"}
_OPTIONAL_TABLES = {"gasp", "cvt ", "fpgm", "prep", "FFTM", "PCLT"}  # hints and editor data
_ORIGIN_SAMPLES = 100  # glyphs from which the vertical origin is measured
_BODY_SAMPLES = 300  # glyphs from which the body is measured
_RESTRICTED = 0x0002  # OS/2 fsType: may not be modified or embedded


@dataclass
class BaseFont:
    """A font to complete, and the tables that were removed because they cannot be read."""

    font: TTFont
    dropped: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: Path, face_index: int = 0) -> "BaseFont":
        """Open and check a font.

        Raises FontError if it is damaged, variable, has no outlines or may not be changed.
        """
        try:
            font = TTFont(path, fontNumber=face_index, lazy=False)
            dropped = _drop_damaged_tables(font)
            font.ensureDecompiled()
        except Exception as error:  # fontTools raises a dozen kinds on damaged files
            raise FontError(
                f"{path} is damaged or is not a font ({error}); export it again"
            ) from error
        if "fvar" in font:
            cure = f"make an instance first: fonttools varLib.instancer {path.name}"
            raise FontError(f"{path} is a variable font; {cure}")
        tables = set(font.keys())
        if not (tables >= _REQUIRED_TABLES and tables & {"glyf", "CFF "}):
            raise FontError(f"{path} has no outlines to extend; give a TTF or an OTF")
        if "CFF " in font and hasattr(font["CFF "].cff.topDictIndex[0], "ROS"):
            raise FontError(f"{path} is CID-keyed and cannot be extended; save it as a TTF")
        if font["OS/2"].fsType & _RESTRICTED:
            raise FontError(
                f"{path} forbids changes and embedding (fsType 2); ask its author, or give another"
            )
        return cls(font, dropped)

    @property
    def upem(self) -> int:
        """Font units per em."""
        return int(self.font["head"].unitsPerEm)

    @property
    def suffix(self) -> str:
        """File suffix for its kind of outlines."""
        return ".ttf" if "glyf" in self.font else ".otf"

    @property
    def family(self) -> str:
        """Family name."""
        return self.font["name"].getBestFamilyName() or "Font"

    @property
    def reserved(self) -> bool:
        """Whether its copyright or licence reserves its name, as the OFL allows."""
        texts = (str(n).lower() for n in self.font["name"].names if n.nameID in (0, 13))
        return any("reserved font name" in text for text in texts)

    @property
    def codepoints(self) -> set[int]:
        """Code points that have a glyph with ink."""
        glyphs, cmap = self.font.getGlyphSet(), self.font.getBestCmap() or {}
        return {code for code, name in cmap.items() if _ink_box(glyphs, name)}

    def body(self) -> Body | None:
        """The body of its Han glyphs; None if it has none with ink."""
        names, glyphs = _han_glyphs(self.font), self.font.getGlyphSet()
        sampled = names[:: max(1, len(names) // _BODY_SAMPLES)]
        boxes = [box for name in sampled if (box := _ink_box(glyphs, name))]
        return measure_body(boxes, _full_width(self.font), self.upem)

    def add(self, drawings: Mapping[str, Drawing], naming: Naming) -> None:
        """Add full-width glyphs, drawn in this font's units, and rename the font."""
        font = self.font
        advance = _full_width(font)
        names = _free_glyph_names(font, drawings)
        for char, drawing in drawings.items():
            _add_glyph(font, names[char], drawing, advance)
        origin = _vertical_origin(font)
        for char, drawing in drawings.items():
            left, _, _, top = ink_bounds(font, names[char], drawing)
            font["hmtx"][names[char]] = (advance, left)
            if "vmtx" in font:
                font["vmtx"][names[char]] = (self.upem, origin - top)
        _add_to_cmap(font, {ord(char): name for char, name in names.items()})
        for tag in _STALE_TABLES:
            if tag in font:
                del font[tag]
        font["OS/2"].recalcUnicodeRanges(font)
        if font["OS/2"].version >= 1:
            claimed = font["OS/2"].getCodePageRanges()
            font["OS/2"].setCodePageRanges(claimed | code_pages(font))
        rename(font, naming)


def read_all(path: str, face: str, instance: str | None) -> Answer:
    """Read a whole font, add a glyph and save it, in a child process (glyphs/vetting.py)."""
    spec = FontSpec(Path(path), face, instance)
    base = BaseFont.open(spec.path, Face(spec).index)
    there = base.codepoints
    added = chr(next(code for code in range(0x4E00, 0x10FFFF) if code not in there))
    base.add({added: NotdefBox()}, Naming("Trial", "Trial", "", "", "1.0"))
    base.font.save(io.BytesIO())
    return len(there), []


def _drop_damaged_tables(font: TTFont) -> tuple[str, ...]:
    """Remove optional tables that fontTools cannot read; their tags."""
    damaged = []
    for tag in sorted({*_STALE_TABLES, *_OPTIONAL_TABLES} & set(font.keys())):
        try:
            font[tag]
        except Exception:  # fontTools raises many kinds
            damaged.append(tag.strip())
            del font[tag]
    return tuple(damaged)


def rename(font: TTFont, naming: Naming) -> None:
    """Replace the font's names: a changed font may not keep the old ones."""
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
    description = table.getDebugName(10)
    table.setName("\n".join(filter(None, [description, naming.origin])), 10, 3, 1, 0x409)


def _add_glyph(font: TTFont, name: str, drawing: Drawing, advance: int) -> None:
    if "glyf" in font:
        font["glyf"][name] = to_glyf(drawing)  # also appends to the glyph order
        return
    cff = font["CFF "].cff
    top = cff.topDictIndex[0]
    strings = top.CharStrings
    glyph: Any = to_charstring(drawing, advance)
    private = top.Private
    glyph.private, glyph.globalSubrs = private, cff.GlobalSubrs
    _set_width(glyph, private, advance)
    strings.charStringsIndex.append(glyph)
    strings.charStrings[name] = len(strings.charStringsIndex) - 1
    top.charset.append(name)
    font.setGlyphOrder(top.charset)


def _set_width(glyph: Any, private: Any, advance: int) -> None:
    """Write the width: CFF omits the default and stores others relative to the nominal width."""
    program = glyph.program
    if advance == private.defaultWidthX:
        del program[0]
    else:
        program[0] = advance - private.nominalWidthX


def _full_width(font: TTFont) -> int:
    """The most common advance of the font's Han glyphs; an em if it has none."""
    widths = [font["hmtx"][name][0] for name in _han_glyphs(font)]
    most_common: int = max(set(widths), key=widths.count) if widths else font["head"].unitsPerEm
    return most_common


def _vertical_origin(font: TTFont) -> int:
    """Height of the vertical origin above the baseline, measured on the font's Han glyphs.

    https://learn.microsoft.com/typography/opentype/spec/vorg
    """
    if "VORG" in font:
        return int(font["VORG"].defaultVertOriginY)
    names = _han_glyphs(font)
    origins, glyphs = [], font.getGlyphSet()
    for name in names[:_ORIGIN_SAMPLES] if "vmtx" in font else []:
        if box := _ink_box(glyphs, name):
            origins.append(round(font["vmtx"][name][1] + box[3]))
    return max(set(origins), key=origins.count) if origins else int(font["hhea"].ascent)


def _han_glyphs(font: TTFont) -> list[str]:
    """The names of its glyphs of common Han characters."""
    return [n for code, n in (font.getBestCmap() or {}).items() if 0x4E00 <= code <= 0x9FFF]


def _ink_box(glyphs: Any, name: str) -> tuple[float, float, float, float] | None:
    """Left, bottom, right and top of a glyph's ink; None without ink."""
    pen = BoundsPen(glyphs)
    try:
        glyphs[name].draw(pen)
    except Exception:  # a damaged glyph counts as missing
        return None
    bounds: tuple[float, float, float, float] | None = pen.bounds
    return bounds


def _free_glyph_names(font: TTFont, chars: Iterable[str]) -> dict[str, str]:
    """An unused glyph name for each character."""
    taken, names = set(font.getGlyphOrder()), {}
    for char in chars:
        name = glyph_name(ord(char))
        while name in taken:
            name += ".1"
        names[char] = name
    return names


def _add_to_cmap(font: TTFont, names: Mapping[int, str]) -> None:
    """Add code points to every Unicode subtable that can hold them; add one if none can."""
    tables = font["cmap"].tables
    if max(names) > 0xFFFF and not any(t.isUnicode() and t.format == 12 for t in tables):
        full = CmapSubtable.newSubtable(12)
        full.platformID, full.platEncID, full.language = 3, 10, 0
        full.cmap = dict(font.getBestCmap())
        tables.append(full)
    for table in tables:
        if table.isUnicode() and table.format in (4, 12):
            limit = 0xFFFF if table.format == 4 else 0x10FFFF
            table.cmap.update({code: name for code, name in names.items() if code <= limit})
