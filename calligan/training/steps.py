"""One training step: the discriminator's move, then the generator's."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from calligan.config import LossConfig, StageConfig, TrainConfig
from calligan.errors import Diverged
from calligan.models.discriminator import Discriminator
from calligan.models.pixels import image_of_logits
from calligan.training.losses import feature_matching, reconstruction
from calligan.training.objectives import OBJECTIVES
from calligan.training.state import TrainState


def training_step(
    state: TrainState, source: Tensor, target: Tensor, style_index: Tensor, rate: float
) -> dict[str, Tensor]:
    """Move both networks once and return the step's losses (scalars on the device).

    `source`, `target`: (N, 1, S, S) in [-1, 1]. Raises Diverged before any weight is touched by
    a gradient that is not finite.
    """
    config, stage = state.config, state.config.stages[state.counters.stage]
    with autocast(config):
        ink_logits = state.generator.ink_logits(source, state.generator.embedding(style_index))
    losses = {}
    if state.discriminator is not None and state.discriminator_optimizer is not None:
        fake = image_of_logits(ink_logits.detach())
        with autocast(config):
            losses["d"] = discriminator_loss(
                state.discriminator, source, target, fake, style_index, config.loss
            )
        _update(state.discriminator_optimizer, losses["d"], rate * config.discriminator_rate, state)
    losses.update(_generator_losses(state, stage, source, target, style_index, ink_logits))
    _update(state.generator_optimizer, losses["g"], rate, state)
    state.update_average()
    return {name: loss.detach() for name, loss in losses.items()}


def discriminator_loss(
    critic: Discriminator,
    source: Tensor,
    target: Tensor,
    fake: Tensor,
    style_index: Tensor,
    config: LossConfig,
) -> Tensor:
    """Real against generated, and real under a wrong style as a second kind of negative."""
    objective = OBJECTIVES[config.objective]
    features = critic.features(source, target)
    real = critic.score(features, style_index)
    loss = objective.discriminator(real, critic(source, fake, style_index))
    styles = critic.embedding.num_embeddings
    if config.wrong_style and styles > 1:
        wrong = critic.score(features, (style_index + 1) % styles)
        loss = loss + config.wrong_style * objective.discriminator(real, wrong)
    return loss


def _generator_losses(
    state: TrainState,
    stage: StageConfig,
    source: Tensor,
    target: Tensor,
    style_index: Tensor,
    ink_logits: Tensor,
) -> dict[str, Tensor]:
    config = state.config.loss
    rebuilt = reconstruction(ink_logits, target, config)
    critic = state.discriminator
    if critic is None:
        return {"reconstruction": rebuilt, "g": rebuilt}
    critic.requires_grad_(False)
    with autocast(state.config):
        fake = critic.features(source, image_of_logits(ink_logits))
        with torch.no_grad():
            real = critic.features(source, target)
        fooled = OBJECTIVES[config.objective].generator(critic.score(fake, style_index))
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
    return torch.autocast(config.device, torch.bfloat16, enabled=config.precision == "bf16")


def _update(
    optimizer: torch.optim.Optimizer, loss: Tensor, rate: float, state: TrainState
) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    norm = clip_grad_norm_(parameters, state.config.gradient_norm)
    if not torch.isfinite(norm):
        raise Diverged(
            f"the gradient is not finite at step {state.counters.step}; checkpoints are untouched: "
            "start again with a lower learning rate (--set) or --set precision=fp32"
        )
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
