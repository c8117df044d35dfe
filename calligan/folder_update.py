"""Several files of a folder that change together: all or none, even if the power fails.

New files are staged in `.new` in the folder. Renaming it to `.ready` commits them; then each takes
its name. If that is interrupted, the next process that reads or changes the folder completes it.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from calligan.storage import cannot_write, fsync_folder, locked

_STAGED, _READY, _LOCK = ".new", ".ready", ".lock"


@contextlib.contextmanager
def folder_update(folder: Path) -> Iterator[Path]:
    """Give a folder for new files of `folder`; they take their places if the block succeeds.

    Other updates of `folder` wait. After an error, nothing is changed, and a folder that was not
    there is not made. Raises DataError if the folder cannot be written or the disk is full.
    """
    is_new = not folder.exists()
    staged = folder / _STAGED
    try:
        with locked(folder / _LOCK):
            _complete(folder)
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir()
            try:
                yield staged
                fsync_folder(staged)
                staged.rename(folder / _READY)
                fsync_folder(folder)
            finally:
                shutil.rmtree(staged, ignore_errors=True)
            try:
                _complete(folder)
            except KeyboardInterrupt:
                _complete(folder)
                raise
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        if is_new:
            remove_unused(folder)


def complete_update(folder: Path) -> None:
    """Complete an interrupted update, before the files of a folder are read.

    Raises DataError if that is not possible.
    """
    if is_committed(folder):
        try:
            with locked(folder / _LOCK):
                _complete(folder)
        except OSError as error:
            raise cannot_write(folder, error) from error


def is_committed(folder: Path) -> bool:
    """Whether an update of a folder is committed, and not complete.

    A link is no update: its files, which may be anyone's, would be moved here.
    """
    ready = folder / _READY
    return ready.is_dir() and not ready.is_symlink()


def _complete(folder: Path) -> None:
    """Move the committed files to their places."""
    if not is_committed(folder):
        return
    ready = folder / _READY
    for path in sorted(ready.iterdir()):
        path.replace(folder / path.name)
    fsync_folder(folder)
    ready.rmdir()


def remove_unused(folder: Path, *unneeded: str) -> None:
    """Remove a folder that holds nothing but its lock and `unneeded` files."""
    with contextlib.suppress(OSError):
        if {path.name for path in folder.iterdir()} <= {_LOCK, *unneeded}:
            for name in (*unneeded, _LOCK):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
