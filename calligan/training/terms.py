"""The terms of both networks' losses: a name, a weight and a function each, summed once.

To add a loss: write its function, give it a weight in `LossConfig`, enter both in `GENERATOR_TERMS`
or `DISCRIMINATOR_TERMS`. A term whose weight is 0 is not computed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from calligan.config import LossConfig
from calligan.models.critic import Critic, Windows
from calligan.models.pixels import ink, resized
from calligan.reader.network import SIZE_PX
from calligan.training.example import Drawn, Example, autocast
from calligan.training.losses import distance_reconstruction, feature_matching, reconstruction
from calligan.training.objectives import OBJECTIVES, Objective
from calligan.training.penalties import PENALTIES
from calligan.training.state import TrainState

_READER_SHIFT_PX = 3


@dataclass
class Turn:
    """One network's update: the batch, what was drawn of it, and whom it is played against."""

    state: TrainState
    example: Example
    drawn: Sequence[Drawn]  # in the right styles; with label shuffling, in wrong ones after it
    windows: Windows | None = None  # where a discriminator with crop_px looks

    @property
    def config(self) -> LossConfig:
        """The weights."""
        return self.state.config.loss

    @property
    def objective(self) -> Objective:
        """The adversarial game."""
        return OBJECTIVES[self.config.objective]

    @property
    def critic(self) -> Critic:
        """The discriminator, of an adversarial stage."""
        assert self.state.discriminator is not None
        return self.state.discriminator


@dataclass
class DiscriminatorTurn(Turn):
    """The discriminator's update: what was drawn carries no gradient."""

    @cached_property
    def real(self) -> list[Tensor]:
        """Features of the real glyphs."""
        return self.critic.features(self.example.source_of_each, self.example.shown, self.windows)

    @cached_property
    def fake(self) -> list[list[Tensor]]:
        """Features of what was drawn, in each of its styles."""
        source = self.example.source_of_each
        shown = [each.shown.detach() for each in self.drawn]
        return [self.critic.features(source, each, self.windows) for each in shown]

    @cached_property
    def real_score(self) -> Tensor:
        """Logits of the real glyphs under their own styles."""
        return self.critic.score(self.real, self.example.style_index)


@dataclass
class GeneratorTurn(Turn):
    """The generator's update: the discriminator's weights are still."""

    @cached_property
    def fake(self) -> list[list[Tensor]]:
        """Features of what was drawn, in each of its styles."""
        source = self.example.source_of_each
        return [self.critic.features(source, each.shown, self.windows) for each in self.drawn]

    @cached_property
    def real(self) -> list[Tensor]:
        """Features of the real glyphs, without gradients."""
        with torch.no_grad():
            source = self.example.source_of_each
            return self.critic.features(source, self.example.shown, self.windows)


def _real_or_generated(turn: DiscriminatorTurn) -> Tensor:
    """The objective's own loss: real against generated."""
    games = []
    for features, each in zip(turn.fake, turn.drawn, strict=True):
        fake = turn.critic.score(features, each.style_index)
        games.append(turn.objective.discriminator(turn.real_score, fake))
    return _mean(games)


def _wrong_style(turn: DiscriminatorTurn) -> Tensor:
    """Real glyphs under a wrong style, as negatives (Reed et al. 2016)."""
    wrong = turn.critic.score(turn.real, turn.example.wrong_style_index)
    matches = turn.critic.matches
    return turn.objective.discriminator(matches(turn.real_score), matches(wrong))


def _wrong_character(turn: DiscriminatorTurn) -> Tensor:
    """Real glyphs beside another character's source, likewise."""
    example, critic = turn.example, turn.critic
    others = example.source_of_each.roll(example.styles_per_char, 0)
    beside = critic.features(others, example.shown, turn.windows)
    wrong = critic.score(beside, example.style_index)
    return turn.objective.discriminator(critic.matches(turn.real_score), critic.matches(wrong))


def _names_of_all(turn: DiscriminatorTurn) -> Tensor:
    """Naming the styles of real and of generated glyphs."""
    named = [(turn.real, turn.example.style_index)]
    named += [(f, d.style_index) for f, d in zip(turn.fake, turn.drawn, strict=True)]
    return _category(turn.critic, named)


def _penalty(turn: DiscriminatorTurn) -> Tensor:
    """The objective's penalty, or R1, in float32: it is differentiated twice."""
    kind, example = turn.objective.penalty or "r1", turn.example
    source, real = example.source_of_each.float(), example.shown.float()
    fake = turn.drawn[0].shown.detach().float()
    noise = torch.rand_like(real) if kind == "interpolated" else torch.randn_like(real)

    def scores(images: Tensor) -> Tensor:
        return turn.critic.score(turn.critic.features(source, images), example.style_index)

    with torch.autocast(real.device.type, enabled=False):
        return PENALTIES[kind](scores, real, fake, noise)


def _reconstruction(turn: GeneratorTurn) -> Tensor:
    """How far the drawn glyph is from the real one."""
    field, example = turn.drawn[0].field, turn.example
    if example.target_field is None:
        return reconstruction(field, example.target, turn.config)
    return distance_reconstruction(field, example.target_field, turn.config)


def _adversarial(turn: GeneratorTurn) -> Tensor:
    """The objective's loss of the generator."""
    objective, critic = turn.objective, turn.critic
    real = critic.score(turn.real, turn.example.style_index) if objective.relative else None
    games = []
    for features, each in zip(turn.fake, turn.drawn, strict=True):
        fake = critic.score(features, each.style_index)
        games.append(objective.generator((fake if real is None else real).detach(), fake))
    return _mean(games)


