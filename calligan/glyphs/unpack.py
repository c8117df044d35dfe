"""Unpack WOFF2 once: the FreeType wheels read every other format themselves."""

import io
from pathlib import Path

from calligan.errors import FontError
from calligan.resources import cache_folder
from calligan.storage import write_bytes

_WOFF2 = b"wOF2"


def unpack_woff2(path: Path, data: bytes, sha256: str) -> bytes:
    """Return `data`, unpacked if it is WOFF2. Cached: a large font takes about 18 s."""
    if data[:4] != _WOFF2:
        return data
    cached = cache_folder() / "unpacked" / f"{sha256}.ttf"
    if cached.is_file():
        return cached.read_bytes()
    unpacked = _decompress(path, data)
    write_bytes(cached, unpacked)
    return unpacked


def _decompress(path: Path, data: bytes) -> bytes:
    from fontTools.ttLib import woff2

    output = io.BytesIO()
    try:
        woff2.decompress(io.BytesIO(data), output)
    except Exception as error:  # fontTools raises a dozen kinds on damaged files
        raise FontError(f"{path} is a damaged WOFF2 font; fetch or export it again") from error
    return output.getvalue()
