"""Batches made ahead by other processes are those that the training process would make."""

from dataclasses import fields, replace

import pytest
import torch

from calligan.config import GeneratorConfig, TrainConfig
from calligan.pairs.batches import Pairs
from calligan.pairs.store import PairStore
from calligan.training.example import step_seed
from calligan.training.feed import Feed

STEPS = (0, 1, 2, 7, 8, 3)  # in turn, ahead after a pause, and back


def examples(pairs: Pairs, config: TrainConfig) -> list:
    feed = Feed(pairs, config, 32)
    return [feed.example(step) for step in STEPS]


@pytest.mark.parametrize("output", ["ink", "distance"])  # read at each step, and kept in memory
def test_workers_make_the_same_batches(data_folder, output):
    pairs = Pairs(PairStore.open(data_folder).select(["bold", "slanted"]), "train")
    network = GeneratorConfig(grid=8, widths=(8, 16), output=output)
    here = TrainConfig(device="cpu", batch_size=8, generator=network, workers=0)
    for alone, ahead in zip(
        examples(pairs, here), examples(pairs, replace(here, workers=1)), strict=True
    ):
        for field in fields(alone):
            one, other = getattr(alone, field.name), getattr(ahead, field.name)
            assert (one is None and other is None) or torch.equal(one, other), field.name


def test_beginning_to_feed_leaves_the_random_numbers_of_training_alone(data_folder):
    pairs = Pairs(PairStore.open(data_folder).select(["bold", "slanted"]), "train")
    torch.manual_seed(1)
    wanted = torch.rand(3)
    for workers in (0, 1):
        feed = Feed(pairs, TrainConfig(device="cpu", batch_size=8, workers=workers), 32)
        torch.manual_seed(1)
        feed.example(5)
        assert torch.equal(torch.rand(3), wanted)


def test_no_seed_is_a_shifted_copy_of_another():
    steps = {step_seed(seed, step) for seed in range(20) for step in range(1000)}
    assert len(steps) == 20 * 1000 and step_seed(0, 7) == 7
    assert all(0 <= step_seed(seed, 1) < 2**63 for seed in (1, 2**63 - 1))
