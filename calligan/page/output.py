"""Write pages to files, in the format of the file ending."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from calligan.errors import DataError
from calligan.page.drawing import Page
from calligan.page.pdf import write_pdf
from calligan.page.png import on_paper, page_px, to_image, write_gif, write_png
from calligan.page.svg import to_svg
from calligan.storage import atomic_file

_MIN_DPI, _MAX_DPI = 10, 2400


@dataclass(frozen=True)
class Look:
    """Options of raster images."""

    dpi: float = 96.0
    grain: bool = False  # paper with a soft grain
    dryness: float = 0.0  # of the brush, 0 to 1
    frame_ms: int = 250  # of an animated picture

    def validate(self) -> None:
        """Raise DataError for a resolution or dryness out of range."""
        if not _MIN_DPI <= self.dpi <= _MAX_DPI:
            raise DataError(f"--dpi {self.dpi:g} is out of range; give {_MIN_DPI} to {_MAX_DPI}")
        if not 0 <= self.dryness <= 1:
            raise DataError(f"--dry {self.dryness:g} is out of range; give 0 to 1")


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
    """Write all pages as one PDF, whose title is the beginning of its text, or else `name`."""
    write_pdf(pages, pages[0].text[:40] or name, file)


def page_bytes(kind: str, page: Page, look: Look) -> bytes:
    """One page as a file of a kind (`.png`)."""
    file = BytesIO()
    _WRITERS[kind](page, look, file)
    return file.getvalue()


def numbered(path: Path, number: int) -> Path:
    """out.png to out-2.png."""
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _png(page: Page, look: Look, file: BinaryIO) -> None:
    back = on_paper(page_px(page, look.dpi), page.paper, 0) if look.grain and page.paper else None
    write_png(to_image(page, look.dpi, back, look.dryness), look.dpi, file, page.about)


def _svg(page: Page, look: Look, file: BinaryIO) -> None:
    file.write(to_svg(page).encode())


def _gif(page: Page, look: Look, file: BinaryIO) -> None:
    write_gif(page, look.dpi, look.frame_ms, file)


def _pdf(page: Page, look: Look, file: BinaryIO) -> None:
    pages_pdf([page], "calligan", file)


# File ending to the writer of such a page; `save_pages` writes one PDF for all pages.
_WRITERS: dict[str, Callable[[Page, Look, BinaryIO], None]] = {
    ".png": _png,
    ".svg": _svg,
    ".pdf": _pdf,
    ".gif": _gif,
}
KINDS = tuple(_WRITERS)
