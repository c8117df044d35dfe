"""Shared by the commands that train: show a run's progress, and stop it on a signal."""

import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from calligan.cli.show import note, progress_bar
from calligan.errors import Cancelled

if TYPE_CHECKING:
    from calligan.config import TrainConfig
    from calligan.library.training import Session
    from calligan.training.state import TrainState
    from calligan.training.tensorboard import TensorBoardLog


def run_training(session: "Session", tensorboard: bool = False, resume_hint: str = "") -> None:
    """Train with a progress bar.

    Raises Cancelled, with the exit code 128 + the signal, if a signal stopped it.
    """
    from calligan.training.loop import Listener
    from calligan.training.tensorboard import TensorBoardLog

    received: list[int] = []
    run, state, is_main = session.run, session.state, session.ranks.is_main

    def stop(number: int, frame: object) -> None:
        received.append(number)
        if is_main:
            note("saving and stopping; repeat to stop without saving")
        for each, handler in before.items():
            signal.signal(each, handler)

    board = TensorBoardLog(run, state.counters.step) if tensorboard and is_main else None
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {each: signal.getsignal(each) for each in numbers}
    before = {each: by for each, by in before.items() if by not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, stop)
    try:
        with _Progress(run.config, state, board, is_main) as progress:
            listener = Listener(progress.step, progress.evaluation, lambda: bool(received))
            finished = session.train(listener)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not finished:
        resume = resume_hint or f"calligan train --resume {run.folder}"
        ended = Cancelled(f"stopped at step {state.counters.step:,}; to continue: {resume}")
        ended.exit_code = 128 + (received[0] if received else signal.SIGTERM)
        raise ended if is_main else SystemExit(ended.exit_code)


class _Progress:
    """The progress bar: images per second, losses, held-out L1, time left."""

    def __init__(
        self,
        config: "TrainConfig",
        state: "TrainState",
        board: "TensorBoardLog | None" = None,
        shown: bool = True,
    ):
        self.config, self.board = config, board
        by_steps = config.steps is not None
        total = config.steps if by_steps else round(60 * (config.minutes or 0))
        done = state.counters.step if by_steps else round(state.counters.elapsed_s)
        options: dict[str, Any] = {
            "initial": done,
            "bar_format": "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        }
        if not shown:
            options["disable"] = True
        self.bar = progress_bar(total or 1, "training", "", **options)
        self.by_steps, self.images, self.since = by_steps, state.counters.images, time.monotonic()
        self.held_out = ""

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()
        if self.board:
            self.board.close()

    def step(self, row: dict[str, Any]) -> None:
        """Advance the bar and show the losses."""
        self._log(row)
        now = time.monotonic()
        rate = (row["images"] - self.images) / (now - self.since)
        self.images, self.since = row["images"], now
        losses = " ".join(
            f"{k} {row[k]:.3f}" for k in ("reconstruction", "adversarial", "d") if k in row
        )
        status = f"step {row['step']:,}, {rate:.0f} img/s, {losses}{self.held_out}"
        self.bar.set_postfix_str(status, refresh=False)
        self._move_to(row["step"] if self.by_steps else row["elapsed_s"])

    def evaluation(self, row: dict[str, Any]) -> None:
        """Print a line: L1 on validation characters, and the share that the reader passes."""
        self._log(row)
        if "validation_l1" not in row:
            return
        self.held_out = f", held-out L1 {row['validation_l1']:.4f}"
        size_px = self.config.stages[row["stage"]].size_px
        share = row.get("validation_passed")
        passed = "" if share is None else f", {share:.0%} pass the reader"
        self.bar.write(
            f"step {row['step']:,} at {size_px} px{self.held_out} "
            f"(copying the source {row['copy_source_l1']:.4f}){passed}",
            file=sys.stderr,
        )

    def _log(self, row: dict[str, Any]) -> None:
        if self.board:
            self.board.row(row)

    def _move_to(self, position: float) -> None:
        assert self.bar.total is not None  # set in __init__
        self.bar.update(min(position, self.bar.total) - self.bar.n)
