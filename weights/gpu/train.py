"""Train the bundle on a machine with one GPU and many cores, without network access.

    python weights/gpu/train.py PACK OUT --minutes 9 [--work FOLDER] [--set KEY=VALUE ...]
                                [--letters-minutes 1.5]

PACK is what `pack.py` made. OUT gets log.jsonl, sheet.png, run.tar.00, run.tar.01 ..., each under
16 MiB: the run with its models and a checkpoint (weights in fp16, moments in bf16, without Muon's
momentum, which recovers in twenty steps). The same call with those files in OUT continues the run.
They are rewritten after every evaluation, so that little is lost if the machine goes away. A
finished run is continued by a new one: --from MODEL --recipe weights/gpu/further.toml.

With --letters-minutes, the decoder of letters, digits, marks and kana is trained afterwards, from
the run's decoder, or with --from from weights/non-han.safetensors: OUT/non-han.safetensors.
"""

import argparse
import io
import json
import shutil
import sys
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
from calligan.training.cuda_graph import StepRunner
from calligan.training.device import resolve_device
from calligan.training.feed import Feed, to_example
from calligan.training.loop import Listener, train
from calligan.training.new_run import create_run
from calligan.training.state import TrainState, newest_verified
from calligan.training.transfer import fit_to_start, initial_state
from calligan.workers import usable_cores, worker_pool

PART_BYTES = 15_900_000
MIN_SPEED_SHARE = 0.92  # of the fastest batch size; the smallest one that reaches it is used
WARM_UP_STEPS = 6  # before a time is taken: compilation, recording
HERE = Path(__file__).resolve().parent
BUNDLE = load_toml(HERE.parent / "bundle.toml")  # fonts, charset and size
CHECKSUM_FILE = "run.tar.sha256"
LETTERS_FILE, LETTERS_BATCH = "letters.tar.xz", 128
STARTED = time.monotonic()


def main() -> None:
    """Render the data, choose the batch size, train, and pack the run."""
    options = arguments()
    print_line(
        f"torch {torch.__version__}, {usable_cores()} cores, cuda {torch.cuda.is_available()}"
    )
    options.out.mkdir(parents=True, exist_ok=True)
    selection = render(options.pack, options.work / "data", options.styles)
    torch.backends.cudnn.benchmark = True
    if parts(options.out):
        run = unpack_run(options.out, options.work / "runs", selection)
        state = TrainState(run.config, len(run.styles))
        state.load(newest_verified(run.checkpoints))
    else:
        config = make_config(options, selection)
        run = create_run(options.work / "runs", config, selection, options.start)
        state = initial_state(config, selection, options.start)
    length = f"{run.config.steps} steps" if run.config.steps else f"{run.config.minutes} minutes"
    print_line(f"training: batch {run.config.batch_size}, {length}")
    if options.profile:
        profile(run.config, selection)
    listener = Listener(
        on_step=print_row,
        on_evaluation=lambda row: (print_row(row), pack_run(run, options.out)),
    )
    train(run, selection, state, listener)
    if options.letters_minutes:
        train_letters(options, run)
    print_line("done")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=9.0, help="of training")
    parser.add_argument("--steps", type=int, help="train for N steps instead, as a test")
    parser.add_argument("--letters-minutes", type=float, help="of training letters, afterwards")
    parser.add_argument("--work", type=Path, default=Path("/dev/shm/calligan"))
    parser.add_argument("--recipe", type=Path, default=HERE / "recipe.toml")
    parser.add_argument("--from", type=Path, dest="start", help="start from this model's weights")
    parser.add_argument("--profile", action="store_true", help="print where a step's time goes")
    parser.add_argument("--styles", type=int, help="only the first N")
    parser.add_argument("--batches", default="128,256,512", help="batch sizes to measure")
    parser.add_argument("--evaluate-every", type=int, help="steps; default about one minute")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    return parser.parse_args()


