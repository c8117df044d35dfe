"""The loss terms of both networks: each has a name, a weight and a function.

To add a loss: write its function, add a weight to `LossConfig`, and list both in `GENERATOR_TERMS`
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
from calligan.models.pixels import ink, resize
from calligan.reader.network import SIZE_PX
from calligan.training.example import Drawn, Example, autocast
from calligan.training.losses import feature_matching
from calligan.training.objectives import OBJECTIVES, Objective
from calligan.training.penalties import PENALTIES
from calligan.training.state import TrainState

_READER_SHIFT_PX = 3


@dataclass
class Update:
    """The inputs of one network's update: the batch, generated glyphs, and the training state."""

    state: TrainState
    example: Example
    drawn: Sequence[Drawn]  # in the right styles; with label shuffling, also in wrong ones
    windows: Windows | None = None  # where a discriminator with crop_px looks

    @property
    def config(self) -> LossConfig:
        """The loss settings."""
        return self.state.config.loss

    @property
    def objective(self) -> Objective:
        """The adversarial objective."""
        return OBJECTIVES[self.config.objective]

    @property
    def critic(self) -> Critic:
        """The discriminator; only in adversarial stages."""
        assert self.state.discriminator is not None
        return self.state.discriminator

    def features_of(self, glyphs: Tensor, sources: Tensor | None = None) -> list[Tensor]:
        """Features of glyphs with `discriminator.input_noise`, by default beside their sources."""
        seen = glyphs if self._noise is None else glyphs + self._noise
        beside = self.example.source_of_each if sources is None else sources
        return self.critic.features(beside, seen, self.windows)

    @cached_property
    def _noise(self) -> Tensor | None:
        """The same noise for real and generated glyphs, so that equal glyphs match."""
        deviation = self.state.config.discriminator.input_noise
        like = self.example.critic_input
        return deviation * torch.randn_like(like) if deviation else None


@dataclass
class DiscriminatorUpdate(Update):
    """The discriminator's update: generated glyphs are detached."""

    @cached_property
    def real(self) -> list[Tensor]:
        """Features of the real glyphs."""
        return self.features_of(self.example.critic_input)

    @cached_property
    def fake(self) -> list[list[Tensor]]:
        """Features of what was drawn, in each of its styles."""
        return [self.features_of(each.critic_input.detach()) for each in self.drawn]

    @cached_property
    def real_score(self) -> Tensor:
        """Logits of the real glyphs under their own styles."""
        return self.critic.score(self.real, self.example.style_index)


@dataclass
class GeneratorUpdate(Update):
    """The generator's update: the discriminator's weights are frozen."""

    @cached_property
    def fake(self) -> list[list[Tensor]]:
        """Features of what was drawn, in each of its styles."""
        return [self.features_of(each.critic_input) for each in self.drawn]

    @cached_property
    def real(self) -> list[Tensor]:
        """Features of the real glyphs, without gradients."""
        with torch.no_grad():
            return self.features_of(self.example.critic_input)


def _real_fake_loss(update: DiscriminatorUpdate) -> Tensor:
    """The objective's loss: real against generated glyphs."""
    losses = []
    for features, each in zip(update.fake, update.drawn, strict=True):
        fake = update.critic.score(features, each.style_index)
        losses.append(update.objective.discriminator(update.real_score, fake))
    return _mean(losses)


def _wrong_style_loss(update: DiscriminatorUpdate) -> Tensor:
    """Real glyphs with a wrong style label, as negatives (Reed et al. 2016)."""
    wrong = update.critic.score(update.real, update.example.wrong_style_index)
    matching_scores = update.critic.matching_scores
    return update.objective.discriminator(
        matching_scores(update.real_score), matching_scores(wrong)
    )