def _feature_matching(turn: GeneratorTurn) -> Tensor:
    """L1 between the discriminator's activations (Wang et al. 2018)."""
    return feature_matching(turn.real, turn.fake[0])


def _names_of_drawn(turn: GeneratorTurn) -> Tensor:
    """That the discriminator names the styles that were asked for."""
    styles = (each.style_index for each in turn.drawn)
    return _category(turn.critic, list(zip(turn.fake, styles, strict=True)))


def _cycle(turn: GeneratorTurn) -> Tensor:
    """L1 of sources and what is drawn back in their style (StarGAN, Choi et al. 2018)."""
    example, state, drawn = turn.example, turn.state, turn.drawn[0]
    origin = example.source_style_index.repeat_interleave(example.styles_per_char)
    known = origin >= 0
    if not known.any():
        return drawn.field.new_zeros(())
    back = state.generator.style(origin[known])
    rebuilt = state.generator.image(state.field(drawn.image[known], back).float())
    return (ink(rebuilt) - ink(example.source_of_each[known])).abs().mean()


def _constancy(turn: GeneratorTurn) -> Tensor:
    """Mean square between encodings of source and drawn glyph (DTN, Taigman et al. 2017)."""
    generator, example = turn.state.generator, turn.example
    with torch.no_grad():
        wanted = generator.encode(example.source)[-1]
    wanted = wanted.repeat_interleave(example.styles_per_char, 0).float()
    found = [generator.encode(each.image)[-1].float() for each in turn.drawn]
    return _mean([F.mse_loss(encoded, wanted) for encoded in found])


def _reader(turn: GeneratorTurn) -> Tensor:
    """How far the reader is from finding the character right and whole.

    Glyphs are shifted at random, so that the generator cannot exploit single pixels of the reader.
    """
    assert turn.state.reader is not None
    bound = _READER_SHIFT_PX
    shift = [int(each) for each in torch.randint(-bound, bound + 1, (2,))]
    images = turn.drawn[0].image.roll(shift, (2, 3))
    source = resized(turn.example.source_of_each, SIZE_PX)
    return F.softplus(-turn.state.reader(resized(images, SIZE_PX), source)).mean()


def _divergence(turn: GeneratorTurn) -> Tensor:
    """KL divergence of Gaussian styles from N(0, 1)."""
    found = turn.state.generator.divergence(turn.example.style_index)
    assert found is not None
    return found


AnyTurn = TypeVar("AnyTurn", bound=Turn)


class Term(NamedTuple):
    """A loss as it came out."""

    name: str
    weight: float
    value: Tensor


_Entry = tuple[str, Callable[[AnyTurn], float], Callable[[AnyTurn], Tensor]]

DISCRIMINATOR_TERMS: tuple[_Entry[DiscriminatorTurn], ...] = (
    ("real_or_generated", lambda turn: 1.0, _real_or_generated),
    ("wrong_style", lambda turn: turn.config.wrong_style * (turn.critic.styles > 1), _wrong_style),
    (
        "wrong_character",
        lambda turn: turn.config.wrong_character * (len(turn.example.source) > 1),
        _wrong_character,
    ),
    ("category", lambda turn: turn.config.category, _names_of_all),
    ("penalty", lambda turn: penalty_weight(turn.config), _penalty),
)


def _in_game(weight: Callable[[LossConfig], float]) -> Callable[[GeneratorTurn], float]:
    """A weight that counts in adversarial stages alone."""
    return lambda turn: weight(turn.config) * (turn.state.discriminator is not None)


def _reconstruction_weight(turn: GeneratorTurn) -> float:
    return 1.0 if turn.state.discriminator is None else turn.config.adversarial_reconstruction


def _divergence_weight(turn: GeneratorTurn) -> float:
    return turn.config.kl * (turn.state.generator.log_variance is not None)


GENERATOR_TERMS: tuple[_Entry[GeneratorTurn], ...] = (
    ("reconstruction", _reconstruction_weight, _reconstruction),
    ("adversarial", _in_game(lambda config: config.adversarial), _adversarial),
    ("matching", _in_game(lambda config: config.feature_matching), _feature_matching),
    ("category", _in_game(lambda config: config.category), _names_of_drawn),
    ("cycle", lambda turn: turn.config.cycle, _cycle),
    ("constancy", lambda turn: turn.config.constancy, _constancy),
    ("reader", lambda turn: turn.config.reader, _reader),
    ("kl", _divergence_weight, _divergence),
)


def terms_of(turn: AnyTurn, entries: Sequence[_Entry[AnyTurn]]) -> list[Term]:
    """Every term that counts."""
    with autocast(turn.state.config):
        return [Term(n, w, compute(turn)) for n, weigh, compute in entries if (w := weigh(turn))]


def total(terms: Sequence[Term]) -> Tensor:
    """The weighted sum."""
    return torch.stack([weight * value.float() for _, weight, value in terms]).sum()


def penalty_weight(config: LossConfig) -> float:
    """Of the objective's penalty, or R1: as set, or its paper's."""
    paper = OBJECTIVES[config.objective].penalty_weight
    return paper if config.penalty is None else config.penalty


def _category(critic: Critic, named: Sequence[tuple[list[Tensor], Tensor]]) -> Tensor:
    """Cross-entropy of naming styles (Odena et al. 2017, as zi2zi uses it)."""
    found = []
    for features, style_index in named:
        logits = critic.categories(features)
        assert logits is not None  # TrainConfig.validate
        found.append(F.cross_entropy(logits, style_index))
    return _mean(found)


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
