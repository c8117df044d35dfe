"""Bounded reads of pictures. The limits are in calligan/limits.py."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from calligan.limits import MAX_PICTURE_BYTES, MAX_WEBP_PX
from calligan.reading import check_file

_STRIP_ROWS = 64
_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(
    path: Path, max_px: int, formats: tuple[str, ...] = ("PNG",), side_px: int = 0
) -> Image.Image:
    """A picture as RGB, turned as its EXIF data say, transparent pixels white.

    With `side_px`, a larger one is reduced to it while it is decoded, so that it takes little
    memory. Raises OSError if it cannot be read, ValueError for what is no picture of `formats`, is
    damaged or exceeds a limit.
    """
    with _opened(path, max_px, formats) as image:
        return _decoded(image, max_px, side_px)


def count_px(path: Path, max_px: int, formats: tuple[str, ...] = ("PNG",)) -> int:
    """How many pixels a picture has, by its header. Raises as `read_picture` does."""
    with _opened(path, max_px, formats) as image:
        return image.width * image.height


@contextmanager
def _opened(path: Path, max_px: int, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    check_file(path, MAX_PICTURE_BYTES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=formats) as image:
                yield image
        except UnidentifiedImageError as error:
            raise ValueError(f"it is not a picture of {', '.join(formats)}") from error
        except Image.DecompressionBombError as error:
            raise _too_large(max_px) from error
        except (FileNotFoundError, PermissionError, IsADirectoryError, ValueError):
            raise
        except Exception as error:  # Pillow raises many kinds on damaged files
            raise ValueError(f"it is damaged ({error})") from error


def _decoded(image: Image.Image, max_px: int, side_px: int) -> Image.Image:
    pages = getattr(image, "n_frames", 1)
    if pages > 1 and image.format == "TIFF":  # a phone's JPEG may contain a preview
        raise ValueError(f"it has {pages} pages; save each as a separate picture")
    max_px = min(max_px, MAX_WEBP_PX) if image.format == "WEBP" else max_px
    if image.width * image.height > max_px:
        raise _too_large(max_px)
    turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    if side_px:
        image = _reduced(image, side_px)
        image.thumbnail((side_px, side_px))
    image = _on_white(image)
    return image if turn is None else image.transpose(turn)


def _reduced(image: Image.Image, side_px: int) -> Image.Image:
    """A large picture at a whole fraction of its size that is no smaller than `side_px`.

    In strips: a conversion of the whole picture would take as much memory again.
    """
    image.draft("RGB", (side_px, side_px))  # a JPEG is decoded at that size
    width, height = image.size
    factor = max(image.size) // side_px
    if max(image.size) <= side_px:
        return image
    mode = "RGBA" if image.has_transparency_data else "RGB"
    small = Image.new(mode, (-(-width // factor), -(-height // factor)))
    for top in range(0, height, _STRIP_ROWS * factor):
        strip = image.crop((0, top, width, min(top + _STRIP_ROWS * factor, height)))
        small.paste(strip.convert(mode).reduce(factor), (0, top // factor))
    image.close()  # frees the full size
    return small


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")


def _too_large(max_px: int) -> ValueError:
    return ValueError(f"it has more than {max_px // 1_000_000} megapixels; reduce it")
