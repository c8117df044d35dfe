"""A hand as a folder: a PNG a glyph, named by its character, and a list to correct it by."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from io import StringIO
from pathlib import Path

import numpy as np
from PIL import Image

from calligan.errors import DataError
from calligan.glyphs.charset import is_label
from calligan.page.sheet import Row, contact_sheet, save_png
from calligan.storage import atomic_file, write_bytes

LABELS, SHEET = "labels.csv", "contact-sheet.png"
_HEAD = ("file", "char", "page", "note")
_A_ROW = 12
_CELL_PX = 96
_DARK = 90  # of 255: a picture that is darker at its border and in all is white on black


@dataclass(frozen=True)
class Found:
    """A glyph found on a page: uint8 (S, S), 255 = paper."""

    char: str
    image: np.ndarray
    page: str
    note: str = ""  # what is doubtful about it


def save_hand(
    folder: Path, glyphs: Sequence[Found], model: Callable[[str], np.ndarray | None]
) -> list[str]:
    """Write glyphs beside those that are there; names of the files written.

    A second image of a character becomes a variant (`书-2.png`). The contact sheet shows each
    glyph of the list under the same character by `model`; doubtful ones in a frame. Raises
    DataError, before anything is written, for a list that cannot be read.
    """
    names = _free_names(folder, glyphs)
    there = {path.name for path in _pictures(folder)} - {SHEET}
    rows = [row for row in _rows(folder / LABELS) if row[0] in there]
    before = _again(folder, rows) if folder.is_dir() else []
    for name, glyph in zip(names, glyphs, strict=True):
        with atomic_file(folder / name) as file:
            Image.fromarray(glyph.image).save(file, "PNG", optimize=True)
    rows += [[n, g.char, g.page, g.note] for n, g in zip(names, glyphs, strict=True)]
    _write_rows(folder / LABELS, rows)
    with atomic_file(folder / SHEET) as file:
        save_png(_sheet([*before, *glyphs], model), file)
    return names


def read_hand(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Characters and images, uint8 (H, W), 255 = paper, of a folder.

    Files are labelled by their names, unless the list says otherwise; an empty label leaves one
    out. Raises DataError for an empty folder, a name that is no character or a damaged picture.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {folder}; `calligan scan` makes one")
    labels = {row[0]: row[1] for row in _rows(folder / LABELS)}
    paths = [path for path in _pictures(folder) if path.name != SHEET]
    paths.sort(key=lambda path: (len(path.stem), path.stem))  # 书, 书-2, 书-10
    if not paths:
        raise DataError(f"{folder} holds no PNG; name each by its character, such as 书.png")
    for path in paths:
        char = labels.get(path.name, _named_char(path))
        if not char:
            continue
        if not is_label(char):
            if path.name in labels:
                raise DataError(f"{folder / LABELS} calls {path.name} {char!r}; give one character")
            raise DataError(f"{path} is not named by one character, such as 书.png or 书-2.png")
        yield char, _grey(path)


@dataclass(frozen=True)
class Label:
    """What a folder says of one of its pictures; without a character it is left out."""

    file: str
    char: str
    page: str = ""
    note: str = ""  # what is doubtful about it


def labels(folder: Path | str) -> list[Label]:
    """The pictures of a hand's folder, as its list tells of them, then those it lacks."""
    folder = Path(folder)
    listed = {row[0]: Label(*row) for row in _rows(folder / LABELS)}
    there = {path.name: path for path in sorted(_pictures(folder)) if path.name != SHEET}
    names = [name for name in dict.fromkeys([*listed, *there]) if name in there]
    return [listed.get(name) or Label(name, _named_char(there[name])) for name in names]


def relabel(folder: Path | str, file: str, char: str) -> Label:
    """Correct a picture's character, which is then no longer doubted; "" leaves it out.

    What the list said before. Raises DataError for a picture that there is not, or no character.
    """
    folder = Path(folder)
    there = labels(folder)
    before = next((label for label in there if label.file == file), None)
    if before is None:
        raise DataError(f"{folder} holds no picture {file!r}")
    if char and not is_label(char):
        raise DataError(f"{char!r} is no label for a glyph; give one character")
    now = replace(before, char=char, note=before.note if char == before.char else "")
    kept = [now if label.file == file else label for label in there]
    _write_rows(folder / LABELS, [list(astuple(label)) for label in kept])
    return before


