"""Cut photographs of written pages into a folder of labelled glyphs."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from calligan.apart import ChildReader
from calligan.errors import ConfigError, DataError
from calligan.glyphs.charset import given_text, is_file, load_text
from calligan.glyphs.raster import font_pictures
from calligan.library.checking import proofread
from calligan.library.free_page import READINGS, Edges, FreePage, page_words
from calligan.progress import Cancel, Note, Progress, count_progress, ignore, never_cancel
from calligan.project.source import chinese_font_name
from calligan.reader.check import UNSURE
from calligan.scan.cells import OVER_EDGE, Cell
from calligan.scan.folder import (
    CONTACT_SHEET,
    LABELS,
    ScannedGlyph,
    labels,
    read_grey,
    save_hand,
)
from calligan.scan.pages import template_cells
from calligan.storage import check_writable


@dataclass(frozen=True)
class Scanned:
    """A folder of glyphs, and the glyphs added to it: `files[i]` shows `glyphs[i]`."""

    folder: Path
    glyphs: Sequence[ScannedGlyph]
    files: Sequence[str]

    @property
    def doubtful(self) -> Sequence[ScannedGlyph]:
        """Glyphs with a note on a possible fault."""
        return [glyph for glyph in self.glyphs if glyph.note]

    @property
    def variants(self) -> Sequence[str]:
        """Files of characters that the folder already had, such as 书-2.png."""
        first = {f"{glyph.char}.png" for glyph in self.glyphs}
        had = first.difference(self.files)  # a page may have a character twice itself
        pairs = zip(self.files, self.glyphs, strict=True)
        return [file for file, glyph in pairs if f"{glyph.char}.png" in had]

    def notes(self, pages: int) -> Iterator[str]:
        """How many glyphs were found on so many pages, and what to look at, in lines."""
        folder, variants = self.folder, self.variants
        yield f"{len(self.glyphs)} glyphs from {pages} page(s), {len(self.doubtful)} doubtful"
        if variants:
            yield (
                f"{len(variants)} of them are kept as variants (such as {variants[0]}): {folder} "
                f"already has their characters; to start again, remove {folder} first"
            )
        yield f"check {folder / CONTACT_SHEET}; correct labels in {folder / LABELS} or by renaming"

    def as_json(self) -> dict[str, Any]:
        """The folder, and the file, label and note of each glyph."""
        pairs = zip(self.files, self.glyphs, strict=True)
        glyphs = [{"file": file, "char": glyph.char, "note": glyph.note} for file, glyph in pairs]
        return {"folder": self.folder, "glyphs": glyphs}


def scan_pages(
    pages: Sequence[Path | str],
    folder: Path | str = "hand",
    *,
    size_px: int = 256,
    text: str | None = None,
    columns: str = "rtl",
    edges: Edges | None = None,
    font: str | None = None,
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    note: Note = ignore,
) -> Scanned:
    """Cut the characters out of filled template pages, or of one page whose `text` is known.

    Adds a PNG per glyph, `size_px` square and named by its character, to `folder`. `columns` is the
    direction of a free page: "rtl", "ltr" (columns), or "rows". `edges` are its columns, as shares
    of the page's width (rows: height), where they are not found right. `font` is a regular font to
    compare with. Needs OpenCV (the extra `scan`). Raises DataError if a page cannot be read; then
    nothing is saved.
    """
    if not 32 <= size_px <= 1024:
        raise ConfigError(f"--size {size_px} is out of range; give 32 to 1024 pixels")
    if columns not in READINGS:
        raise ConfigError(f"--columns {columns!r} is not one of rtl, ltr, rows")
    paths, folder = [Path(page) for page in pages], Path(folder)
    check_writable(folder / LABELS)
    name = chinese_font_name(font, note)
    if text is None:
        add = count_progress("reading", len(paths), progress, cancel)
        found = _template_pages(paths, size_px, add, note)
    else:
        found = _free_page(paths, text, columns, edges, size_px, name, note)
    if not found:
        names = ", ".join(map(str, paths))
        raise DataError(f"{names}: no cell is written on with dark ink; nothing was saved")
    found = proofread_glyphs(found, name, note)
    return Scanned(folder, found, save_hand(folder, found, font_pictures(name, size_px)))


def _template_pages(
    pages: Sequence[Path], size: int, done: Callable[[int], object], note: Note
) -> list[ScannedGlyph]:
    """The glyphs of the pages. Raises DataError naming all pages that cannot be read."""
    read, bad = {}, []
    with ChildReader() as child:
        for path in pages:
            try:
                read[path] = template_cells(child, path, size)
            except DataError as error:
                bad.append(str(error))
            done(1)
    if bad:
        saved = f" (nothing was saved of the {len(pages)} pages)" if len(pages) > 1 else ""
        raise DataError("; ".join(bad) + saved)
    return [glyph for path, cells in read.items() for glyph in _written(path, cells, note)]


def _written(path: Path, cells: list[Cell], note: Note) -> list[ScannedGlyph]:
    """The glyphs of a page's cells; the state of the cells is reported to `note`."""
    counts = Counter(cell.status for cell in cells)
    note(f"{path}: " + ", ".join(f"{number} {status}" for status, number in counts.items()))
    for status in ("empty", "crossed out"):
        if chars := [cell.char for cell in cells if cell.status == status]:
            note(f"{status}: {' '.join(chars)}")
    return [
        ScannedGlyph(
            cell.char, cell.image, path.name, "" if cell.status == "written" else cell.status
        )
        for cell in cells
        if cell.status in ("written", OVER_EDGE)
    ]


