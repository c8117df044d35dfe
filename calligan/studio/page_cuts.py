"""Pages without template: the straightened picture, its columns, and where it was cut."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from calligan.errors import DataError
from calligan.storage import atomic_file, read_json, write_json

if TYPE_CHECKING:  # OpenCV comes with it
    from calligan.library.free_page import FreePage
    from calligan.scan.copybook import CharacterBox

Edges = Sequence[tuple[float, float]]
_MAX_COLUMNS = 60
_GLYPH_PX = 256
_PICTURE_PX = 1600  # longer side of the picture to drag columns on


def cut_files(photo: Path) -> tuple[Path, Path]:
    """The straightened picture of a photograph, and the file that says where it was cut."""
    return photo.with_name(f"{photo.stem}.page.jpg"), photo.with_name(f"{photo.stem}.cut.json")


def read_cut(photo: Path) -> dict[str, Any] | None:
    """Columns and boxes of a page, as shares of its width and height; None if never cut."""
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
    if not 1 <= len(edges) <= _MAX_COLUMNS or not all(0 <= a < b <= 1 for a, b in edges):
        raise DataError(f"give 1 to {_MAX_COLUMNS} columns, each within the page")
    return edges


def cut_page(
    folder: Path,
    photo: Path,
    text: str,
    reading: str,
    edges: Edges | None = None,
    again: bool = False,
) -> dict[str, Any]:
    """Cut a page into glyphs, which replace those that `folder` has of it; fields of its entry.

    If the text does not fit the columns, the page is kept with the reason, so that its columns can
    be corrected; `again` raises DataError instead, and changes nothing.
    """
    from calligan.glyphs.raster import font_pictures
    from calligan.library.free_page import FreePage
    from calligan.library.scanning import proofread_glyphs
    from calligan.project.source import chinese_font_name
    from calligan.scan.folder import remove_page, save_hand

    notes: list[str] = []
    font = chinese_font_name(None, notes.append)
    page = FreePage.open(photo, text)
    try:
        boxes, glyphs = page.cut(text, reading, edges, _GLYPH_PX, font)
    except DataError as error:
        if again:
            raise
        _write_cut(photo, page, page.columns(reading), [])
        return {"glyphs": 0, "trouble": str(error), "corners": None, "notes": notes}
    glyphs = proofread_glyphs(glyphs, font, notes.append)
    if folder.is_dir():
        remove_page(folder, photo.name)
    save_hand(folder, glyphs, font_pictures(font, _GLYPH_PX))
    _write_cut(photo, page, edges or page.columns(reading), boxes)
    return {"glyphs": len(glyphs), "trouble": "", "corners": None, "notes": notes}


def _write_cut(
    photo: Path, page: "FreePage", edges: Edges, boxes: "Sequence[CharacterBox]"
) -> None:
    picture, cut = cut_files(photo)
    high, wide = page.ink.shape
    small = Image.fromarray(page.picture)
    small.thumbnail((_PICTURE_PX, _PICTURE_PX))
    with atomic_file(picture) as file:
        small.save(file, "JPEG", quality=82)
    shares = [[box.char, *(round(v, 5) for v in _shares(box, wide, high))] for box in boxes]
    rounded = [[round(a, 5), round(b, 5)] for a, b in edges]
    write_json(
        cut, {"width": small.width, "height": small.height, "edges": rounded, "boxes": shares}
    )


def _shares(box: "CharacterBox", wide: int, high: int) -> tuple[float, float, float, float]:
    return box.left / wide, box.top / high, box.right / wide, box.bottom / high
