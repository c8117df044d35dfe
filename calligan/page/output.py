"""Pages to files, by what their name ends in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calligan.errors import DataError
from calligan.page.drawing import Page
from calligan.page.pdf import write_pdf
from calligan.page.png import on_paper, page_px, to_image, write_gif, write_png
from calligan.page.svg import to_svg
from calligan.storage import atomic_file, write_bytes

KINDS = (".png", ".svg", ".pdf", ".gif")
_LEAST_DPI, _MOST_DPI = 10, 2400


@dataclass(frozen=True)
class Look:
    """What only pictures of pixels have."""

    dpi: float = 96.0
    grain: bool = False  # paper with a soft grain
    dryness: float = 0.0  # of the brush, 0 to 1
    frame_ms: int = 250  # of an animated picture

    def validate(self) -> None:
        """Raise DataError for a resolution or dryness out of reach."""
        if not _LEAST_DPI <= self.dpi <= _MOST_DPI:
            raise DataError(f"--dpi {self.dpi:g} is out of reach; give {_LEAST_DPI} to {_MOST_DPI}")
        if not 0 <= self.dryness <= 1:
            raise DataError(f"--dry {self.dryness:g} is out of reach; give 0 to 1")


def save_pages(path: Path, pages: Sequence[Page], look: Look) -> list[Path]:
    """Write pages: a PDF holds them all, other kinds are numbered from the second page's need on.

    Returns the files written. Raises DataError for a kind that there is not.
    """
    kind = path.suffix.lower()
    if kind == ".pdf":
        with atomic_file(path) as file:
            write_pdf(pages, pages[0].text[:40] or path.stem, file)
        return [path]
    paths = [path] if len(pages) == 1 else [numbered(path, i) for i in range(1, len(pages) + 1)]
    for each, page in zip(paths, pages, strict=True):
        _save(each, page, look)
    return paths


def numbered(path: Path, number: int) -> Path:
    """out.png to out-2.png."""
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _save(path: Path, page: Page, look: Look) -> None:
    kind = path.suffix.lower()
    if kind == ".svg":
        return write_bytes(path, to_svg(page).encode())
    if kind == ".gif":
        with atomic_file(path) as file:
            write_gif(page, look.dpi, look.frame_ms, file)
        return None
    back = on_paper(page_px(page, look.dpi), page.paper, 0) if look.grain and page.paper else None
    image = to_image(page, look.dpi, back, look.dryness)
    with atomic_file(path) as file:
        write_png(image, look.dpi, file)
    return None
