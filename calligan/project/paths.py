"""Paths as files store them: relative inside a project, so that its folder can be moved."""

import os
from pathlib import Path

_ABOVE_RUN = 3  # folders above a run in which moved data is looked for


def stored_path(path: Path, folder: Path) -> str:
    """How a file in `folder` (a run) stores `path`: relative to it inside one project.

    The project is the folder that holds `runs` or `hands`, or the working directory.
    """
    path, folder = path.resolve(), folder.resolve()
    projects = (folder.parent.parent, Path.cwd())
    if any(path.is_relative_to(each) and folder.is_relative_to(each) for each in projects):
        return Path(os.path.relpath(path, folder)).as_posix()
    return str(path)


def found_path(text: str, folder: Path, was: str = "") -> Path:
    """Where a path that a file in `folder` stores lies now; `was` is where it was then.

    An absolute one that is gone is looked for by its name in the folders above `folder`: older
    versions stored absolute paths only.
    """
    folder = folder.resolve()
    path = (folder / text).resolve() if not Path(text).is_absolute() else Path(text)
    if path.exists():
        return path
    beside = (above / path.name for above in folder.parents[:_ABOVE_RUN])
    places = [Path(was)] if was else beside if Path(text).is_absolute() else ()
    return next((place for place in places if place.exists()), path)


def public_path(path: Path) -> str:
    """A path for a file that is given away: relative to the working directory, or a name alone."""
    path, here = path.resolve(), Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name
