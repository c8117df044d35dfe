"""Atomic file writes, file locks, and checksums."""

import contextlib
import errno
import functools
import hashlib
import json
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from calligan.errors import ConfigError, DataError
from calligan.reading import check_file
from calligan.reading import parse_json as parse_json  # re-exported
from calligan.reading import read_json as read_json

_TMP = "tmp"  # the ending of temporary files
_MAX_STEM_BYTES = 255 - len(f"..12345678.{_TMP}")  # file systems allow names of 255 bytes


def sha256_bytes(data: bytes | memoryview) -> str:
    """Hex sha256 of a buffer."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path, max_bytes: int = sys.maxsize) -> str:
    """Hex sha256 of a regular file, read in blocks.

    Raises OSError where there is none, ValueError for a pipe or a device, or a larger file.
    """
    check_file(path, max_bytes)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def with_folder(path: Path) -> Iterator[None]:
    """Make the folder that `path` is to lie in; what stays empty, after an error, is removed."""
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for folder in made:  # the innermost first
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()


@dataclass(frozen=True)
class _Written:
    """A file under a temporary name, and what is undone unless it takes its own."""

    path: Path
    temporary: Path
    file: BinaryIO
    undone: contextlib.ExitStack

    def take_name(self) -> None:
        self.file.close()
        self.temporary.replace(self.path)
        fsync_folder(self.path.parent)


_MAX_HELD_OPEN = 200  # files that keep their locks until then: a process opens only so many
_together: ContextVar[list[_Written] | None] = ContextVar("_together", default=None)


@contextlib.contextmanager
def written_together() -> Iterator[None]:
    """Let the files that are written within take their names at the end, all or none.

    Pipes and devices are written at once. Raises DataError for a file that cannot take its name.
    """
    files: list[_Written] = []
    with contextlib.ExitStack() as undone:
        before = _together.set(files)
        try:
            yield
        finally:
            _together.reset(before)
            for each in files:
                undone.callback(each.undone.close)
        for each in files:
            try:
                each.take_name()
            except OSError as error:
                raise cannot_write(each.path, error) from error


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` when the block ends without an error.

    Within `written_together`, it does so later. A link keeps its place, and its target is replaced.
    Pipes and devices are written directly. Raises DataError naming `path` if the folder cannot be
    written or the disk is full.
    """
    _check_named(path)
    undone = contextlib.ExitStack()  # what is undone at the end
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # such as /dev/stdout
            with path.open("wb") as file:
                yield file
            return
        path = Path(os.path.realpath(path)) if path.is_symlink() else path  # resolve: RuntimeError
        undone.enter_context(with_folder(path))
        _remove_leftovers(path)
        handle, name = tempfile.mkstemp(f".{_TMP}", f".{_stem(path)}.", path.parent)
        temporary = Path(name)
        undone.callback(_remove, temporary)
        file = os.fdopen(handle, "wb")
        undone.callback(_close, file)
        _lock(handle)
        temporary.chmod(0o666 & ~_umask())
        yield file
        file.flush()
        os.fsync(file.fileno())
        written = _Written(path, temporary, file, undone)
        if (together := _together.get()) is None:
            written.take_name()
        else:
            if len(together) >= _MAX_HELD_OPEN:
                file.close()
            together.append(replace(written, undone=undone.pop_all()))
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        undone.close()


