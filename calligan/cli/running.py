"""Shared by the commands that train: show a run's progress, and stop it on a signal."""

import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from calligan.cli.show import note, progress_bar
from calligan.errors import Cancelled
from calligan.interrupts import stop_on_signals

if TYPE_CHECKING:
    from calligan.library.sessions import Session


def run_training(session: "Session", tensorboard: bool = False, resume_hint: str = "") -> None:
    """Train with a progress bar.

    Raises Cancelled, with the exit code 128 + the signal, if a signal stopped it.
    """
    from calligan.training.loop import Listener

    is_main = session.ranks.is_main
    told = ["saving and stopping; repeat to stop without saving"] if is_main else []
    with stop_on_signals(lambda: note(*told)) as received:
        shown = _Progress(session)
        try:
            listener = Listener(shown.step, shown.evaluation, lambda: bool(received))
            finished = session.train(listener, tensorboard)
        finally:
            shown.bar.close()
    if not finished:
        resume = resume_hint or f"calligan train --resume {session.run.folder}"
        step = session.state.counters.step
        ended = Cancelled(f"stopped at step {step:,}; to continue: {resume}")
        ended.exit_code = 128 + (received[0] if received else signal.SIGTERM)
        raise ended if is_main else SystemExit(ended.exit_code)


class _Progress:
    """The progress bar: images per second, losses, held-out L1, time left."""

    def __init__(self, session: "Session"):
        self.session = session
        done, total = session.progress_of()
        options: dict[str, Any] = {
            "initial": done,
            "bar_format": "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        }
        if not session.ranks.is_main:
            options["disable"] = True
        self.bar = progress_bar(total, "training", "", **options)
        self.images, self.since = session.state.counters.images, time.monotonic()
        self.held_out = ""

    def step(self, row: dict[str, Any]) -> None:
        """Advance the bar and show the losses."""
        now = time.monotonic()
        rate = (row["images"] - self.images) / (now - self.since)
        self.images, self.since = row["images"], now
        losses = " ".join(
            f"{k} {row[k]:.3f}" for k in ("reconstruction", "adversarial", "d") if k in row
        )
        status = f"step {row['step']:,}, {rate:.0f} img/s, {losses}{self.held_out}"
        self.bar.set_postfix_str(status, refresh=False)
        done, total = self.session.progress_of(row)
        self.bar.update(min(done, total) - self.bar.n)

    def evaluation(self, row: dict[str, Any]) -> None:
        """Print a line: L1 on validation characters, and the share that the reader passes."""
        if "validation_l1" not in row:
            return
        self.held_out = f", held-out L1 {row['validation_l1']:.4f}"
        self.bar.write(self.session.held_out_line(row), file=sys.stderr)
