"""Time and memory of opening large synthetic data and choosing batches from it.

    python benchmarks/scale.py simulate [--fonts 1000] [--chars 30000] [--size 256] [--steps 2000]
    python benchmarks/scale.py workers DATA [--steps 60]
    python benchmarks/scale.py processes DATA [--steps 40]

`simulate` writes a data folder with sparse arrays, which take no disk space, opens and indexes it,
chooses batches and reads their glyphs. Memory is this process's own (`RssAnon`), without file
pages. `workers` times batches on real data, made in the training process or prefetched by worker
processes: alone, and with training steps. `processes` trains the default network on
a CPU in one process with two threads and in two with one thread each (torchrun), in
each of the three stages of a run; DATA is of 128 px.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from calligan.config import RasterConfig, SplitConfig, TrainConfig
from calligan.glyphs.placement import Placement
from calligan.pairs.batches import Pairs
from calligan.pairs.manifest import FontEntry, Manifest
from calligan.pairs.split import held_out
from calligan.pairs.store import PairStore

MISSING = 0.02  # share of characters missing in each font
BATCH, STYLES_PER_CHAR = 256, 4
HAN = (*range(0x4E00, 0x9FFF), *range(0x3400, 0x4DBF), *range(0x20000, 0x2A6DF))


def make_store(folder: Path, fonts: int, chars: int, size_px: int) -> PairStore:
    """Make a data folder of synthetic fonts, each with a few missing characters."""
    rng = np.random.default_rng(0)
    every = "".join(map(chr, HAN[:chars]))
    place = Placement.full_width(size_px)
    (folder / "glyphs").mkdir(parents=True)
    entries = []
    for number in range(fonts):
        there = np.flatnonzero(rng.random(chars) >= MISSING)
        shown = "".join(every[at] for at in there.tolist())
        name = f"font-{number:04}"
        role = "source" if number == 0 else "target"
        fields = (name, role, "", "0", None, "", name, name, "", "none", place)
        entries.append(FontEntry(*fields, shown))
        _write_sparse_array(folder / "glyphs" / f"{name}.npy", (len(shown), size_px, size_px))
    split = SplitConfig()
    parts = {part: held_out(every, part, split) for part in ("validation", "test")}
    raster = RasterConfig(size_px=size_px)
    manifest = Manifest(raster, split, "made up", every, parts, tuple(entries))
    manifest.save(folder)
    return PairStore(folder, manifest)


def _write_sparse_array(path: Path, shape: tuple[int, ...]) -> None:
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + int(np.prod(shape)))


def memory_mb() -> float:
    """The memory of this process, without file pages."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return float("nan")


def simulate(options: argparse.Namespace) -> None:
    """Make a data folder, open and index it, choose and read batches."""
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary) / "data"
        make_store(folder, options.fonts, options.chars, options.size)
        array_bytes = sum(path.stat().st_size for path in folder.rglob("*.npy"))
        manifest = (folder / "manifest.json").stat().st_size
        print(f"{options.fonts:,} fonts of {options.chars:,} characters at {options.size} px:")
        print(f"{array_bytes / 1e12:.2f} TB of arrays, manifest {manifest / 1e6:.0f} MB")
        before, started = memory_mb(), time.perf_counter()
        store = PairStore.open(folder)
        names = [font.name for font in store.manifest.of_role("target")]
        pairs = Pairs(store.select(names), "train")
        elapsed_s = time.perf_counter() - started
        print(f"opened and indexed in {elapsed_s:.1f} s, {memory_mb() - before:,.0f} MB more")
        glyphs = sum(map(len, pairs.chars))
        print(f"{glyphs:,} training glyphs: an epoch is {glyphs // BATCH:,} batches of {BATCH}")
        for part in range(4):
            started = time.perf_counter()
            for step in range(part * options.steps, (part + 1) * options.steps):
                pairs.choose(BATCH, STYLES_PER_CHAR, 0, step)
            each_ms = 1000 * (time.perf_counter() - started) / options.steps
            done = (part + 1) * options.steps
            print(f"after {done:,} batches: {each_ms:.2f} ms each, {memory_mb():,.0f} MB")
        started = time.perf_counter()
        pairs.glyphs()
        elapsed_s = time.perf_counter() - started
        print(f"arrays mapped in {elapsed_s:.1f} s, {memory_mb():,.0f} MB")
        started = time.perf_counter()
        for step in range(20):
            pairs.random(BATCH, STYLES_PER_CHAR, 1, step)
        each_ms = 1000 * (time.perf_counter() - started) / 20
        print(f"with glyphs (of sparse arrays): {each_ms:.1f} ms a batch, {memory_mb():,.0f} MB")


