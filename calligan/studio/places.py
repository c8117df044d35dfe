"""Where a studio keeps things, below its project's folder, by names that were checked.

studio/key                what open pages are known by
studio/work.sqlite        the queue of long work (work.log, work.lock)
studio/hands/NAME/        photographs of a hand: photos/, pages.json, glyphs/ (as `scan` makes it)
studio/fonts/NAME/        a font: given.ttf, and what was made of it
hands/NAME/, runs/NNNN/   what was learned and trained, as the commands keep it
"""

import re
from pathlib import Path

from calligan.errors import DataError

STUDIO = Path("studio")
NEXT = "next.pdf"  # of a hand: the sheets to write next
_NAME = re.compile(r"[\w-]{1,40}")
_RESERVED = {"con", "prn", "aux", "nul", "all", "random", "bundle"}


def checked_name(name: str) -> str:
    """A name for a hand or font that can be a folder's anywhere. Raises DataError for another."""
    taken = name.lower() in _RESERVED or name.isdecimal()
    if not _NAME.fullmatch(name) or taken or name.startswith("-"):
        raise DataError(f"{name!r} is no name: letters, digits, - and _, at most 40, not a number")
    return name


def hand_folder(name: str) -> Path:
    """A hand's photographs and glyphs."""
    return STUDIO / "hands" / checked_name(name)


def glyphs_folder(name: str) -> Path:
    """What was cut out of them: a folder as `calligan scan` makes it."""
    return hand_folder(name) / "glyphs"


def font_folder(name: str) -> Path:
    """A font and what was made of it."""
    return STUDIO / "fonts" / checked_name(name)
