"""Train the bundle on a machine with one accelerator, many cores, no network and few minutes.

    python weights/gpu/train.py PACK OUT --minutes 9 [--work FOLDER] [--set KEY=VALUE ...]

PACK is what `pack.py` made. OUT gets log.jsonl, sheet.png, run.tar.00, run.tar.01 ..., each under
16 MiB: the run with its models and a checkpoint (weights in fp16, moments in bf16, Muon's momentum
left out, which twenty steps bring back). The same call with those files in OUT goes on there. They
are written anew after every evaluation, so that little is lost where the machine is taken away.
A finished run is trained further by a new one: --from MODEL --recipe weights/gpu/further.toml.
"""

import argparse
import io
import json
import shutil
import tarfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from fontfile import unsqueeze
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from calligan.config import RasterConfig, SplitConfig, TrainConfig
from calligan.glyphs.catalog import FontInfo, load_catalog
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import FontSpec
from calligan.models.distance import field_of_image
from calligan.pairs.batches import Pairs
from calligan.pairs.manifest import FontEntry
from calligan.pairs.store import PairStore, Selection
from calligan.project.run import Run
from calligan.settings import from_dict, load_toml, parse_setting, replaced
from calligan.storage import sha256_bytes, write_bytes, write_json
from calligan.training.device import resolve_device
from calligan.training.feed import Feed, to_example
from calligan.training.loop import Listener, train
from calligan.training.run import create_run
from calligan.training.state import TrainState, newest_verified
from calligan.training.steps import training_step
from calligan.training.transfer import fit_to_start, initial_state
from calligan.workers import usable_cores, worker_pool

PART_BYTES = 15_900_000
NEAR_BEST = 0.92  # the smallest batch that is as fast as this share of the fastest
HERE = Path(__file__).resolve().parent
BUNDLE = load_toml(HERE.parent / "bundle.toml")  # its fonts, charset and size
WHOLE = "run.tar.sha256"
STARTED = time.monotonic()


def main() -> None:
    """Render, measure, train, pack."""
    options = arguments()
    say(f"torch {torch.__version__}, {usable_cores()} cores, cuda {torch.cuda.is_available()}")
    options.out.mkdir(parents=True, exist_ok=True)
    selection = render(options.pack, options.work / "data", options.styles)
    torch.backends.cudnn.benchmark = True
    if parts(options.out):
        run = unpack_run(options.out, options.work / "runs", selection)
        state = TrainState(run.config, len(run.styles))
        state.load(newest_verified(run.checkpoints))
    else:
        config = configured(options, selection)
        run = create_run(options.work / "runs", config, selection, options.start)
        state = initial_state(config, selection, options.start)
    length = f"{run.config.steps} steps" if run.config.steps else f"{run.config.minutes} minutes"
    say(f"training: batch {run.config.batch_size}, {length}")
    if options.profile:
        profile(run.config, selection)
    listener = Listener(
        on_step=tell,
        on_evaluation=lambda row: (tell(row), pack_run(run, options.out)),
    )
    train(run, selection, state, listener)
    say("done")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=9.0, help="of training")
    parser.add_argument("--steps", type=int, help="train so many steps instead, to try it out")
    parser.add_argument("--work", type=Path, default=Path("/dev/shm/calligan"))
    parser.add_argument("--recipe", type=Path, default=HERE / "recipe.toml")
    parser.add_argument("--from", type=Path, dest="start", help="begin at this model's weights")
    parser.add_argument("--profile", action="store_true", help="print where a step's time goes")
    parser.add_argument("--styles", type=int, help="only the first N")
    parser.add_argument("--batches", default="128,256,512", help="batch sizes to measure")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    return parser.parse_args()


