"""Terminal output shared by the commands: results on stdout, notes and progress bars on stderr."""

import json
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from calligan.escape import escape_controls
from calligan.requests.drawing import STDOUT

_TABLE_COLUMNS = 1000  # no table is wider
_quiet = False
PATIENCE_S = 1.5  # after which a command that has shown nothing says that it works
LINE_S = 30.0  # between lines of progress where stderr is not a terminal
_silent = True  # whether nothing was shown yet
_holds_data = False  # whether stdout takes a file's contents


def be_quiet(quiet: bool) -> None:
    """Whether to leave out notes and progress bars."""
    global _quiet
    _quiet = quiet


@contextmanager
def never_silent_for_long(name: str) -> Iterator[None]:
    """Say that a command works if it shows nothing for a while, as when it imports torch."""
    global _silent
    _silent = True
    timer = threading.Timer(PATIENCE_S, _say_working, (name,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say_working(name: str) -> None:
    if _silent:
        note(f"{name}: working …")


def _shown() -> None:
    global _silent
    _silent = False


def note(*lines: str) -> None:
    """Print messages for the user on stderr."""
    _shown()
    for line in () if _quiet else lines:
        tqdm.write(escape_controls(line), file=sys.stderr)
        sys.stderr.flush()


def claim_stdout(*files: Path | None) -> None:
    """Keep results off stdout if one of the files to write is `-`; check the others.

    Raises ConfigError for two `-`, DataError for a file that cannot be written.
    """
    from calligan.errors import ConfigError
    from calligan.storage import check_writable

    global _holds_data
    if files.count(STDOUT) > 1:
        raise ConfigError("two files cannot both be -; standard output takes one")
    _holds_data = STDOUT in files
    check_writable(*(path for path in files if path not in (None, STDOUT)))


def result(*lines: object) -> None:
    """Print results on stdout, unless stdout takes a file's contents."""
    _shown()
    for line in () if _holds_data else lines:
        tqdm.write(str(line), file=sys.stdout)  # print would write into a progress bar
        sys.stdout.flush()


def write_summary(path: Path | None, summary: Any) -> list[Path]:
    """Write a command's summary as JSON to a file, which is returned, or for `-` to stdout."""
    from calligan.storage import write_json

    line = "" if path is None else json.dumps(summary, allow_nan=False, default=str)
    if path == STDOUT:
        print(line)
    elif path is not None:
        write_json(path, json.loads(line))  # paths are text now
        return [path]
    return []


def progress_bar(total: float, label: str, unit: str, **options: Any) -> "tqdm[Any]":
    """A progress bar on stderr; silent if stderr is not a terminal."""
    if sys.stderr.isatty():
        _shown()
    settings = {"disable": True if _quiet else None, "leave": False, **options}
    return tqdm(total=total, desc=label, unit=unit, file=sys.stderr, **settings)


@contextmanager
def progress(label: str, unit: str, **options: Any) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar as a callback of the library (calligan/progress.py).

    It appears at the first call, below notes printed before. The time left is that of the mean
    speed so far. Where stderr is not a terminal, a line tells now and then how far it is.
    """
    told_s = time.monotonic()
    options = {"smoothing": 0.0, **options}
    with ExitStack() as stack:
        bars: list[tqdm[Any]] = []

        def update(what: str, done: int, total: int) -> None:
            nonlocal told_s
            if not bars:
                bars.append(stack.enter_context(progress_bar(total, label, unit, **options)))
            bars[0].set_description_str(what, refresh=False)
            bars[0].total = total
            bars[0].update(done - bars[0].n)
            if bars[0].disable and time.monotonic() - told_s >= LINE_S:
                told_s = time.monotonic()
                note(f"{what}: {done:,} of {total:,} {unit}{'s' * bool(unit)}".rstrip())

        yield update


def print_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[str] = ()
) -> None:
    """Print a table without cutting anything off, whatever the terminal's width.

    `right` are the names of the columns that are aligned at the right.
    """
    if _holds_data:
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in head:
        shown = Text(escape_controls(name))
        table.add_column(shown, justify="right" if name in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(escape_controls(cell)) for cell in row))
    Console(width=_TABLE_COLUMNS).print(table, crop=False, soft_wrap=True)
