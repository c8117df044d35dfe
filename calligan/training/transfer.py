"""Where a run's weights begin: at random, or at those of a model."""

from dataclasses import replace
from pathlib import Path

import torch

from calligan.config import TrainConfig
from calligan.errors import ConfigError
from calligan.models.card import ModelCard
from calligan.models.networks import AnyGenerator, make_generator
from calligan.models.weights import load_model, read_card
from calligan.training.state import TrainState


def first_state(config: TrainConfig, styles: tuple[str, ...], start: Path | None) -> TrainState:
    """The state before step one; `start` is a model whose weights to take.

    Styles that the model has keep their embedding, new ones begin at the mean of all.
    """
    state = TrainState(config, len(styles))
    if start is not None:
        model, card = load_model(start)
        state.begin_at(_with_styles(model, card, styles))
    return state


def fitted_to_start(config: TrainConfig, start: Path, held_out: dict[str, str]) -> TrainConfig:
    """The config with the model's network, and without stages smaller than its images.

    Raises DataError where the model was trained on characters that are held out now.
    """
    card = read_card(start)
    card.check_unseen("".join(held_out.values()))
    stages = [stage for stage in config.stages if stage.size_px >= card.size_px]
    if not stages:
        raise ConfigError(f"{start} draws {card.size_px} px; no stage is as large")
    total = sum(stage.share for stage in stages)
    kept = tuple(replace(stage, share=stage.share / total) for stage in stages)
    fitted = replace(config, generator=card.generator, stages=kept)
    fitted.validate()
    return fitted


def _with_styles(model: AnyGenerator, card: ModelCard, styles: tuple[str, ...]) -> AnyGenerator:
    """A copy of `model` with an embedding row for each of `styles`."""
    copy = make_generator(card.generator, len(styles), card.size_px)
    state = model.state_dict()
    known = {font.name: row for row, font in enumerate(card.styles)}
    rows = state["embedding.weight"]
    mean = rows.mean(dim=0)
    taken = [rows[known[name]] if name in known else mean for name in styles]
    copy.load_state_dict({**state, "embedding.weight": torch.stack(taken)})
    return copy
