"""The initial weights of a run: random, or those of an existing model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from calligan.config import DiscriminatorConfig, GeneratorConfig, TrainConfig
from calligan.errors import ConfigError, DataError
from calligan.models.card import ModelCard
from calligan.models.critic import Critic
from calligan.models.networks import AnyGenerator, make_discriminator, make_generator
from calligan.models.pixels import ink, resize, to_tensor
from calligan.models.predictor import Predictor
from calligan.models.weights import critic_beside, load_critic, load_model, read_card
from calligan.pairs.batches import Pairs, classes_of
from calligan.pairs.store import Selection
from calligan.progress import Note, Progress, ignore
from calligan.reader.judge import Judge
from calligan.reader.network import SIZE_PX
from calligan.resources import reader_model
from calligan.training.state import TrainState
from calligan.training.trial import TRIED_STEPS, Trials, try_starts

_STYLE_TABLES = ("embedding.weight", "log_variance.weight")  # with one row per style
_MIN_FEATURE_STD = 1e-3  # added, against division by 0
_COMPARED_GLYPHS = 24  # glyphs used to find the model's style nearest to a new one
_TRIED = 3  # nearest styles


def initial_state(
    config: TrainConfig,
    selection: Selection,
    start: Path | None,
    note: Note = ignore,
    try_nearest: bool = False,
    progress: Progress = ignore,
) -> TrainState:
    """The state before the first step; `start` is a model to take weights from.

    Styles that the model has keep their embedding. A new style starts from the embedding of the
    model's style that is nearest on training characters; with `try_nearest`, if it is the only
    style, from that of the three nearest with the lowest held-out L1 after a short training. The
    run goes on from there, and that time is part of its own. The same rows are taken of the
    model's discriminator, if it is present and has the config's shape.
    Raises DataError where a model of kind noise would get other characters or styles than its own.
    """
    state = TrainState(config, len(selection.styles))
    if start is not None:
        model, card = load_model(start)
        if model.takes_char_index:
            _check_known(card, selection)
        if {font.name for font in selection.styles} - {font.name for font in card.styles}:
            progress("comparing hands", 0, 1)
        rows = _initial_rows(model, card, selection)
        trials = None
        if try_nearest and len(rows) == 1 and len(rows[0]) > 1:
            trials = _try_starts(config, selection, model, card, rows[0], note, progress)
            rows = [[trials.best]]
        chosen = [nearest[0] for nearest in rows]
        model_styles = [font.name for font in card.styles]
        started_from = {
            font.name: model_styles[row] for font, row in zip(selection.styles, chosen, strict=True)
        }
        new = {name: first for name, first in started_from.items() if name not in model_styles}
        state.counters.began_at = new
        critic = _initial_critic(start, config, chosen)
        if trials is None:
            state.start_from(_copy_with_rows(model, card, chosen), critic)
        else:
            state.start_from(trials.generator, critic)
            state.counters.elapsed_s = trials.took_s
    return state


def fit_to_data(config: TrainConfig, selection: Selection) -> TrainConfig:
    """The config with the settings that depend on the data: the number of character indices."""
    if config.generator.kind != "noise":
        return config
    return replace(config, generator=replace(config.generator, classes=len(classes_of(selection))))


def with_stage_size(config: TrainConfig, size_px: int) -> TrainConfig:
    """The config with `size_px` as the image size of every stage."""
    stages = tuple(replace(stage, size_px=size_px) for stage in config.stages)
    return replace(config, stages=stages)


def fit_to_start(config: TrainConfig, start: Path, held_out: dict[str, str]) -> TrainConfig:
    """The config with the model's network, and without stages smaller than its images.

    Raises DataError where the model was trained on characters that are held out now, ConfigError
    where the config sets another network.
    """
    card = read_card(start)
    card.check_unseen("".join(held_out.values()))
    wanted, existing = (replace(each, classes=0) for each in (config.generator, card.generator))
    if wanted not in (GeneratorConfig(), existing):
        raise ConfigError(
            f"{start} has a generator of another kind or shape; leave out what sets it"
        )
    stages = [stage for stage in config.stages if stage.size_px >= card.size_px]
    if not stages:
        raise ConfigError(f"{start} draws {card.size_px} px; no stage is that large")
    total = sum(stage.share for stage in stages)
    kept = tuple(replace(stage, share=stage.share / total) for stage in stages)
    fitted = replace(config, generator=card.generator, stages=kept)
    path = critic_beside(start)
    if path is not None and config.discriminator == DiscriminatorConfig():
        critic = load_critic(path)[1].discriminator
        if _can_transfer(critic):
            fitted = replace(fitted, discriminator=critic)
    fitted.validate()
    return fitted


def nearest_styles(
    model: AnyGenerator, styles: int, size_px: int, sources: np.ndarray, targets: np.ndarray
) -> list[int]:
    """The indices from 0 of the model's styles, the nearest to some glyphs first.

    `targets` are those glyphs, uint8 (N, S, S), `sources` the same characters in print.

    The distance is between texture features of the reader, each divided by its standard deviation
    over the styles. L1, which is used without a reader, prefers thin styles.
    """
    source, target = (to_tensor(x, size_px) for x in (sources, targets))
    reader = Judge.load().network if reader_model() else None
    predictor = Predictor(model)
    drawn = [
        predictor.images(source, predictor.style(style).expand(len(source), -1))
        for style in range(styles)
    ]
    with torch.inference_mode():
        if reader is None:
            distances = [(ink(images) - ink(target)).abs().mean() for images in drawn]
        else:
            wanted, *seen = (reader.texture(resize(x, SIZE_PX)) for x in (target, *drawn))
            feature_std = torch.stack(seen).std(dim=0, correction=0) + _MIN_FEATURE_STD
            distances = [((each - wanted) / feature_std).norm() for each in seen]
    order: list[int] = torch.stack(distances).argsort(stable=True).tolist()
    return order


def _check_known(card: ModelCard, selection: Selection) -> None:
    """Raise DataError where a generator of character indices would get new characters or styles."""
    unknown = {font.name for font in selection.styles} - {font.name for font in card.styles}
    if unknown or classes_of(selection) != card.trained_chars:
        raise DataError(
            "a model that draws from noise can only continue with its own characters and styles; "
            "give the --data it was trained on, or start a new run"
        )


def _try_starts(
    config: TrainConfig,
    selection: Selection,
    model: AnyGenerator,
    card: ModelCard,
    nearest: list[int],
    note: Note,
    progress: Progress,
) -> Trials:
    """A short training from each of the nearest styles; what came of them is told to `note`."""
    starts, name = nearest[:_TRIED], selection.styles[0].name
    names = [card.styles[row].name for row in starts]
    most = f"at most {TRIED_STEPS} steps each"
    note(f"trying the nearest styles as a start, {most}: {', '.join(names)}")
    found = try_starts(
        config, selection, starts, lambda row: _copy_with_rows(model, card, [row]), progress
    )
    others = [f"{card.styles[r].name} {l1:.4f}" for r, l1 in found.l1.items() if r != found.best]
    chosen = f"{card.styles[found.best].name}: held-out L1 {found.l1[found.best]:.4f}"
    note(f"{name} starts from {chosen} after {found.steps} steps (others: {', '.join(others)})")
    return found


def _initial_rows(model: AnyGenerator, card: ModelCard, selection: Selection) -> list[list[int]]:
    """For each style of the selection, the model's styles to start from, the best first."""
    known = {font.name: [row] for row, font in enumerate(card.styles)}
    pairs, rows = Pairs(selection, "train"), []
    for index, font in enumerate(selection.styles):
        if font.name not in known:
            real = pairs.spread(index, _COMPARED_GLYPHS)
            count, size_px = len(card.styles), card.size_px
            known[font.name] = nearest_styles(model, count, size_px, real.source, real.target)
        rows.append(known[font.name])
    return rows


