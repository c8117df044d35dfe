"""Start, resume and finish training runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from calligan.config import TrainConfig
from calligan.errors import Cancelled, ConfigError, DataError, ModelError
from calligan.library.model import Model, load
from calligan.models.device import pick_device
from calligan.models.layers import count_parameters
from calligan.pairs.store import PairStore, Selection
from calligan.progress import Cancel, Note, Progress, ignore, never_cancel
from calligan.project.models import RUNS, model_path
from calligan.project.run import Run
from calligan.requests import TrainingRequest
from calligan.settings import from_dict, load_preset, load_toml, merged, parse_setting, replaced
from calligan.storage import sha256_file
from calligan.training.device import resolve_device
from calligan.training.loop import Listener
from calligan.training.loop import train as loop
from calligan.training.new_run import create_run
from calligan.training.ranks import SINGLE_PROCESS, Ranks, is_connection_lost, join_process_group
from calligan.training.schedule import progress_of
from calligan.training.state import TrainState, checkpoints, newest_verified
from calligan.training.transfer import fit_to_data, fit_to_start, initial_state

Row = dict[str, Any]  # a line of the run's log
Settings = Mapping[str, Any] | Sequence[str]  # {"loss.l1": 2}, or ["loss.l1=2"]


@dataclass
class Session:
    """A run that this process has locked, and its state."""

    run: Run
    selection: Selection
    state: TrainState
    note: Note = ignore
    ranks: Ranks = SINGLE_PROCESS  # of distributed training

    def train(self, listener: Listener) -> bool:
        """Train to the end of the run; False if `listener.should_stop` ended it early."""
        try:
            if self.ranks.is_main:
                self.run.trim_log(self.state.counters.step)
            finished = loop(self.run, self.selection, self.state, listener, self.ranks)
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
            and metrics.get("validation_l1", 0) >= metrics["copy_source_l1"]
        ):
            self.note("the model is not yet better than a copy of the source: train longer")
        return finished

    def train_or_cancel(
        self, progress: Progress, cancel: Cancel, on_row: Callable[[Row], None] = ignore
    ) -> None:
        """Train to the end. If `cancel` returns true, save everything and raise Cancelled."""
        config = self.run.config
        by_steps = config.steps is not None
        total = config.steps if by_steps else round(60 * (config.minutes or 0))

        def on_step(row: Row) -> None:
            on_row(row)
            progress("training", row["step"] if by_steps else round(row["elapsed_s"]), total or 1)

        if not self.train(Listener(on_step, on_row, cancel)):
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
) -> Iterator[Session]:
    """Start a new run. Invalid input is refused before its folder is created.

    `try_nearest`: see `initial_state`.
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
        state = initial_state(config, selection, start, report_trial, try_nearest and alone)
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
        if sha256_file(run.start) != sha256_file(start):
            return None
        if checkpoints(run.checkpoints):
            newest_verified(run.checkpoints)
    except (ModelError, ConfigError):  # incomplete, damaged, or of an older version
        return None
    return run.folder


def training_config(
    preset: str | None = None,
    path: Path | None = None,
    settings: Settings = (),
    minutes: float | None = None,
    steps: int | None = None,
    **flags: Any,
) -> TrainConfig:
    """The config of a run, with `auto` resolved.

    Precedence: flags, settings, TOML file, preset, defaults. A flag of None is not given.
    """
    if minutes is not None and steps is not None:
        raise ConfigError("give --minutes or --steps, not both")
    given = settings if isinstance(settings, Mapping) else dict(map(parse_setting, settings))
    values = {**given, **{name: value for name, value in flags.items() if value is not None}}
    if minutes is not None or steps is not None:
        values |= {"minutes": minutes, "steps": steps}
    base = load_preset(preset) if preset else {}
    if path:
        base = merged(base, _settings_file(path))
    for each in (base, values):
        if each.get("steps") is not None:
            each.setdefault("minutes", None)
    config = replaced(from_dict(TrainConfig, base), values)
    config.validate()
    return resolve_device(config)


