"""`calligan train`: pairs to a model."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.running import run_training
from calligan.cli.show import note

if TYPE_CHECKING:
    from calligan.library.training import Session


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
    from calligan.library.training import (
        fitted,
        new_session,
        resumed_session,
        selected,
        training_config,
    )
    from calligan.training.board import check_board

    if tensorboard:
        check_board()
    flags = {"batch_size": batch_size, "seed": seed, "device": device}
    if resume is not None:
        others = [data, styles, sources, minutes, steps, preset, config, settings, runs, start]
        others += flags.values()
        if dry_run or any(given is not None for given in others):
            raise ConfigError("--resume takes the run's own settings; drop the other options")
        with resumed_session(resume, note) as session:
            _train(session, tensorboard)
        return
    chosen = training_config(preset, config, settings or [], minutes, steps, **flags)
    counted = styles is not None and styles.isdecimal()
    wanted = int(styles or 0) if counted else _names(styles)
    selection = selected(data or Path("data"), wanted, _names(sources or None))
    chosen, first = fitted(chosen, selection, start)
    if dry_run:
        typer.echo(json.dumps(asdict(chosen), indent=1))
        return
    with new_session(runs or Path("runs"), chosen, selection, first, note) as session:
        _train(session, tensorboard)


def _train(session: "Session", tensorboard: bool) -> None:
    """Train, and say what comes next; a stopped run ends with the signal's exit code."""
    if code := run_training(session, tensorboard):
        raise typer.Exit(code)
    if not session.ranks.leads:
        return
    note(f"next: calligan infer 书法 --model {session.run.folder} --style 1 -o out.png")
    typer.echo(session.run.best)


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]