def say(text: str) -> None:
    """A line with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", flush=True)


def tell(row: dict[str, Any]) -> None:
    """A row of the log, without figures by style."""
    say(" ".join(f"{k}={v:.5g}" for k, v in row.items() if isinstance(v, int | float)))


def render(pack: Path, data: Path, count: int | None) -> Selection:
    """The data folder, made with a process a font if it is not there."""
    fonts = packed_fonts(pack)
    styles = [font["name"] for font in fonts if font["role"] == "target"][:count]
    wanted = [font for font in fonts if font["role"] == "source" or font["name"] in styles]
    wanted.sort(key=lambda font: -font["bytes"])  # the longest work first
    charset, raster = BUNDLE["charset"], RasterConfig(size_px=BUNDLE["size_px"])
    chars = load_charset(charset)
    store = PairStore.create_or_open(data, charset, chars, raster, SplitConfig())
    missing = [font for font in wanted if store.manifest.named(font["name"]) is None]
    if missing:
        jobs = [(store, data.parent / "fonts", font) for font in missing]
        with worker_pool() as pool:
            store.register(list(pool.map(_rendered, jobs)))
        say(f"rendered {sum(len(f.chars) for f in store.manifest.fonts):,} glyphs")
    return store.select(styles)


def packed_fonts(pack: Path) -> list[dict[str, Any]]:
    """What the pack holds, in the order of the bundle; a large pack is two folders."""
    found = []
    for listing in sorted((*pack.glob("pack.json"), *pack.glob("*/pack.json"))):
        fonts = json.loads(listing.read_text(encoding="utf-8"))["fonts"]
        found += [{**font, "path": listing.parent / font["file"]} for font in fonts]
    return found


def _rendered(job: tuple[PairStore, Path, dict[str, Any]]) -> FontEntry:
    """One font: unpacked, rasterized, told as the catalog's font."""
    store, folder, font = job
    info = load_catalog()[font["name"]]
    path = folder / f"{font['name']}.ttf"
    write_bytes(path, unsqueeze(font["path"].read_bytes()))
    packed = FontInfo(info.name, FontSpec(path), info.chinese, info.script, info.licence)
    entry = store.render(store.prepare(packed, font["role"]))
    return replace(
        entry, path="", face=str(font["catalog_face"]), font_sha256=font["catalog_sha256"]
    )


def configured(options: argparse.Namespace, selection: Selection) -> TrainConfig:
    """The recipe, with the batch size that is fastest here and an evaluation about every minute."""
    settings = dict(map(parse_setting, options.settings))
    minutes = None if options.steps else options.minutes
    given = {"minutes": minutes, "steps": options.steps, "device": "auto", **settings}
    config = resolve_device(replaced(from_dict(TrainConfig, load_toml(options.recipe)), given))
    if options.start:
        config = fit_to_start(config, options.start, selection.store.manifest.held_out)
    sizes = [int(size) for size in options.batches.split(",")]
    speeds = {size: images_per_s(config, selection, size) for size in sizes}
    best = min(s for s, speed in speeds.items() if speed >= NEAR_BEST * max(speeds.values()))
    every = max(10, round(60 * speeds[best] / best))
    config = replace(config, batch_size=best, keep_every_steps=every)
    config.validate()
    return config


def images_per_s(config: TrainConfig, selection: Selection, size: int) -> float:
    """Of adversarial steps with a batch size, not compiled."""
    last = replace(config.stages[-1], share=1.0)
    tried = replace(config, batch_size=size, stages=(last,), compile=False)
    state = TrainState(tried, len(selection.styles))
    batch = Pairs(selection, "train").random(size, tried.styles_per_char, 0, 0)
    example = to_example(batch, tried, last.size_px)
    example = replace(example, target_field=field_of_image(example.target))
    count, started = 0, 0.0
    for step in range(1000):
        training_step(state, example, 0.0)
        if step == 2:
            _wait(config.device)
            count, started = 0, time.monotonic()
        count += size
        if step > 2 and (step % 5 == 0 or config.device == "cpu"):
            _wait(config.device)
            if time.monotonic() - started > 3:
                break
    speed = count / (time.monotonic() - started)
    say(f"batch {size}: {speed:,.0f} images/s in the adversarial stage, not compiled")
    return speed


