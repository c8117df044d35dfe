"""`calligan train`: pairs to a model."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calligan.cli.model import model_path
from calligan.cli.running import resumed, run_training, started
from calligan.cli.show import note

if TYPE_CHECKING:
    from calligan.config import TrainConfig
    from calligan.pairs.store import Selection
    from calligan.project.run import Run
    from calligan.training.state import TrainState


def train(
    data: Annotated[
        Path | None, typer.Option("--data", "-d", help="Data folder of `render-pairs`.")
    ] = None,
    styles: Annotated[
        str | None,
        typer.Option(help="How many styles (the first N), or names with commas; default all."),
    ] = None,
    sources: Annotated[
        str | None, typer.Option(help="Source fonts by name, with commas; default all.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Train this long (default 30).")] = None,
    steps: Annotated[int | None, typer.Option(help="Or this many steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Glyphs a step.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights and batches.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="zi2zi, pix2pix, sngan, stargan or vae.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, such as loss.l1=2; repeatable.")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="Where run folders are made; default runs.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="Begin at this model's weights; adds new styles.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this run folder.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the settings and stop.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also log to tensorboard/ in the run's folder.")
    ] = False,
) -> None:
    """Train the generator with a style embedding against a PatchGAN discriminator.

    Example: calligan train --styles 5 --minutes 30

    Ctrl-C saves and stops; `--resume runs/0001` goes on exactly where it was.
    """
    from calligan.errors import ConfigError
    from calligan.training.board import check_board
    from calligan.training.transfer import fitted_to_data, fitted_to_start

    if tensorboard:
        check_board()
    flags = {"batch_size": batch_size, "seed": seed, "device": device}
    if resume is not None:
        others = [data, styles, sources, minutes, steps, preset, config, settings, runs, start]
        others += flags.values()
        if dry_run or any(given is not None for given in others):
            raise ConfigError("--resume takes the run's own settings; drop the other options")
        _train(*resumed(resume), tensorboard)
        return
    chosen = settled(preset, config, settings or [], minutes, steps, flags)
    selection = _selected(data or Path("data"), styles, sources)
    chosen = fitted_to_data(chosen, selection)
    first = model_path(start) if start else None
    if first:
        chosen = fitted_to_start(chosen, first, selection.store.manifest.held_out)
    if dry_run:
        typer.echo(json.dumps(asdict(chosen), indent=1))
    else:
        _train(*started(runs or Path("runs"), chosen, selection, first), tensorboard)


def _train(run: "Run", selection: "Selection", state: "TrainState", tensorboard: bool) -> None:
    """Train, and say what comes next; a stopped run ends with the signal's exit code."""
    if code := run_training(run, selection, state, tensorboard):
        raise typer.Exit(code)
    note(f"next: calligan infer 书法 --model {run.folder} --style 1 -o out.png")
    typer.echo(run.best)


def _selected(data: Path, wanted: str | None, sources: str | None) -> "Selection":
    """The styles to train: all, the first N, or some by name; and the sources: all, or some."""
    from calligan.errors import DataError
    from calligan.pairs.store import PairStore

    store = PairStore.open(data)
    names = [font.name for font in store.manifest.of_role("target")]
    origins = _names(sources) if sources else None
    if wanted is None:
        return store.select(names, origins)
    if not wanted.isdecimal():
        return store.select(_names(wanted), origins)
    if not 1 <= int(wanted) <= len(names):
        raise DataError(f"the data holds {len(names)} style(s), not {wanted}: {', '.join(names)}")
    return store.select(names[: int(wanted)], origins)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def settled(
    preset: str | None,
    path: Path | None,
    settings: list[str],
    minutes: float | None,
    steps: int | None,
    flags: dict[str, Any],
) -> "TrainConfig":
    """Flags over --set over the TOML file over the preset over defaults, with no `auto` left."""
    from calligan.config import TrainConfig
    from calligan.errors import ConfigError
    from calligan.settings import from_dict, load_preset, load_toml, merged, parse_setting, replaced
    from calligan.training.device import resolved

    if minutes is not None and steps is not None:
        raise ConfigError("give --minutes or --steps, not both")
    values: dict[str, Any] = dict(parse_setting(text) for text in settings)
    values |= {name: value for name, value in flags.items() if value is not None}
    if minutes is not None or steps is not None:
        values |= {"minutes": minutes, "steps": steps}
    base = load_preset(preset) if preset else {}
    if path:
        base = merged(base, load_toml(path))
    for given in (base, values):
        if given.get("steps") is not None:
            given.setdefault("minutes", None)
    config = replaced(from_dict(TrainConfig, base), values)
    config.validate()
    return resolved(config)
