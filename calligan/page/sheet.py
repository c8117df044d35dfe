"""Contact sheets: rows of glyph images with a name before each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from calligan.storage import atomic_file

GAP_PX = 4
_LABEL_PX = 14


@dataclass(frozen=True)
class Row:
    """A label (Latin letters) and its images, uint8 (H, W), 255 = paper; None leaves a gap."""

    label: str
    images: Sequence[np.ndarray | None]


def label_width_px(labels: Sequence[str]) -> int:
    """The column that these labels take at the left of a sheet."""
    font = ImageFont.load_default(_LABEL_PX)
    return int(max(map(font.getlength, labels))) + 3 * GAP_PX


def contact_sheet(rows: Sequence[Row], cell_px: int, heads: Sequence[str] = ()) -> Image.Image:
    """Draw rows of square cells, labels in a column at the left, `heads` above the columns."""
    font = ImageFont.load_default(_LABEL_PX)
    label_px = label_width_px([row.label for row in rows])
    columns = max(len(row.images) for row in rows)
    pitch, above = cell_px + GAP_PX, 2 * _LABEL_PX if heads else 0
    sheet = Image.new("L", (label_px + columns * pitch, above + len(rows) * pitch + GAP_PX), 255)
    draw = ImageDraw.Draw(sheet)
    for x, head in enumerate(heads[:columns]):
        middle = (label_px + x * pitch + cell_px // 2, _LABEL_PX)
        draw.text(middle, head, fill=96, font=font, anchor="mm")
    for y, row in enumerate(rows):
        top = above + GAP_PX + y * pitch
        draw.text((GAP_PX, top + (cell_px - _LABEL_PX) // 2), row.label, fill=96, font=font)
        for x, image in enumerate(row.images):
            if image is not None:
                cell = Image.fromarray(image)
                if cell.size != (cell_px, cell_px):
                    cell = cell.resize((cell_px, cell_px), Image.Resampling.LANCZOS)
                sheet.paste(cell, (label_px + x * pitch, top))
    return sheet


def save_png(image: Image.Image, file: BinaryIO) -> None:
    """Write a PNG to an open binary file."""
    image.save(file, format="PNG", optimize=True)


def save_sheet(image: Image.Image, path: Path) -> None:
    """Write a PNG file atomically."""
    with atomic_file(path) as file:
        save_png(image, file)
