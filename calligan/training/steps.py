"""One training step: the discriminator's update, then the generator's."""

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from calligan.config import LossConfig, TrainConfig
from calligan.errors import Diverged
from calligan.models.critic import Critic, Windows
from calligan.training.example import Drawn, Example, autocast, content_of
from calligan.training.objectives import OBJECTIVES
from calligan.training.ranks import ALONE, Ranks
from calligan.training.state import TrainState
from calligan.training.terms import (
    DISCRIMINATOR_TERMS,
    GENERATOR_TERMS,
    DiscriminatorTurn,
    GeneratorTurn,
    terms_of,
    total,
)

_WINDOWS = 8  # places a batch that a discriminator with crop_px looks at


def training_step(
    state: TrainState, example: Example, rate: float, ranks: Ranks = ALONE
) -> dict[str, Tensor]:
    """Update both networks once and return the step's losses (scalars on the device).

    Raises Diverged before any weight is touched by a gradient that is not finite (on a CPU).
    """
    config = state.config.loss
    critic = state.discriminator
    critic_alone = critic is not None and state.counters.step % _n_critic(config) > 0
    styles = [example.style_index]
    if critic is not None and config.label_shuffling:
        styles.append(example.wrong_style_index)
    with torch.set_grad_enabled(not critic_alone):
        drawn = [_drawn(state, example, style) for style in styles]
    windows = _windows(state.config, state.generator.size_px, ranks)
    losses: dict[str, Tensor] = {}
    if critic is not None:
        turn = DiscriminatorTurn(state, example, drawn, windows)
        losses |= _update_discriminator(turn, critic, rate, ranks)
    if not critic_alone:
        losses |= _update_generator(GeneratorTurn(state, example, drawn, windows), rate, ranks)
    return {name: loss.detach() for name, loss in losses.items()}


def _update_discriminator(
    turn: DiscriminatorTurn, critic: Critic, rate: float, ranks: Ranks
) -> dict[str, Tensor]:
    """One update; its loss, and of its terms the penalty."""
    state, terms = turn.state, terms_of(turn, DISCRIMINATOR_TERMS)
    loss = total(terms)
    rates = {"adamw": rate * state.config.optimizer.discriminator_rate}
    _update(state, critic, state.discriminator_optimizers, loss, rates, ranks)
    _clip(critic, turn.config)
    return {"d": loss, **{name: value for name, _, value in terms if name == "penalty"}}


def _update_generator(turn: GeneratorTurn, rate: float, ranks: Ranks) -> dict[str, Tensor]:
    """One update; its loss and every term of it."""
    state, critic = turn.state, turn.state.discriminator
    if critic is not None:
        critic.requires_grad_(False)
    terms = terms_of(turn, GENERATOR_TERMS)
    if critic is not None:
        critic.requires_grad_(True)
    loss = total(terms)
    rates = {"adamw": rate, "muon": rate * state.config.optimizer.muon_rate}
    _update(state, state.generator, state.generator_optimizers, loss, rates, ranks)
    state.update_average()
    return {**{name: value for name, _, value in terms}, "g": loss}


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


def _n_critic(config: LossConfig) -> int:
    return config.n_critic or OBJECTIVES[config.objective].n_critic


def _clip(critic: Critic, config: LossConfig) -> None:
    if bound := OBJECTIVES[config.objective].clip:
        with torch.no_grad():
            for weight in critic.parameters():
                weight.clamp_(-bound, bound)


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
