"""Last known paths of fonts on this machine, by checksum: a model card holds no private paths.

CACHE/known-fonts/SHA256.txt holds an absolute path.
"""

import contextlib
import re
from pathlib import Path

from calligan.errors import DataError
from calligan.resources import cache_folder
from calligan.storage import write_bytes


def remember_font(path: Path, sha256: str) -> None:
    """Record a font's path, and drop records of missing fonts. Does nothing without a cache."""
    folder = cache_folder() / "known-fonts"
    with contextlib.suppress(DataError, OSError, UnicodeDecodeError):
        for note in folder.glob("*.txt"):
            if not Path(note.read_text(encoding="utf-8")).is_file():
                note.unlink(missing_ok=True)
        write_bytes(folder / f"{sha256}.txt", str(path.resolve()).encode())


def known_font(sha256: str) -> Path | None:
    """Last known path of the font with this checksum; the file may have changed since."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        return None
    try:
        text = (cache_folder() / "known-fonts" / f"{sha256}.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return Path(text)
