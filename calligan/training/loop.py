"""The training loop, top to bottom."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from calligan.config import TrainConfig
from calligan.errors import Diverged
from calligan.models.pixels import ink, to_uint8
from calligan.models.predictor import Predictor
from calligan.models.weights import CriticCard, critic_path, save_critic, save_model
from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.pairs.batches import Pairs
from calligan.pairs.split import Part
from calligan.pairs.store import Selection
from calligan.project.run import Run
from calligan.reader.calibration import share_passed
from calligan.training.cuda_graph import StepRunner
from calligan.training.example import autocast, content_of, step_seed
from calligan.training.feed import Feed, to_example
from calligan.training.new_run import model_card
from calligan.training.ranks import SINGLE_PROCESS, Ranks
from calligan.training.schedule import learning_rate, progress_of, stage_at
from calligan.training.state import TrainState


@dataclass
class Listener:
    """Callbacks of the training loop, all optional."""

    on_step: Callable[[dict[str, Any]], None] = field(default=lambda row: None)
    on_evaluation: Callable[[dict[str, Any]], None] = field(default=lambda row: None)
    should_stop: Callable[[], bool] = field(default=lambda: False)
    # Steps and seconds done, before the first step and after each: a slow machine logs rarely.
    on_tick: Callable[[int, float], None] = field(default=lambda step, elapsed_s: None)


def train(
    run: Run,
    selection: Selection,
    state: TrainState,
    listener: Listener,
    ranks: Ranks = SINGLE_PROCESS,
) -> bool:
    """Train until the run's steps or minutes are used up; False if `should_stop` ended it.

    Evaluates and saves at the end, except after an error. With several processes, only rank 0
    evaluates and saves; its clock and its `should_stop` are used for all.
    """
    config, counters = run.config, state.counters
    pairs = Pairs(selection, "train", config.any_source)
    validation = Pairs(selection, evaluation_part(config))
    start_time, stopped, saved_at_step = time.monotonic() - counters.elapsed_s, False, counters.step
    feed: Feed | None = None
    run_step = StepRunner(config, ranks)
    losses: dict[str, torch.Tensor] = {}  # the latest value of each: not every step computes all

    if ranks.is_main:
        listener.on_tick(counters.step, counters.elapsed_s)
    while (progress := progress_of(config, counters.step, counters.elapsed_s)) < 1 and not stopped:
        stage, share_done = stage_at(config, progress, counters.step)
        if stage != counters.stage:
            state.enter_stage(stage)
            losses = {}
        size_px = state.generator.size_px
        if feed is None or feed.size_px != size_px:
            feed = None  # free its memory before allocating more
            feed = Feed(pairs, config, size_px, ranks)
        rate = learning_rate(
            config.stages[stage], share_done, counters.stage_step, config.warmup_steps
        )
        torch.manual_seed(step_seed(config.seed, counters.step))  # for dropout
        example = feed.example(counters.step, config.stages[stage].augment)
        losses |= run_step(state, example, rate)
        counters.step += 1
        counters.stage_step += 1
        counters.images += config.batch_size
        counters.elapsed_s = time.monotonic() - start_time
        if ranks.is_main:
            listener.on_tick(counters.step, counters.elapsed_s)

        if counters.step % config.log_every_steps == 0:
            losses = ranks.mean(losses)
            row = _log_row(state, progress, rate, losses)
            if ranks.is_main:
                run.log(row)
                listener.on_step(row)
        if counters.step % config.keep_every_steps == 0 and ranks.is_main:
            listener.on_evaluation(evaluate_and_save(run, selection, state, validation))
            saved_at_step = counters.step
        elapsed_s = time.monotonic() - start_time
        counters.elapsed_s, stop = ranks.broadcast(elapsed_s, listener.should_stop())
        stopped = bool(stop)

    if saved_at_step != counters.step and ranks.is_main:
        listener.on_evaluation(evaluate_and_save(run, selection, state, validation))
    return not stopped


def evaluation_part(config: TrainConfig) -> Part:
    """The part of the split to evaluate on; `noise` generators know training characters only."""
    return "train" if config.generator.kind == "noise" else "validation"


def evaluate_and_save(
    run: Run, selection: Selection, state: TrainState, validation: Pairs
) -> dict[str, Any]:
    """Evaluate on validation characters; save a sample sheet, both models and a checkpoint.

    Returns the log row: L1, and the share that the reader accepts. Raises Diverged, saving nothing,
    where the network's output is not finite.
    """
    counters, config, part = state.counters, run.config, evaluation_part(run.config)
    l1, copy_l1, rows, drawn = {}, {}, [], {}
    predictor = Predictor(state.average, config.device, precision=lambda: autocast(config))
    for index, style in enumerate(validation.styles):
        batch = validation.spread(index, config.eval_chars)
        real = to_example(batch, config, state.generator.size_px)
        styles = state.average.style(real.style_index)
        fake = predictor.images(content_of(real, state.average), styles)
        l1[style.name] = _ink_l1(fake, real.target)
        copy_l1[style.name] = _ink_l1(real.source, real.target)
        kinds = (("source", real.source), (style.name, fake), ("real", real.target))
        rows += [Row(label, list(to_uint8(x[: config.sample_chars]))) for label, x in kinds]
        drawn[style.name] = to_uint8(fake), to_uint8(real.source)
    mean = sum(l1.values()) / len(l1)
    if not math.isfinite(mean):
        raise Diverged(
            f"the network's output is not finite at step {counters.step}; checkpoints are "
            "untouched: start again with a lower learning rate"
        )
    row = {
        "step": counters.step,
        "stage": counters.stage,
        f"{part}_l1": round(mean, 5),
        f"{part}_l1_by_style": {name: round(value, 5) for name, value in l1.items()},
        "copy_source_l1": round(sum(copy_l1.values()) / len(copy_l1), 5),
    }
    if passed := share_passed(drawn, run.least_scores):
        row[f"{part}_passed"] = round(sum(passed.values()) / len(passed), 4)
        row[f"{part}_passed_by_style"] = passed
    counters.metrics = row
    run.log(row)
    save_sheet(
        contact_sheet(rows, state.generator.size_px),
        run.folder / "samples" / f"{counters.step:07d}.png",
    )
    _save_models(run, selection, state, mean)
    state.save(run.checkpoints)
    return row


def _save_models(run: Run, selection: Selection, state: TrainState, l1: float) -> None:
    """Write best.safetensors if this model is better than the saved one, then last.safetensors.

    A model is better in a later stage, or with a lower L1 in the same stage. In an adversarial
    stage the newest counts as best, as L1 rises there while glyphs get sharper. `last` is written
    last: its step decides whether the run is finished (`Run.finished`).
    """
    counters = state.counters
    provenance = {
        "step": counters.step,
        "images": counters.images,
        "seconds": round(counters.elapsed_s),
    }
    size_px = state.average.size_px
    card = model_card(run, selection, size_px, counters.metrics, provenance, counters.began_at)
    newest = run.config.stages[counters.stage].adversarial
    lower = counters.best_l1 is None or l1 < counters.best_l1
    # L1 is not comparable between image sizes, nor between blurred and sharp stages.
    if counters.stage > counters.best_stage or newest or lower:
        counters.best_stage, counters.best_l1 = counters.stage, l1
        save_model(run.best, state.average, card)
        if state.discriminator is not None:
            about = CriticCard(run.config.discriminator, size_px, run.styles)
            save_critic(critic_path(run.best), state.discriminator, about)
    save_model(run.last, state.average, card)


def _ink_l1(images: torch.Tensor, target: torch.Tensor) -> float:
    return float((ink(images) - ink(target)).abs().mean())


def _log_row(
    state: TrainState, progress: float, rate: float, losses: dict[str, torch.Tensor]
) -> dict[str, Any]:
    counters = state.counters
    return {
        "step": counters.step,
        "stage": counters.stage,
        "progress": round(progress, 5),
        "learning_rate": rate,
        "images": counters.images,
        "elapsed_s": round(counters.elapsed_s, 2),
        **{name: round(float(loss), 5) for name, loss in losses.items()},
    }
