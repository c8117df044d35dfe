"""Write pages to files, in the format of the file ending."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from calligan.errors import DataError
from calligan.page.drawing import Page
from calligan.page.gif import write_gif
from calligan.page.pdf import write_pdf
from calligan.page.png import on_paper, page_px, to_image, write_png
from calligan.page.svg import to_svg
from calligan.requests.pages import Look
from calligan.storage import atomic_file

_QUALITY = 92  # of JPEG and WebP
_MAX_SIDE_PX = {"JPEG": 65_535, "WEBP": 16_383}


def save_pages(path: Path, pages: Sequence[Page], look: Look) -> list[Path]:
    """Write pages: one PDF for all, or one file per page, numbered from the second.

    Returns the files written. Raises DataError for a kind that there is not.
    """
    if path.suffix.lower() == ".pdf":
        with atomic_file(path) as file:
            pages_pdf(pages, path.stem, file)
        return [path]
    paths = [path] if len(pages) == 1 else [numbered(path, i) for i in range(1, len(pages) + 1)]
    for each, page in zip(paths, pages, strict=True):
        with atomic_file(each) as file:
            _WRITERS[each.suffix.lower()](page, look, file)
    return paths


def pages_pdf(pages: Sequence[Page], name: str, file: BinaryIO) -> None:
    """Write all pages as one PDF; its title is the first page's, or else `name`."""
    write_pdf(pages, pages[0].title or name, file)


def pages_bytes(kind: str, pages: Sequence[Page], look: Look) -> bytes:
    """Pages as one file of a kind (`.pdf`). Raises DataError for several pages of another kind."""
    if kind == ".pdf":
        file = BytesIO()
        pages_pdf(pages, "calligan", file)
        return file.getvalue()
    if len(pages) > 1:
        raise DataError(f"the text takes {len(pages)} pages, and {kind} holds one; write a .pdf")
    return page_bytes(kind, pages[0], look)


def page_bytes(kind: str, page: Page, look: Look) -> bytes:
    """One page as a file of a kind (`.png`)."""
    file = BytesIO()
    _WRITERS[kind](page, look, file)
    return file.getvalue()


def numbered(path: Path, number: int) -> Path:
    """out.png to out-2.png."""
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _png(page: Page, look: Look, file: BinaryIO) -> None:
    write_png(_image(page, look), look.dpi, file, page.about)


def _jpeg(page: Page, look: Look, file: BinaryIO) -> None:
    _save(_image(page, look), file, "JPEG", dpi=(look.dpi, look.dpi), quality=_QUALITY)


def _webp(page: Page, look: Look, file: BinaryIO) -> None:
    _save(_image(page, look), file, "WEBP", quality=_QUALITY)


def _image(page: Page, look: Look) -> Image.Image:
    back = on_paper(page_px(page, look.dpi), page.paper, 0) if look.grain and page.paper else None
    return to_image(page, look.dpi, back, look.dryness)


def _save(image: Image.Image, file: BinaryIO, kind: str, **options: Any) -> None:
    """Save a picture. Raises DataError for one that the format cannot hold."""
    limit_px = _MAX_SIDE_PX[kind]
    if max(image.size) > limit_px:
        sides = f"{image.width} x {image.height} pixels"
        raise DataError(f"{kind} holds at most {limit_px} pixels a side, not {sides}; write a .png")
    image.save(file, kind, **options)


def _svg(page: Page, look: Look, file: BinaryIO) -> None:
    file.write(to_svg(page).encode())


def _gif(page: Page, look: Look, file: BinaryIO) -> None:
    write_gif(page, look.dpi, look.frame_ms, file)


def _pdf(page: Page, look: Look, file: BinaryIO) -> None:
    pages_pdf([page], "calligan", file)


# File ending to the writer of such a page; `save_pages` writes one PDF for all pages.
_WRITERS: dict[str, Callable[[Page, Look, BinaryIO], None]] = {
    ".png": _png,
    ".jpg": _jpeg,
    ".jpeg": _jpeg,
    ".webp": _webp,
    ".svg": _svg,
    ".pdf": _pdf,
    ".gif": _gif,
}
KINDS = tuple(_WRITERS)
OPAQUE = (".jpg", ".jpeg")  # kinds without transparency
