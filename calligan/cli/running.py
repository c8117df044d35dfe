"""What the commands that train share: a run is started or resumed, and shown while it goes."""

import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calligan.cli.show import bar, note

if TYPE_CHECKING:
    from calligan.config import TrainConfig
    from calligan.pairs.store import Selection
    from calligan.project.run import Run
    from calligan.training.board import Board
    from calligan.training.state import TrainState


def started(
    runs: Path, config: "TrainConfig", selection: "Selection", start: Path | None
) -> "tuple[Run, Selection, TrainState]":
    """A new run; whatever may be refused is refused before its folder is made."""
    from calligan.training.run import create_run
    from calligan.training.transfer import first_state

    selection.store.verify()
    _use_threads(config)
    state = first_state(config, selection, start)
    run = create_run(runs, config, selection, start)
    _describe(run, state)
    return run, selection, state


def resumed(folder: Path) -> "tuple[Run, Selection, TrainState]":
    """A run at its newest whole checkpoint, or at its start if it was cut off before the first."""
    from calligan.errors import ConfigError
    from calligan.project.run import Run
    from calligan.training.device import pick_device
    from calligan.training.schedule import progress_of
    from calligan.training.state import checkpoints, newest_verified
    from calligan.training.transfer import first_state

    run = Run.open(folder)
    if run.finished and not checkpoints(run.checkpoints):
        raise ConfigError(f"{folder} is finished; a new run begins at it with --from {folder}")
    selection = run.selection()
    selection.store.verify()
    pick_device(run.config.device)
    _use_threads(run.config)
    state = first_state(run.config, selection, run.start)
    if checkpoints(run.checkpoints):
        state.load(newest_verified(run.checkpoints))
    done = progress_of(run.config, state.counters.step, state.counters.elapsed_s) >= 1
    going = "finished already at" if done else "going on from"
    note(f"{folder}: {going} step {state.counters.step:,}")
    _describe(run, state)
    return run, selection, state


def unfinished(
    runs: Path, config: "TrainConfig", selection: "Selection", start: Path
) -> Path | None:
    """The newest run under `runs`, if it is this very run and was interrupted."""
    from calligan.errors import ConfigError, ModelError
    from calligan.project.run import Run
    from calligan.storage import sha256_file
    from calligan.training.state import checkpoints, newest_verified

    folders = sorted(runs.glob("[0-9]*"))
    if not folders:
        return None
    try:
        run = Run.open(folders[-1])
        here = selection.store.folder.resolve()
        asked = (run.config, run.data, run.data_hash) == (config, here, selection.data_hash)
        if not asked or run.finished or run.start is None:
            return None
        if sha256_file(run.start) != sha256_file(start):
            return None
        if checkpoints(run.checkpoints):
            newest_verified(run.checkpoints)
    except (ModelError, ConfigError):  # cut off before it was whole, damaged, or an older version's
        return None
    return run.folder


def run_training(
    run: "Run",
    selection: "Selection",
    state: "TrainState",
    tensorboard: bool = False,
    go_on: str = "",
) -> int:
    """Run the loop under a bar; the exit code is 0, or 128 + the signal that stopped it."""
    from calligan.errors import ConfigError
    from calligan.training.board import Board
    from calligan.training.loop import Listener
    from calligan.training.loop import train as loop

    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        received.append(number)
        note("saving and stopping; once more to stop without saving")
        signal.signal(number, signal.SIG_DFL)

    board = Board(run, state.counters.step) if tensorboard else None
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with run.held(), _Progress(run.config, state, board) as progress:
            run.trim_log(state.counters.step)
            listener = Listener(progress.step, progress.evaluation, lambda: bool(received))
            finished = loop(run, selection, state, listener)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        raise ConfigError(
            f"out of memory with batch_size {run.config.batch_size}; give a smaller --batch-size"
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not finished:
        again = go_on or f"calligan train --resume {run.folder}"
        note(f"stopped at step {state.counters.step:,}; go on: {again}")
        return 128 + received[0]
    metrics = state.counters.metrics
    if metrics.get("validation_l1", 0) >= metrics["copy_source_l1"]:
        note("the model is not yet better than a copy of the source: train longer")
    return 0


class _Progress:
    """The bar: images a second, losses, held-out L1, time left."""

    def __init__(self, config: "TrainConfig", state: "TrainState", board: "Board | None" = None):
        self.config, self.board = config, board
        by_steps = config.steps is not None
        total = config.steps if by_steps else round(60 * (config.minutes or 0))
        done = state.counters.step if by_steps else round(state.counters.elapsed_s)
        shown = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
        self.bar = bar(total or 1, "training", "", initial=done, bar_format=shown)
        self.by_steps, self.images, self.since = by_steps, state.counters.images, time.monotonic()
        self.held_out = ""

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()
        if self.board:
            self.board.close()

    def step(self, row: dict[str, Any]) -> None:
        """Move the bar and show the losses."""
        self._to_board(row)
        now = time.monotonic()
        rate = (row["images"] - self.images) / (now - self.since)
        self.images, self.since = row["images"], now
        losses = " ".join(
            f"{k} {row[k]:.3f}" for k in ("reconstruction", "adversarial", "d") if k in row
        )
        told = f"step {row['step']:,}, {rate:.0f} img/s, {losses}{self.held_out}"
        self.bar.set_postfix_str(told, refresh=False)
        self._to(row["step"] if self.by_steps else row["elapsed_s"])

    def evaluation(self, row: dict[str, Any]) -> None:
        """A line that stays: L1 on validation characters, and how many the reader passes."""
        self._to_board(row)
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

    def _to_board(self, row: dict[str, Any]) -> None:
        if self.board:
            self.board.row(row)

    def _to(self, position: float) -> None:
        self.bar.update(min(position, self.bar.total) - self.bar.n)


def _use_threads(config: "TrainConfig") -> None:
    import torch

    if config.threads:
        torch.set_num_threads(config.threads)


def _describe(run: "Run", state: "TrainState") -> None:
    from calligan.models.layers import count_parameters

    config = run.config
    length = f"{config.steps:,} steps" if config.steps is not None else f"{config.minutes:g} min"
    note(
        f"{run.folder}: {len(run.styles)} style(s), {length}, "
        f"{count_parameters(state.generator) / 1e6:.1f} M parameters, "
        f"{config.device} {config.precision}, batch {config.batch_size}"
    )
    for name, nearest in state.began_at.items():
        note(f"{name} begins at {nearest}, the model's style that draws most like it")
