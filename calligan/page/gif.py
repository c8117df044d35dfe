"""Animated GIFs, encoded frame by frame, so that memory does not grow with the film."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from PIL import Image, ImageChops, ImagePalette
from PIL.GifImagePlugin import getdata, getheader

from calligan.errors import Cancelled
from calligan.limits import MAX_FRAME_PX
from calligan.page.drawing import Page
from calligan.page.png import MM_AN_INCH, page_px, put, to_image
from calligan.progress import Cancel, never_cancel

_MAX_COMMENT_BYTES = 255  # in one block
_COLOURS = 64  # of a page
_HALF = 127
_HOLD_FRAMES = 10  # how long the finished page is shown
_KEPT, _CLEARED = 1, 2  # disposal methods: what becomes of a frame before the next


@dataclass(frozen=True)
class Frame:
    """The part of a film that changes: a picture (L or P) at a corner, shown for a time."""

    image: Image.Image
    ms: int
    corner_px: tuple[int, int] = (0, 0)
    cleared: bool = False  # before the next frame


def write_frames(
    file: BinaryIO, frames: Iterable[Frame], comment: bytes = b"", clear: int | None = None
) -> None:
    """Write frames; the first has the film's size and palette. `clear` is a transparent colour."""
    begun = False
    for frame in frames:
        if not begun:
            info = {"loop": 0, "comment": comment[:_MAX_COMMENT_BYTES]}
            file.writelines(getheader(frame.image, info=info)[0])
            begun = True
        disposal = _CLEARED if frame.cleared else _KEPT
        options: dict[str, int] = {"duration": frame.ms, "disposal": disposal}
        options |= {} if clear is None else {"transparency": clear}
        file.writelines(getdata(frame.image, frame.corner_px, **options))
    file.write(b";")


def changes(
    pictures: Iterable[Image.Image], ms: int, hold_ms: int, step_px: int = 1
) -> Iterator[Frame]:
    """The frames of pictures of one size: what differs from the picture before.

    A picture like the one before it makes that one last longer; the last lasts `hold_ms` longer.
    Corners are at multiples of `step_px`.
    """
    before, waiting = None, None
    for picture in pictures:
        whole = (0, 0, *picture.size)
        box = ImageChops.difference(before, picture).getbbox() if before else whole
        before = picture
        if waiting and box is None:
            waiting = replace(waiting, ms=waiting.ms + ms)
            continue
        if waiting:
            yield waiting
        left, top, right, bottom = box or whole
        corner = (left - left % step_px, top - top % step_px)
        waiting = Frame(picture.crop((*corner, right, bottom)), ms, corner)
    if waiting:
        yield replace(waiting, ms=waiting.ms + hold_ms)


def write_gif(
    page: Page, dpi: float, frame_ms: int, file: BinaryIO, cancel: Cancel = never_cancel
) -> None:
    """The finished page for a while, as a thumbnail shows it, then its writing by characters.

    A frame has at most MAX_FRAME_PX pixels: larger pages have a lower resolution. Without paper
    every pixel is ink or nothing: GIF has no half-transparent ones. Raises Cancelled.
    """
    width, height = page_px(page, dpi)
    dpi *= min(1.0, (MAX_FRAME_PX / (width * height)) ** 0.5)
    finished = to_image(page, dpi)
    clear = _COLOURS - 1 if finished.mode == "RGBA" else None
    indexed = _indexer(finished, clear)
    back = Page(page.width_mm, page.height_mm, page.paper)
    back.marks = [mark for mark in page.marks if not mark.text]
    image = to_image(back, dpi)

    def frames() -> Iterator[Frame]:
        yield Frame(indexed(finished), _HOLD_FRAMES * frame_ms, cleared=clear is not None)
        yield Frame(indexed(image), frame_ms)
        for mark in page.marks:
            if cancel():
                raise Cancelled("the film was cancelled")
            if mark.text:
                box = put(image, mark, dpi / MM_AN_INCH) or (0, 0, 1, 1)
                yield Frame(indexed(image.crop(box)), frame_ms, box[:2])

    about = "; ".join(f"{key}: {text}" for key, text in page.about.items())
    write_frames(file, frames(), about.encode(), clear)


def _indexer(page: Image.Image, clear: int | None) -> Callable[[Image.Image], Image.Image]:
    """A function from parts of a page to pictures in its few colours; `clear` is nothing."""
    rgb = page.convert("RGB")
    few = rgb.quantize(_COLOURS if clear is None else clear, Image.Quantize.MEDIANCUT)
    colours = (few.getpalette() or [])[: 3 * _COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours + colours[-3:] * (_COLOURS - len(colours) // 3))

    def indexed(part: Image.Image) -> Image.Image:
        made = part.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
        made.palette = ImagePalette.ImagePalette("RGB", palette.getpalette())
        if clear is not None:
            made.paste(clear, mask=part.getchannel("A").point(lambda alpha: 255 * (alpha <= _HALF)))
        return made

    return indexed
