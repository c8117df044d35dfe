"""Training runs: from a request to the trained model."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from calligan.config import TrainConfig
from calligan.errors import ConfigError, DataError
from calligan.library.model import Model, load
from calligan.library.sessions import Row, Session, new_session, resumed_session
from calligan.pairs.store import PairStore, Selection
from calligan.progress import Cancel, Note, Progress, ignore, never_cancel
from calligan.project.models import RUNS, model_path
from calligan.requests.drawing import split_names
from calligan.requests.models import TrainingRequest
from calligan.settings import from_dict, load_preset, load_toml, merged, parse_setting, replaced
from calligan.training.device import resolve_device
from calligan.training.transfer import fit_to_data, fit_to_start

Settings = Mapping[str, Any] | Sequence[str]  # {"loss.l1": 2}, or ["loss.l1=2"]


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
    values = {
        **parsed_settings(settings),
        **{name: value for name, value in flags.items() if value is not None},
    }
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


def parsed_settings(settings: Settings) -> dict[str, Any]:
    """Values by the name of the setting."""
    return dict(settings if isinstance(settings, Mapping) else map(parse_setting, settings))


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
    styles: int | Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    settings: Settings = (),
) -> tuple[TrainConfig, Selection, Path | None]:
    """Resolve a request to the run's config, its data, and the model to start from.

    `styles`, `sources` and `settings` replace the request's own, which are texts.
    """
    styles = parse_styles(request.styles) if styles is None else styles
    sources = split_names(request.sources) if sources is None else sources
    flags = {name: getattr(request, name) for name in ("batch_size", "seed", "device")}
    given = settings or request.settings or ()
    length = (request.minutes, request.steps)
    config = training_config(request.preset, request.config, given, *length, **flags)
    selection = selected(request.data or Path("data"), styles, sources)
    config, start = fitted(config, selection, request.start)
    return config, selection, start


def requested_session(
    request: TrainingRequest,
    note: Note = ignore,
    styles: int | Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    settings: Settings = (),
) -> AbstractContextManager[Session]:
    """The session of a new run for a request; see `begun`."""
    config, selection, start = begun(request, styles, sources, settings)
    return new_session(request.runs or RUNS, config, selection, start, note)


def parse_styles(text: str | None) -> int | list[str] | None:
    """A number of styles, or names separated by commas."""
    return int(text) if text is not None and text.isdecimal() else split_names(text)


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
        runs=path(runs),
    )
    with requested_session(request, note, styles, sources, settings) as session:
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
