"""Stored paths: relative inside a project, so that its folder can be moved."""

import os
from pathlib import Path

_MAX_PARENTS = 3  # folders above a run that are searched for moved data


def stored_path(path: Path, folder: Path) -> str:
    """The form in which a file in `folder` (a run) stores `path`: relative if in the same project.

    The project is the folder that holds `runs` or `hands`, or the working directory.
    """
    path, folder = path.resolve(), folder.resolve()
    projects = (folder.parent.parent, Path.cwd())
    if any(path.is_relative_to(each) and folder.is_relative_to(each) for each in projects):
        return Path(os.path.relpath(path, folder)).as_posix()
    return str(path)


def found_path(text: str, folder: Path, was: str = "") -> Path:
    """Resolve a path that is stored in a file in `folder`; `was` is its absolute path at that time.

    An absolute path that no longer exists is searched by name in the folders above `folder`, as
    older versions stored absolute paths only.
    """
    folder = folder.resolve()
    path = (folder / text).resolve() if not Path(text).is_absolute() else Path(text)
    if path.exists():
        return path
    beside = (above / path.name for above in folder.parents[:_MAX_PARENTS])
    places = [Path(was)] if was else beside if Path(text).is_absolute() else ()
    return next((place for place in places if place.exists()), path)


def public_path(path: Path) -> str:
    """A path for files that are shared: relative to the working directory, or only the name."""
    path, here = path.resolve(), Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name
