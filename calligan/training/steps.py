"""One training step: the discriminator's move, then the generator's."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_

from calligan.config import LossConfig, TrainConfig
from calligan.errors import Diverged
from calligan.models.critic import Critic, Windows
from calligan.models.generator import Generator
from calligan.models.networks import AnyGenerator
from calligan.models.pixels import ink, resized
from calligan.reader.network import SIZE_PX
from calligan.training.losses import (
    distance_reconstruction,
    feature_matching,
    reconstruction,
)
from calligan.training.objectives import OBJECTIVES, Objective
from calligan.training.penalties import PENALTIES
from calligan.training.ranks import ALONE, Ranks
from calligan.training.state import TrainState

_SHOWN_ASIDE_PX = 3
_WINDOWS = 8  # places a batch that a discriminator with crop_px looks at


@dataclass(frozen=True)
class Example:
    """A batch on the device: images (…, 1, S, S) in [-1, 1], style indices (N,) from 0."""

    source: Tensor  # M of them, N a multiple of M
    target: Tensor
    style_index: Tensor
    wrong_style_index: Tensor
    source_style_index: Tensor  # (M,), -1 for a source that is of no style
    char_index: Tensor  # (M,), for a generator that draws from a character's number
    target_field: Tensor | None = None  # targets as signed distance, where that is drawn

    @property
    def shown(self) -> Tensor:
        """The targets as a discriminator sees them (`GeneratorBase.shown`)."""
        return self.target if self.target_field is None else -torch.tanh(self.target_field)

    @property
    def source_of_each(self) -> Tensor:
        """The source of each target, (N, 1, S, S)."""
        return self.source.repeat_interleave(len(self.target) // len(self.source), 0)


@dataclass(frozen=True)
class Drawn:
    """What the generator drew of an example's sources, and in which styles."""

    style_index: Tensor
    field: Tensor
    image: Tensor
    shown: Tensor  # to a discriminator


def training_step(
    state: TrainState, example: Example, rate: float, ranks: Ranks = ALONE
) -> dict[str, Tensor]:
    """Move both networks once and return the step's losses (scalars on the device).

    Raises Diverged before any weight is touched by a gradient that is not finite (on a CPU).
    """
    config, losses = state.config, {}
    played = state.discriminator is not None
    waits = played and state.counters.step % _n_critic(config.loss) > 0
    styles = [example.style_index]
    if played and config.loss.label_shuffling:
        styles.append(example.wrong_style_index)
    with torch.set_grad_enabled(not waits):
        drawn = [_drawn(state, example, style) for style in styles]
    windows = _windows(config, state.generator.size_px, ranks)
    if state.discriminator is not None:
        with autocast(config):
            losses["d"] = discriminator_loss(
                state.discriminator, example, drawn, config.loss, windows
            )
        if weight := _penalty_weight(config.loss):
            losses["penalty"] = _penalty(state.discriminator, example, drawn[0], config.loss)
            losses["d"] = losses["d"] + weight * losses["penalty"]
        rates = {"adamw": rate * config.optimizer.discriminator_rate}
        _update(
            state, state.discriminator, state.discriminator_optimizers, losses["d"], rates, ranks
        )
        _clip(state.discriminator, config.loss)
    if waits:
        return {name: loss.detach() for name, loss in losses.items()}
    losses.update(_generator_losses(state, example, drawn, windows))
    generator = state.generator
    if isinstance(generator, Generator) and generator.log_variance is not None:
        losses["kl"] = generator.divergence(example.style_index)
        losses["g"] = losses["g"] + config.loss.kl * losses["kl"]
    rates = {"adamw": rate, "muon": rate * config.optimizer.muon_rate}
    _update(state, state.generator, state.generator_optimizers, losses["g"], rates, ranks)
    state.update_average()
    return {name: loss.detach() for name, loss in losses.items()}


def _drawn(state: TrainState, example: Example, style_index: Tensor) -> Drawn:
    generator = state.generator
    with autocast(state.config):
        field = state.field(content_of(example, generator), generator.style(style_index))
    return Drawn(style_index, field, generator.image(field), generator.shown(field))


def _windows(config: TrainConfig, size_px: int, ranks: Ranks) -> Windows | None:
    """Where a discriminator with crop_px looks in this step; others see everything."""
    crop_px = config.discriminator.crop_px
    if not crop_px:
        return None
    corners = torch.randint(0, size_px - crop_px + 1, (_WINDOWS, 2)).tolist()
    if _WINDOWS % ranks.count == 0:  # each process has its part of the batch, and its windows
        corners = corners[ranks.share(_WINDOWS)]
    return tuple((top, left) for top, left in corners)


