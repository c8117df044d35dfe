"""A run's log in TensorBoard's format (needs the extra `tensorboard`)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from calligan.errors import Unmeasured
from calligan.project.run import Run
from calligan.training.loop import Listener

_NOT_PLOTTED = ("step", "stage", "progress")


def check_tensorboard() -> None:
    """Raise Unmeasured where tensorboard is not installed."""
    if find_spec("tensorboard") is None:
        raise Unmeasured("--tensorboard needs tensorboard: pip install 'calligan[tensorboard]'")


@contextmanager
def logged(run: Run, step: int | None, listener: Listener) -> Iterator[Listener]:
    """A listener that also logs, from `step` on; the listener itself if there is no step."""
    if step is None:
        yield listener
        return
    log = TensorBoardLog(run, step)

    def also(hear: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        def both(row: dict[str, Any]) -> None:
            log.row(row)
            hear(row)

        return both

    try:
        yield replace(
            listener,
            on_step=also(listener.on_step),
            on_evaluation=also(listener.on_evaluation),
        )
    finally:
        log.close()


class TensorBoardLog:
    """Copies the rows of the log to `tensorboard/` in the run's folder."""

    def __init__(self, run: Run, step: int):
        """Start writing; entries after `step` are discarded, as a resumed run writes them again."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(run.folder / "tensorboard"), purge_step=step + 1)

    def row(self, row: dict[str, Any]) -> None:
        """Write a row of the log; a dictionary of numbers becomes one scalar per key."""
        for name, value in row.items():
            if name in _NOT_PLOTTED:
                continue
            parts = value.items() if isinstance(value, dict) else [("", value)]
            for part, number in parts:
                self._writer.add_scalar(f"{name}/{part}".rstrip("/"), number, row["step"])

    def close(self) -> None:
        """Flush and close the file."""
        self._writer.close()