def _wrong_character_loss(update: DiscriminatorUpdate) -> Tensor:
    """Real glyphs paired with another character's source, as negatives."""
    example, critic = update.example, update.critic
    others = example.source_of_each.roll(example.styles_per_char, 0)
    features = update.features_of(example.critic_input, others)
    wrong = critic.score(features, example.style_index)
    return update.objective.discriminator(
        critic.matching_scores(update.real_score), critic.matching_scores(wrong)
    )


def _discriminator_category_loss(update: DiscriminatorUpdate) -> Tensor:
    """Style classification of real and generated glyphs."""
    labelled = [(update.real, update.example.style_index)]
    labelled += [(f, d.style_index) for f, d in zip(update.fake, update.drawn, strict=True)]
    return _category_loss(update.critic, labelled)


def _gradient_penalty(update: DiscriminatorUpdate) -> Tensor:
    """The objective's gradient penalty, or R1; in float32, as it is differentiated twice."""
    kind, example = update.objective.penalty or "r1", update.example
    source, real = example.source_of_each.float(), example.critic_input.float()
    fake = update.drawn[0].critic_input.detach().float()
    noise = torch.rand_like(real) if kind == "interpolated" else torch.randn_like(real)

    def scores(images: Tensor) -> Tensor:
        return update.critic.score(update.critic.features(source, images), example.style_index)

    with torch.autocast(real.device.type, enabled=False):
        return PENALTIES[kind](scores, real, fake, noise)


def _reconstruction_loss(update: GeneratorUpdate) -> Tensor:
    """Reconstruction error of the generated glyph."""
    field, example = update.drawn[0].field, update.example
    target = example.target if example.target_field is None else example.target_field
    return update.state.reconstruction_loss(field, target, update.config)


def _adversarial_loss(update: GeneratorUpdate) -> Tensor:
    """The objective's generator loss."""
    objective, critic = update.objective, update.critic
    real = critic.score(update.real, update.example.style_index) if objective.relative else None
    losses = []
    for features, each in zip(update.fake, update.drawn, strict=True):
        fake = critic.score(features, each.style_index)
        losses.append(objective.generator((fake if real is None else real).detach(), fake))
    return _mean(losses)


def _feature_matching_loss(update: GeneratorUpdate) -> Tensor:
    """L1 between the discriminator's activations (Wang et al. 2018)."""
    return feature_matching(update.real, update.fake[0])


def _generator_category_loss(update: GeneratorUpdate) -> Tensor:
    """Style classification of generated glyphs by the discriminator."""
    styles = (each.style_index for each in update.drawn)
    return _category_loss(update.critic, list(zip(update.fake, styles, strict=True)))


def _cycle_loss(update: GeneratorUpdate) -> Tensor:
    """L1 between sources and their reconstructions (StarGAN, Choi et al. 2018)."""
    example, state, drawn = update.example, update.state, update.drawn[0]
    origin = example.source_style_index.repeat_interleave(example.styles_per_char)
    known = origin >= 0
    if not known.any():
        return drawn.field.new_zeros(())
    back = state.generator.style(origin[known])
    rebuilt = state.generator.image(state.field(drawn.image[known], back).float())
    return (ink(rebuilt) - ink(example.source_of_each[known])).abs().mean()


def _constancy_loss(update: GeneratorUpdate) -> Tensor:
    """Mean square between encodings of source and drawn glyph (DTN, Taigman et al. 2017)."""
    generator, example = update.state.generator, update.example
    with torch.no_grad():
        target_code = generator.encode(example.source)[-1]
    target_code = target_code.repeat_interleave(example.styles_per_char, 0).float()
    found = [generator.encode(each.image)[-1].float() for each in update.drawn]
    return _mean([F.mse_loss(encoded, target_code) for encoded in found])


