"""Lines of tiles to one picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor

from calligan.errors import DataError
from calligan.page.tiles import Tile

_LINE_GAP = 0.1  # between lines, as a share of the cell
_MARGIN = 0.2  # round the page, as a share of the cell
_MAX_PIXELS = 200_000_000


@dataclass(frozen=True)
class Colours:
    """Colours as Pillow reads them (`black`, `#202020`); no paper means transparent."""

    ink: str = "black"
    paper: str | None = "white"

    def validate(self) -> None:
        """Raise DataError naming a colour that isn't one."""
        for name, value in (("--ink", self.ink), ("--paper", self.paper)):
            if value is not None:
                try:
                    ImageColor.getrgb(value)
                except ValueError as error:
                    raise DataError(
                        f"{name} {value!r} is no colour; write a name such as black, or #202020"
                    ) from error


def compose(lines: Sequence[Sequence[Tile]], size_px: int, vertical: bool) -> np.ndarray:
    """Set lines of tiles: ink coverage, uint8 (H, W), 255 = ink.

    Horizontal lines run downward; vertical ones are columns from right to left. Where cells
    overlap, as brush strokes do, the darker pixel stays. Raises DataError for an absurd size.
    """
    margin, pitch = round(size_px * _MARGIN), round(size_px * (1 + _LINE_GAP))
    longest = max((sum(tile.advance_px for tile in line) for line in lines), default=0)
    along = max(round(longest + size_px * 0.1), size_px) + 2 * margin
    across = (len(lines) - 1) * pitch + size_px + 2 * margin
    height, width = (along, across) if vertical else (across, along)
    _check_size(width, height)
    page = np.zeros((height, width), np.uint8)
    for number, line in enumerate(lines):
        pen = 0.0
        for tile in line:
            if vertical:
                x, y = width - margin - size_px - number * pitch, margin + round(pen)
            else:
                x, y = margin + round(pen), margin + number * pitch
            _ink(page, tile, x + tile.x_px, y + tile.y_px)
            pen += tile.advance_px
    return page


def stack(pages: Sequence[np.ndarray]) -> np.ndarray:
    """Pages one under another, aligned at the left."""
    width = max(page.shape[1] for page in pages)
    _check_size(width, sum(page.shape[0] for page in pages))
    return np.vstack([np.pad(page, ((0, 0), (0, width - page.shape[1]))) for page in pages])


def coloured(coverage: np.ndarray, colours: Colours) -> Image.Image:
    """Ink coverage to a picture: RGB on paper, or RGBA where the paper is transparent."""
    mask = Image.fromarray(coverage)
    if colours.paper is None:
        red, green, blue = ImageColor.getrgb(colours.ink)[:3]
        image = Image.new("RGBA", mask.size, (red, green, blue, 0))
        image.putalpha(mask)
        return image
    image = Image.new("RGB", mask.size, colours.paper)
    image.paste(Image.new("RGB", mask.size, colours.ink), mask=mask)
    return image


def _check_size(width_px: int, height_px: int) -> None:
    if height_px * width_px > _MAX_PIXELS:
        raise DataError(
            f"the picture would be {width_px} x {height_px} pixels; "
            "give less text or a smaller --size"
        )


def _ink(page: np.ndarray, tile: Tile, left: int, top: int) -> None:
    height, width = tile.ink.shape
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + height, page.shape[0]), min(left + width, page.shape[1])
    if y1 > y0 and x1 > x0:
        part = page[y0:y1, x0:x1]
        np.maximum(part, tile.ink[y0 - top : y1 - top, x0 - left : x1 - left], out=part)
