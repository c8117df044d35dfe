"""Glyphs to a UFO, to edit in a font editor (https://unifiedfontobject.org)."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from fontTools.pens.pointPen import SegmentToPointPen

from calligan.errors import DataError
from calligan.storage import cannot_write, with_folder
from calligan.vector.font import ASCENT_UPEM, DESCENT_UPEM, UPEM, FontGlyph
from calligan.vector.name_table import Naming


def write_ufo(path: Path, glyphs: Sequence[FontGlyph], naming: Naming) -> None:
    """Write a new UFO folder atomically. Raises DataError if the path exists.

    One process at a time may write it.
    """
    if path.exists():
        raise DataError(f"{path} already exists; remove it or give another name")
    try:
        with with_folder(path):
            for left in path.parent.glob(f".{path.name}.tmp*"):  # by a process that was killed
                shutil.rmtree(left, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=f".{path.name}.tmp", dir=path.parent))
            try:
                _write(work / path.name, glyphs, naming)
                (work / path.name).rename(path)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def _write(path: Path, glyphs: Sequence[FontGlyph], naming: Naming) -> None:
    from fontTools.ufoLib import UFOWriter  # slow to import

    writer = UFOWriter(path)
    layer = writer.getGlyphSet()
    for glyph in glyphs:

        def draw(pen: object, glyph: FontGlyph = glyph) -> None:
            glyph.drawing.draw(SegmentToPointPen(pen))

        metrics = SimpleNamespace(
            width=glyph.advance_upem, height=UPEM, unicodes=list(glyph.codepoints)
        )
        layer.writeGlyph(glyph.name, metrics, draw)
    layer.writeContents()
    writer.writeLayerContents(["public.default"])
    info = SimpleNamespace(
        familyName=naming.family,
        styleName="Regular",
        unitsPerEm=UPEM,
        ascender=ASCENT_UPEM,
        descender=DESCENT_UPEM,
        postscriptFontName=naming.postscript,
        openTypeNameDescription=naming.origin,
        openTypeNameLicense=naming.licence,
        copyright=naming.copyright,
    )
    writer.writeInfo(info)
    writer.writeLib({"public.glyphOrder": [glyph.name for glyph in glyphs]})
    vertical = {glyph.vertical_of: glyph.name for glyph in glyphs if glyph.vertical_of}
    if vertical:
        rules = "\n".join(f"  sub {plain} by {form};" for plain, form in vertical.items())
        writer.writeFeatures(f"feature vert {{\n{rules}\n}} vert;\n")
