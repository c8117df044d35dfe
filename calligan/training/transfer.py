"""Where a run's weights begin: at random, or at those of a model."""

from dataclasses import replace
from pathlib import Path

import torch

from calligan.config import DiscriminatorConfig, GeneratorConfig, TrainConfig
from calligan.errors import ConfigError, DataError
from calligan.models.card import ModelCard
from calligan.models.critic import Critic
from calligan.models.networks import AnyGenerator, make_discriminator, make_generator
from calligan.models.pixels import ink, resized, to_tensor
from calligan.models.predictor import Predictor
from calligan.models.weights import critic_beside, load_critic, load_model, read_card
from calligan.pairs.batches import Batch, Pairs, classes_of
from calligan.pairs.store import Selection
from calligan.reader.network import SIZE_PX
from calligan.reader.verdict import Judge
from calligan.resources import reader_model
from calligan.training.state import TrainState

_TABLES = ("embedding.weight", "log_variance.weight")  # with a row a style
_LEAST_DIFFERENCE = 1e-3  # between styles, in a feature
_COMPARED = 24  # glyphs that a new style is compared with the model's styles on


def first_state(config: TrainConfig, selection: Selection, start: Path | None) -> TrainState:
    """The state before step one; `start` is a model whose weights to take.

    Styles that the model has keep their embedding; a new one begins at that which draws most like
    it on training characters. So does the discriminator, where it lies beside the model
    and has the config's shape. Raises DataError for a model of kind noise and other characters or
    styles than it knows.
    """
    state = TrainState(config, len(selection.styles))
    if start is not None:
        model, card = load_model(start)
        if model.from_number:
            _check_known(card, selection)
        rows = _rows(model, card, selection)
        there = [font.name for font in card.styles]
        begun = {font.name: there[row] for font, row in zip(selection.styles, rows, strict=True)}
        new = {name: first for name, first in begun.items() if name not in there}
        state.counters.began_at = new
        state.begin_at(_with_rows(model, card, rows), _critic(start, config, rows))
    return state


def fitted_to_data(config: TrainConfig, selection: Selection) -> TrainConfig:
    """The config with what the data decides: how many characters a generator has numbers for."""
    if config.generator.kind != "noise":
        return config
    return replace(config, generator=replace(config.generator, classes=len(classes_of(selection))))


def of_size(config: TrainConfig, size_px: int) -> TrainConfig:
    """The config with every stage at the size of the model that is gone on from."""
    stages = tuple(replace(stage, size_px=size_px) for stage in config.stages)
    return replace(config, stages=stages)


def fitted_to_start(config: TrainConfig, start: Path, held_out: dict[str, str]) -> TrainConfig:
    """The config with the model's network, and without stages smaller than its images.

    Raises DataError where the model was trained on characters that are held out now, ConfigError
    where the config wants another network.
    """
    card = read_card(start)
    card.check_unseen("".join(held_out.values()))
    asked, there = (replace(each, classes=0) for each in (config.generator, card.generator))
    if asked not in (GeneratorConfig(), there):
        raise ConfigError(
            f"{start} has a generator of another kind or shape; leave out what sets it"
        )
    stages = [stage for stage in config.stages if stage.size_px >= card.size_px]
    if not stages:
        raise ConfigError(f"{start} draws {card.size_px} px; no stage is as large")
    total = sum(stage.share for stage in stages)
    kept = tuple(replace(stage, share=stage.share / total) for stage in stages)
    fitted = replace(config, generator=card.generator, stages=kept)
    path = critic_beside(start)
    if path is not None and config.discriminator == DiscriminatorConfig():
        critic = load_critic(path)[1].discriminator
        if _can_be_taken(critic):
            fitted = replace(fitted, discriminator=critic)
    fitted.validate()
    return fitted


def nearest_style(model: AnyGenerator, styles: int, size_px: int, real: Batch) -> int:
    """Which of the model's styles, from 0, draws most like the glyphs of a batch.

    By what the reader's first features see, each against how far the styles differ in it: L1 would
    take the thinnest hand that is near at all. Without a reader, by L1 all the same.
    """
    source, target = (to_tensor(x, size_px) for x in (real.source, real.target))
    reader = Judge.load().reader if reader_model() else None
    predictor = Predictor(model)
    drawn = [
        predictor.images(source, predictor.style(style).expand(len(source), -1))
        for style in range(styles)
    ]
    with torch.inference_mode():
        if reader is None:
            apart = [(ink(images) - ink(target)).abs().mean() for images in drawn]
        else:
            wanted, *seen = (reader.texture(resized(x, SIZE_PX)) for x in (target, *drawn))
            unlike = torch.stack(seen).std(dim=0, correction=0) + _LEAST_DIFFERENCE
            apart = [((each - wanted) / unlike).norm() for each in seen]
    return int(torch.stack(apart).argmin())


def _check_known(card: ModelCard, selection: Selection) -> None:
    """A generator of numbered characters goes on with those characters and styles only."""
    unknown = {font.name for font in selection.styles} - {font.name for font in card.styles}
    if unknown or classes_of(selection) != card.trained_chars:
        raise DataError(
            "a model that draws from noise goes on with its own characters and styles only; give "
            "the --data it was trained on, or begin anew"
        )


def _rows(model: AnyGenerator, card: ModelCard, selection: Selection) -> list[int]:
    """For each style of the selection, the model's style to begin at."""
    known = {font.name: row for row, font in enumerate(card.styles)}
    pairs, rows = Pairs(selection, "train"), []
    for index, font in enumerate(selection.styles):
        if font.name not in known:
            real = pairs.spread(index, _COMPARED)
            known[font.name] = nearest_style(model, len(card.styles), card.size_px, real)
        rows.append(known[font.name])
    return rows


def _with_rows(model: AnyGenerator, card: ModelCard, rows: list[int]) -> AnyGenerator:
    """A copy of `model` with those rows of its style tables."""
    copy = make_generator(card.generator, len(rows), card.size_px)
    copy.load_state_dict(_taken(model.state_dict(), rows))
    return copy


def _critic(start: Path, config: TrainConfig, rows: list[int]) -> Critic | None:
    """The discriminator beside `start`, with those rows; None where it does not suit."""
    path = critic_beside(start)
    if path is None:
        return None
    state, card = load_critic(path)
    sizes = {stage.size_px for stage in config.stages}
    same = card.discriminator == config.discriminator and sizes == {card.size_px}
    if not same or not _can_be_taken(card.discriminator):
        return None
    critic = make_discriminator(config.discriminator, len(rows), card.size_px)
    critic.load_state_dict(_taken(state, rows))
    return critic


def _can_be_taken(config: DiscriminatorConfig) -> bool:
    """Whether a style more or less is a row more or less of one table."""
    return config.kind == "calligan" and not config.spectral_norm and not config.names_styles


def _taken(state: dict[str, torch.Tensor], rows: list[int]) -> dict[str, torch.Tensor]:
    """Weights with those rows of every table that has one a style."""
    return {n: t[rows] if n.endswith(_TABLES) else t for n, t in state.items()}
