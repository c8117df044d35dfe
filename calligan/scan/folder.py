"""Glyphs of a hand as a folder: one PNG per glyph, named by its character, and a label list."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from io import StringIO
from pathlib import Path

import numpy as np
from PIL import Image

from calligan.errors import DataError
from calligan.folder_update import complete_update, folder_update
from calligan.glyphs.charset import is_label
from calligan.limits import MAX_GLYPH_PX, MAX_HAND_PX
from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.pictures import count_px, read_picture
from calligan.reading import read_text
from calligan.storage import atomic_file, write_bytes

LABELS, CONTACT_SHEET = "labels.csv", "contact-sheet.png"
_COLUMNS = ("file", "char", "page", "note")
_GLYPHS_PER_ROW = 12
_CELL_PX = 96
_MOST_SHOWN = 6000  # glyphs of a contact sheet, the newest: 126 megapixels
_DARK = 90  # of 255: an image whose border and median are darker is white on black


@dataclass(frozen=True)
class ScannedGlyph:
    """A glyph cut from a page: `image` is uint8 (S, S), 255 = paper."""

    char: str
    image: np.ndarray
    page: str
    note: str = ""  # why it is doubtful


def save_hand(
    folder: Path, glyphs: Sequence[ScannedGlyph], model: Callable[[str], np.ndarray | None]
) -> list[str]:
    """Add glyphs to a folder; the names of the files written.

    A second image of a character becomes a variant (`书-2.png`). The contact sheet shows every
    glyph, or the newest, under the image that `model` gives for its character; doubtful glyphs are
    framed. All files are added or none. Raises DataError if the label list or a picture cannot be
    read, the pictures have more than MAX_HAND_PX pixels, or the disk is full.
    """
    with folder_update(folder) as new:
        names = _free_names(folder, glyphs)
        existing = {path.name for path in _list_pngs(folder)} - {CONTACT_SHEET}
        rows = [row for row in _read_rows(folder / LABELS) if row[0] in existing]
        before = _read_glyphs(folder, rows)
        for name, glyph in zip(names, glyphs, strict=True):
            with atomic_file(new / name) as file:
                Image.fromarray(glyph.image).save(file, "PNG", optimize=True)
        rows += [[n, g.char, g.page, g.note] for n, g in zip(names, glyphs, strict=True)]
        _write_rows(new / LABELS, rows)
        shown = [*before, *glyphs][-_MOST_SHOWN:]
        save_sheet(_draw_sheet(shown, model), new / CONTACT_SHEET)
    return names


def read_hand(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Characters and images, uint8 (H, W), 255 = paper, of a folder.

    A file's name is its label unless the list has another; an empty label skips the file. Raises
    DataError for an empty folder, a label that is not one character, a damaged image, or images of
    more than MAX_HAND_PX pixels.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {folder}; `calligan scan` makes one")
    complete_update(folder)
    labels = {row[0]: row[1] for row in _read_rows(folder / LABELS)}
    paths = [path for path in _list_pngs(folder) if path.name != CONTACT_SHEET]
    paths.sort(key=lambda path: (len(path.stem), path.stem))  # 书, 书-2, 书-10
    if not paths:
        raise DataError(f"{folder} has no PNG; name each by its character, such as 书.png")
    chars = {path: labels.get(path.name, _char_of_name(path)) for path in paths}
    read = {path: char for path, char in chars.items() if char}
    for path, char in read.items():
        if is_label(char):
            continue
        if path.name in labels:
            raise DataError(f"{folder / LABELS} labels {path.name} {char!r}; give one character")
        raise DataError(f"{path} is not named by one character, such as 书.png or 书-2.png")
    yield from zip(read.values(), _read_pictures(folder, read), strict=True)


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
    complete_update(folder)
    listed = {row[0]: Label(*row) for row in _read_rows(folder / LABELS)}
    there = {path.name: path for path in sorted(_list_pngs(folder)) if path.name != CONTACT_SHEET}
    names = [name for name in dict.fromkeys([*listed, *there]) if name in there]
    return [listed.get(name) or Label(name, _char_of_name(there[name])) for name in names]


def relabel(folder: Path | str, file: str, char: str, note: str = "") -> Label:
    """Correct a picture's character; "" leaves it out. `note` is what is doubtful about it then.

    What the list said before. Raises DataError for a picture that there is not, or no character.
    """
    folder = Path(folder)
    there = labels(folder)
    before = next((label for label in there if label.file == file), None)
    if before is None:
        raise DataError(f"{folder} holds no picture {file!r}")
    if char and not is_label(char):
        raise DataError(f"{char!r} is no label for a glyph; give one character")
    now = replace(before, char=char, note=before.note if char == before.char else note)
    kept = [now if label.file == file else label for label in there]
    _replace_labels(folder, kept)
    return before


def annotate(folder: Path | str, file: str, char: str, note: str) -> None:
    """Set what is doubtful about a picture, if it still is labelled `char`."""
    folder = Path(folder)
    there = labels(folder)
    if any((label.file, label.char) == (file, char) and label.note != note for label in there):
        kept = [replace(label, note=note) if label.file == file else label for label in there]
        _replace_labels(folder, kept)


def remove_page(folder: Path, page: str) -> int:
    """Remove the pictures that were cut out of a page; how many there were."""
    there = labels(folder)
    gone = [label for label in there if label.page == page]
    _replace_labels(folder, [label for label in there if label.page != page])
    for label in gone:
        (folder / label.file).unlink(missing_ok=True)
    return len(gone)


def _replace_labels(folder: Path, kept: Sequence[Label]) -> None:
    """Write the label list, in place of a link too: what it leads to may be anyone's."""
    with folder_update(folder) as new:
        _write_rows(new / LABELS, [list(astuple(label)) for label in kept])


