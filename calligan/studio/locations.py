"""Folders and files of the studio in a project; names are checked.

studio/key                the secret of the cookie
studio/work.sqlite        the job queue (also work.log, work.lock, work-light.lock)
studio/hands/NAME/        photographs of a hand: photos/, pages.json, glyphs/ (as `scan` makes it)
studio/fonts/NAME/        a font: given.ttf, and the fonts made from it
studio/renaming.json      the hand that is being renamed, while it is
studio/removed/TOKEN/     a removed hand or font, which can be brought back for a week
hands/NAME/, runs/NNNN/   learned hands and training runs, as the commands keep them
"""

import re
from pathlib import Path

from calligan.errors import DataError

STUDIO = Path("studio")
FONTS = STUDIO / "fonts"
NEXT = "next.pdf"  # the sheets to write next, in a hand's folder
_NAME = re.compile(r"[\w-]{1,40}")
_RESERVED = {"con", "prn", "aux", "nul", "all", "random", "bundle"}


def checked_name(name: str) -> str:
    """A name of a hand or font, valid as a folder name on every system. Raises DataError."""
    taken = name.lower() in _RESERVED or name.isdecimal()
    if not _NAME.fullmatch(name) or taken or name.startswith("-"):
        raise DataError(f"{name!r} is no name: letters, digits, - and _, at most 40, not a number")
    return name


def hand_folder(name: str) -> Path:
    """The folder of a hand's photographs and glyphs."""
    return STUDIO / "hands" / checked_name(name)


def glyphs_folder(name: str) -> Path:
    """The folder of its glyphs, as `calligan scan` makes it."""
    return hand_folder(name) / "glyphs"


def font_folder(name: str) -> Path:
    """The folder of a font."""
    return FONTS / checked_name(name)
