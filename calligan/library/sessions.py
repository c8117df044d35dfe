"""A run that this process trains: begun, resumed, held."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from calligan.config import TrainConfig
from calligan.errors import Cancelled, ConfigError, ModelError
from calligan.limits import MAX_MODEL_BYTES
from calligan.models.device import pick_device
from calligan.models.layers import count_parameters
from calligan.pairs.batches import classes_of
from calligan.pairs.store import Selection
from calligan.progress import Cancel, Note, Progress, ignore
from calligan.project.run import Run
from calligan.storage import sha256_file
from calligan.training.loop import Listener
from calligan.training.loop import train as loop
from calligan.training.new_run import create_run
from calligan.training.ranks import SINGLE_PROCESS, Ranks, is_connection_lost, join_process_group
from calligan.training.schedule import progress_of
from calligan.training.state import TrainState, checkpoints, newest_verified
from calligan.training.tensorboard import logged
from calligan.training.transfer import initial_state

Row = dict[str, Any]  # a line of the run's log


@dataclass
class Session:
    """A run that this process has locked, and its state."""

    run: Run
    selection: Selection
    state: TrainState
    note: Note = ignore
    ranks: Ranks = SINGLE_PROCESS  # of distributed training

    def train(self, listener: Listener, tensorboard: bool = False) -> bool:
        """Train to the end of the run; False if `listener.should_stop` ended it early.

        `tensorboard` also logs to a folder of that name in the run's.
        """
        try:
            if self.ranks.is_main:
                self.run.trim_log(self.state.counters.step)
            step = self.state.counters.step if tensorboard and self.ranks.is_main else None
            with logged(self.run, step, listener) as heard:
                finished = loop(self.run, self.selection, self.state, heard, self.ranks)
        except (RuntimeError, MemoryError) as error:
            if (
                isinstance(error, RuntimeError)
                and self.ranks.count > 1
                and is_connection_lost(error)
            ):
                raise ConfigError(
                    "another process of this training has ended; see its output, then resume with "
                    f"--resume {self.run.folder}"
                ) from error
            if isinstance(error, RuntimeError) and "memory" not in str(error):
                raise
            size = self.run.config.batch_size
            raise ConfigError(
                f"out of memory with batch_size {size}; give a smaller --batch-size"
            ) from error
        metrics = self.state.counters.metrics
        if (
            finished
            and self.ranks.is_main
            and metrics.get("validation_l1", 0) >= metrics.get("copy_source_l1", math.inf)
        ):
            self.note("the model is not yet better than a copy of the source: train longer")
        return finished

    def progress_of(self, row: Row | None = None) -> tuple[int, int]:
        """How much of the run is done, by a row of its log or by now, and of how much.

        In steps, or in seconds if the run is as long as some minutes.
        """
        config, counters = self.run.config, self.state.counters
        row = row or {"step": counters.step, "elapsed_s": counters.elapsed_s}
        if config.steps is not None:
            return row["step"], config.steps or 1
        total_s = round(60 * (config.minutes or 0)) or 1
        return min(round(row["elapsed_s"]), total_s), total_s  # the last step ends after the time

    def next_command(self) -> str:
        """A command that draws with the trained model."""
        folder = self.run.folder
        if self.state.generator.takes_char_index:  # draws from noise, what it was trained on
            chars = classes_of(self.selection)[:2]
            return f"calligan sample {chars} --model {folder} --style 1 -o samples.png"
        return f"calligan infer 书法 --model {folder} --style 1 -o out.png"

    def held_out_line(self, row: Row) -> str:
        """The L1 on validation characters of a log row of an evaluation."""
        size_px = self.run.config.stages[row["stage"]].size_px
        share = row.get("validation_passed")
        passed = "" if share is None else f", {share:.0%} pass the reader"
        return (
            f"step {row['step']:,} at {size_px} px, held-out L1 {row['validation_l1']:.4f} "
            f"(copying the source {row['copy_source_l1']:.4f}){passed}"
        )

    def train_or_cancel(
        self, progress: Progress, cancel: Cancel, on_row: Callable[[Row], None] = ignore
    ) -> None:
        """Train to the end. If `cancel` returns true, save everything and raise Cancelled."""

        def on_tick(step: int, elapsed_s: float) -> None:
            progress("training", *self.progress_of({"step": step, "elapsed_s": elapsed_s}))

        if not self.train(Listener(on_row, on_row, cancel, on_tick)):
            step = self.state.counters.step
            raise Cancelled(f"{self.run.folder} was stopped at step {step:,} and can be resumed")


@contextmanager
def new_session(
    runs: Path,
    config: TrainConfig,
    selection: Selection,
    start: Path | None = None,
    note: Note = ignore,
    try_nearest: bool = False,
    progress: Progress = ignore,
) -> Iterator[Session]:
    """Start a new run. Invalid input is refused before its folder is created.

    `try_nearest`: see `initial_state`, whose work is told to `progress`.
    """
    selection.store.verify()
    _use_threads(config)
    with join_process_group(config.device) as ranks:
        ranks.check(config.batch_size, config.styles_per_char)
        tried: list[str] = []

        def report_trial(line: str) -> None:
            tried.append(line)
            note(line)

        alone = ranks.count == 1  # several processes must start from the same
        tries = try_nearest and alone
        state = initial_state(config, selection, start, report_trial, tries, progress)
        progress("getting ready", 0, 1)
        made = create_run(runs, config, selection, start).folder if ranks.is_main else None
        with _held(made, ranks) as run:
            main_note = note if ranks.is_main else ignore
            _describe(run, state, main_note, not tried)
            yield Session(run, selection, state, main_note, ranks)


@contextmanager
def resumed_session(folder: Path, note: Note = ignore) -> Iterator[Session]:
    """Resume a run at its newest valid checkpoint, or at its start if it has none.

    The run is locked before anything is read, since another process may be saving.
    """
    with (
        join_process_group(pick_device(Run.open(folder).config.device)) as ranks,
        _held(folder, ranks) as run,
    ):
        ranks.check(run.config.batch_size, run.config.styles_per_char)
        if run.finished and not checkpoints(run.checkpoints):
            raise ConfigError(f"{folder} is finished; to train it further, give --from {folder}")
        selection = run.selection()
        selection.store.verify()
        run.log_lines()  # raises before anything is told
        _use_threads(run.config)
        state = initial_state(run.config, selection, run.start)
        if checkpoints(run.checkpoints):
            state.load(newest_verified(run.checkpoints))
        done = progress_of(run.config, state.counters.step, state.counters.elapsed_s) >= 1
        going = "finished already at" if done else "going on from"
        main_note = note if ranks.is_main else ignore
        main_note(f"{folder}: {going} step {state.counters.step:,}")
        _describe(run, state, main_note)
        yield Session(run, selection, state, main_note, ranks)


@contextmanager
def _held(folder: Path | None, ranks: Ranks) -> Iterator[Run]:
    """Lock a run in the main process and open it in all; only the main one needs `folder`."""
    if not ranks.is_main:
        yield Run.open(Path(ranks.text("")))
        return
    assert folder is not None
    run = Run.open(folder)
    with run.lock():
        ranks.text(str(folder))
        yield run


def unfinished(runs: Path, config: TrainConfig, selection: Selection, start: Path) -> Path | None:
    """The newest run under `runs`, if it has this config, data and start and was interrupted."""
    folders = sorted(runs.glob("[0-9]*"))
    if not folders:
        return None
    try:
        run = Run.open(folders[-1])
        here = selection.store.folder.resolve()
        asked = (run.config, run.data, run.data_hash) == (config, here, selection.data_hash)
        if not asked or run.finished or run.start is None:
            return None
        if sha256_file(run.start, MAX_MODEL_BYTES) != sha256_file(start):
            return None
        if checkpoints(run.checkpoints):
            newest_verified(run.checkpoints)
    except (ModelError, ConfigError, OSError, ValueError):  # damaged, or of an older version
        return None
    return run.folder


def _use_threads(config: TrainConfig) -> None:
    if config.threads:
        torch.set_num_threads(config.threads)


def _describe(run: Run, state: TrainState, note: Note, starts: bool = True) -> None:
    """Report a run and, with `starts`, which styles its new ones start from."""
    config = run.config
    length = f"{config.steps:,} steps" if config.steps is not None else f"{config.minutes:g} min"
    every, trained = count_parameters(state.generator)
    part = "" if trained == every else f" ({trained / 1e6:.1f} M of them trained)"
    note(
        f"{run.folder}: {len(run.styles)} style(s), {length}, "
        f"{every / 1e6:.1f} M parameters{part}, "
        f"{config.device} {config.precision}, batch {config.batch_size}"
    )
    for name, nearest in state.counters.began_at.items() if starts else ():
        note(f"{name} starts from {nearest}, a similar style of the model")