def _close(file: BinaryIO) -> None:
    with contextlib.suppress(OSError):  # what it holds yet is not written again on a full disk
        file.close()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(
    path: Path, busy: str = "", on_wait: Callable[[], object] | None = None
) -> Iterator[None]:
    """Hold the lock file `path`. The lock ends with the process, even if it is killed.

    If another process holds it, wait, after a call of `on_wait`; or with `busy`, raise ConfigError
    with that message. Folders that are made for it are removed again if they stay empty.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    with contextlib.ExitStack() as undone:
        try:
            if path.is_symlink():  # it would be followed, and emptied
                raise _leads_elsewhere(path)
            undone.enter_context(with_folder(path))
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                if busy:
                    raise ConfigError(busy) from error
                if on_wait:
                    on_wait()
                lock.acquire()
        except OSError as error:
            raise cannot_write(path, error) from error
        undone.callback(lock.release)
        yield


@functools.cache
def _leftovers(folder: Path) -> list[str]:
    """Temporary files that were in a folder when this process first wrote there."""
    return [path.name for path in folder.glob(f".*.{_TMP}")]


def _stem(path: Path) -> str:
    """What a temporary file is named after: as much of a name as leaves room for the rest."""
    return os.fsdecode(os.fsencode(path.name)[:_MAX_STEM_BYTES]).encode(errors="ignore").decode()


def _remove_leftovers(path: Path) -> None:
    """Remove temporary files that killed processes left beside `path`, under its name."""
    for name in _leftovers(path.parent.resolve()):
        if re.fullmatch(rf"\.{re.escape(_stem(path))}\.[a-z0-9_]{{8}}\.{_TMP}", name):
            with contextlib.suppress(OSError), (path.parent / name).open("rb") as file:
                if _lock(file.fileno()):  # no process is writing it
                    (path.parent / name).unlink()


def _lock(handle: int) -> bool:
    """Lock a temporary file for its process; whether that succeeded. Without effect on Windows."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except (ImportError, OSError):
        return False


def cannot_write(path: Path, error: OSError) -> DataError:
    """The error for a path that could not be written, with its reason and cure."""
    reason = error.strerror or str(error)
    full_codes = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, None)  # NumPy sets no errno
    full = error.errno in full_codes
    cure = "free some space, or choose another place" if full else "choose another place"
    return DataError(f"cannot write {path}: {reason}; {cure}")


def check_own(folder: Path) -> None:
    """Check that a folder, which may be a stranger's, is safe to write into and to remove from.

    Raises DataError for a link in it that leads out of it, a pipe or a device: what is written
    under their names would be written elsewhere, or never end.
    """
    inside = os.path.realpath(folder)
    for here, folders, files in os.walk(inside):
        for path in (Path(here, name) for name in (*folders, *files)):
            try:
                kind = path.lstat().st_mode
            except FileNotFoundError:  # a temporary file of another process
                continue
            if stat.S_ISLNK(kind):
                leads_out = not Path(os.path.realpath(path)).is_relative_to(inside)
            else:
                leads_out = not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))
            if leads_out:
                raise _leads_elsewhere(folder / path.relative_to(inside))


def _leads_elsewhere(path: Path) -> DataError:
    return DataError(
        f"{path} is a link, a pipe or a device, and would be written to; replace it by what it "
        "stands for, or remove it"
    )


def check_writable(*paths: Path) -> None:
    """Raise DataError if a file cannot be written. For a check before long work."""
    for path in paths:
        _check_named(path)
        try:
            code = _obstacle(Path(os.path.realpath(path)))  # what a link leads to is replaced
        except OSError as error:  # such as a name that is too long
            raise cannot_write(path, error) from error
        if code:
            raise cannot_write(path, OSError(code, os.strerror(code)))


def _check_named(path: Path) -> None:
    """Raise DataError for `-`, standard output, which takes only what a command says it takes."""
    if str(path) == "-":
        raise DataError("this file cannot go to standard output (-); give it a name")


def _obstacle(path: Path) -> int:
    """The error number of writing a file; 0 if nothing stands against it."""
    if path.is_dir():
        return errno.EISDIR
    if path.exists() and not path.is_file():  # a pipe or a device, written in its place
        return 0 if os.access(path, os.W_OK) else errno.EACCES
    parent = next(folder for folder in path.parents if folder.exists())
    if not parent.is_dir():
        return errno.ENOTDIR
    return 0 if os.access(parent, os.W_OK | os.X_OK) else errno.EACCES


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically."""
    with atomic_file(path) as file:
        file.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write indented UTF-8 JSON atomically. Raises ValueError for NaN and infinities."""
    options: dict[str, Any] = {"indent": 1, "allow_nan": False}
    try:
        data = json.dumps(value, ensure_ascii=False, **options).encode()
    except UnicodeEncodeError:  # lone surrogates, from a file name that is not UTF-8
        data = json.dumps(value, **options).encode()
    write_bytes(path, data + b"\n")


def fsync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, on systems that can sync folders."""
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
