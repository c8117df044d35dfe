"""What the commands share in talking to people: notes and bars on stderr, results on stdout."""

import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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


def bar(total: float, label: str, unit: str, **options: Any) -> "tqdm[Any]":
    """A progress bar on stderr; silent where stderr is no terminal."""
    looks = {"disable": None, "leave": False, **options}
    return tqdm(total=total, desc=label, unit=unit, file=sys.stderr, **looks)


@contextmanager
def progress(label: str, unit: str, **options: Any) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for work that says itself what is done, and of how much (progress.py).

    It appears when there is something done, so that what is said before stands above it.
    """
    with ExitStack() as stack:
        shown: list[tqdm[Any]] = []

        def moved(what: str, done: int, of: int) -> None:
            if not shown:
                shown.append(stack.enter_context(bar(of, label, unit, **options)))
            shown[0].set_description_str(what, refresh=False)
            shown[0].total = of
            shown[0].update(done - shown[0].n)

        yield moved


def some(chars: str, shown: int = 20) -> str:
    """The first of some characters, and how many more there are."""
    rest = len(chars) - shown
    return " ".join(chars[:shown]) + (f" and {rest:,} more" if rest > 0 else "")