def _reader_loss(update: GeneratorUpdate) -> Tensor:
    """The reader's loss for "right character" and "complete".

    Glyphs are shifted at random, so that the generator cannot exploit single pixels of the reader.
    """
    assert update.state.reader is not None
    bound = _READER_SHIFT_PX
    shift = [int(each) for each in torch.randint(-bound, bound + 1, (2,))]
    images = update.drawn[0].image.roll(shift, (2, 3))
    source = resize(update.example.source_of_each, SIZE_PX)
    return F.softplus(-update.state.reader(resize(images, SIZE_PX), source)).mean()


def _kl_loss(update: GeneratorUpdate) -> Tensor:
    """KL divergence of Gaussian style embeddings from N(0, 1)."""
    found = update.state.generator.divergence(update.example.style_index)
    assert found is not None
    return found


AnyUpdate = TypeVar("AnyUpdate", bound=Update)


class Term(NamedTuple):
    """A computed loss term."""

    name: str
    weight: float
    value: Tensor


_Entry = tuple[str, Callable[[AnyUpdate], float], Callable[[AnyUpdate], Tensor]]

DISCRIMINATOR_TERMS: tuple[_Entry[DiscriminatorUpdate], ...] = (
    ("real_or_generated", lambda update: 1.0, _real_fake_loss),
    (
        "wrong_style",
        lambda update: update.config.wrong_style * (update.critic.styles > 1),
        _wrong_style_loss,
    ),
    (
        "wrong_character",
        lambda update: update.config.wrong_character * (len(update.example.source) > 1),
        _wrong_character_loss,
    ),
    ("category", lambda update: update.config.category, _discriminator_category_loss),
    ("penalty", lambda update: penalty_weight(update.config), _gradient_penalty),
)


def _if_adversarial(weight: Callable[[LossConfig], float]) -> Callable[[GeneratorUpdate], float]:
    """A weight that is 0 outside adversarial stages."""
    return lambda update: weight(update.config) * (update.state.discriminator is not None)


def _reconstruction_weight(update: GeneratorUpdate) -> float:
    return 1.0 if update.state.discriminator is None else update.config.adversarial_reconstruction


def _kl_weight(update: GeneratorUpdate) -> float:
    return update.config.kl * (update.state.generator.log_variance is not None)


GENERATOR_TERMS: tuple[_Entry[GeneratorUpdate], ...] = (
    ("reconstruction", _reconstruction_weight, _reconstruction_loss),
    ("adversarial", _if_adversarial(lambda config: config.adversarial), _adversarial_loss),
    ("matching", _if_adversarial(lambda config: config.feature_matching), _feature_matching_loss),
    ("category", _if_adversarial(lambda config: config.category), _generator_category_loss),
    ("cycle", lambda update: update.config.cycle, _cycle_loss),
    ("constancy", lambda update: update.config.constancy, _constancy_loss),
    ("reader", lambda update: update.config.reader, _reader_loss),
    ("kl", _kl_weight, _kl_loss),
)


def compute_terms(update: AnyUpdate, entries: Sequence[_Entry[AnyUpdate]]) -> list[Term]:
    """The terms whose weight is not 0."""
    with autocast(update.state.config):
        return [
            Term(n, w, compute(update)) for n, weigh, compute in entries if (w := weigh(update))
        ]


def weighted_sum(terms: Sequence[Term]) -> Tensor:
    """The weighted sum."""
    return torch.stack([weight * value.float() for _, weight, value in terms]).sum()


def penalty_weight(config: LossConfig) -> float:
    """The weight of the gradient penalty: as configured, or that of the objective's paper."""
    paper = OBJECTIVES[config.objective].penalty_weight
    return paper if config.penalty is None else config.penalty


def _category_loss(critic: Critic, labelled: Sequence[tuple[list[Tensor], Tensor]]) -> Tensor:
    """Cross-entropy of style classification (Odena et al. 2017, as in zi2zi)."""
    found = []
    for features, style_index in labelled:
        logits = critic.categories(features)
        assert logits is not None  # TrainConfig.validate
        found.append(F.cross_entropy(logits, style_index))
    return _mean(found)


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
