"""Files written whole or not at all, and their checksums."""

import contextlib
import errno
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from calligan.errors import ConfigError, DataError

_LARGEST_JSON = 64 * 2**20  # bytes
_LARGEST_INTEGER = 2**63


def sha256_bytes(data: bytes | memoryview) -> str:
    """Hex sha256 of a buffer."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its name only when the block ends well.

    Raises DataError (naming `path`) where the folder cannot be written or the disk is full.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            temporary.chmod(0o666 & ~_umask())
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path, busy: str = "") -> Iterator[None]:
    """Hold the lock file `path`, which goes with the process, kill -9 too.

    Where another process holds it: waits, or raises ConfigError with the text `busy`.
    """
    from filelock import FileLock, Timeout

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0 if busy else -1)
        lock.acquire()
    except Timeout as error:
        raise ConfigError(busy) from error
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()


def cannot_write(path: Path, error: OSError) -> DataError:
    """The one way to say that `path` could not be written."""
    reason = error.strerror or str(error)
    short = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, None)  # NumPy tells no number
    full = error.errno in short
    cure = "free some space, or choose another place" if full else "choose another place"
    return DataError(f"cannot write {path}: {reason}; {cure}")


def check_writable(*paths: Path) -> None:
    """Raise DataError where a file plainly cannot be written, before long work that ends in it."""
    for path in paths:
        parent = next(folder for folder in path.absolute().parents if folder.exists())
        if path.is_dir() or not parent.is_dir():
            code = errno.EISDIR if path.is_dir() else errno.ENOTDIR
        elif not os.access(parent, os.W_OK | os.X_OK):
            code = errno.EACCES
        else:
            continue
        raise cannot_write(path, OSError(code, os.strerror(code)))


def write_bytes(path: Path, data: bytes) -> None:
    """Atomically replace `path` by `data`."""
    with atomic_file(path) as file:
        file.write(data)


def write_json(path: Path, value: Any) -> None:
    """Atomically write UTF-8 JSON, readable by people."""
    options: dict[str, Any] = {"indent": 1, "allow_nan": False}
    try:
        data = json.dumps(value, ensure_ascii=False, **options).encode()
    except UnicodeEncodeError:  # a file name that is not UTF-8
        data = json.dumps(value, **options).encode()
    write_bytes(path, data + b"\n")


def read_json(path: Path, largest_bytes: int = _LARGEST_JSON) -> Any:
    """What a JSON file says; raises OSError where it cannot be read, ValueError as `parse_json`."""
    if path.stat().st_size > largest_bytes:
        raise ValueError(f"it is larger than {largest_bytes >> 20} MB")
    return parse_json(path.read_bytes(), largest_bytes)


def parse_json(text: str | bytes, largest_bytes: int = _LARGEST_JSON) -> Any:
    """What JSON says. Whoever asks checks that it has the shape that is wanted.

    Raises ValueError for what is not JSON, and for what no writer of ours makes: a key twice, NaN,
    numbers beyond 64 bits, half a character, nesting without end, more than `largest_bytes`.
    """
    if len(text) > largest_bytes:
        raise ValueError(f"it is larger than {largest_bytes >> 20} MB")
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        found = json.loads(
            text,
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_of_64_bits,
        )
        json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate cannot be written
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("it has a key twice")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"it has {name} for a number")


def _finite(digits: str) -> float:
    return value if math.isfinite(value := float(digits)) else _no_number(digits[:20])


def _of_64_bits(digits: str) -> int:
    fits = len(digits) <= 20 and abs(int(digits)) < _LARGEST_INTEGER
    return int(digits) if fits else int(_no_number(digits[:20]))


def fsync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, on systems where folders can be synced."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