def profile(config: TrainConfig, selection: Selection) -> None:
    """Print what five steps of the last stage spend their time on, compiled as they will be."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    last = replace(config, stages=(replace(config.stages[-1], share=1.0),))
    state = TrainState(last, len(selection.styles))
    feed = Feed(Pairs(selection, "train"), last, last.stages[0].size_px)
    for step in range(5):
        training_step(state, feed.example(step), 0.0)
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] * torch.cuda.is_available())]
    started = time.monotonic()
    with profiler(activities=kinds) as found:
        for step in range(5, 10):
            training_step(state, feed.example(step), 0.0)
        _wait(last.device)
    say(f"five steps of {last.batch_size}: {time.monotonic() - started:.2f} s, with the profiler")
    for order in ("self_cuda_time_total", "self_cpu_time_total"):
        print(found.key_averages().table(sort_by=order, row_limit=25, max_name_column_width=60))


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def pack_run(run: Run, out: Path) -> None:
    """Write the run into OUT: a tar in parts, the log, the newest sheet."""
    checkpoint = newest_verified(run.checkpoints)
    tensors = from_bytes((checkpoint / "state.safetensors").read_bytes())
    small = to_bytes({k: _small(k, v) for k, v in tensors.items() if _is_kept(k)})
    counters = (checkpoint / "state.json").read_bytes()
    digests = {"state.safetensors": sha256_bytes(small), "state.json": sha256_bytes(counters)}
    files = {
        f"checkpoints/{checkpoint.name}/state.safetensors": small,
        f"checkpoints/{checkpoint.name}/state.json": counters,
        f"checkpoints/{checkpoint.name}/manifest.json": json.dumps(digests).encode(),
    }
    for path in [*run.folder.glob("*.json*"), *run.folder.glob("*.safetensors")]:
        if path != run.best or not run.last.exists():
            files[path.name] = path.read_bytes()
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    data = whole.getvalue()
    for number, start in enumerate(range(0, len(data), PART_BYTES)):
        write_bytes(out / f"run.tar.{number:02}", data[start : start + PART_BYTES])
    write_bytes(out / WHOLE, sha256_bytes(data).encode())  # last: parts without it are of two runs
    shutil.copyfile(run.folder / "log.jsonl", out / "log.jsonl")
    if sheets := sorted((run.folder / "samples").glob("*.png")):
        shutil.copyfile(sheets[-1], out / "sheet.png")


def unpack_run(out: Path, runs: Path, selection: Selection) -> Run:
    """The run whose parts lie in OUT, ready to go on with this machine's data."""
    data = b"".join(path.read_bytes() for path in parts(out))
    if not (out / WHOLE).is_file() or (out / WHOLE).read_text() != sha256_bytes(data):
        raise SystemExit(
            f"{out}: the parts are incomplete, or of two evaluations; empty the folder"
        )
    folder = runs / "0001"
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(folder, filter="data")
    about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    write_json(folder / "run.json", {**about, "data": str(selection.store.folder.resolve())})
    last = (folder / "last.safetensors").read_bytes()
    write_bytes(folder / "best.safetensors", last)
    path = newest_verified(folder / "checkpoints")
    tensors = from_bytes((path / "state.safetensors").read_bytes())
    averaged = {f"average/{k}": v for k, v in from_bytes(last).items()}
    whole = to_bytes({**averaged, **tensors})
    digests = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    write_bytes(path / "state.safetensors", whole)
    write_json(path / "manifest.json", {**digests, "state.safetensors": sha256_bytes(whole)})
    return Run.open(folder)


def parts(out: Path) -> list[Path]:
    """The parts of the run in OUT, in order."""
    return sorted(out.glob("run.tar.[0-9]*"))


def _is_kept(name: str) -> bool:
    """The average is the model itself; Muon's momentum comes back by itself."""
    return not name.startswith(("average/", "generator-muon/"))


def _small(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """A checkpoint's tensor in half the bytes; moments need bf16's range."""
    if tensor.dim() == 0 or not tensor.is_floating_point():
        return tensor
    return tensor.to(torch.bfloat16 if "-adamw/" in name else torch.float16)


if __name__ == "__main__":
    main()
