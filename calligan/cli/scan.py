"""`calligan scan`: photographs of written pages to labelled glyphs."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.model import chinese_font_name
from calligan.cli.show import bar, note
from calligan.errors import DataError

if TYPE_CHECKING:
    from calligan.scan.cells import Cell
    from calligan.scan.folder import Found

_TEXT = 8  # characters; on a page of fewer, a stroke may be as long as a rule


def scan(
    pages: Annotated[list[Path], typer.Argument(help="Photographs or scans, one a page.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to put glyphs into.")
    ] = Path("hand"),
    size: Annotated[int, typer.Option(help="Side of a glyph's image in pixels.")] = 256,
    text: Annotated[
        str | None,
        typer.Option(help="What a free page says, or a UTF-8 file: it is cut by that."),
    ] = None,
    columns: Annotated[
        str, typer.Option(help="How a free page runs: rtl, ltr (columns), or rows.")
    ] = "rtl",
    font: Annotated[
        str | None, typer.Option(help="The contact sheet's models' font; default one that is here.")
    ] = None,
) -> None:
    """Cut the characters out of filled template pages, or out of a page whose text is known.

    Example: calligan scan page1.jpg page2.jpg -o hand

    Example: calligan scan copybook.jpg --text @lanting --columns rtl -o hand

    Look at hand/contact-sheet.png: under each model stands what was found, in a frame where it is
    doubtful. To correct a label, rename the file or change `char` in hand/labels.csv (nothing in
    it leaves the glyph out). A second image of a character is kept as a variant.
    """
    from calligan.errors import ConfigError
    from calligan.scan.folder import LABELS, SHEET, save_hand
    from calligan.scan.template import font_image

    if not 32 <= size <= 1024:
        raise ConfigError(f"--size {size} is out of reach; give 32 to 1024 pixels")
    if columns not in ("rtl", "ltr", "rows"):
        raise ConfigError(f"--columns {columns!r} is none of rtl, ltr, rows")
    name = chinese_font_name(font)
    with bar(len(pages), "reading", "page") as progress:
        if text is None:
            found = _template_pages(pages, size, progress.update)
        else:
            found = _free_page(pages, text, columns, size, name)
    if not found:
        names = ", ".join(map(str, pages))
        raise DataError(f"{names}: no cell is written on with dark ink; nothing was saved")
    found = _proofread(found, name)
    files = save_hand(output, found, font_image(name, size))
    doubtful = sum(bool(glyph.note) for glyph in found)
    note(f"{len(found)} glyphs from {len(pages)} page(s), {doubtful} doubtful")
    pairs = zip(files, found, strict=True)
    if variants := [file for file, glyph in pairs if file != f"{glyph.char}.png"]:
        note(
            f"{len(variants)} of them are kept as variants (such as {variants[0]}), their "
            f"characters being there already; to read a page anew, remove {output} first"
        )
    note(f"look at {output / SHEET}; correct labels in {output / LABELS} or by renaming")
    typer.echo(output)


def _template_pages(pages: list[Path], size: int, done: Callable[[], object]) -> "list[Found]":
    """What is written on the pages; raises, naming all that cannot be read, if any cannot."""
    read, bad = {}, []
    for path in pages:
        try:
            read[path] = _cells(path, size)
        except DataError as error:
            bad.append(str(error))
        done()
    if bad:
        saved = f" (nothing was saved of the {len(pages)} pages)" if len(pages) > 1 else ""
        raise DataError("; ".join(bad) + saved)
    return [glyph for path, cells in read.items() for glyph in _written(path, cells)]


def _cells(path: Path, size: int) -> "list[Cell]":
    from calligan.scan.cells import cut_cells
    from calligan.scan.photo import open_photo, read_sheet, sheet_ink

    photo = open_photo(path)
    try:
        page, sheet = read_sheet(photo)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return cut_cells(sheet_ink(page, sheet), sheet, size)


def _written(path: Path, cells: "list[Cell]") -> "list[Found]":
    """The glyphs of a page's cells, after saying what they hold."""
    from calligan.scan.folder import Found

    counts = Counter(cell.status for cell in cells)
    note(f"{path}: " + ", ".join(f"{number} {status}" for status, number in counts.items()))
    for status in ("empty", "crossed out"):
        if chars := [cell.char for cell in cells if cell.status == status]:
            note(f"{status}: {' '.join(chars)}")
    return [
        Found(cell.char, cell.image, path.name, "" if cell.status == "written" else cell.status)
        for cell in cells
        if cell.status in ("written", "over the edge")
    ]


def _words(text: str) -> str:
    """The text itself, or that of a file: @FILE, or anything that looks like one."""
    from calligan.glyphs.charset import is_file, load_text

    if text[:1] == "@":
        return load_text(text[1:])
    if text.lower().endswith(".txt") or is_file(text):
        return load_text(text)
    return text.replace("\\n", "\n")


def _free_page(pages: list[Path], text: str, columns: str, size: int, font: str) -> "list[Found]":
    from calligan.glyphs.charset import is_han
    from calligan.scan.copybook import crop, doubtful, find_characters, without_rules
    from calligan.scan.folder import Found
    from calligan.scan.photo import evened, flattened, open_photo
    from calligan.scan.template import font_letters

    if len(pages) != 1:
        raise DataError("--text goes with one page at a time: give each page its own text")
    words = _words(text)
    words = "".join(char for char in words if is_han(char) or char == "\n")
    if not words.strip():
        raise DataError("--text holds no Chinese character")
    letters, _ = font_letters(font, words.replace("\n", ""))
    ink = evened(flattened(open_photo(pages[0])))
    if len(words) >= _TEXT:
        ink = without_rules(ink)
    spots = find_characters(ink, words, columns, letters)  # type: ignore[arg-type]
    notes = doubtful(spots)
    return [
        Found(spot.char, crop(ink, spot, size), pages[0].name, said)
        for spot, said in zip(spots, notes, strict=True)
    ]


def _proofread(found: "list[Found]", font: str) -> "list[Found]":
    """With a note on each glyph that the reader takes for another, or finds malformed."""
    from dataclasses import replace

    import numpy as np

    from calligan.cli.check import proofread
    from calligan.reader.check import UNSURE

    seen = proofread([(glyph.char, glyph.image) for glyph in found], font)
    if seen is None:
        return found
    notes = {char: "reads badly" for char in seen.malformed}
    notes |= {char: f"reads as {other}" for char, other in seen.mislabelled.items()}
    scores = seen.scores[~np.isnan(seen.scores)]
    if (unread := int((scores < UNSURE).sum())) > len(scores) / 2:
        note(
            f"{unread} of {len(scores)} glyphs do not read as they are labelled: look whether the "
            "text is the page's (a cursive hand may be right all the same)"
        )
    return [replace(each, note=each.note or notes.get(each.char, "")) for each in found]