def train_letters(options: argparse.Namespace, run: Run) -> None:
    """Train the decoder of letters, digits, marks and kana for the run's model."""
    sys.path.append(str(HERE.parent))
    import non_han

    (packed,) = (*options.pack.glob(LETTERS_FILE), *options.pack.glob(f"*/{LETTERS_FILE}"))
    data, model = options.work / "letters", run.last if run.last.exists() else run.best
    if not data.exists():
        part = data.with_name("letters.part")  # complete once it is renamed
        shutil.rmtree(part, ignore_errors=True)
        with tarfile.open(packed) as tar:
            tar.extractall(part, filter="data")
        part.rename(data)
    many = {"batch_size": LETTERS_BATCH, "compile": True, "cuda_graphs": True}
    config = non_han.config_of(
        options.letters_minutes, **(many if torch.cuda.is_available() else {})
    )
    start = non_han.Start(HERE.parent / "non-han.safetensors") if options.start else None
    print_line(f"letters: batch {config.batch_size}, {config.minutes} minutes")
    selection = non_han.selection_of(data, model)
    chosen = non_han.NonHanCard()  # weights/legible.py chooses, where the fonts are
    non_han.train(selection, options.out / "non-han.safetensors", config, start, chosen, model)


def print_line(text: str) -> None:
    """Print a line with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", flush=True)


def print_row(row: dict[str, Any]) -> None:
    """Print a row of the log, without figures by style."""
    print_line(" ".join(f"{k}={v:.5g}" for k, v in row.items() if isinstance(v, int | float)))


def render(pack: Path, data: Path, count: int | None) -> Selection:
    """The data folder; missing fonts are rendered, with one process per font."""
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
            store.register(list(pool.map(_render_font, jobs)))
        print_line(f"rendered {sum(len(f.chars) for f in store.manifest.fonts):,} glyphs")
    return store.select(styles)


def packed_fonts(pack: Path) -> list[dict[str, Any]]:
    """The fonts in the pack, in the bundle's order; a large pack has two folders."""
    found = []
    for listing in sorted((*pack.glob("pack.json"), *pack.glob("*/pack.json"))):
        fonts = json.loads(listing.read_text(encoding="utf-8"))["fonts"]
        found += [{**font, "path": listing.parent / font["file"]} for font in fonts]
    return found


def _render_font(job: tuple[PairStore, Path, dict[str, Any]]) -> FontEntry:
    """Unpack and rasterize one font; its entry is that of the catalog's font."""
    store, folder, font = job
    info = load_catalog()[font["name"]]
    path = folder / f"{font['name']}.ttf"
    write_bytes(path, unsqueeze(font["path"].read_bytes()))
    packed = FontInfo(info.name, FontSpec(path), info.chinese, info.script, info.licence)
    entry = store.render(store.prepare(packed, font["role"]))
    return replace(
        entry, path="", face=str(font["catalog_face"]), font_sha256=font["catalog_sha256"]
    )


def make_config(options: argparse.Namespace, selection: Selection) -> TrainConfig:
    """The recipe, with a fast batch size and, by default, an evaluation about once per minute."""
    settings = dict(map(parse_setting, options.settings))
    minutes = None if options.steps else options.minutes
    given = {"minutes": minutes, "steps": options.steps, "device": "auto", **settings}
    config = resolve_device(replaced(from_dict(TrainConfig, load_toml(options.recipe)), given))
    if options.start:
        config = fit_to_start(config, options.start, selection.store.manifest.held_out)
    sizes, every = [int(size) for size in options.batches.split(",")], options.evaluate_every
    if every is None or len(sizes) > 1:
        speeds = {size: images_per_s(config, selection, size) for size in sizes}
        fast = MIN_SPEED_SHARE * max(speeds.values())
        sizes = [size for size in sizes if speeds[size] >= fast]
        every = every or max(10, round(60 * speeds[min(sizes)] / min(sizes)))
    config = replace(config, batch_size=min(sizes), keep_every_steps=every)
    config.validate()
    return config


def images_per_s(config: TrainConfig, selection: Selection, size: int) -> float:
    """The speed of adversarial steps with a batch size, not compiled."""
    last = replace(config.stages[-1], share=1.0)
    tried = replace(config, batch_size=size, stages=(last,), compile=False)
    state = TrainState(tried, len(selection.styles))
    batch = Pairs(selection, "train").random(size, tried.styles_per_char, 0, 0)
    example = to_example(batch, tried, last.size_px)
    example = replace(example, target_field=field_of_image(example.target))
    count, started, run_step = 0, 0.0, StepRunner(tried)
    for step in range(1000):
        run_step(state, example, 0.0)
        if step == WARM_UP_STEPS:
            _synchronize(config.device)
            count, started = 0, time.monotonic()
        count += size
        if step > WARM_UP_STEPS and (step % 5 == 0 or config.device == "cpu"):
            _synchronize(config.device)
            if time.monotonic() - started > 3:
                break
    speed = count / (time.monotonic() - started)
    print_line(f"batch {size}: {speed:,.0f} images/s in the adversarial stage, not compiled")
    return speed