def page_text(text: str) -> str:
    """The text itself, or the contents of a file: @FILE, a .txt or an existing path."""
    if text[:1] != "@" and (text.lower().endswith(".txt") or is_file(text)):
        return load_text(text)
    return given_text(text)


def _free_page(
    pages: Sequence[Path],
    text: str,
    columns: str,
    edges: Edges | None,
    size_px: int,
    font: str,
    note: Note,
) -> list[ScannedGlyph]:
    if len(pages) != 1:
        raise DataError("--text is for one page: run `scan` once for each page with its own text")
    words = page_words(page_text(text))
    if not words.strip():
        raise DataError("--text has no Chinese character or kana; give the page's text")
    page = FreePage.open(pages[0], words)
    boxes, glyphs = page.cut(words, columns, edges, size_px, font)
    if (seen := page.count(boxes, columns)) != len(boxes):
        note(
            f"{pages[0]} seems to have {seen} characters, and --text has {len(boxes)}: check that "
            "the text is that of the page, with none left out"
        )
    return glyphs


def proofread_glyphs(found: list[ScannedGlyph], font: str, note: Note) -> list[ScannedGlyph]:
    """Add a note to each glyph that reads as another character, or badly."""
    seen = proofread([(glyph.char, glyph.image) for glyph in found], font)
    if seen is None:
        return found
    notes = {char: "reads badly" for char in seen.malformed}
    notes |= {char: f"reads as {other}" for char, other in seen.mislabelled.items()}
    scores = seen.scores[~np.isnan(seen.scores)]
    if (unread := int((scores < UNSURE).sum())) > len(scores) / 2:
        note(
            f"{unread} of {len(scores)} glyphs do not read as their labels: check that the text is "
            "that of the page (a cursive hand may be right all the same)"
        )
    return [replace(each, note=each.note or notes.get(each.char, "")) for each in found]


def doubt_of_cell(note: str) -> str:
    """What a note says whatever the character is; "" if nothing."""
    return note if note == OVER_EDGE else ""


def doubt_of(folder: Path | str, file: str, char: str) -> str:
    """What is doubtful about a picture of a folder as a picture of `char`; "" if nothing is.

    It is judged among the other glyphs of its page, as when that was cut.
    """
    folder = Path(folder)
    there = labels(folder)
    mine = next((label for label in there if label.file == file), None)
    if mine is None:
        return ""
    of_cell = doubt_of_cell(mine.note)
    if not char or of_cell:
        return of_cell
    beside = [each for each in there if each.page == mine.page and each.char not in ("", char)]
    judged = [replace(mine, char=char), *(each for each in beside if each.file != file)]
    glyphs = [ScannedGlyph(each.char, read_grey(folder / each.file), "") for each in judged]
    return proofread_glyphs(glyphs, chinese_font_name(None), ignore)[0].note
