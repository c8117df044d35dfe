"""Pages without template: the straightened picture, its columns, and where it was cut."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from calligan.errors import DataError
from calligan.storage import atomic_file, read_json, write_json

if TYPE_CHECKING:  # OpenCV comes with it
    from calligan.library.free_page import FreePage
    from calligan.scan.copybook import CharacterBox

Edges = Sequence[tuple[float, float]]
Cuts = Sequence[Sequence[float]]
_Box = list[Any]  # a character, its left, top, right and bottom
_MAX_COLUMNS = 60
_MAX_COLUMN_CHARS = 200
_GLYPH_PX = 256
_PICTURE_PX = 1600  # longer side of the picture to drag columns on


@dataclass(frozen=True)
class _Cut:
    """Where a page was cut: columns, their cuts, the columns whose cuts were given; its boxes."""

    edges: Edges
    cuts: Cuts
    placed: list[int]
    boxes: list[_Box]


def cut_files(photo: Path) -> tuple[Path, Path]:
    """The straightened picture of a photograph, and the file that says where it was cut."""
    return photo.with_name(f"{photo.stem}.page.jpg"), photo.with_name(f"{photo.stem}.cut.json")


def read_cut(photo: Path) -> dict[str, Any] | None:
    """Columns and cuts of a page, as shares of its width and height; None if never cut.

    `edges` and `cuts` are as `FreePage.cut` takes them; `placed` has the columns whose cuts
    were given.
    """
    with contextlib.suppress(OSError, ValueError):
        found = read_json(cut_files(photo)[1])
        return found if isinstance(found, dict) else None
    return None


def checked_edges(value: Any) -> Edges | None:
    """Columns from a request: pairs of shares. None: find them. Raises DataError for others."""
    if value is None:
        return None
    try:
        edges = [(float(a), float(b)) for a, b in value]
    except (TypeError, ValueError) as error:
        raise DataError("columns are pairs of numbers") from error
    within = all(0 <= a < b <= 1 for a, b in edges)
    if not 1 <= len(edges) <= _MAX_COLUMNS or not within or edges != sorted(edges):
        raise DataError(f"give 1 to {_MAX_COLUMNS} columns in order, each within the page")
    return edges


def checked_cuts(value: Any, edges: Edges | None) -> Cuts | None:
    """The cuts of columns from a request, an empty list for those to be found. Raises DataError."""
    if value is None or edges is None:
        return None
    try:
        cuts = [[float(at) for at in column] for column in value]
    except (TypeError, ValueError) as error:
        raise DataError("cuts are a list of numbers for each column") from error
    if len(cuts) != len(edges):
        raise DataError(f"give cuts for each of {len(edges)} columns, or none")
    if not all(_are_cuts(column) for column in cuts):
        raise DataError("the cuts of a column are shares of the page: 0 to 1, ascending")
    return cuts


def _are_cuts(column: Sequence[float]) -> bool:
    ascending = all(a < b for a, b in pairwise(column))
    many = not column or 2 <= len(column) <= _MAX_COLUMN_CHARS + 1
    return many and ascending and all(0 <= at <= 1 for at in column)


def cut_page(
    folder: Path,
    photo: Path,
    text: str,
    reading: str,
    edges: Edges | None = None,
    cuts: Cuts | None = None,
    again: bool = False,
) -> dict[str, Any]:
    """Cut a page into glyphs, which replace those that `folder` has of it; fields of its entry.

    If the text does not fit the columns, the page is kept with the reason, so that its columns can
    be corrected; `again` raises DataError instead, and changes nothing. Corrected labels stay.
    """
    from calligan.glyphs.raster import font_pictures
    from calligan.library.free_page import FreePage
    from calligan.library.scanning import doubt_of, proofread_glyphs
    from calligan.project.source import chinese_font_name
    from calligan.scan.folder import relabel, remove_page, save_hand

    notes: list[str] = []
    font = chinese_font_name(None, notes.append)
    page = FreePage.open(photo, text)
    try:
        boxes, glyphs = page.cut(text, reading, edges, _GLYPH_PX, font, cuts)
    except DataError as error:
        if again:
            raise
        edges = page.columns(reading)
        _write_cut(photo, page, _Cut(edges, [[]] * len(edges), [], []))
        return {"glyphs": 0, "trouble": str(error), "corners": None, "notes": notes}
    glyphs = proofread_glyphs(glyphs, font, notes.append)
    cut = _Cut(
        edges or page.columns(reading),
        page.cuts(boxes, reading),
        [number for number, given in enumerate(cuts or []) if given],
        [_shares(box, page) for box in boxes],
    )
    corrections = _corrections(folder, photo, cut.boxes) if folder.is_dir() else {}
    if folder.is_dir():
        remove_page(folder, photo.name)
    names = save_hand(folder, glyphs, font_pictures(font, _GLYPH_PX))
    for number, char in corrections.items():
        relabel(folder, names[number], char, doubt_of(folder, names[number], char))
    _write_cut(photo, page, cut)
    return {"glyphs": len(glyphs), "trouble": "", "corners": None, "notes": notes}


def _corrections(folder: Path, photo: Path, boxes: Sequence[_Box]) -> dict[int, str]:
    """The labels of a page that were corrected, by the place in its text.

    A glyph that was left out stays so if its box is the same.
    """
    from calligan.scan.folder import labels

    before = (read_cut(photo) or {}).get("boxes", [])
    there = [label.char for label in labels(folder) if label.page == photo.name]
    if not len(there) == len(before) == len(boxes):
        return {}
    return {
        number: char
        for number, (char, old, new) in enumerate(zip(there, before, boxes, strict=True))
        if old[0] == new[0] != char and (char or old == new)
    }


def _write_cut(photo: Path, page: "FreePage", cut: _Cut) -> None:
    picture, file = cut_files(photo)
    small = Image.fromarray(page.picture)
    small.thumbnail((_PICTURE_PX, _PICTURE_PX))
    with atomic_file(picture) as part:
        small.save(part, "JPEG", quality=82)
    size = {"width": small.width, "height": small.height}
    edges = [_rounded(edge) for edge in cut.edges]
    cuts = [_rounded(column) for column in cut.cuts]
    told = {"edges": edges, "cuts": cuts, "placed": cut.placed, "boxes": cut.boxes}
    write_json(file, size | told)


def _rounded(shares: Sequence[float]) -> list[float]:
    return [round(share, 5) for share in shares]


def _shares(box: "CharacterBox", page: "FreePage") -> _Box:
    high, wide = page.ink.shape
    corners = (box.left / wide, box.top / high, box.right / wide, box.bottom / high)
    return [box.char, *_rounded(corners)]
