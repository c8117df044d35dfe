"""Contact sheets: rows of glyph images with a name before each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw

from calligan.page.labels import GREY, LABEL_PX, Pictures, draw_label, label_font, label_px
from calligan.storage import atomic_file

GAP_PX = 4
_FRAME_PX = 2


@dataclass(frozen=True)
class Row:
    """A label and its images, uint8 (H, W), 255 = paper; None leaves a gap.

    The image numbered `framed` from 0 is framed.
    """

    label: str
    images: Sequence[np.ndarray | None]
    framed: int | None = None


def label_width_px(labels: Sequence[str], pictures: Pictures | None = None) -> int:
    """The column that these labels take at the left of a sheet."""
    return int(max(label_px(label, pictures) for label in labels)) + 3 * GAP_PX


def contact_sheet(
    rows: Sequence[Row],
    cell_px: int,
    heads: Sequence[str] = (),
    pictures: Pictures | None = None,
) -> Image.Image:
    """Draw rows of square cells, labels in a column at the left, `heads` above the columns.

    `pictures` draws the characters of labels that are not Latin, best with the source font.
    """
    left_px = label_width_px([row.label for row in rows], pictures)
    columns = max(len(row.images) for row in rows)
    pitch, above = cell_px + GAP_PX, 2 * LABEL_PX if heads else 0
    sheet = Image.new("L", (left_px + columns * pitch, above + len(rows) * pitch + GAP_PX), 255)
    draw = ImageDraw.Draw(sheet)
    for x, head in enumerate(heads[:columns]):
        middle = (left_px + x * pitch + cell_px // 2, LABEL_PX)
        draw.text(middle, head, fill=GREY, font=label_font(), anchor="mm")
    for y, row in enumerate(rows):
        top = above + GAP_PX + y * pitch
        draw_label(sheet, GAP_PX, top + cell_px // 2, row.label, pictures)
        for x, image in enumerate(row.images):
            if image is not None:
                sheet.paste(_cell(image, cell_px), (left_px + x * pitch, top))
        if row.framed is not None:
            left = left_px + row.framed * pitch
            box = (left - _FRAME_PX, top - _FRAME_PX, left + cell_px + 1, top + cell_px + 1)
            draw.rectangle(box, outline=0, width=_FRAME_PX)
    return sheet


def _cell(image: np.ndarray, cell_px: int) -> Image.Image:
    cell = Image.fromarray(image)
    if cell.size == (cell_px, cell_px):
        return cell
    return cell.resize((cell_px, cell_px), Image.Resampling.LANCZOS)


def save_png(image: Image.Image, file: BinaryIO) -> None:
    """Write a PNG to an open binary file."""
    image.save(file, format="PNG", optimize=True)


def save_sheet(image: Image.Image, path: Path) -> None:
    """Write a PNG file atomically."""
    with atomic_file(path) as file:
        save_png(image, file)
