"""Folders that the user removed: kept aside until the next start, so that it can be undone.

`remove(folder, …)` moves folders to studio/removed/ and returns a token, `restore(token)` moves
them back, and `empty()` deletes what was removed before this start.
"""

import re
import secrets
import shutil
from pathlib import Path

from calligan.errors import DataError
from calligan.storage import cannot_write
from calligan.studio.locations import STUDIO

REMOVED = STUDIO / "removed"
_TOKEN = re.compile(r"[0-9a-f]{32}")
# By token: where each folder is kept, and where it was. In memory, since a start empties them.
_kept: dict[str, list[tuple[Path, Path]]] = {}


def remove(*folders: Path) -> str:
    """Move folders aside, all or none; those that are not there are passed over.

    Returns a token for `restore`. Raises DataError if one cannot be moved.
    """
    token = secrets.token_hex(16)
    place = REMOVED / token
    there = [folder for folder in folders if folder.is_dir()]
    moves = [(folder, place / str(number)) for number, folder in enumerate(there)]
    try:
        place.mkdir(parents=True)
        _move(moves)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise cannot_write(REMOVED, error) from error
    _kept[token] = [(kept, folder) for folder, kept in moves]
    return token


def removed_from(parent: Path) -> dict[str, str]:
    """The names of the folders that were removed from a folder, by their tokens; newest first."""
    moves = {token: _kept[token] for token in reversed(_kept)}
    return {
        token: folder.name
        for token, moved in moves.items()
        for _, folder in moved[:1]
        if folder.parent == parent
    }


def restore(token: str) -> None:
    """Move the folders of a token back.

    Raises DataError if they are deleted by now, or others of their names are there.
    """
    moves = _kept.get(token)
    if moves is None or not all(kept.is_dir() for kept, _ in moves):
        raise DataError("what was removed is deleted by now")
    if any(folder.exists() for _, folder in moves):
        raise DataError("there is another one of that name by now; rename it first")
    try:
        for _, folder in moves:
            folder.parent.mkdir(parents=True, exist_ok=True)
        _move(moves)
    except OSError as error:
        raise cannot_write(REMOVED, error) from error
    del _kept[token]
    shutil.rmtree(REMOVED / token, ignore_errors=True)


def empty() -> None:
    """Delete what was removed before. Nothing but folders named by a token is touched."""
    _kept.clear()
    if REMOVED.is_symlink() or not REMOVED.is_dir():
        return
    for path in REMOVED.iterdir():
        if _TOKEN.fullmatch(path.name) and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _move(moves: list[tuple[Path, Path]]) -> None:
    """Rename folders, all or none."""
    done: list[tuple[Path, Path]] = []
    try:
        for before, after in moves:
            before.rename(after)
            done.append((before, after))
    except OSError:
        for before, after in reversed(done):
            after.rename(before)
        raise
