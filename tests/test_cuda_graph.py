"""Steps recorded as CUDA graphs, on a stand-in for CUDA that repeats the recorded call."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from test_learning import GAME, example, flat, state_of

from calligan.errors import ConfigError
from calligan.settings import replaced
from calligan.training import cuda_graph
from calligan.training.cuda_graph import StepRunner
from calligan.training.ranks import SINGLE_PROCESS, Ranks
from calligan.training.steps import training_step, update_networks


class Graph:
    """Like `torch.cuda.CUDAGraph`: what is recorded is not computed before it is replayed."""

    recording: "Graph | None" = None

    def replay(self):
        for name, loss in update_networks(*self.call).items():
            self.losses[name].copy_(loss)

    def __enter__(self):
        Graph.recording = self

    def __exit__(self, *error):
        Graph.recording = None


def _update_or_record(*call):
    graph = Graph.recording
    if graph is None:
        return update_networks(*call)
    names = ("reconstruction", "g")
    if call[0].discriminator is not None:
        names = ("d", "reconstruction", "adversarial", "matching", "g")
    graph.call, graph.losses = call, {name: torch.zeros(()) for name in names}
    return graph.losses


@pytest.fixture
def runner(monkeypatch):
    stream = SimpleNamespace(wait_stream=lambda other: None)
    cuda = SimpleNamespace(
        Stream=lambda: stream,
        current_stream=lambda: stream,
        stream=lambda chosen: nullcontext(),
        CUDAGraph=Graph,
        graph=lambda graph, **options: graph,
    )
    monkeypatch.setattr(cuda_graph, "torch", SimpleNamespace(cuda=cuda, tensor=torch.tensor))
    monkeypatch.setattr(cuda_graph, "update_networks", _update_or_record)
    found = StepRunner(state_of(GAME).config)
    found.recorded = True
    return found


def test_recorded_steps_train_as_ordinary_ones_do(runner):
    """Each with its own batch and rate, across a change of stages."""
    recorded, ordinary, untrained = state_of(GAME), state_of(GAME), state_of(GAME)
    for step in range(14):
        if step == 7:
            for state in (recorded, ordinary):
                state.enter_stage(GAME)  # the same networks, new optimizers
        rate, batch = 1e-3 * (1 + step % 3), example()
        batch = replace(batch, source=batch.source.roll(step, 3), target=batch.target.roll(step, 3))
        told = []
        for state, run in ((recorded, runner), (ordinary, training_step)):
            torch.manual_seed(step)
            told.append({n: float(v) for n, v in run(state, batch, rate).items()})
            state.counters.step += 1
        assert told[0] == pytest.approx(told[1], abs=1e-4), step
    for name in ("generator", "average", "discriminator"):
        one, other, first = (flat(getattr(s, name)) for s in (recorded, ordinary, untrained))
        assert (one - other).norm() < 0.01 * (other - first).norm(), name  # rates are float32


def test_steps_are_recorded_only_where_each_has_the_same_kernels():
    on_gpu = {"cuda_graphs": True, "device": "cuda"}
    config = state_of(GAME).config

    def recorded(ranks=SINGLE_PROCESS, **changes):
        return StepRunner(replaced(config, {**on_gpu, **changes}), ranks).recorded

    assert recorded()
    assert not recorded(Ranks(0, 2))
    assert not recorded(cuda_graphs=False) and not recorded(device="cpu")
    assert not recorded(**{"loss.n_critic": 2}) and not recorded(**{"loss.objective": "wgan"})
    with pytest.raises(ConfigError, match=r"loss\.reader is 0\.1; it should be 0 unless"):
        replaced(config, {"cuda_graphs": True, "loss.reader": 0.1}).validate()
