"""Hands and fonts that the user removed: kept for a week, and brought back.

What is removed lies in studio/removed/TOKEN/: its folders, by number, and removed.json, which says
what it was, when it was removed, where each folder lay, and which rows of the job queue it had.
"""

import errno
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from calligan.errors import CalliganError, DataError
from calligan.project.models import HANDS
from calligan.settings import from_dict, save
from calligan.storage import cannot_write, read_json
from calligan.studio.jobs import Jobs
from calligan.studio.locations import STUDIO, font_folder, hand_folder

REMOVED = STUDIO / "removed"
_NOTE = "removed.json"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_KEPT_S = 7 * 86_400

Kind = Literal["hand", "font"]


@dataclass(frozen=True)
class _Note:
    """What lies in a folder named by a token."""

    kind: Kind
    name: str
    removed_at: float
    folders: tuple[str, ...]  # where they lay; the first is in the folder 0
    jobs: tuple[dict[str, Any], ...]

    def moves(self, place: Path) -> list[tuple[Path, Path]]:
        """Where each folder lay, and where it is kept."""
        return [(Path(folder), place / str(n)) for n, folder in enumerate(self.folders)]


def folders_of(kind: Kind, name: str) -> list[Path]:
    """Where a hand or font may have folders. Raises DataError for what is no name."""
    return [font_folder(name)] if kind == "font" else [hand_folder(name), HANDS / name]


def remove(jobs: Jobs, kind: Kind, name: str) -> str:
    """Move the folders of a hand or font aside, all or none, and drop its rows of the queue.

    Returns a token for `restore`. Raises DataError if a folder cannot be moved.
    """
    there = [folder.as_posix() for folder in folders_of(kind, name) if folder.exists()]
    note = _Note(kind, name, time.time(), tuple(there), tuple(jobs.rows(kind, name)))
    token = secrets.token_hex(16)
    place = REMOVED / token
    try:
        if REMOVED.is_symlink():
            raise OSError(errno.ENOTDIR, "it is a link")
        place.mkdir(parents=True)
        save(note, place / _NOTE)  # first: what a killed process has moved can be brought back
        _move(note.moves(place))
    except OSError as error:
        raise cannot_write(REMOVED, error) from error
    finally:
        _clear(place)
    jobs.move(kind, name, None)
    return token


def names_of_removed(kind: Kind) -> dict[str, str]:
    """The names of the hands or fonts removed in the last week, by token; newest first."""
    notes = [(token, note) for token, note in _notes().items() if note.kind == kind]
    notes.sort(key=lambda each: each[1].removed_at, reverse=True)
    return {token: note.name for token, note in notes if not _is_old(note)}


def restore(jobs: Jobs, token: str) -> str:
    """Move what was removed back, all or none; its name.

    Raises DataError if it is deleted by now, or there is another one of that name.
    """
    place, note = REMOVED / token, _note_of(token)
    moves = [(kept, to) for to, kept in note.moves(place) if os.path.lexists(kept)] if note else []
    if note is None or not moves:
        raise DataError("what was removed is deleted by now")
    if any(os.path.lexists(folder) for folder in folders_of(note.kind, note.name)):
        raise DataError("there is another one of that name by now; rename it first")
    try:
        for _, folder in moves:
            folder.parent.mkdir(parents=True, exist_ok=True)
        _move(moves)
    except OSError as error:
        raise cannot_write(REMOVED, error) from error
    jobs.put_back(note.jobs)
    _clear(place)
    return note.name


def forget_old() -> None:
    """Delete what was removed more than a week ago; nothing else in that folder is touched."""
    for token, note in _notes().items():
        if _is_old(note):
            shutil.rmtree(REMOVED / token, ignore_errors=True)


def _is_old(note: _Note) -> bool:
    return time.time() - note.removed_at > _KEPT_S


def _notes() -> dict[str, _Note]:
    """All notes, by token."""
    notes = {path.name: _note_of(path.name) for path in REMOVED.glob("*")}
    return {token: note for token, note in notes.items() if note}


def _note_of(token: str) -> _Note | None:
    """What was removed under a token; None for anything else, and for links, which lead elsewhere.

    A note may be a stranger's: it names no folders but those that such a hand or font has.
    """
    place = REMOVED / token
    if not _TOKEN.fullmatch(token) or REMOVED.is_symlink() or place.is_symlink():
        return None
    try:
        note = from_dict(_Note, read_json(place / _NOTE))
        its_own = {folder.as_posix() for folder in folders_of(note.kind, note.name)}
    except (CalliganError, OSError, ValueError):
        return None
    return note if its_own.issuperset(note.folders) else None


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


def _clear(place: Path) -> None:
    """Delete a folder of this module's, unless something is kept in it."""
    if not any(path.name.isdecimal() for path in place.glob("*")):
        shutil.rmtree(place, ignore_errors=True)
