"""A short training from each of the styles that are nearest to a new one, to choose the start."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic

import torch

from calligan.config import TrainConfig
from calligan.models.networks import AnyGenerator
from calligan.models.pixels import ink
from calligan.models.predictor import Predictor
from calligan.pairs.batches import Pairs
from calligan.pairs.store import Selection
from calligan.progress import Progress, ignore
from calligan.training.example import autocast, content_of, step_seed
from calligan.training.feed import Feed, to_example
from calligan.training.state import TrainState
from calligan.training.steps import training_step

TRIED_STEPS = 30  # a hundred of three styles would take a large part of ten minutes on two cores
_BATCH_SIZE = 4
_WARMUP_STEPS = 5
_MAX_SHARE = 0.15  # of the minutes of a run, for all trials together


@dataclass(frozen=True)
class Trials:
    """What came of each start: L1 on held-out characters, and the generator of the best."""

    l1: dict[int, float]
    best: int
    generator: AnyGenerator  # after its trial
    steps: int  # of each trial
    took_s: float


def try_starts(
    config: TrainConfig,
    selection: Selection,
    starts: Sequence[int],
    begin: Callable[[int], AnyGenerator],
    progress: Progress = ignore,
) -> Trials:
    """Train the only style from each start for a few steps of reconstruction.

    `begin` gives the generator of a start. Where the run is limited in time, the first trial ends
    with its part of the time allowed, and the others take as many steps.
    """
    began = monotonic()
    most_s = 60 * (config.minutes or 0) * _MAX_SHARE / len(starts)
    steps = TRIED_STEPS
    stage = replace(config.stages[0], adversarial=False, share=1.0)
    size = min(config.batch_size, _BATCH_SIZE)
    short = replace(config, stages=(stage,), steps=TRIED_STEPS, minutes=None, batch_size=size)
    feed = Feed(Pairs(selection, "train", config.any_source), short, stage.size_px)
    validation = Pairs(selection, "validation")
    real = to_example(validation.spread(0, config.eval_chars), short, stage.size_px)
    found: dict[int, float] = {}
    kept: dict[int, AnyGenerator] = {}
    for number, start in enumerate(starts):
        state = TrainState(short, 1)
        state.start_from(begin(start), None)
        for step in range(steps):
            torch.manual_seed(step_seed(config.seed, step))
            rate = stage.learning_rate * min(1.0, (step + 1) / _WARMUP_STEPS)
            training_step(state, feed.example(step, stage.augment), rate)
            state.counters.step += 1
            progress("trying hands", number * steps + state.counters.step, len(starts) * steps)
            if config.steps is None and not found and monotonic() - began > most_s:
                break
        steps = state.counters.step
        predictor = Predictor(state.generator, config.device, precision=lambda: autocast(short))
        style = state.generator.style(real.style_index)
        fake = predictor.images(content_of(real, state.generator), style)
        found[start] = float((ink(fake) - ink(real.target)).abs().mean())
        kept[start] = state.generator
    best = min(starts, key=lambda start: found[start])
    return Trials(found, best, kept[best], steps, monotonic() - began)
