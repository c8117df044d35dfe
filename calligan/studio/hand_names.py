"""Which names hands have: hands of the project renamed and removed."""

import contextlib
from typing import Any

from calligan.errors import CalliganError, DataError
from calligan.project.hand_folder import being_learned, move_hand
from calligan.project.models import HANDS
from calligan.studio import removal
from calligan.studio.jobs import OPEN, Jobs
from calligan.studio.locations import hand_folder


def is_there(name: str) -> bool:
    """Whether there is a hand of that name: photographs of it, or a learned one."""
    return any(folder.exists() for folder in removal.folders_of("hand", name))


def rename(jobs: Jobs, old: str, new: str) -> None:
    """Rename a hand: its photographs and glyphs, what was learned, and its rows of the queue."""
    from calligan.library.renaming import rename_hand

    _check_idle(jobs, old)
    if is_there(new):
        raise DataError(f"a hand named {new} exists already; choose another name")
    moved = hand_folder(old).exists()
    if moved:
        move_hand(hand_folder(old), hand_folder(new))
    try:
        if (HANDS / old).exists():
            rename_hand(old, new)
    except (CalliganError, OSError):
        if moved:
            with contextlib.suppress(CalliganError, OSError):
                move_hand(hand_folder(new), hand_folder(old))
        raise
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
