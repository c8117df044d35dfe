"""Frames to a film: GIF and WebP by Pillow, MP4 by OpenCV (the extra `scan`)."""

import errno
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from calligan.errors import DataError, Unmeasured
from calligan.storage import atomic_file, cannot_write

KINDS = (".gif", ".webp", ".mp4")


def check_film(path: Path, also: Sequence[str] = ()) -> None:
    """Raise DataError for a path that a film cannot be written to."""
    kinds = (*KINDS, *also)
    if path.suffix.lower() not in kinds or path.is_dir():
        raise DataError(f"{path} does not end in {', '.join(kinds)}; name the kind of film")


def save_film(path: Path, frames: Sequence[np.ndarray], fps: float, hold_s: float = 1.0) -> None:
    """Write frames, uint8 (H, W), all of one size; the last is shown `hold_s` longer.

    Raises DataError for another ending, Unmeasured where MP4 has no writer here.
    """
    check_film(path)
    if path.suffix.lower() == ".mp4":
        _save_mp4(path, [*frames, *[frames[-1]] * round(fps * hold_s)], fps)
        return
    first, *rest = [Image.fromarray(frame) for frame in frames]
    times = [round(1000 / fps)] * len(frames)
    times[-1] += round(1000 * hold_s)
    with atomic_file(path) as file:
        kind = path.suffix[1:].upper()
        first.save(file, kind, save_all=True, append_images=rest, duration=times, loop=0)


def _save_mp4(path: Path, frames: Sequence[np.ndarray], fps: float) -> None:
    try:
        import cv2
    except ImportError as error:
        raise Unmeasured("MP4 needs OpenCV: pip install 'calligan[scan]', or write .gif") from error
    height, width = (side + side % 2 for side in frames[0].shape)  # the codec requires even sides
    temporary = path.with_name(f".{path.stem}.tmp.mp4")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        code = cv2.VideoWriter_fourcc(*"mp4v")  # type: ignore[attr-defined]
        writer = cv2.VideoWriter(str(temporary), code, fps, (width, height))
        if not writer.isOpened():
            raise DataError(f"cannot write {path}: this OpenCV has no MP4; write .gif or .webp")
        for frame in frames:
            padded = np.full((height, width), 255, np.uint8)
            padded[: frame.shape[0], : frame.shape[1]] = frame
            writer.write(cv2.cvtColor(padded, cv2.COLOR_GRAY2BGR))
        writer.release()
        _check_frames(temporary, len(frames))
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_frames(path: Path, count: int) -> None:
    """Raise OSError where a film lacks frames: OpenCV reports no full disk."""
    import cv2

    film = cv2.VideoCapture(str(path))
    whole = film.isOpened() and round(film.get(cv2.CAP_PROP_FRAME_COUNT)) == count
    film.release()
    if not whole:
        raise OSError(errno.ENOSPC, "the film is not complete; is the disk full?")
