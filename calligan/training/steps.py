"""One training step: the discriminator's move, then the generator's."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from calligan.config import LossConfig, TrainConfig
from calligan.errors import Diverged
from calligan.models.discriminator import Discriminator
from calligan.models.pixels import image_of_logits
from calligan.training.losses import feature_matching, reconstruction
from calligan.training.objectives import OBJECTIVES
from calligan.training.state import TrainState


@dataclass(frozen=True)
class Example:
    """A batch on the device: images (N, 1, S, S) in [-1, 1], style indices (N,) from 0."""

    source: Tensor
    target: Tensor
    style_index: Tensor
    wrong_style_index: Tensor


def training_step(state: TrainState, example: Example, rate: float) -> dict[str, Tensor]:
    """Move both networks once and return the step's losses (scalars on the device).

    Raises Diverged before any weight is touched by a gradient that is not finite.
    """
    config, losses = state.config, {}
    with autocast(config):
        style = state.generator.embedding(example.style_index)
        ink_logits = state.ink_logits(example.source, style)
    if state.discriminator is not None:
        fake = image_of_logits(ink_logits.detach())
        with autocast(config):
            losses["d"] = discriminator_loss(state.discriminator, example, fake, config.loss)
        rates = {"adamw": rate * config.optimizer.discriminator_rate}
        _update(state, state.discriminator, state.discriminator_optimizers, losses["d"], rates)
    losses.update(_generator_losses(state, example, ink_logits))
    rates = {"adamw": rate, "muon": rate * config.optimizer.muon_rate}
    _update(state, state.generator, state.generator_optimizers, losses["g"], rates)
    state.update_average()
    return {name: loss.detach() for name, loss in losses.items()}


def discriminator_loss(
    critic: Discriminator, example: Example, fake: Tensor, config: LossConfig
) -> Tensor:
    """Real against generated, and real under a wrong style as a second kind of negative."""
    objective = OBJECTIVES[config.objective]
    features = critic.features(example.source, example.target)
    real = critic.score(features, example.style_index)
    loss = objective.discriminator(real, critic(example.source, fake, example.style_index))
    if config.wrong_style and critic.styles > 1:
        wrong = critic.score(features, example.wrong_style_index)
        loss = loss + config.wrong_style * objective.discriminator(real, wrong)
    return loss


def _generator_losses(state: TrainState, example: Example, ink_logits: Tensor) -> dict[str, Tensor]:
    config = state.config.loss
    rebuilt = reconstruction(ink_logits, example.target, config)
    critic = state.discriminator
    if critic is None:
        return {"reconstruction": rebuilt, "g": rebuilt}
    critic.requires_grad_(False)
    with autocast(state.config):
        fake = critic.features(example.source, image_of_logits(ink_logits))
        with torch.no_grad():
            real = critic.features(example.source, example.target)
        fooled = OBJECTIVES[config.objective].generator(critic.score(fake, example.style_index))
    critic.requires_grad_(True)
    matched = feature_matching(real, fake)
    total = (
        config.adversarial_reconstruction * rebuilt
        + config.adversarial * fooled
        + config.feature_matching * matched
    )
    return {"reconstruction": rebuilt, "adversarial": fooled, "matching": matched, "g": total}


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
) -> None:
    network.zero_grad(set_to_none=True)
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), state.config.optimizer.gradient_norm)
    if not torch.isfinite(norm):
        raise Diverged(
            f"the gradient is not finite at step {state.counters.step}; checkpoints are untouched: "
            "start again with a lower learning rate (--set) or --set precision=fp32"
        )
    for kind, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = rates[kind]
        optimizer.step()
