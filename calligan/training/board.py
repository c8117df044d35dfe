"""A run's log for TensorBoard (the extra `tensorboard`)."""

from importlib.util import find_spec
from typing import Any

from calligan.errors import Unmeasured
from calligan.project.run import Run

_AXES = ("step", "stage", "progress")


def check_board() -> None:
    """Raise Unmeasured without tensorboard."""
    if find_spec("tensorboard") is None:
        raise Unmeasured("--tensorboard needs tensorboard: pip install 'calligan[tensorboard]'")


class Board:
    """Writes what the log says to `tensorboard/` in the run's folder."""

    def __init__(self, run: Run, step: int):
        """Takes what lies past `step` as undone."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(run.folder / "tensorboard"), purge_step=step + 1)

    def row(self, row: dict[str, Any]) -> None:
        """A line of the log: every number, and those by style under the style's name."""
        for name, value in row.items():
            if name in _AXES:
                continue
            parts = value.items() if isinstance(value, dict) else [("", value)]
            for part, number in parts:
                self._writer.add_scalar(f"{name}/{part}".rstrip("/"), number, row["step"])

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
