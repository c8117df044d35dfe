"""Render a page to pixels."""

from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageColor
from PIL.PngImagePlugin import PngInfo

from calligan.errors import DataError
from calligan.limits import MAX_PAGE_PX
from calligan.page.brush import dried
from calligan.page.drawing import Mark, Page
from calligan.vector.fill import fill

MM_AN_INCH = 25.4


def to_image(
    page: Page, dpi: float, background: Image.Image | None = None, dryness: float = 0.0
) -> Image.Image:
    """Render a page at a resolution in pixels per inch: RGB, or RGBA without paper.

    `dryness` 0 to 1 streaks the characters' ink (brush.py).
    Raises DataError for a picture of an absurd size.
    """
    size = page_px(page, dpi)
    _check_pixels(size)
    if background is not None:
        image = background.copy()
    elif page.paper is None:
        red, green, blue = ImageColor.getrgb(page.marks[0].colour if page.marks else "black")[:3]
        image = Image.new("RGBA", size, (red, green, blue, 0))
    else:
        image = Image.new("RGB", size, page.paper)
    for number, mark in enumerate(page.marks):
        put(image, mark, dpi / MM_AN_INCH, dryness if mark.text else 0.0, number)
    return image


def _check_pixels(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PAGE_PX:
        raise DataError(
            f"the picture would be {size[0]} x {size[1]} pixels; give less text, a smaller --size "
            "or --dpi"
        )


def page_px(page: Page, dpi: float) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = (round(mm * dpi / MM_AN_INCH) for mm in (page.width_mm, page.height_mm))
    return max(width, 1), max(height, 1)


def write_png(
    image: Image.Image, dpi: float, file: BinaryIO, about: Mapping[str, str] | None = None
) -> None:
    """Save with its resolution, so that it prints at its size, and `about` as text."""
    info = PngInfo()
    for key, text in (about or {}).items():
        info.add_itxt(key, text)
    image.save(file, "PNG", dpi=(dpi, dpi), pnginfo=info)


def put(
    image: Image.Image, mark: Mark, px_a_mm: float, dryness: float = 0.0, seed: int = 0
) -> tuple[int, int, int, int] | None:
    """Draw a mark; its box inside the picture: left, top, right, bottom, or None."""
    bitmap = fill(mark.outline.transform(mark.matrix * px_a_mm))
    if bitmap is None:
        return None
    corner = (bitmap.left_px, bitmap.top_px)
    mask = Image.fromarray(dried(bitmap.ink, dryness, seed))
    far = (corner[0] + mask.width, corner[1] + mask.height)
    near = (max(corner[0], 0), max(corner[1], 0))
    box = (*near, min(far[0], image.width), min(far[1], image.height))
    if box[0] >= box[2] or box[1] >= box[3]:
        return None
    if image.mode == "RGB":
        image.paste(ImageColor.getrgb(mark.colour)[:3], (*corner, *far), mask)
        return box
    ink = Image.new("RGBA", mask.size, (*ImageColor.getrgb(mark.colour)[:3], 0))
    ink.putalpha(mask)
    part = ink.crop((near[0] - corner[0], near[1] - corner[1], *mask.size))
    image.alpha_composite(part, near)
    return box


def on_paper(size: tuple[int, int], colour: str, seed: int) -> Image.Image:
    """Paper with a soft grain: `colour` with slow and fast noise of a few levels.

    Raises DataError for a picture of an absurd size.
    """
    _check_pixels(size)
    rng = np.random.default_rng(seed)
    width, height = size
    grain = np.zeros((height, width), np.float32)
    for cell_px, strength in ((2, 2.5), (24, 2.0), (160, 3.0)):
        small = rng.standard_normal((height // cell_px + 2, width // cell_px + 2)).astype(
            np.float32
        )
        large = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        grain += strength * np.asarray(large)
    tone = np.array(ImageColor.getrgb(colour)[:3], np.float32) + grain[..., None]
    return Image.fromarray(np.clip(tone, 0, 255).astype(np.uint8))
