"""How long work speaks to whoever called it: plain callables, each of which may be left out."""

from collections.abc import Callable

from calligan.errors import Cancelled

Note = Callable[[str], None]  # takes a line for people
Progress = Callable[[str, int, int], None]  # takes what is done, how much of it is, of how much
Cancel = Callable[[], bool]  # whether to stop; asked often


def ignored(*told: object) -> None:
    """Take what is told and do nothing."""


def never() -> bool:
    """Go on to the end."""
    return False


def counted(
    what: str, total: int, progress: Progress = ignored, cancel: Cancel = never
) -> Callable[[int], None]:
    """Takes how much was done since the last call, and tells `progress` how much in all.

    Raises Cancelled where `cancel` says so.
    """
    done = 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        progress(what, done, total)
        if cancel():
            raise Cancelled(f"{what} was cancelled after {done:,} of {total:,}")

    return add
