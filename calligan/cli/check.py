"""`calligan check`: what is wrong with a font, or a folder of glyphs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.model import chinese_font_name
from calligan.cli.show import bar, note
from calligan.cli.verdict import DOUBTFUL, StrictOption

if TYPE_CHECKING:
    import numpy as np

    from calligan.reader.check import Checked, Printed
    from calligan.reader.verdict import Judge

_SIZE_PX = 64  # what the reader sees
_A_ROW, _ROWS = 20, 30  # of the sheet


def check(
    what: Annotated[str, typer.Argument(help="A font, or a folder of PNGs named by character.")],
    charset: Annotated[
        str, typer.Option(help="Look at these characters, where a font has them.")
    ] = "gb2312+jis-1+big5-1",
    script: Annotated[
        str | None,
        typer.Option(help="楷, 行楷, 行, 草, pen or display: how far from print is right."),
    ] = None,
    font: Annotated[
        str | None, typer.Option(help="The regular font to compare with; default one that is here.")
    ] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write every score and finding.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Draw what was found under its reference into this PNG.")
    ] = None,
    strict: StrictOption = False,
) -> None:
    """Find blank, repeated, mislabelled and malformed glyphs.

    Example: calligan check MyFont.ttf --sheet found.png

    A font's own 1 in 100 least readable glyphs are named at most, the worst first: look at them.
    """
    from calligan.errors import DataError
    from calligan.glyphs.catalog import resolve_font
    from calligan.page.sheet import save_png
    from calligan.reader.verdict import Judge
    from calligan.storage import atomic_file, write_json

    judge = Judge.load()
    chars, images, blank = _folder(Path(what)) if Path(what).is_dir() else _font(what, charset)
    if not chars:
        raise DataError(f"{what} has no ink for any character that was asked for")
    regular = chinese_font_name(font)
    least = judge.least_score(script or "")
    if script is None and not Path(what).is_dir():
        info = resolve_font(what)
        least = judge.least_score(info.script, info.name)
    with bar(len(chars), "reading", "glyph") as progress:
        found = _beside_print(chars, images, regular, judge, least, progress.update)
    _tell(found, blank)
    if json_path is not None:
        write_json(json_path, _as_json(found, blank))
        typer.echo(json_path)
    if sheet is not None:
        with atomic_file(sheet) as file:
            save_png(_sheet(found), file)
        typer.echo(sheet)
    if strict and (found.wrong or blank):
        raise typer.Exit(DOUBTFUL)


def _font(text: str, charset: str) -> "tuple[str, np.ndarray, str]":
    """Characters with ink, their glyphs, and those that the font maps to blanks."""
    from calligan.config import RasterConfig
    from calligan.glyphs.catalog import resolve_font
    from calligan.glyphs.charset import is_han, load_charset
    from calligan.glyphs.face import Face
    from calligan.glyphs.placement import measure_placement
    from calligan.glyphs.raster import render_glyphs

    spec = resolve_font(text).spec
    wanted = "".join(filter(is_han, load_charset(charset)))
    raster = RasterConfig(size_px=_SIZE_PX)
    place = measure_placement(Face(spec), wanted, raster, least=1)
    glyphs = render_glyphs(spec, wanted, place, raster.min_ink)
    return glyphs.chars, glyphs.images, glyphs.left_out["blank"] + glyphs.left_out["notdef"]


def _folder(folder: Path) -> "tuple[str, np.ndarray, str]":
    from calligan.config import RasterConfig
    from calligan.pairs.hand import of_pictures
    from calligan.scan.folder import read_hand

    read = list(read_hand(folder))
    found = of_pictures("folder", folder, read, RasterConfig(size_px=_SIZE_PX))
    there = found.entry.chars
    return there, found.images, "".join(char for char, _ in read if char not in there)


def proofread(glyphs: "list[tuple[str, np.ndarray]]", font: str) -> "Checked | None":
    """What is the matter with pictures of characters, uint8 (H, W), beside a regular font.

    None where nothing has ink, or calligan came without its reader.
    """
    from calligan.config import RasterConfig
    from calligan.pairs.hand import of_pictures
    from calligan.reader.verdict import Judge
    from calligan.resources import reader_model

    inked = [(char, image) for char, image in glyphs if (image < 128).any()]
    if reader_model() is None or not inked:
        return None
    placed, judge = of_pictures("", Path(), inked, RasterConfig(size_px=_SIZE_PX)), Judge.load()
    return _beside_print(placed.entry.chars, placed.images, font, judge, judge.least_score(""))


def _beside_print(
    chars: str,
    images: "np.ndarray",
    font: str,
    judge: "Judge",
    least_score: float,
    progress: Callable[[int], None] = lambda count: None,
) -> "Checked":
    """Glyphs looked at beside the same characters in a regular font."""
    from calligan.glyphs.charset import load_charset
    from calligan.reader.check import check as checked

    there = dict(zip(*_printed(font, chars), strict=True))
    return checked(
        *(chars, images, [there.get(char) for char in chars], judge, least_score, progress),
        others=lambda: _printed(font, load_charset("gb2312")),
    )


def _printed(name: str, chars: str) -> "Printed":
    """Those of the characters that a regular font has, and each as it draws them."""
    from calligan.config import RasterConfig
    from calligan.glyphs.catalog import resolve_font
    from calligan.glyphs.charset import load_charset
    from calligan.glyphs.face import Face
    from calligan.glyphs.placement import measure_placement
    from calligan.glyphs.raster import render_glyphs

    spec = resolve_font(name).spec
    raster = RasterConfig(size_px=_SIZE_PX)
    place = measure_placement(Face(spec), load_charset("gb2312"), raster)
    glyphs = render_glyphs(spec, "".join(dict.fromkeys(chars)), place, raster.min_ink)
    return glyphs.chars, glyphs.images


def _tell(found: "Checked", blank: str) -> None:
    lines = [
        ("blank", blank + found.blank, blank + found.blank),
        ("the same picture", "".join(found.duplicates), " ".join(found.duplicates)),
        (
            "mislabelled?",
            "".join(found.mislabelled),
            " ".join(f"{char}→{other}" for char, other in found.mislabelled.items()),
        ),
        ("malformed?", found.malformed, found.malformed),
    ]
    for label, chars, shown in lines:
        typer.echo(f"{label:17} {len(chars):5}  {shown[:120]}{' …' if len(shown) > 120 else ''}")
    note(f"{len(found.chars):,} glyphs with ink looked at")


def _as_json(found: "Checked", blank: str) -> dict:
    import math

    from calligan.reader.verdict import four_digits

    return {
        "blank": blank + found.blank,
        "duplicates": list(found.duplicates),
        "mislabelled": found.mislabelled,
        "malformed": found.malformed,
        "least_score": four_digits(found.least_score),
        "scores": {
            char: None if math.isnan(score) else four_digits(score)
            for char, score in zip(found.chars, found.scores, strict=True)
        },
    }


def _sheet(found: "Checked"):  # type: ignore[no-untyped-def]
    """Rows of reference and glyph, of what reads badly, the worst first."""
    from calligan.page.sheet import Row, contact_sheet

    wrong = [found.chars.index(c) for c in (*found.mislabelled, *found.malformed)]
    rows = []
    for start in range(0, min(len(wrong), _A_ROW * _ROWS), _A_ROW):
        part = wrong[start : start + _A_ROW]
        rows.append(Row("asked", [found.references[i] for i in part]))
        rows.append(Row("found", [found.images[i] for i in part]))
    return contact_sheet(rows or [Row("nothing", [None])], _SIZE_PX)