def content_of(example: Example, generator: AnyGenerator) -> Tensor:
    """What the generator is told of a character: its source glyph, or its number."""
    return example.char_index if generator.from_number else example.source


def discriminator_loss(
    critic: Critic,
    example: Example,
    drawn: list[Drawn],
    config: LossConfig,
    windows: Windows | None = None,
) -> Tensor:
    """Real against generated; real under a wrong style, or beside a wrong source, as negatives.

    With a category head, also the names of the styles, of real and of generated glyphs.
    """
    objective, source = OBJECTIVES[config.objective], example.source_of_each
    features = critic.features(source, example.shown, windows)
    real = critic.score(features, example.style_index)
    loss = real.new_zeros(())
    named = [(features, example.style_index)]
    for each in drawn:
        fake = critic.features(source, each.shown.detach(), windows)
        judged = objective.discriminator(real, critic.score(fake, each.style_index))
        loss = loss + judged / len(drawn)
        named.append((fake, each.style_index))
    if config.wrong_style and critic.styles > 1:
        wrong = critic.score(features, example.wrong_style_index)
        told = objective.discriminator(critic.matches(real), critic.matches(wrong))
        loss = loss + config.wrong_style * told
    if config.wrong_character and len(example.source) > 1:
        others = source.roll(len(example.target) // len(example.source), 0)
        beside = critic.features(others, example.shown, windows)
        wrong = critic.score(beside, example.style_index)
        told = objective.discriminator(critic.matches(real), critic.matches(wrong))
        loss = loss + config.wrong_character * told
    if config.category:
        loss = loss + config.category * _category_loss(critic, named)
    return loss


def _generator_losses(
    state: TrainState, example: Example, drawn: list[Drawn], windows: Windows | None
) -> dict[str, Tensor]:
    config = state.config.loss
    if example.target_field is None:
        rebuilt = reconstruction(drawn[0].field, example.target, config)
    else:
        rebuilt = distance_reconstruction(drawn[0].field, example.target_field, config)
    critic = state.discriminator
    if critic is None:
        losses = {"reconstruction": rebuilt, "g": rebuilt}
        return _with_reader(state, example, drawn[0], _with_returns(state, example, drawn, losses))
    critic.requires_grad_(False)
    source, objective = example.source_of_each, OBJECTIVES[config.objective]
    with autocast(state.config):
        named = [(critic.features(source, each.shown, windows), each.style_index) for each in drawn]
        real: list[Tensor] = []
        if config.feature_matching or objective.relative:
            with torch.no_grad():
                real = critic.features(source, example.shown, windows)
        judged = critic.score(real, example.style_index) if objective.relative else None
        games = [_fooling(objective, judged, critic.score(*pair)) for pair in named]
        fooled = torch.stack(games).mean()
        losses = {"reconstruction": rebuilt, "adversarial": fooled}
        total = config.adversarial_reconstruction * rebuilt + config.adversarial * fooled
        if config.feature_matching:
            losses["matching"] = feature_matching(real, named[0][0])
            total = total + config.feature_matching * losses["matching"]
        if config.category:
            losses["category"] = _category_loss(critic, named)
            total = total + config.category * losses["category"]
    critic.requires_grad_(True)
    losses = _with_returns(state, example, drawn, {**losses, "g": total})
    return _with_reader(state, example, drawn[0], losses)


def _with_returns(
    state: TrainState, example: Example, drawn: list[Drawn], losses: dict[str, Tensor]
) -> dict[str, Tensor]:
    """With what the generator makes of its own glyphs, where that is wanted."""
    config, found = state.config.loss, {}
    with autocast(state.config):
        if config.cycle:
            found["cycle"] = config.cycle, _cycle(state, example, drawn[0])
        if config.constancy:
            found["constancy"] = config.constancy, _constancy(state, example, drawn)
    total = losses["g"] + sum(weight * loss for weight, loss in found.values())
    return {**losses, **{name: loss for name, (_, loss) in found.items()}, "g": total}


def _with_reader(
    state: TrainState, example: Example, drawn: Drawn, losses: dict[str, Tensor]
) -> dict[str, Tensor]:
    """With what the reader holds against the glyphs, where that is wanted.

    Each batch is shown a little elsewhere, lest pixels be found that please the reader alone.
    """
    if state.reader is None:
        return losses
    moves = [int(move) for move in torch.randint(-_SHOWN_ASIDE_PX, _SHOWN_ASIDE_PX + 1, (2,))]
    images = drawn.image.roll(moves, (2, 3))
    with autocast(state.config):
        found = state.reader(resized(images, SIZE_PX), resized(example.source_of_each, SIZE_PX))
    held_against = F.softplus(-found).mean()
    total = losses["g"] + state.config.loss.reader * held_against
    return {**losses, "reader": held_against, "g": total}


def _fooling(objective: Objective, real: Tensor | None, fake: Tensor) -> Tensor:
    return objective.generator(fake.detach() if real is None else real.detach(), fake)


def _penalty(critic: Critic, example: Example, drawn: Drawn, config: LossConfig) -> Tensor:
    """The objective's penalty, or R1, in float32: it is differentiated twice."""
    kind = OBJECTIVES[config.objective].penalty or "r1"
    source, real = example.source_of_each.float(), example.shown.float()
    fake = drawn.shown.detach().float()
    noise = torch.rand_like(real) if kind == "interpolated" else torch.randn_like(real)

    def scores(images: Tensor) -> Tensor:
        return critic.score(critic.features(source, images), example.style_index)

    return PENALTIES[kind](scores, real, fake, noise)


def _penalty_weight(config: LossConfig) -> float:
    paper = OBJECTIVES[config.objective].penalty_weight
    return paper if config.penalty is None else config.penalty


def _n_critic(config: LossConfig) -> int:
    return config.n_critic or OBJECTIVES[config.objective].n_critic


def _clip(critic: Critic, config: LossConfig) -> None:
    if bound := OBJECTIVES[config.objective].clip:
        with torch.no_grad():
            for weight in critic.parameters():
                weight.clamp_(-bound, bound)


def _category_loss(critic: Critic, named: list[tuple[list[Tensor], Tensor]]) -> Tensor:
    """Cross-entropy of naming styles (Odena et al. 2017, as zi2zi uses it)."""
    terms = []
    for features, style_index in named:
        logits = critic.categories(features)
        assert logits is not None  # TrainConfig.validate
        terms.append(F.cross_entropy(logits, style_index))
    return torch.stack(terms).mean()


def _cycle(state: TrainState, example: Example, drawn: Drawn) -> Tensor:
    """L1 of sources and what is drawn back in their style (StarGAN, Choi et al. 2018)."""
    each = len(example.target) // len(example.source)
    origin = example.source_style_index.repeat_interleave(each)
    known = origin >= 0
    if not known.any():
        return drawn.field.new_zeros(())
    back = state.generator.style(origin[known])
    rebuilt = state.generator.image(state.field(drawn.image[known], back).float())
    return (ink(rebuilt) - ink(example.source_of_each[known])).abs().mean()


def _constancy(state: TrainState, example: Example, drawn: list[Drawn]) -> Tensor:
    """Mean square between encodings of source and drawn glyph (DTN, Taigman et al. 2017)."""
    assert not state.generator.from_number  # TrainConfig.validate
    with torch.no_grad():
        wanted = state.generator.encode(example.source)[-1]
    each = len(example.target) // len(example.source)
    wanted = wanted.repeat_interleave(each, 0).float()
    found = [state.generator.encode(d.image)[-1].float() for d in drawn]
    return torch.stack([F.mse_loss(encoded, wanted) for encoded in found]).mean()


def autocast(config: TrainConfig) -> AbstractContextManager[object]:
    """bf16 arithmetic where the run uses it; weights and optimizers stay float32."""
    if config.precision != "bf16":
        return nullcontext()
    return torch.autocast(config.device, torch.bfloat16)


def _update(
    state: TrainState,
    network: nn.Module,
    optimizers: dict[str, torch.optim.Optimizer],
    loss: Tensor,
    rates: dict[str, float],
    ranks: Ranks,
) -> None:
    network.zero_grad(set_to_none=True)
    loss.backward()
    ranks.average(network.parameters())
    norm = clip_grad_norm_(network.parameters(), state.config.optimizer.gradient_norm)
    # A GPU would wait for the answer: there a gradient that is not finite is noticed when the model
    # is evaluated, before it is kept.
    if norm.device.type == "cpu" and not torch.isfinite(norm):
        raise Diverged(
            f"the gradient is not finite at step {state.counters.step}; checkpoints are untouched: "
            "start again with a lower learning rate (--set) or --set precision=fp32"
        )
    for kind, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = rates[kind]
        optimizer.step()
