"""The photographs of a hand: taken in, cut into glyphs, and what became of each."""

import contextlib
import re
from pathlib import Path
from typing import Any

from PIL import Image

from calligan.errors import DataError
from calligan.glyphs.charset import is_han
from calligan.storage import atomic_file, read_json, write_bytes, write_json
from calligan.studio.places import glyphs_folder, hand_folder

MOST_BYTES = 40 * 2**20
_MOST_PAGES = 200
_FILE = re.compile(r"[0-9]{4}\.[a-z]{3,4}")
_MAGIC = {  # of the pictures that can be read
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"RIFF": ".webp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"BM": ".bmp",
}
_THUMB_PX = 1000
_LONGEST_TEXT = 2000


def pages(hand: str) -> list[dict[str, Any]]:
    """What is known of each photograph, in the order in which they came."""
    with contextlib.suppress(OSError, ValueError):
        found = read_json(hand_folder(hand) / "pages.json")
        if isinstance(found, list):
            return [page for page in found if _is_page(page)]
    return []


def _is_page(page: Any) -> bool:
    """Whether an entry of the list names a file as `add_photo` does, and no other path."""
    return isinstance(page, dict) and bool(_FILE.fullmatch(str(page.get("file"))))


def photo_path(hand: str, file: str, thumb: bool = True) -> Path:
    """A photograph that was taken in, or its small picture. Raises DataError for another."""
    if file not in {page.get("file") for page in pages(hand)}:
        raise DataError("there is no such photograph")
    path = hand_folder(hand) / "photos" / file
    return _thumbnail(path) if thumb else path


def _thumbnail(photo: Path) -> Path:
    return photo.with_name(f"{photo.stem}.small.jpg")


def add_photo(hand: str, name: str, data: bytes, text: str, columns: str) -> dict[str, Any]:
    """Keep a photograph and cut it; what became of it. One at a time.

    With `text` it is a free page that says that. Raises DataError for what is no picture, or far
    too large; a page that cannot be read is kept, with what was wrong.
    """
    there = pages(hand)
    if len(there) >= _MOST_PAGES:
        raise DataError(f"{hand} has {_MOST_PAGES} pages; remove some first")
    text = _words(text)
    suffix = _suffix(name, data)
    number = max([int(page["file"][:4]) for page in there], default=0) + 1
    file = f"{number:04d}{suffix}"
    path = hand_folder(hand) / "photos" / file
    write_bytes(path, data)
    try:
        page = {"file": file, "name": name[:80], "text": text, "columns": columns}
        page |= _read(hand, path, text, columns)
    except BaseException as error:
        path.unlink(missing_ok=True)
        _thumbnail(path).unlink(missing_ok=True)
        if isinstance(error, DataError):
            raise DataError(str(error).replace(str(path), name[:80])) from error
        raise
    write_json(hand_folder(hand) / "pages.json", [*pages(hand), page])
    return page


def remove_photo(hand: str, file: str) -> int:
    """Remove a photograph and what was cut out of it; how many glyphs that was."""
    from calligan.scan.folder import remove_page

    path = photo_path(hand, file, thumb=False)
    gone = remove_page(glyphs_folder(hand), file) if glyphs_folder(hand).is_dir() else 0
    kept = [page for page in pages(hand) if page["file"] != file]
    write_json(hand_folder(hand) / "pages.json", kept)
    path.unlink(missing_ok=True)
    _thumbnail(path).unlink(missing_ok=True)
    return gone


def _words(text: str) -> str:
    """The Chinese characters and line breaks of a page's text; it is no name of a file then."""
    if len(text) > _LONGEST_TEXT:
        raise DataError(f"a page's text is longer than {_LONGEST_TEXT:,} characters")
    words = "".join(char for char in text if is_han(char) or char == "\n").strip("\n")
    if text.strip() and not words:
        raise DataError("the page's text holds no Chinese character")
    return words


def _suffix(name: str, data: bytes) -> str:
    """What the file of a picture ends in, by what it is. Raises DataError for none of ours."""
    for magic, suffix in _MAGIC.items():
        if data.startswith(magic):
            return suffix
    raise DataError(f"{name[:80]} is no picture of PNG, JPEG, WEBP, TIFF, BMP; save it as JPEG")


def _read(hand: str, path: Path, text: str, columns: str) -> dict[str, Any]:
    from calligan.library.scanning import scan_pages
    from calligan.scan.pages import preview

    small, corners = preview(path, _THUMB_PX)
    with atomic_file(_thumbnail(path)) as file:
        Image.fromarray(small).save(file, "JPEG", quality=82)
    notes: list[str] = []
    try:
        words, folder = f"\n{text}" if text else None, glyphs_folder(hand)  # never a file's name
        done = scan_pages([path], folder, text=words, columns=columns, note=notes.append)
    except DataError as error:
        said = str(error).replace(f"{path}: ", "").replace(str(path), path.name)
        shown = None if text else corners
        return {"glyphs": 0, "trouble": said, "corners": shown, "notes": notes}
    told = [line.replace(f"{path}: ", "") for line in notes]
    return {"glyphs": len(done.glyphs), "trouble": "", "corners": None, "notes": told}