def workers(options: argparse.Namespace) -> None:
    """Time feeds with and without worker processes, alternately."""
    from calligan.training.feed import Feed
    from calligan.training.state import TrainState
    from calligan.training.steps import training_step

    store = PairStore.open(options.data)
    selection = store.select([font.name for font in store.manifest.of_role("target")])
    pairs, size_px = Pairs(selection, "train"), store.manifest.raster.size_px
    config = TrainConfig(device="cpu", precision="fp32", batch_size=64)
    stage = replace(config.stages[0], size_px=size_px, share=1.0)
    config = replace(config, stages=(stage,))
    for trains in (False, True):
        state = TrainState(config, len(selection.styles))
        for count in (0, 1, 2) * 2:
            feed = Feed(pairs, replace(config, workers=count), size_px)
            feed.example(0)
            started = time.perf_counter()
            for step in range(1, options.steps + 1):
                example = feed.example(step)
                if trains:
                    training_step(state, example, 0.0)
            rate = options.steps * config.batch_size / (time.perf_counter() - started)
            what = "training" if trains else "batches alone"
            print(f"{what}, {count} workers: {rate:,.0f} images/s", flush=True)


STAGES = {
    "rebuilding, 64 px": "size_px=64, adversarial=false",
    "rebuilding, 128 px": "size_px=128, adversarial=false",
    "adversarial, 128 px": "size_px=128, adversarial=true",
}


def processes(options: argparse.Namespace) -> None:
    """Images/s of a few steps of each stage, the first third left out."""
    together = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    ways = {
        "one process, two threads": ([sys.executable], "2"),
        "two processes, one thread each": (together, "1"),
    }
    for stage, settings in STAGES.items():
        for turn in range(2):
            for name, (starter, threads) in ways.items():
                rate = _images_per_second(options, settings, starter, threads)
                print(f"{stage}, {name} ({turn + 1}): {rate:.0f} images/s", flush=True)


def _images_per_second(
    options: argparse.Namespace, settings: str, starter: list[str], threads: str
) -> float:
    stage = f"{{share=1.0, {settings}, learning_rate=1e-3, learning_rate_end=1e-3}}"
    with tempfile.TemporaryDirectory() as runs:
        given = [f"stages=[{stage}]", "device=cpu", "log_every_steps=1", f"threads={threads}"]
        given += ["keep_every_steps=100000", "eval_chars=1", "sample_chars=1", "batch_size=64"]
        command = [*starter, "-m", "calligan", "train", "--data", str(options.data)]
        command += ["--runs", runs, "--steps", str(options.steps)]
        command += [part for setting in given for part in ("--set", setting)]
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        lines = (Path(runs) / "0001" / "log.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if "images" in row]
    first, last = rows[len(rows) // 3], rows[-1]
    return (last["images"] - first["images"]) / (last["elapsed_s"] - first["elapsed_s"])


def main() -> None:
    """Run one of the three commands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("simulate")
    one.add_argument("--fonts", type=int, default=1000)
    one.add_argument("--chars", type=int, default=30000)
    one.add_argument("--size", type=int, default=256)
    one.add_argument("--steps", type=int, default=2000)
    one.add_argument("--folder", type=Path, help="of the sparse arrays; default the system's")
    one.set_defaults(run=simulate)
    other = commands.add_parser("workers")
    other.add_argument("data", type=Path)
    other.add_argument("--steps", type=int, default=60)
    other.set_defaults(run=workers)
    third = commands.add_parser("processes")
    third.add_argument("data", type=Path)
    third.add_argument("--steps", type=int, default=40)
    third.set_defaults(run=processes)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