def _list_pngs(folder: Path) -> list[Path]:
    """The PNGs of a folder, without hidden files."""
    return [p for p in folder.glob("*") if p.suffix.lower() == ".png" and p.name[0] != "."]


def _read_pictures(folder: Path, paths: Iterable[Path]) -> Iterator[np.ndarray]:
    """Pictures of a folder, as `read_grey`.

    Raises DataError for more than MAX_HAND_PX pixels, by the headers, before any is decoded.
    """
    paths, total_px = list(paths), 0
    for path in paths:
        with _usable(path):
            total_px += count_px(path, MAX_GLYPH_PX)
        if total_px > MAX_HAND_PX:
            most = f"{MAX_HAND_PX // 1_000_000} megapixels"
            raise DataError(f"the pictures in {folder} have more than {most}; reduce them")
    yield from map(read_grey, paths)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} is unusable: {reason}; scan it again or remove it") from error


def read_grey(path: Path) -> np.ndarray:
    """An image as dark ink on light paper, uint8 (H, W); transparent pixels are paper.

    White ink on black is inverted.
    """
    with _usable(path):
        grey = np.asarray(read_picture(path, MAX_GLYPH_PX).convert("L"))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return 255 - grey if max(np.median(border), np.median(grey)) < _DARK else grey


def _read_glyphs(folder: Path, rows: Sequence[Sequence[str]]) -> list[ScannedGlyph]:
    """The glyphs that are already in the folder: in the list's order, then those not in it."""
    listed = {name: (char, page, note) for name, char, page, note in rows}
    files = {path.name: path for path in sorted(_list_pngs(folder)) if path.name != CONTACT_SHEET}
    names = list(dict.fromkeys([*listed, *files]))
    images = _read_pictures(folder, (files[name] for name in names))
    glyphs = []
    for name, image in zip(names, images, strict=True):
        char, page, note = listed.get(name, (_char_of_name(files[name]), "", ""))
        glyphs.append(ScannedGlyph(char if is_label(char) else "?", image, page, note))
    return glyphs


def _char_of_name(path: Path) -> str:
    """The character in a file's name, without the number of its variant: 书 for 书-2.png."""
    return path.stem.partition("-")[0]


def _free_names(folder: Path, glyphs: Sequence[ScannedGlyph]) -> list[str]:
    """An unused file name for each glyph. Raises DataError for a label that cannot be a name."""
    if odd := next((glyph for glyph in glyphs if not is_label(glyph.char)), None):
        raise DataError(f"{odd.page} labels a glyph {odd.char!r}, which cannot be a file name")
    taken = {path.name for path in _list_pngs(folder)} if folder.is_dir() else set()
    names = []
    for glyph in glyphs:
        name, number = f"{glyph.char}.png", 1
        while name in taken:
            number += 1
            name = f"{glyph.char}-{number}.png"
        taken.add(name)
        names.append(name)
    return names


def _read_rows(path: Path) -> list[list[str]]:
    if not path.exists() and not path.is_symlink():  # a broken link is an error
        return []
    try:
        text = read_text(path)
        if "\0" in text:
            raise csv.Error("it has a NUL character")
        rows = [row for row in csv.reader(StringIO(text), strict=True) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}; save it as UTF-8 CSV") from error
    if not rows or tuple(rows[0]) != _COLUMNS or any(len(row) != len(_COLUMNS) for row in rows):
        raise DataError(f"{path} needs the columns {','.join(_COLUMNS)}, separated by commas")
    return rows[1:]


def _write_rows(path: Path, rows: Sequence[Sequence[str]]) -> None:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *rows])
    write_bytes(path, text.getvalue().encode())


def _draw_sheet(
    glyphs: Sequence[ScannedGlyph], model: Callable[[str], np.ndarray | None]
) -> Image.Image:
    rows = []
    for start in range(0, len(glyphs), _GLYPHS_PER_ROW):
        part = glyphs[start : start + _GLYPHS_PER_ROW]
        rows.append(Row("asked", [model(glyph.char) for glyph in part]))
        rows.append(Row("found", [_frame_doubtful(glyph) for glyph in part]))
    return contact_sheet(rows, _CELL_PX)


def _frame_doubtful(glyph: ScannedGlyph) -> np.ndarray:
    image = glyph.image.copy()
    if glyph.note:
        thick = max(2, image.shape[0] // 24)
        for part in (np.s_[:thick], np.s_[-thick:], np.s_[:, :thick], np.s_[:, -thick:]):
            image[part] = 96
    return image
