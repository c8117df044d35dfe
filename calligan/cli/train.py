"""`calligan train`: train a model on the pairs of a data folder."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from calligan.cli.running import run_training
from calligan.cli.show import note, result
from calligan.requests import RunRequest, TrainingRequest

if TYPE_CHECKING:
    from calligan.library.sessions import Session


def train(request: TrainingRequest, how: RunRequest) -> None:
    """Train a generator with style embeddings: reconstruction, then a discriminator.

    Example: calligan train --styles 5 --minutes 30

    Ctrl-C saves and stops; `calligan train --resume runs/0001` continues exactly from there.
    """
    from calligan.errors import ConfigError
    from calligan.library.sessions import new_session, resumed_session
    from calligan.library.training import begun
    from calligan.training.tensorboard import check_tensorboard

    if how.tensorboard:
        check_tensorboard()
    if how.resume is not None:
        if how.dry_run or request != TrainingRequest():
            raise ConfigError("--resume uses the run's own settings; drop the other options")
        with resumed_session(how.resume, note) as session:
            _train(session, how.tensorboard)
        return
    config, selection, first = begun(request)
    if how.dry_run:
        result(json.dumps(asdict(config), indent=1))
        return
    runs = request.runs or Path("runs")
    with new_session(runs, config, selection, first, note) as session:
        _train(session, how.tensorboard)


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
    result(session.run.best)
