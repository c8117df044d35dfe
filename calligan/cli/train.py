"""`calligan train`: train a model on the pairs of a data folder."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calligan.cli.options import options_of, split_names
from calligan.cli.running import run_training
from calligan.cli.show import note
from calligan.requests import TrainingRequest

if TYPE_CHECKING:
    from calligan.library.training import Session


@options_of(TrainingRequest)
def train(
    given: dict[str, Any],
    resume: Annotated[
        Path | None, typer.Option(help="Run folder to continue. Takes no other training options.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the settings as JSON and stop.")] = False,
    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard", help="Also log for TensorBoard, to tensorboard/ in the run folder."
        ),
    ] = False,
) -> None:
    """Train a generator with style embeddings: reconstruction, then a discriminator.

    Example: calligan train --styles 5 --minutes 30

    Ctrl-C saves and stops; `calligan train --resume runs/0001` continues exactly from there.
    """
    from calligan.errors import ConfigError
    from calligan.library.training import begun, new_session, resumed_session
    from calligan.training.tensorboard import check_tensorboard

    if tensorboard:
        check_tensorboard()
    if resume is not None:
        if dry_run or any(value is not None for value in given.values()):
            raise ConfigError("--resume uses the run's own settings; drop the other options")
        with resumed_session(resume, note) as session:
            _train(session, tensorboard)
        return
    request = TrainingRequest(**given)
    styles, sources = _parse_styles(request.styles), split_names(request.sources)
    config, selection, first = begun(request, styles, sources)
    if dry_run:
        typer.echo(json.dumps(asdict(config), indent=1))
        return
    runs = request.runs or Path("runs")
    with new_session(runs, config, selection, first, note) as session:
        _train(session, tensorboard)


def _train(session: "Session", tensorboard: bool) -> None:
    """Train and print the next step."""
    from calligan.pairs.batches import classes_of

    run_training(session, tensorboard)
    if not session.ranks.is_main:
        return
    folder = session.run.folder
    if session.state.generator.takes_char_index:  # draws from noise, what it was trained on
        chars = classes_of(session.selection)[:2]
        note(f"next: calligan sample {chars} --model {folder} --style 1 -o samples.png")
    else:
        note(f"next: calligan infer 书法 --model {folder} --style 1 -o out.png")
    typer.echo(session.run.best)


def _parse_styles(text: str | None) -> int | list[str] | None:
    """A number of styles, or names."""
    return int(text) if text is not None and text.isdecimal() else split_names(text)
