"""Uploaded photographs of a hand, cut into glyphs."""

import contextlib
import re
from pathlib import Path
from typing import Any

from PIL import Image

from calligan.errors import DataError
from calligan.glyphs.charset import is_drawn
from calligan.storage import (
    atomic_file,
    read_json,
    sha256_bytes,
    sha256_file,
    write_bytes,
    write_json,
)
from calligan.studio.locations import glyphs_folder, hand_folder
from calligan.studio.page_cuts import Cuts, Edges, cut_files, cut_page, read_cut

MAX_BYTES = 40 * 2**20
_MAX_PAGES = 200
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
_MAX_TEXT_CHARS = 2000


def pages(hand: str) -> list[dict[str, Any]]:
    """The entries of all photographs, in the order of upload."""
    with contextlib.suppress(OSError, ValueError):
        found = read_json(hand_folder(hand) / "pages.json")
        if isinstance(found, list):
            return [page for page in found if _is_page(page)]
    return []


def _is_page(page: Any) -> bool:
    """Whether an entry of the list names a file as `add_photo` does, and no other path."""
    return isinstance(page, dict) and bool(_FILE.fullmatch(str(page.get("file"))))


def photo_path(hand: str, file: str, thumb: bool = True) -> Path:
    """An uploaded photograph, or its thumbnail. Raises DataError if there is none."""
    if file not in {page.get("file") for page in pages(hand)}:
        raise DataError("there is no such photograph")
    path = hand_folder(hand) / "photos" / file
    return _thumbnail(path) if thumb else path


def _thumbnail(photo: Path) -> Path:
    return photo.with_name(f"{photo.stem}.small.jpg")


def add_photo(hand: str, name: str, data: bytes, text: str, columns: str) -> dict[str, Any]:
    """Store a photograph, cut it into glyphs, and return its entry. Not thread-safe.

    With `text` it is a page without template. Raises DataError for files that are not pictures or
    too large, and for one that is here already; a page that cannot be read is stored, with the
    reason, until the same picture is given again.
    """
    text, suffix, digest = _words(text), _suffix(name, data), sha256_bytes(data)
    same = [page for page in pages(hand) if _digest_of(hand, page) == digest]
    if read := next((page for page in same if page["glyphs"]), None):
        raise DataError(f"this photograph is here already: {read['name']}")
    for page in same:
        remove_photo(hand, page["file"])
    there = pages(hand)
    if len(there) >= _MAX_PAGES:
        raise DataError(f"there are {_MAX_PAGES} photographs already; remove some first")
    number = max([int(page["file"][:4]) for page in there], default=0) + 1
    file = f"{number:04d}{suffix}"
    path = hand_folder(hand) / "photos" / file
    write_bytes(path, data)
    try:
        page = {"file": file, "name": name[:80], "text": text, "columns": columns}
        page["sha256"] = digest
        page |= _read(hand, path, text, columns)
    except BaseException as error:
        for each in (path, _thumbnail(path), *cut_files(path)):
            each.unlink(missing_ok=True)
        if isinstance(error, DataError):
            raise DataError(str(error).replace(str(path), name[:80])) from error
        raise
    write_json(hand_folder(hand) / "pages.json", [*pages(hand), page])
    return page


def _digest_of(hand: str, page: dict[str, Any]) -> str:
    """The SHA-256 of a photograph's file, which entries of older versions do not have."""
    known = page.get("sha256")
    if isinstance(known, str):
        return known
    with contextlib.suppress(OSError, ValueError):
        return sha256_file(hand_folder(hand) / "photos" / page["file"], MAX_BYTES)
    return ""


def remove_photo(hand: str, file: str) -> int:
    """Remove a photograph and its glyphs; returns the number of glyphs."""
    from calligan.scan.folder import remove_page

    path = photo_path(hand, file, thumb=False)
    gone = remove_page(glyphs_folder(hand), file) if glyphs_folder(hand).is_dir() else 0
    kept = [page for page in pages(hand) if page["file"] != file]
    write_json(hand_folder(hand) / "pages.json", kept)
    for each in (path, _thumbnail(path), *cut_files(path)):
        each.unlink(missing_ok=True)
    return gone


def _words(text: str) -> str:
    """The Chinese characters, kana and line breaks of a page's text."""
    if len(text) > _MAX_TEXT_CHARS:
        raise DataError(f"a page's text is longer than {_MAX_TEXT_CHARS:,} characters")
    words = "".join(char for char in text if is_drawn(char) or char == "\n").strip("\n")
    if text.strip() and not words:
        raise DataError("the page's text holds no Chinese character or kana")
    return words


def _suffix(name: str, data: bytes) -> str:
    """What the file of a picture ends in, by what it is. Raises DataError for none of ours."""
    for magic, suffix in _MAGIC.items():
        if data.startswith(magic):
            return suffix
    raise DataError(
        f"{name[:80]} is not a picture of type PNG, JPEG, WEBP, TIFF, BMP; save it as JPEG"
    )


def recut_photo(
    hand: str, file: str, text: str, columns: str, edges: Edges | None, cuts: Cuts | None
) -> dict[str, Any]:
    """Cut a page without template again, with other columns, cuts or text; its entry before.

    Its glyphs are replaced. Raises DataError, and changes nothing, if columns and text do not fit.
    """
    path = photo_path(hand, file, thumb=False)
    there = pages(hand)
    before = next(page for page in there if page["file"] == file)
    if before["glyphs"] and not before["text"]:
        raise DataError("that page is a sheet with cells; it has no columns")
    if not (text := _words(text)):
        raise DataError("the page's text holds no Chinese character or kana")
    previous = {**before, "cut": read_cut(path)}
    now = {**before, "text": text, "columns": columns}
    now |= cut_page(glyphs_folder(hand), path, text, columns, edges, cuts, again=True)
    kept = [now if page["file"] == file else page for page in there]
    write_json(hand_folder(hand) / "pages.json", kept)
    return previous


def _read(hand: str, path: Path, text: str, columns: str) -> dict[str, Any]:
    from calligan.library.scanning import scan_pages
    from calligan.scan.pages import preview

    small, corners = preview(path, _THUMB_PX)
    with atomic_file(_thumbnail(path)) as file:
        Image.fromarray(small).save(file, "JPEG", quality=82)
    if text:
        return cut_page(glyphs_folder(hand), path, text, columns)
    notes: list[str] = []
    try:
        done = scan_pages([path], glyphs_folder(hand), note=notes.append)
    except DataError as error:
        reason = str(error).replace(f"{path}: ", "").replace(str(path), path.name)
        return {"glyphs": 0, "trouble": reason, "corners": corners, "notes": notes}
    shown = [line.replace(f"{path}: ", "") for line in notes]
    return {"glyphs": len(done.glyphs), "trouble": "", "corners": None, "notes": shown}
