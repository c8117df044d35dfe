"""A process of a training run, as torchrun starts it: train_together.py RUN UNTIL_STEP."""

import sys
from contextlib import suppress
from pathlib import Path

import torch

from calligan.errors import ModelError
from calligan.training.loop import Listener, train
from calligan.training.new_run import Run
from calligan.training.ranks import join_process_group
from calligan.training.state import TrainState, newest_verified


def train_until(folder: Path, until: int) -> None:
    """Begin or go on with a run, and stop at a step."""
    torch.set_num_threads(1)
    run = Run.open(folder)
    with join_process_group("cpu") as ranks:
        selection = run.selection()
        state = TrainState(run.config, len(run.styles))
        with suppress(ModelError):
            state.load(newest_verified(run.checkpoints))
        stop = Listener(should_stop=lambda: state.counters.step >= until)
        train(run, selection, state, stop, ranks)


if __name__ == "__main__":
    train_until(Path(sys.argv[1]), int(sys.argv[2]))