def profile(config: TrainConfig, selection: Selection) -> None:
    """Print a profile of five steps of the last stage, compiled if configured."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    last = replace(config, stages=(replace(config.stages[-1], share=1.0),))
    state = TrainState(last, len(selection.styles))
    feed = Feed(Pairs(selection, "train"), last, last.stages[0].size_px)
    first, run_step = WARM_UP_STEPS + 1, StepRunner(last)
    for step in range(first):
        run_step(state, feed.example(step), 0.0)
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] * torch.cuda.is_available())]
    started = time.monotonic()
    with profiler(activities=kinds) as found:
        for step in range(first, first + 5):
            run_step(state, feed.example(step), 0.0)
        _synchronize(last.device)
    print_line(
        f"five steps of {last.batch_size}: {time.monotonic() - started:.2f} s, with the profiler"
    )
    for order in ("self_cuda_time_total", "self_cpu_time_total"):
        print(found.key_averages().table(sort_by=order, row_limit=25, max_name_column_width=60))


def _synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def pack_run(run: Run, out: Path) -> None:
    """Write the run into OUT: a tar in parts, the log, and the newest sample sheet."""
    checkpoint = newest_verified(run.checkpoints)
    tensors = from_bytes((checkpoint / "state.safetensors").read_bytes())
    small = to_bytes({k: _compressed(k, v) for k, v in tensors.items() if _is_packed(k)})
    counters = (checkpoint / "state.json").read_bytes()
    digests = {"state.safetensors": sha256_bytes(small), "state.json": sha256_bytes(counters)}
    files = {
        f"checkpoints/{checkpoint.name}/state.safetensors": small,
        f"checkpoints/{checkpoint.name}/state.json": counters,
        f"checkpoints/{checkpoint.name}/manifest.json": json.dumps(digests).encode(),
    }
    for path in [*run.folder.glob("*.json*"), *run.folder.glob("*.safetensors")]:
        if path.name.startswith("start"):
            continue  # the receiver has it
        if path != run.best or not run.last.exists():
            files[path.name] = path.read_bytes()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    data = archive.getvalue()
    for number, start in enumerate(range(0, len(data), PART_BYTES)):
        write_bytes(out / f"run.tar.{number:02}", data[start : start + PART_BYTES])
    # Last: it marks the parts as complete.
    write_bytes(out / CHECKSUM_FILE, sha256_bytes(data).encode())
    shutil.copyfile(run.folder / "log.jsonl", out / "log.jsonl")
    if sheets := sorted((run.folder / "samples").glob("*.png")):
        shutil.copyfile(sheets[-1], out / "sheet.png")


def unpack_run(out: Path, runs: Path, selection: Selection) -> Run:
    """Unpack the run in OUT, to continue it with this machine's data."""
    data = b"".join(path.read_bytes() for path in parts(out))
    checksum = out / CHECKSUM_FILE
    if not checksum.is_file() or checksum.read_text() != sha256_bytes(data):
        raise SystemExit(
            f"{out}: the parts are incomplete, or of different evaluations; empty the folder"
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
    state = to_bytes({**averaged, **tensors})
    digests = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    write_bytes(path / "state.safetensors", state)
    write_json(path / "manifest.json", {**digests, "state.safetensors": sha256_bytes(state)})
    return Run.open(folder)


def parts(out: Path) -> list[Path]:
    """The parts of the run in OUT, in order."""
    return sorted(out.glob("run.tar.[0-9]*"))


def _is_packed(name: str) -> bool:
    """Skips the average, which is the model itself, and Muon's momentum, which recovers."""
    return not name.startswith(("average/", "generator-muon/"))


def _compressed(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """A checkpoint's tensor in 16 bits; moments need the range of bf16."""
    if tensor.dim() == 0 or not tensor.is_floating_point():
        return tensor
    return tensor.to(torch.bfloat16 if "-adamw/" in name else torch.float16)


if __name__ == "__main__":
    main()
