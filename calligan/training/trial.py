"""A short training from each of the styles that are nearest to a new one, to choose the start."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from calligan.config import TrainConfig
from calligan.models.networks import AnyGenerator
from calligan.models.pixels import ink
from calligan.models.predictor import Predictor
from calligan.pairs.batches import Pairs
from calligan.pairs.store import Selection
from calligan.training.example import autocast, content_of, step_seed
from calligan.training.feed import Feed, to_example
from calligan.training.state import TrainState
from calligan.training.steps import training_step

TRIED_STEPS = 30  # a hundred of three styles would take a large part of ten minutes on two cores
_BATCH_SIZE = 4
_WARMUP_STEPS = 5


def try_starts(
    config: TrainConfig,
    selection: Selection,
    starts: Sequence[int],
    begin: Callable[[int], AnyGenerator],
) -> dict[int, float]:
    """L1 on the held-out characters of the only style, after a short reconstruction, by start.

    `begin` gives the generator of a start.
    """
    stage = replace(config.stages[0], adversarial=False, share=1.0)
    size = min(config.batch_size, _BATCH_SIZE)
    short = replace(config, stages=(stage,), steps=TRIED_STEPS, minutes=None, batch_size=size)
    feed = Feed(Pairs(selection, "train", config.any_source), short, stage.size_px)
    validation = Pairs(selection, "validation")
    real = to_example(validation.spread(0, config.eval_chars), short, stage.size_px)
    found = {}
    for start in starts:
        state = TrainState(short, 1)
        state.start_from(begin(start), None)
        for step in range(TRIED_STEPS):
            torch.manual_seed(step_seed(config.seed, step))
            rate = stage.learning_rate * min(1.0, (step + 1) / _WARMUP_STEPS)
            training_step(state, feed.example(step, stage.augment), rate)
            state.counters.step += 1
        predictor = Predictor(state.generator, config.device, precision=lambda: autocast(short))
        style = state.generator.style(real.style_index)
        fake = predictor.images(content_of(real, state.generator), style)
        found[start] = float((ink(fake) - ink(real.target)).abs().mean())
    return found
