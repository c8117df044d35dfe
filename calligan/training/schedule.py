"""The progress of a run, its stage and its learning rate."""

import math
from itertools import pairwise

from calligan.config import StageConfig, TrainConfig


def progress_of(config: TrainConfig, step: int, elapsed_s: float) -> float:
    """Share of the run that is done, in steps or in minutes, depending on the config."""
    if config.steps is not None:
        return step / config.steps
    assert config.minutes is not None  # TrainConfig.validate
    return elapsed_s / (60 * config.minutes)


def stage_at(config: TrainConfig, progress: float, step: int) -> tuple[int, float]:
    """The index of the current stage, and the share of it that is done, at most 1."""
    start = 0.0
    for index, (stage, following) in enumerate(pairwise(config.stages)):
        if progress < start + stage.share - 1e-9 or step < following.min_step:
            return index, min(1.0, (progress - start) / stage.share)
        start += stage.share
    return len(config.stages) - 1, min(1.0, (progress - start) / config.stages[-1].share)


def learning_rate(stage: StageConfig, share_done: float, stage_step: int, warmup: int) -> float:
    """Linear warm-up, then cosine decay from the stage's first rate to its last."""
    cosine = (1 + math.cos(math.pi * share_done)) / 2
    rate = stage.learning_rate_end + (stage.learning_rate - stage.learning_rate_end) * cosine
    return rate * min(1.0, (stage_step + 1) / (warmup + 1))