def remove_page(folder: Path, page: str) -> int:
    """Remove the pictures that were cut out of a page; how many there were."""
    there = labels(folder)
    gone = [label for label in there if label.page == page]
    kept = [list(astuple(label)) for label in there if label.page != page]
    _write_rows(folder / LABELS, kept)
    for label in gone:
        (folder / label.file).unlink(missing_ok=True)
    return len(gone)


def _pictures(folder: Path) -> list[Path]:
    """The PNGs of a folder; those that begin with a dot are a system's own."""
    return [p for p in folder.glob("*") if p.suffix.lower() == ".png" and p.name[0] != "."]


def _grey(path: Path) -> np.ndarray:
    """A picture of dark ink on light paper, uint8 (H, W); what is transparent is paper.

    White ink on black is turned over.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            clear = image.convert("RGBA")
            paper = Image.new("RGBA", clear.size, "white")
            grey = np.asarray(Image.alpha_composite(paper, clear).convert("L"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is a damaged picture; scan it again or remove it") from error
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return 255 - grey if max(np.median(border), np.median(grey)) < _DARK else grey


def _again(folder: Path, rows: Sequence[Sequence[str]]) -> list[Found]:
    """The glyphs that lie in the folder already, in the list's order; then those it lacks."""
    listed = {name: (char, page, note) for name, char, page, note in rows}
    there = {path.name: path for path in sorted(_pictures(folder)) if path.name != SHEET}
    found = []
    for name in dict.fromkeys([*listed, *there]):
        char, page, note = listed.get(name, (_named_char(there[name]), "", ""))
        found.append(Found(char or "?", _grey(there[name]), page, note))
    return found


def _named_char(path: Path) -> str:
    """The character that a file's name begins with: 书-2.png."""
    return path.stem.partition("-")[0]


def _free_names(folder: Path, glyphs: Sequence[Found]) -> list[str]:
    """A name for each glyph. Raises DataError for a label that could not be one."""
    if odd := next((glyph for glyph in glyphs if not is_label(glyph.char)), None):
        raise DataError(f"{odd.page} labels a glyph {odd.char!r}, which cannot be a file's name")
    taken = {path.name for path in _pictures(folder)} if folder.is_dir() else set()
    names = []
    for glyph in glyphs:
        name, number = f"{glyph.char}.png", 1
        while name in taken:
            number += 1
            name = f"{glyph.char}-{number}.png"
        taken.add(name)
        names.append(name)
    return names


def _rows(path: Path) -> list[list[str]]:
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
        if "\0" in text:
            raise csv.Error("it holds a NUL")
        rows = [row for row in csv.reader(StringIO(text), strict=True) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}; save it as UTF-8 CSV") from error
    if not rows or tuple(rows[0]) != _HEAD or any(len(row) != len(_HEAD) for row in rows):
        raise DataError(f"{path} should have the columns {','.join(_HEAD)}, with commas between")
    return rows[1:]


def _write_rows(path: Path, rows: Sequence[Sequence[str]]) -> None:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([_HEAD, *rows])
    write_bytes(path, text.getvalue().encode())


def _sheet(glyphs: Sequence[Found], model: Callable[[str], np.ndarray | None]) -> Image.Image:
    rows = []
    for start in range(0, len(glyphs), _A_ROW):
        part = glyphs[start : start + _A_ROW]
        rows.append(Row("asked", [model(glyph.char) for glyph in part]))
        rows.append(Row("found", [_framed(glyph) for glyph in part]))
    return contact_sheet(rows, _CELL_PX)


def _framed(glyph: Found) -> np.ndarray:
    image = glyph.image.copy()
    if glyph.note:
        thick = max(2, image.shape[0] // 24)
        for part in (np.s_[:thick], np.s_[-thick:], np.s_[:, :thick], np.s_[:, -thick:]):
            image[part] = 96
    return image
