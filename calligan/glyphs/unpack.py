"""Unpack WOFF2 once: the FreeType wheels read every other format themselves."""

import io
import struct
from pathlib import Path

from calligan.errors import FontError
from calligan.limits import MAX_TABLES, MAX_UNPACKED_BYTES
from calligan.reading import read_bytes
from calligan.resources import cache_folder
from calligan.storage import write_bytes

_WOFF, _WOFF2 = b"wOFF", b"wOF2"
_WOFF_SIZE = slice(16, 20)  # of the header: the unpacked size, which FreeType allocates
_WOFF2_TABLES, _WOFF2_PACKED = slice(12, 14), slice(20, 24)
_WOFF2_EXTRAS = slice(28, 48)  # where metadata and private data are
_WOFF2_HEADER_BYTES = 48


def unpack(path: Path, data: bytes, sha256: str) -> bytes:
    """Return `data`, unpacked if it is WOFF2. Cached: a large font takes about 18 s.

    Raises FontError for a damaged font, or one too large when it is unpacked.
    """
    if data[:4] == _WOFF and int.from_bytes(data[_WOFF_SIZE]) > MAX_UNPACKED_BYTES:
        raise _too_large(path)
    if data[:4] != _WOFF2:
        return data
    cached = cache_folder() / "unpacked" / f"{sha256}.ttf"
    if cached.is_file():
        return read_bytes(cached, 2 * MAX_UNPACKED_BYTES)
    unpacked = _decompress(path, data)
    write_bytes(cached, unpacked)
    return unpacked


def _decompress(path: Path, data: bytes) -> bytes:
    from fontTools.ttLib import woff2

    output = io.BytesIO()
    try:
        data = _without_extras(data)
        if not _unpacks_as_stated(data):
            raise _too_large(path)
        woff2.decompress(io.BytesIO(data), output)
    except FontError:
        raise
    except Exception as error:  # fontTools raises a dozen kinds on damaged files
        raise FontError(f"{path} is a damaged WOFF2 font; fetch or export it again") from error
    return output.getvalue()


def _without_extras(data: bytes) -> bytes:
    """The font without its metadata, which would be unpacked too."""
    nothing = bytes(_WOFF2_EXTRAS.stop - _WOFF2_EXTRAS.start)
    return data[: _WOFF2_EXTRAS.start] + nothing + data[_WOFF2_EXTRAS.stop :]


def _unpacks_as_stated(data: bytes) -> bool:
    """Whether the tables unpack to the sizes in the directory, and these are within the limit."""
    import brotli
    from fontTools.ttLib.woff2 import WOFF2DirectoryEntry

    (tables,) = struct.unpack(">H", data[_WOFF2_TABLES])
    (packed_bytes,) = struct.unpack(">L", data[_WOFF2_PACKED])
    file, stated, final = io.BytesIO(data), 0, 0
    file.seek(_WOFF2_HEADER_BYTES)
    if tables > MAX_TABLES:
        return False
    for _ in range(tables):
        entry = WOFF2DirectoryEntry()
        entry.fromFile(file)
        stated, final = stated + entry.length, final + entry.origLength
    if max(stated, final) > MAX_UNPACKED_BYTES:
        return False
    unpacker = brotli.Decompressor()
    found = unpacker.process(file.read(packed_bytes), output_buffer_limit=stated + 1)
    return len(found) <= stated


def _too_large(path: Path) -> FontError:
    limit_mb = MAX_UNPACKED_BYTES >> 20
    return FontError(
        f"{path} unpacks to more than it states, or more than {limit_mb} MB; give a TTF or OTF"
    )