def _copy_with_rows(model: AnyGenerator, card: ModelCard, rows: list[int]) -> AnyGenerator:
    """A copy of `model` whose style tables have those rows."""
    copy = make_generator(card.generator, len(rows), card.size_px)
    copy.load_state_dict(_select_rows(model.state_dict(), rows))
    return copy


def _initial_critic(start: Path, config: TrainConfig, rows: list[int]) -> Critic | None:
    """The discriminator of `start` with those rows; None where its shape does not fit."""
    path = critic_beside(start)
    if path is None:
        return None
    state, card = load_critic(path)
    sizes = {stage.size_px for stage in config.stages}
    noise = config.discriminator.input_noise
    shape = replace(card.discriminator, input_noise=noise)
    same = shape == config.discriminator and sizes == {card.size_px}
    if not same or not _can_transfer(card.discriminator):
        return None
    critic = make_discriminator(config.discriminator, len(rows), card.size_px)
    critic.load_state_dict(_select_rows(state, rows))
    return critic


def _can_transfer(config: DiscriminatorConfig) -> bool:
    """Whether adding or removing a style only changes rows of one table."""
    return config.kind == "calligan" and not config.spectral_norm and not config.names_styles


def _select_rows(state: dict[str, torch.Tensor], rows: list[int]) -> dict[str, torch.Tensor]:
    """Weights, with those rows of the style tables."""
    return {n: t[rows] if n.endswith(_STYLE_TABLES) else t for n, t in state.items()}
