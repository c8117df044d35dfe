"""Which names hands have: hands of the project renamed and removed."""

import contextlib
import os
from dataclasses import dataclass
from typing import Any

from calligan.errors import CalliganError, DataError
from calligan.project.hand_folder import being_learned, move_hand
from calligan.project.models import HANDS
from calligan.settings import from_dict, save
from calligan.storage import read_json
from calligan.studio import removal
from calligan.studio.jobs import OPEN, Jobs
from calligan.studio.locations import STUDIO, checked_name

_NOTE = STUDIO / "renaming.json"  # while a hand is renamed


@dataclass(frozen=True)
class _Names:
    """The names of a hand that is being renamed."""

    old: str
    new: str


def is_there(name: str) -> bool:
    """Whether there is a hand of that name: photographs of it, or a learned one."""
    return any(folder.exists() for folder in removal.folders_of("hand", name))


def rename(jobs: Jobs, old: str, new: str) -> None:
    """Rename a hand: its photographs and glyphs, what was learned, and its rows of the queue.

    If the process is killed meanwhile, `finish_renaming` does the rest.
    """
    _check_idle(jobs, old)
    if is_there(new):
        raise DataError(f"a hand named {new} exists already; choose another name")
    save(_Names(old, new), _NOTE)
    try:
        _move(jobs, old, new)
    except (CalliganError, OSError):
        with contextlib.suppress(CalliganError, OSError):
            _move(jobs, new, old)
        raise
    finally:
        _NOTE.unlink(missing_ok=True)


def finish_renaming(jobs: Jobs) -> None:
    """Finish what a killed process began to rename."""
    try:
        note = from_dict(_Names, read_json(_NOTE))
        _move(jobs, checked_name(note.old), checked_name(note.new))
    except (CalliganError, OSError, ValueError):
        pass  # there is none, or its folders cannot be moved, as the page of the hand will say
    _NOTE.unlink(missing_ok=True)


def _move(jobs: Jobs, old: str, new: str) -> None:
    """Give what has the old name the new one; what has it already stays."""
    from calligan.library.renaming import name_styles

    folders = [removal.folders_of("hand", name) for name in (old, new)]
    for folder, to in zip(*folders, strict=True):
        if folder.exists() and not os.path.lexists(to):
            move_hand(folder, to)
    name_styles(HANDS / new, old, new)
    jobs.rename_hand(old, new)


def remove(jobs: Jobs, name: str) -> str:
    """Remove a hand; returns a token to bring it back by."""
    _check_idle(jobs, name)
    if (HANDS / name).exists():
        with being_learned(HANDS / name):
            pass  # no command learns it
    return removal.remove(jobs, "hand", name)


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
