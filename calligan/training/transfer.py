"""Where a run's weights begin: at random, or at those of a model."""

from dataclasses import replace
from pathlib import Path

import torch

from calligan.config import TrainConfig
from calligan.errors import ConfigError
from calligan.models.card import ModelCard
from calligan.models.networks import AnyGenerator, make_generator
from calligan.models.pixels import ink, to_tensor
from calligan.models.weights import load_model, read_card
from calligan.pairs.batches import Batch, Pairs, classes_of
from calligan.pairs.store import Selection
from calligan.training.state import TrainState

_TABLES = {"embedding.weight", "log_variance.weight"}  # with a row a style
_COMPARED = 24  # glyphs that a new style is compared with the model's styles on


def first_state(config: TrainConfig, selection: Selection, start: Path | None) -> TrainState:
    """The state before step one; `start` is a model whose weights to take.

    Styles that the model has keep their embedding; a new one begins at that which draws nearest
    to it, by L1 on training characters.
    """
    state = TrainState(config, len(selection.styles))
    if start is not None:
        model, card = load_model(start)
        state.begin_at(_with_styles(model, card, selection))
    return state


def fitted_to_data(config: TrainConfig, selection: Selection) -> TrainConfig:
    """The config with what the data decides: how many characters a generator has numbers for."""
    if config.generator.kind != "noise":
        return config
    return replace(config, generator=replace(config.generator, classes=len(classes_of(selection))))


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


def nearest_style(model: AnyGenerator, styles: int, size_px: int, real: Batch) -> int:
    """Which of the model's styles, from 0, draws most like the glyphs of a batch (least L1)."""
    source, target = (to_tensor(x, size_px) for x in (real.source, real.target))
    with torch.inference_mode():
        apart = [
            (ink(model(source, torch.full((len(source),), style))) - ink(target)).abs().mean()
            for style in range(styles)
        ]
    return int(torch.stack(apart).argmin())


def _with_styles(model: AnyGenerator, card: ModelCard, selection: Selection) -> AnyGenerator:
    """A copy of `model` with an embedding row for each style of the selection."""
    names = [font.name for font in selection.styles]
    known = {font.name: row for row, font in enumerate(card.styles)}
    state = model.state_dict()
    pairs = Pairs(selection, "train")
    for index, name in enumerate(names):
        if name not in known:
            real = pairs.spread(index, _COMPARED)
            known[name] = nearest_style(model, len(card.styles), card.size_px, real)
    rows = [known[name] for name in names]
    for table in _TABLES & state.keys():
        state[table] = state[table][rows]
    copy = make_generator(card.generator, len(names), card.size_px)
    copy.load_state_dict(state)
    return copy
