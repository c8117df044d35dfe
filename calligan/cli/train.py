"""`calligan train`: pairs to a model."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calligan.cli.options import names, options_of
from calligan.cli.running import run_training
from calligan.cli.show import note
from calligan.requests import TrainingRequest

if TYPE_CHECKING:
    from calligan.library.training import Session


@options_of(TrainingRequest)
def train(
    given: dict[str, Any],
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
    from calligan.library.training import begun, new_session, resumed_session
    from calligan.training.tensorboard import check_tensorboard

    if tensorboard:
        check_tensorboard()
    if resume is not None:
        if dry_run or any(value is not None for value in given.values()):
            raise ConfigError("--resume takes the run's own settings; drop the other options")
        with resumed_session(resume, note) as session:
            _train(session, tensorboard)
        return
    request = TrainingRequest(**given)
    chosen, selection, first = begun(request, _styles(request.styles), names(request.sources))
    if dry_run:
        typer.echo(json.dumps(asdict(chosen), indent=1))
        return
    runs = request.runs or Path("runs")
    with new_session(runs, chosen, selection, first, note) as session:
        _train(session, tensorboard)


def _train(session: "Session", tensorboard: bool) -> None:
    """Train, and say what comes next; a stopped run ends with the signal's exit code."""
    if code := run_training(session, tensorboard):
        raise typer.Exit(code)
    if not session.ranks.is_main:
        return
    note(f"next: calligan infer 书法 --model {session.run.folder} --style 1 -o out.png")
    typer.echo(session.run.best)


def _styles(text: str | None) -> int | list[str] | None:
    """How many, or which."""
    return int(text) if text is not None and text.isdecimal() else names(text)
