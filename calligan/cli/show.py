"""Terminal output shared by the commands: notes and progress bars on stderr."""

import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from tqdm import tqdm

_TABLE_COLUMNS = 1000  # no table is wider


def note(message: str) -> None:
    """Print a message for the user on stderr."""
    print(escape_controls(message), file=sys.stderr, flush=True)


def escape_controls(text: str) -> str:
    """Text with control and direction characters escaped, so that no terminal interprets them.

    Names in files, fonts and models are untrusted.
    """
    return "".join(map(_escape, text))


def _escape(char: str) -> str:
    if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs"):
        return char
    return char.encode("unicode_escape").decode()


def progress_bar(total: float, label: str, unit: str, **options: Any) -> "tqdm[Any]":
    """A progress bar on stderr; silent if stderr is not a terminal."""
    settings = {"disable": None, "leave": False, **options}
    return tqdm(total=total, desc=label, unit=unit, file=sys.stderr, **settings)


@contextmanager
def progress(label: str, unit: str, **options: Any) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar as a callback of the library (calligan/progress.py).

    It appears at the first call, below notes printed before.
    """
    with ExitStack() as stack:
        bars: list[tqdm[Any]] = []

        def update(what: str, done: int, total: int) -> None:
            if not bars:
                bars.append(stack.enter_context(progress_bar(total, label, unit, **options)))
            bars[0].set_description_str(what, refresh=False)
            bars[0].total = total
            bars[0].update(done - bars[0].n)

        yield update


def print_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[str] = ()
) -> None:
    """Print a table without cutting anything off, whatever the terminal's width.

    `right` are the names of the columns that are aligned at the right.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in head:
        table.add_column(name, justify="right" if name in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(escape_controls(cell)) for cell in row))
    Console(width=_TABLE_COLUMNS).print(table, crop=False, soft_wrap=True)


def abbreviate(chars: str, shown: int = 20) -> str:
    """The first characters, and the number of the others."""
    rest = len(chars) - shown
    return " ".join(chars[:shown]) + (f" and {rest:,} more" if rest > 0 else "")