def _settings_file(path: Path) -> dict[str, Any]:
    """The settings of a TOML file. Raises ConfigError naming it for an unknown one."""
    values = load_toml(path)
    try:
        from_dict(TrainConfig, values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return values


def begun(
    request: TrainingRequest,
    styles: int | Sequence[str] | None,
    sources: Sequence[str] | None,
    settings: Settings = (),
) -> tuple[TrainConfig, Selection, Path | None]:
    """Resolve a request to the run's config, its data, and the model to start from."""
    flags = {name: getattr(request, name) for name in ("batch_size", "seed", "device")}
    given = settings or request.settings or ()
    length = (request.minutes, request.steps)
    config = training_config(request.preset, request.config, given, *length, **flags)
    selection = selected(request.data or Path("data"), styles, sources)
    config, start = fitted(config, selection, request.start)
    return config, selection, start


def selected(
    data: Path, styles: int | Sequence[str] | None = None, sources: Sequence[str] | None = None
) -> Selection:
    """Select the styles to train (all, the first N, or by name) and the sources (all, or some)."""
    store = PairStore.open(data)
    names = [font.name for font in store.manifest.of_role("target")]
    if not isinstance(styles, int):
        return store.select(names if styles is None else styles, sources)
    if not 1 <= styles <= len(names):
        raise DataError(f"the data has {len(names)} style(s), not {styles}: {', '.join(names)}")
    return store.select(names[:styles], sources)


def fitted(
    config: TrainConfig, selection: Selection, start: Path | None
) -> tuple[TrainConfig, Path | None]:
    """The config adapted to the data and the start model, and the file of the start model."""
    config = fit_to_data(config, selection)
    if start is None:
        return config, None
    first = model_path(start)
    return fit_to_start(config, first, selection.store.manifest.held_out), first


def train(
    data: Path | str = "data",
    *,
    styles: int | Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    preset: str | None = None,
    config: Path | str | None = None,
    settings: Settings = (),
    start: Path | str | None = None,
    runs: Path | str = RUNS,
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    on_row: Callable[[Row], None] = ignore,
    on_begin: Callable[[Path], None] = ignore,
    note: Note = ignore,
) -> Model:
    """Train a model on the pairs of a data folder, in a new run folder below `runs`.

    `styles` are the first N of the data, or names; by default all. Training takes `minutes` (30)
    or `steps`. `settings` are those of calligan/config by dotted name, such as `{"loss.l1": 2}`;
    `config` is a TOML file of them, `preset` a shipped one; `start` is a model to start from.
    `on_row` is called with each row of the log, `on_begin` with the run's folder.

    Raises Cancelled if `cancel` returns true: progress is saved, and `resume` continues.
    """

    def path(given: Path | str | None) -> Path | None:
        return None if given is None else Path(given)

    request = TrainingRequest(
        data=path(data),
        minutes=minutes,
        steps=steps,
        preset=preset,
        config=path(config),
        start=path(start),
    )
    chosen, selection, first = begun(request, styles, sources, settings)
    with new_session(Path(runs), chosen, selection, first, note) as session:
        on_begin(session.run.folder)
        session.train_or_cancel(progress, cancel, on_row)
    return load(session.run.folder)


def resume(
    run: Path | str,
    *,
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    on_row: Callable[[Row], None] = ignore,
    note: Note = ignore,
) -> Model:
    """Resume an interrupted run exactly where it stopped. Raises as `train` does."""
    with resumed_session(Path(run), note) as session:
        session.train_or_cancel(progress, cancel, on_row)
    return load(session.run.folder)


def _use_threads(config: TrainConfig) -> None:
    if config.threads:
        torch.set_num_threads(config.threads)


def _describe(run: Run, state: TrainState, note: Note, starts: bool = True) -> None:
    """Report a run and, with `starts`, which styles its new ones start from."""
    config = run.config
    length = f"{config.steps:,} steps" if config.steps is not None else f"{config.minutes:g} min"
    note(
        f"{run.folder}: {len(run.styles)} style(s), {length}, "
        f"{count_parameters(state.generator) / 1e6:.1f} M parameters, "
        f"{config.device} {config.precision}, batch {config.batch_size}"
    )
    for name, nearest in state.counters.began_at.items() if starts else ():
        note(f"{name} starts from {nearest}, a similar style of the model")
