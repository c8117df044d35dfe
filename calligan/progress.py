"""Callbacks of long tasks: notes, progress and cancellation. Each is optional."""

from collections.abc import Callable

from calligan.errors import Cancelled

Note = Callable[[str], None]  # receives a message for the user
Progress = Callable[[str, int, int], None]  # receives the task's name, units done, and the total
Cancel = Callable[[], bool]  # returns True to stop; called often


def ignore(*arguments: object) -> None:
    """Do nothing: the default note or progress callback."""


def never_cancel() -> bool:
    """Return False: the default cancel callback."""
    return False


def cancellable(progress: Progress, cancel: Cancel) -> Progress:
    """A progress callback that raises Cancelled when `cancel` returns True."""

    def report(what: str, done: int, total: int) -> None:
        progress(what, done, total)
        if cancel():
            raise Cancelled(f"{what} was cancelled after {done:,} of {total:,}")

    return report


def count_progress(
    what: str, total: int, progress: Progress = ignore, cancel: Cancel = never_cancel
) -> Callable[[int], None]:
    """A function that takes the units done since its last call and reports the sum to `progress`.

    Zero is reported at once. The function raises Cancelled when `cancel` returns True.
    """
    done, report = 0, cancellable(progress, cancel)
    if total:
        progress(what, 0, total)  # so that it is seen what is being done before the first is

    def add(count: int) -> None:
        nonlocal done
        done += count
        report(what, done, total)

    return add
