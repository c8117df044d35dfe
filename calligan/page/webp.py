"""Animated WebP, encoded frame by frame: Pillow's encoder of films takes all frames at once.

The container is that of RFC 9649: a header with the film's size, then a chunk for each frame.
"""

import io
import shutil
from collections.abc import Iterable
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from PIL import Image

from calligan.page.gif import Frame

CORNER_STEP_PX = 2  # the corner of a frame is at a multiple of it
_ANIMATED = 0x02  # a flag of the film
_NOT_BLENDED = 0x02  # a flag of a frame
_MAX_BUFFERED_BYTES = 2**24


def write_webp(file: BinaryIO, frames: Iterable[Frame]) -> None:
    """Write frames, of which the first has the film's size; the film is repeated without end."""
    with SpooledTemporaryFile(_MAX_BUFFERED_BYTES) as chunks:  # the header has their length
        for number, frame in enumerate(frames):
            if number == 0:
                flags = bytes([_ANIMATED, 0, 0, 0])
                chunks.write(_chunk(b"VP8X", flags + _size(frame.image)))
                chunks.write(_chunk(b"ANIM", bytes(6)))  # background, repetitions
            chunks.write(_chunk(b"ANMF", _frame(frame)))
        length = len(b"WEBP") + chunks.tell()
        chunks.seek(0)
        file.write(b"RIFF" + length.to_bytes(4, "little") + b"WEBP")
        shutil.copyfileobj(chunks, file)


def _frame(frame: Frame) -> bytes:
    corner = b"".join(_u24(at // CORNER_STEP_PX) for at in frame.corner_px)
    still = io.BytesIO()
    frame.image.save(still, "WEBP")
    picture = still.getvalue()[len(b"RIFF....WEBP") :]
    return corner + _size(frame.image) + _u24(frame.ms) + bytes([_NOT_BLENDED]) + picture


def _size(image: Image.Image) -> bytes:
    return _u24(image.width - 1) + _u24(image.height - 1)


def _chunk(name: bytes, payload: bytes) -> bytes:
    return name + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) % 2)


def _u24(number: int) -> bytes:
    return number.to_bytes(3, "little")
