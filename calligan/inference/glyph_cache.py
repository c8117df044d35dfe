"""Drawn glyphs kept on disk, so that a character is drawn once: an SQLite file in the cache.

A glyph is stored under a digest of everything that determines it (`Writer.setting`) and its
character. The cache never fails a command: what cannot be read is drawn, and what cannot be written
is not kept.
"""

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calligan.inference.proofread import Attempt, Verdict
from calligan.resources import cache_folder
from calligan.vector.outline import Outline

_FILE = "glyphs-1.sqlite"  # numbered by the format of its entries
_MAX_CACHE_BYTES = 200 * 2**20
_MAX_ENTRY_BYTES = 2**24  # unpacked
_AT_ONCE = 500  # characters in a query
_WAIT_S = 2.0  # for another process that writes
_TABLE = """CREATE TABLE IF NOT EXISTS glyphs
    (setting TEXT, char TEXT, data BLOB, PRIMARY KEY (setting, char))"""
_OFF = "CALLIGAN_NO_CACHE"


def cache_is_on() -> bool:
    """Whether the environment allows the cache: CALLIGAN_NO_CACHE is not set, or empty or 0."""
    return os.environ.get(_OFF, "") in ("", "0")


@dataclass(frozen=True)
class KeptGlyph:
    """A drawn glyph, uint8 (S, S), its outline, and its verdict if it was checked."""

    image: np.ndarray
    outline: Outline
    verdict: Verdict | None = None


class GlyphCache:
    """The glyphs of one setting. Processes may use it at once."""

    def __init__(self, setting: str, path: Path | None = None):
        self._setting, self._path = setting, path or cache_folder() / _FILE

    def read(self, chars: str) -> dict[str, KeptGlyph]:
        """The kept ones of some characters. Damaged entries are left out."""
        found: dict[str, KeptGlyph] = {}

        def read(base: sqlite3.Connection) -> None:
            for start in range(0, len(chars), _AT_ONCE):
                part = chars[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT char, data FROM glyphs WHERE setting = ? AND char IN ({marks})"
                for char, data in base.execute(query, (self._setting, *part)):
                    with contextlib.suppress(ValueError, TypeError, KeyError, zlib.error):
                        found[char] = _unpacked(char, data)

        if self._path.is_file():
            self._use(read)
        return found

    def write(self, glyphs: Mapping[str, KeptGlyph]) -> None:
        """Keep glyphs by character. The oldest of all are dropped where there are too many."""
        rows = [(self._setting, char, _packed(glyph)) for char, glyph in glyphs.items()]

        def write(base: sqlite3.Connection) -> None:
            with base:  # a transaction
                base.execute(_TABLE)
                base.executemany("INSERT OR REPLACE INTO glyphs VALUES (?, ?, ?)", rows)
                _drop_oldest(base)

        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._use(write)

    def _use(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do something with the database. Its errors are ignored; a damaged one is deleted."""
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=_WAIT_S)) as base:
                base.execute("PRAGMA synchronous = OFF")  # what a power cut takes is drawn again
                work(base)
        except sqlite3.OperationalError:
            return  # locked, read-only, full, or without the table
        except sqlite3.DatabaseError:
            with contextlib.suppress(OSError):
                self._path.unlink()


def _drop_oldest(base: sqlite3.Connection) -> None:
    def number(pragma: str) -> int:
        return int(base.execute(f"PRAGMA {pragma}").fetchone()[0])

    page_bytes = number("page_size")
    while (number("page_count") - number("freelist_count")) * page_bytes > _MAX_CACHE_BYTES:
        oldest = (
            "SELECT rowid FROM glyphs ORDER BY rowid LIMIT 1 + (SELECT COUNT(*) FROM glyphs) / 10"
        )
        if not base.execute(f"DELETE FROM glyphs WHERE rowid IN ({oldest})").rowcount:
            return


def _packed(glyph: KeptGlyph) -> bytes:
    """An entry: a line of JSON, then pixels and outline. zlib's checksum finds damage."""
    outline, verdict = glyph.outline, glyph.verdict
    head: dict[str, object] = {"shape": glyph.image.shape, "pieces": len(outline.contour)}
    if verdict is not None:
        best = verdict.best
        head["verdict"] = {
            "way": best.way,
            "score": float(best.score),
            "faults": best.faults,
            "least": verdict.least_score,
            "foreseen": verdict.foreseen,
            "attempts": verdict.count,
        }
    arrays: Iterable[np.ndarray] = (
        glyph.image,
        outline.controls.astype("<i4"),
        outline.contour.astype("<i4"),
        outline.straight.astype(np.uint8),
    )
    whole = b"".join([json.dumps(head).encode(), b"\n", *(each.tobytes() for each in arrays)])
    return zlib.compress(whole, 1)


def _unpacked(char: str, data: bytes) -> KeptGlyph:
    """The glyph of an entry. Raises ValueError, TypeError, KeyError or zlib.error for another."""
    unpacking = zlib.decompressobj()
    whole = unpacking.decompress(data, _MAX_ENTRY_BYTES)
    if not unpacking.eof:
        raise ValueError("incomplete")
    line, _, rest = whole.partition(b"\n")
    head = json.loads(line)
    (height, width), pieces = head["shape"], head["pieces"]
    kinds = [("u1", height * width), ("<i4", 8 * pieces), ("<i4", pieces), ("u1", pieces)]
    arrays, at = [], 0
    for kind, count in kinds:
        arrays.append(np.frombuffer(rest, kind, count, at))
        at += arrays[-1].nbytes
    image, controls, contour, straight = arrays
    image = image.reshape(height, width)
    outline = Outline(
        controls.reshape(-1, 4, 2).astype(float), contour.astype(int), straight.astype(bool)
    )
    told = head.get("verdict")
    if told is None:
        return KeptGlyph(image, outline)
    best = Attempt(told["way"], image, told["score"], tuple(told["faults"]))
    verdict = Verdict(
        char, (best,), told["least"], foreseen=told["foreseen"], tried=told["attempts"]
    )
    return KeptGlyph(image, outline, verdict)
