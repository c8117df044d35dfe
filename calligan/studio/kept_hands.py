"""Hands of the project renamed, removed, and brought back.

What is removed lies in studio/removed/0001/ as it lay in the project (studio/hands/NAME and
hands/NAME), beside removed.json with its name and its rows of the job queue.
"""

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from calligan.errors import CalliganError, DataError
from calligan.project.hand_folder import move_hand
from calligan.project.models import HANDS
from calligan.storage import read_json, write_json
from calligan.studio.jobs import OPEN, Jobs
from calligan.studio.locations import STUDIO, checked_name, hand_folder

REMOVED = STUDIO / "removed"
_NOTE = "removed.json"
_KEPT_S = 7 * 86_400  # what is removed can be brought back so long


def is_there(name: str) -> bool:
    """Whether there is a hand of that name: photographs of it, or a learned one."""
    return any(folder.exists() for folder in _folders(name))


def _folders(name: str) -> list[Path]:
    return [hand_folder(name), HANDS / checked_name(name)]


def rename(jobs: Jobs, old: str, new: str) -> None:
    """Rename a hand: its photographs and glyphs, what was learned, and its rows of the queue."""
    from calligan.library.renaming import rename_hand

    _check_idle(jobs, old)
    if is_there(new):
        raise DataError(f"a hand named {new} exists already; choose another name")
    with contextlib.ExitStack() as undone:
        if hand_folder(old).exists():
            _moved(undone, hand_folder(old), hand_folder(new))
        if (HANDS / old).exists():
            rename_hand(old, new)
        undone.pop_all()
    jobs.rename_hand(old, new)


def remove(jobs: Jobs, name: str) -> int:
    """Move a hand to the folder of removed ones; the number to bring it back by."""
    _check_idle(jobs, name)
    place = _new_place()
    with contextlib.ExitStack() as undone:
        undone.callback(shutil.rmtree, place, ignore_errors=True)
        _move_all(undone, [(folder, place / folder) for folder in _folders(name)])
        write_json(place / _NOTE, {"name": name, "jobs": jobs.rows_of_hand(name)})
        undone.pop_all()
    jobs.drop_hand(name)
    return int(place.name)


def restore(jobs: Jobs, number: int) -> str:
    """Bring back a removed hand; its name. Raises DataError if it is gone for good."""
    place = REMOVED / f"{number:04d}"
    note = _note_of(place)
    if note is None:
        raise DataError("what was removed is gone for good")
    name = checked_name(str(note["name"]))
    if is_there(name):
        raise DataError(f"a hand named {name} exists already; rename that one first")
    with contextlib.ExitStack() as undone:
        _move_all(undone, [(place / folder, folder) for folder in _folders(name)])
        undone.pop_all()
    jobs.put_back(note["jobs"])
    shutil.rmtree(place, ignore_errors=True)
    return name


def forget_old() -> None:
    """Delete what was removed more than a week ago."""
    for place in REMOVED.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if time.time() - (place / _NOTE).stat().st_mtime > _KEPT_S:
                shutil.rmtree(place, ignore_errors=True)


def _check_idle(jobs: Jobs, name: str) -> None:
    """Raise DataError if there is no such hand, or while a job uses it or waits to."""
    if not is_there(name):
        raise DataError(f"there is no hand named {name}")
    if any(job.state in OPEN and _uses(job.kind, job.subject, job.arguments, name)
           for job in jobs.recent()):  # fmt: skip
        raise DataError(f"work with {name} is under way or waits; cancel it or wait for it")


def _uses(kind: str, subject: str, arguments: dict[str, Any], name: str) -> bool:
    """Whether a job is about a hand, or makes a font of it, alone or in a mixture."""
    if kind in ("learn", "plan"):
        return subject == name
    parts = str(arguments.get("hand", "")).split("+")
    return name in [part.partition(":")[0] for part in parts]


def _new_place() -> Path:
    """A new numbered folder for what is removed."""
    numbers = [int(path.name) for path in REMOVED.glob("[0-9]*") if path.name.isdecimal()]
    place = REMOVED / f"{max(numbers, default=0) + 1:04d}"
    place.mkdir(parents=True)
    return place


def _note_of(place: Path) -> dict[str, Any] | None:
    try:
        note = read_json(place / _NOTE)
    except (OSError, ValueError):
        return None
    good = isinstance(note, dict) and "name" in note and isinstance(note.get("jobs"), list)
    return note if good else None


def _move_all(undone: contextlib.ExitStack, moves: list[tuple[Path, Path]]) -> None:
    for source, to in moves:
        if source.exists():
            _moved(undone, source, to)


def _moved(undone: contextlib.ExitStack, source: Path, to: Path) -> None:
    """Move a folder, and move it back where a later step fails."""
    move_hand(source, to)
    undone.callback(_quietly, lambda: move_hand(to, source))


def _quietly(work: Callable[[], object]) -> None:
    with contextlib.suppress(CalliganError, OSError):
        work()
