"""Frames to a film, one by one: GIF, WebP, or MP4 by OpenCV (the extra `scan`)."""

import errno
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from PIL import Image

from calligan.errors import DataError, Unmeasured
from calligan.limits import MAX_FRAME_PX
from calligan.page.gif import changes, write_frames
from calligan.page.webp import CORNER_STEP_PX, write_webp
from calligan.storage import atomic_file

KINDS = (".gif", ".webp", ".mp4")


def check_film(path: Path, also: Sequence[str] = ()) -> None:
    """Raise DataError for a path that a film cannot be written to."""
    kinds = (*KINDS, *also)
    if path.suffix.lower() not in kinds or path.is_dir():
        raise DataError(f"{path} does not end in {', '.join(kinds)}; name the kind of film")


def save_film(path: Path, frames: Iterable[np.ndarray], fps: float, hold_s: float = 1.0) -> int:
    """Write frames, uint8 (H, W), all of one size, and return how many there were.

    The last is shown `hold_s` longer. Frames of more than MAX_FRAME_PX pixels are reduced. Frames
    that were written are not kept in memory. Raises DataError for another ending, Unmeasured where
    MP4 has no writer here.
    """
    check_film(path)
    count = 0

    def pictures() -> Iterator[Image.Image]:
        nonlocal count
        for frame in frames:
            count += 1
            yield _reduced(Image.fromarray(frame))

    if path.suffix.lower() == ".mp4":
        _save_mp4(path, pictures(), fps, round(fps * hold_s))
        return count
    ms, hold_ms = round(1000 / fps), round(1000 * hold_s)
    with atomic_file(path) as file:
        if path.suffix.lower() == ".gif":
            write_frames(file, changes(pictures(), ms, hold_ms))
        else:
            write_webp(file, changes(pictures(), ms, hold_ms, CORNER_STEP_PX))
    return count


def _reduced(picture: Image.Image) -> Image.Image:
    share = (MAX_FRAME_PX / (picture.width * picture.height)) ** 0.5
    if share >= 1:
        return picture
    size = (max(1, int(picture.width * share)), max(1, int(picture.height * share)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _save_mp4(path: Path, pictures: Iterator[Image.Image], fps: float, held: int) -> None:
    """Write an MP4 whose last frame is repeated `held` times."""
    try:
        import cv2
    except ImportError as error:
        raise Unmeasured("MP4 needs OpenCV: pip install 'calligan[scan]', or write .gif") from error
    first = next(pictures)
    width, height = (side + side % 2 for side in first.size)  # the codec requires even sides
    padded, count = np.full((height, width), 255, np.uint8), 0
    with atomic_file(path) as file, tempfile.TemporaryDirectory(prefix="calligan-") as folder:
        film = Path(folder) / "film.mp4"  # OpenCV writes to a path, and looks at its ending
        code = cv2.VideoWriter_fourcc(*"mp4v")  # type: ignore[attr-defined]
        writer = cv2.VideoWriter(str(film), code, fps, (width, height))
        if not writer.isOpened():
            raise DataError(f"cannot write {path}: this OpenCV has no MP4; write .gif or .webp")
        for picture in chain([first], pictures, repeat(None, held)):
            if picture is not None:
                padded[: picture.height, : picture.width] = np.asarray(picture)
            writer.write(cv2.cvtColor(padded, cv2.COLOR_GRAY2BGR))
            count += 1
        writer.release()
        _check_frames(film, count)
        with film.open("rb") as whole:
            shutil.copyfileobj(whole, file)


def _check_frames(path: Path, count: int) -> None:
    """Raise OSError where a film lacks frames: OpenCV reports no full disk."""
    import cv2

    film = cv2.VideoCapture(str(path))
    whole = film.isOpened() and round(film.get(cv2.CAP_PROP_FRAME_COUNT)) == count
    film.release()
    if not whole:
        raise OSError(errno.ENOSPC, "the film is not complete; is the disk full?")
