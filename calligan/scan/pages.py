"""Pages read in a child process (calligan/apart.py): a photograph may come from anyone."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from calligan.apart import Answer, ChildReader
from calligan.errors import DataError
from calligan.limits import MAX_UPLOAD_PX
from calligan.scan.cells import Cell, cut_cells
from calligan.scan.photo import (
    corners_seen,
    extract_ink,
    extract_sheet_ink,
    flatten_page,
    open_photo,
    read_sheet,
)

_HERE = "calligan.scan.pages"
Corners = dict[str, tuple[float, float] | None]


def template_cells(child: ChildReader, path: Path, size_px: int) -> list[Cell]:
    """The cells of a photographed template page. Raises DataError naming it if it is none."""
    told, (images,) = child.call(f"{_HERE}:_cells", str(path), size_px, what=str(path))
    both = zip(told, images, strict=True)
    return [Cell(char, image, status) for (char, status), image in both]


def flat_page(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A free page, flattened, uint8 (H, W, 3), and its ink, float (H, W), 1 = ink.

    Raises DataError if it is no picture.
    """
    with ChildReader() as child:
        _, (page, ink) = child.call(f"{_HERE}:_flat", str(path), what=str(path))
    return page, ink


def preview(path: Path, side_px: int) -> tuple[np.ndarray, Corners]:
    """A photograph given to the studio, uint8 (H, W, 3), small; and its corner marks."""
    with ChildReader() as child:
        corners, (small,) = child.call(f"{_HERE}:_preview", str(path), side_px, what=str(path))
    return small, {name: place and (place[0], place[1]) for name, place in corners.items()}


def _cells(path: str, size_px: int) -> Answer:
    photo = open_photo(Path(path))
    try:
        page, sheet = read_sheet(photo)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    cells = cut_cells(extract_sheet_ink(page, sheet), sheet, size_px)
    told: list[Any] = [[cell.char, cell.status] for cell in cells]
    return told, [np.stack([cell.image for cell in cells])]


def _flat(path: str) -> Answer:
    page = flatten_page(open_photo(Path(path)))
    return None, [page, extract_ink(page)]


def _preview(path: str, side_px: int) -> Answer:
    photo = open_photo(Path(path), MAX_UPLOAD_PX)
    small = Image.fromarray(photo)
    small.thumbnail((side_px, side_px))
    return corners_seen(photo), [np.asarray(small)]
