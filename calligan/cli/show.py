"""What the commands share in talking to people: notes and bars on stderr, results on stdout."""

import sys
import unicodedata
from typing import Any

from tqdm import tqdm


def note(message: str) -> None:
    """A line for people, on stderr."""
    print(visible(message), file=sys.stderr, flush=True)


def visible(text: str) -> str:
    """Text without what a terminal obeys: controls and changes of direction are spelt out.

    File names, fonts and models come from anywhere.
    """
    return "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs"):
        return char
    return char.encode("unicode_escape").decode()


def bar(total: float, label: str, unit: str, **options: Any) -> tqdm:
    """A progress bar on stderr; silent where stderr is no terminal."""
    return tqdm(
        total=total, desc=label, unit=unit, file=sys.stderr, disable=None, leave=False, **options
    )
