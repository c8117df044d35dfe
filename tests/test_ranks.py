"""Several processes, one run: they come to the same weights as one process does."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from train_together import train_until

from calligan.config import (
    AugmentConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    StageConfig,
    TrainConfig,
)
from calligan.errors import ConfigError
from calligan.pairs.store import PairStore
from calligan.training.new_run import Run, create_run
from calligan.training.ranks import Ranks
from calligan.training.state import newest_verified

STEPS = 5
CONFIG = TrainConfig(
    steps=STEPS,
    minutes=None,
    batch_size=8,
    styles_per_char=2,
    eval_chars=2,
    sample_chars=2,
    keep_every_steps=100,
    warmup_steps=1,
    device="cpu",
    precision="fp32",
    generator=GeneratorConfig(grid=8, widths=(8, 16), style_dim=8, output="distance"),
    discriminator=DiscriminatorConfig(grid=32, widths=(8, 8), scales=2, crop_px=16),
    augment=AugmentConfig(amount=1.0),
    stages=(StageConfig(0.4, 32, False, 1e-3, 1e-3), StageConfig(0.6, 32, True, 1e-3, 1e-3)),
)


@pytest.fixture
def new_run(data_folder, tmp_path):
    def made() -> Run:
        store = PairStore.open(data_folder)
        return create_run(tmp_path / "runs", CONFIG, store.select(["bold", "slanted"]))

    return made


def go_on(run: Run, processes: int, until: int = STEPS) -> None:
    """Train a run in so many processes, to a step; in this one, if in one."""
    if processes == 1:
        train_until(run.folder, until)
        return
    script = [str(Path(__file__).with_name("train_together.py")), str(run.folder), str(until)]
    together = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *together, *script]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def weights(run: Run) -> dict[str, torch.Tensor]:
    """Of the newest checkpoint: networks, average and discriminator."""
    tensors = load_file(newest_verified(run.checkpoints) / "state.safetensors")
    return {k: v for k, v in tensors.items() if "adamw" not in k and "muon" not in k}


def test_two_processes_train_as_one_and_go_on_as_one(new_run):
    alone, together, mixed = new_run(), new_run(), new_run()
    go_on(alone, 1)
    go_on(together, 2)
    go_on(mixed, 2, until=3)
    go_on(mixed, 1)
    wanted = weights(alone)
    assert any(name.startswith("discriminator/") for name in wanted)
    for run in (together, mixed):
        found = weights(run)
        assert found.keys() == wanted.keys()
        # Adam turns a gradient that is all rounding into a whole step, so single weights may part.
        apart = torch.cat([(found[k] - wanted[k]).abs().flatten() for k in wanted])
        assert apart.mean() < 1e-5 and (apart > 1e-4).float().mean() < 0.01, apart.mean()
        lines = (run.folder / "log.jsonl").read_text().splitlines()
        assert len(lines) == len(set(lines))  # one process writes


def test_shares_make_up_the_batch():
    parts = [list(range(12))[Ranks(rank, 3).share(12)] for rank in range(3)]
    assert [each for part in parts for each in part] == list(range(12))
    assert [len(part) for part in parts] == [4, 4, 4]
    Ranks(0, 2).check(8, 2)
    with pytest.raises(ConfigError, match="multiple of 4"):
        Ranks(0, 2).check(6, 2)


def test_shares_are_augmented_as_in_the_whole_batch():
    from calligan.training.augment import augment_fields

    fields = torch.randn(4, 1, 16, 16).clamp(-3, 3)
    config = replace(CONFIG.augment, weight=0.5)
    whole = augment_fields(fields, fields.repeat_interleave(2, 0), config, 7)
    for rank in range(2):
        ranks = Ranks(rank, 2)
        source = fields[ranks.share(4)]
        mine = augment_fields(source, source.repeat_interleave(2, 0), config, 7, ranks)
        assert torch.equal(mine[0], whole[0][ranks.share(4)])
        assert torch.equal(mine[1], whole[1][ranks.share(8)])


def test_torchrun_starts_the_command(data_folder, tiny_settings, tmp_path):
    runs = tmp_path / "runs"
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "calligan"]
    command = [sys.executable, *start, "train", "--data", str(data_folder), "--runs", str(runs)]
    command += [*tiny_settings, "--set", "batch_size=4", "--set", "styles_per_char=1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--steps", "4"], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(runs / "0001" / "best.safetensors")]  # one process tells
    assert done.stderr.count("next: calligan infer") == 1
    odd = subprocess.run(
        [*command, "--steps", "4", "--set", "batch_size=3"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert odd.returncode != 0 and "2 processes need a multiple of 2" in odd.stderr
    assert not (runs / "0002").exists()
