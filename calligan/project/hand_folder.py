"""The folder of a hand while it is learned: `hands/NAME`."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from calligan.errors import DataError
from calligan.storage import cannot_write, check_own, locked

_LOCK = ".learning"


@contextlib.contextmanager
def being_learned(folder: Path) -> Iterator[None]:
    """Lock a hand's folder; if no run is begun in it, remove what was added to it.

    Raises ConfigError if another process learns the hand, DataError where its files lead elsewhere.
    """
    check_own(folder)
    busy = f"{folder} is being learned by another process; wait for it, or stop it"
    there = set(folder.glob("*"))
    with locked(folder / _LOCK, busy):
        try:
            yield
        except BaseException:
            added = set(folder.glob("*")) - there - {folder / _LOCK}
            if not any(path.name.isdecimal() for path in added):
                for path in added:
                    shutil.rmtree(path, ignore_errors=True)
            if not list(folder.glob("[!.]*")):
                (folder / _LOCK).unlink(missing_ok=True)
            for each in (folder, folder.parent):
                with contextlib.suppress(OSError):  # unless it is empty
                    each.rmdir()
            raise


def move_hand(folder: Path, to: Path) -> Path:
    """Move a hand's folder; returns where it is then.

    Raises ConfigError while another process learns it, DataError where there is something already.
    """
    with being_learned(folder):
        pass  # nobody else does
    if to.exists() or to.is_symlink():
        raise DataError(f"{to} exists already; choose another name")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(folder), str(to))
    except OSError as error:
        raise cannot_write(to, error) from error
    return to
