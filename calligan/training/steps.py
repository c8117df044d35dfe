"""One training step: the discriminator's update, then the generator's."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from calligan.config import LossConfig, TrainConfig
from calligan.errors import Diverged
from calligan.models.critic import Critic, Windows
from calligan.models.device import moved
from calligan.training.example import Drawn, Example, autocast, content_of
from calligan.training.objectives import OBJECTIVES
from calligan.training.ranks import SINGLE_PROCESS, Ranks
from calligan.training.state import TrainState
from calligan.training.terms import (
    DISCRIMINATOR_TERMS,
    GENERATOR_TERMS,
    DiscriminatorUpdate,
    GeneratorUpdate,
    compute_terms,
    weighted_sum,
)

_WINDOWS_PER_BATCH = 8  # crop windows per batch, for a discriminator with crop_px


@dataclass(frozen=True)
class StepInputs:
    """All that changes from one step to the next, apart from the state."""

    example: Example
    windows: Windows | None  # where a discriminator with crop_px looks
    rate: float | Tensor  # the learning rate; a scalar tensor on the device in recorded steps


def training_step(
    state: TrainState, example: Example, rate: float, ranks: Ranks = SINGLE_PROCESS
) -> dict[str, Tensor]:
    """Update both networks once and return the step's losses (scalars on the device).

    On a CPU, raises Diverged before a gradient that is not finite changes any weight.
    """
    losses = update_networks(state, step_inputs(state, example, rate, ranks), ranks)
    if "g" in losses:
        state.update_average()
    return losses


def step_inputs(state: TrainState, example: Example, rate: float, ranks: Ranks) -> StepInputs:
    """The inputs of a step, with random windows."""
    return StepInputs(example, _random_windows(state.config, state.generator.size_px, ranks), rate)


def update_networks(state: TrainState, inputs: StepInputs, ranks: Ranks) -> dict[str, Tensor]:
    """Update both networks, but not the average; returns the losses, with "g" if the generator was.

    The kernels that this starts depend on shapes and settings only, so that a GPU can record them.
    """
    config = state.config.loss
    example, windows, rate = inputs.example, inputs.windows, inputs.rate
    critic = state.discriminator
    turn = state.counters.step % updates_per_generator_update(config)
    critic_only = critic is not None and turn > 0
    styles = [example.style_index]
    if critic is not None and config.label_shuffling:
        styles.append(example.wrong_style_index)
    with torch.set_grad_enabled(not critic_only):
        drawn = [_generate(state, example, style) for style in styles]
    losses: dict[str, Tensor] = {}
    if critic is not None:
        update = DiscriminatorUpdate(state, example, drawn, windows)
        losses |= _update_discriminator(update, critic, rate, ranks)
    if not critic_only:
        losses |= _update_generator(GeneratorUpdate(state, example, drawn, windows), rate, ranks)
    return {name: loss.detach() for name, loss in losses.items()}


def _update_discriminator(
    update: DiscriminatorUpdate, critic: Critic, rate: float | Tensor, ranks: Ranks
) -> dict[str, Tensor]:
    """One discriminator update; returns its loss and the penalty term."""
    state, terms = update.state, compute_terms(update, DISCRIMINATOR_TERMS)
    loss = weighted_sum(terms)
    rates = {"adamw": rate * state.config.optimizer.discriminator_rate}
    _apply_gradients(state, critic, state.discriminator_optimizers, loss, rates, ranks)
    _clip_weights(critic, update.config)
    return {"d": loss, **{name: value for name, _, value in terms if name == "penalty"}}


def _update_generator(
    update: GeneratorUpdate, rate: float | Tensor, ranks: Ranks
) -> dict[str, Tensor]:
    """One generator update; returns its loss and every term."""
    state, critic = update.state, update.state.discriminator
    if critic is not None:
        critic.requires_grad_(False)
    terms = compute_terms(update, GENERATOR_TERMS)
    if critic is not None:
        critic.requires_grad_(True)
    loss = weighted_sum(terms)
    rates = {"adamw": rate, "muon": rate * state.config.optimizer.muon_rate}
    _apply_gradients(state, state.generator, state.generator_optimizers, loss, rates, ranks)
    return {**{name: value for name, _, value in terms}, "g": loss}


def _generate(state: TrainState, example: Example, style_index: Tensor) -> Drawn:
    generator = state.generator
    with autocast(state.config):
        field = state.field(content_of(example, generator), generator.style(style_index))
    return Drawn(style_index, field, generator.image(field), generator.critic_input(field))


def _random_windows(config: TrainConfig, size_px: int, ranks: Ranks) -> Windows | None:
    """Random crop windows for a discriminator with crop_px; None for the whole image."""
    crop_px = config.discriminator.crop_px
    if not crop_px:
        return None
    corners = torch.randint(0, size_px - crop_px + 1, (_WINDOWS_PER_BATCH, 2))
    if _WINDOWS_PER_BATCH % ranks.count == 0:  # each process takes its own windows
        corners = corners[ranks.share(_WINDOWS_PER_BATCH)]
    return moved(corners, config.device)


def updates_per_generator_update(config: LossConfig) -> int:
    """Updates of the discriminator for each of the generator: as configured, or as published."""
    return config.n_critic or OBJECTIVES[config.objective].n_critic


def _clip_weights(critic: Critic, config: LossConfig) -> None:
    if bound := OBJECTIVES[config.objective].clip:
        with torch.no_grad():
            for weight in critic.parameters():
                weight.clamp_(-bound, bound)


def _apply_gradients(
    state: TrainState,
    network: nn.Module,
    optimizers: dict[str, torch.optim.Optimizer],
    loss: Tensor,
    rates: dict[str, float | Tensor],
    ranks: Ranks,
) -> None:
    network.zero_grad(set_to_none=True)
    loss.backward()
    ranks.average(network.parameters())
    norm = clip_grad_norm_(network.parameters(), state.config.optimizer.gradient_norm)
    # Reading the norm would stall a GPU: there divergence is detected at the next evaluation,
    # before anything is saved.
    if norm.device.type == "cpu" and not torch.isfinite(norm):
        raise Diverged(
            f"the gradient is not finite at step {state.counters.step}; checkpoints are untouched: "
            "start again with a lower learning rate (--set) or --set precision=fp32"
        )
    for kind, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = rates[kind]
        optimizer.step()
