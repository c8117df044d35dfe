"""Training steps as CUDA graphs.

A step starts thousands of small kernels, and Python needs longer to start them than a fast GPU to
run them. Its kernels do not depend on its data, so they are recorded once per stage and then
started together, with new data in the same memory.
"""

from dataclasses import fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from calligan.config import TrainConfig
from calligan.training.example import Example
from calligan.training.ranks import SINGLE_PROCESS, Ranks
from calligan.training.state import TrainState
from calligan.training.steps import (
    StepInputs,
    step_inputs,
    training_step,
    update_networks,
    updates_per_generator_update,
)

# Before recording: compilation, the choice of algorithms, and the optimizers' first tensors.
_ORDINARY_STEPS = 4
_Inputs = TypeVar("_Inputs", Example, StepInputs)


class StepRunner:
    """Runs the steps of a run; records them if `config.cuda_graphs`, where that is possible.

    It is with one process on a GPU, and one update of the discriminator per generator update.
    """

    def __init__(self, config: TrainConfig, ranks: Ranks = SINGLE_PROCESS):
        self.ranks = ranks
        same_kernels = ranks.count == 1 and updates_per_generator_update(config.loss) == 1
        self.recorded = config.cuda_graphs and config.device == "cuda" and same_kernels
        self._stage: _RecordedStage | None = None

    def __call__(self, state: TrainState, example: Example, rate: float) -> dict[str, Tensor]:
        """As `training_step`; recorded losses are overwritten by the next step."""
        if not self.recorded:
            return training_step(state, example, rate, self.ranks)
        inputs = step_inputs(state, example, rate, self.ranks)
        if self._stage is None or self._stage.optimizers is not state.generator_optimizers:
            self._stage = None  # free its memory first
            self._stage = _RecordedStage(state, inputs)
        losses = self._stage.step(inputs)
        state.update_average()
        return losses


class _RecordedStage:
    """The steps of a stage: the first few are ordinary, the next is recorded and repeated."""

    def __init__(self, state: TrainState, inputs: StepInputs):
        self.state, self.optimizers = state, state.generator_optimizers
        rate = torch.tensor(inputs.rate, device=state.config.device)
        self.inputs = _copy(replace(inputs, rate=rate))
        self.stream = torch.cuda.Stream()
        self.graph: torch.cuda.CUDAGraph | None = None
        self.losses: dict[str, Tensor] = {}
        self.ordinary_steps = 0

    def step(self, inputs: StepInputs) -> dict[str, Tensor]:
        """Update both networks with these inputs; returns the losses."""
        _overwrite(self.inputs, inputs)
        if self.ordinary_steps < _ORDINARY_STEPS:
            self.ordinary_steps += 1
            return self._ordinary_step()
        if self.graph is None:
            self.graph = self._record()
        self.graph.replay()
        return self.losses

    def _ordinary_step(self) -> dict[str, Tensor]:
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            losses = update_networks(self.state, self.inputs, SINGLE_PROCESS)
        torch.cuda.current_stream().wait_stream(self.stream)
        return losses

    def _record(self) -> torch.cuda.CUDAGraph:
        for network in (self.state.generator, self.state.discriminator):
            if network is not None:
                network.zero_grad(set_to_none=True)  # so that gradients lie in the graph's memory
        graph = torch.cuda.CUDAGraph()
        # The thread that pins the loader's batches may go on meanwhile.
        with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
            self.losses = update_networks(self.state, self.inputs, SINGLE_PROCESS)
        return graph


def _copy(inputs: _Inputs) -> _Inputs:
    """Inputs with copies of all tensors."""
    copies: dict[str, Any] = {}
    for each in fields(inputs):
        value = getattr(inputs, each.name)
        if isinstance(value, Example):
            copies[each.name] = _copy(value)
        elif isinstance(value, Tensor):
            copies[each.name] = value.clone()
    return replace(inputs, **copies)


def _overwrite(kept: _Inputs, latest: _Inputs) -> None:
    """Write the values of `latest` into the tensors of `kept`."""
    for each in fields(kept):
        mine, theirs = getattr(kept, each.name), getattr(latest, each.name)
        if isinstance(mine, Example):
            _overwrite(mine, theirs)
        elif isinstance(mine, Tensor):
            mine.copy_(theirs) if isinstance(theirs, Tensor) else mine.fill_(theirs)
