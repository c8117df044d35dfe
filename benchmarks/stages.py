"""Where drawing spends its time, stage by stage, and what the cache saves.

    python benchmarks/stages.py                       # this checkout
    python benchmarks/stages.py --against ../older    # and an older one, in turns

Prints milliseconds of processor time a glyph for each stage, on one thread, of characters spread
over GB2312 in one style of the bundle; then those of all of it as commands do it, on all cores, and
the time passed. Processor time hardly depends on what else the machine does, but the time passed
does: the load is printed. Each checkout is timed in a process of its own, `--rounds` times in
turns, and the fastest round of each stage counts.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
STAGES = {  # a stage and the function that does it: module, class or "", name
    "source": ("calligan.inference.content", "FontSource", "images"),
    "network": ("calligan.models.predictor", "Predictor", "draw"),
    "reader": ("calligan.reader.judge", "Judge", "scores"),
    "detectors": ("calligan.inference.proofread", "", "faults"),
    "outlines": ("calligan.inference.writer", "Writer", "traced"),
}


def time_stages(count: int, style: str) -> dict[str, float]:
    """Milliseconds a glyph by stage, of the calligan that Python finds; run apart."""
    import importlib

    import torch

    import calligan
    from calligan.glyphs.charset import load_charset

    took: dict[str, float] = defaultdict(float)

    def watch(stage: str, module: str, owner: str, name: str) -> None:
        home = importlib.import_module(module)
        home = getattr(home, owner) if owner else home
        done = getattr(home, name)

        def watched(*arguments, **options):
            started = time.thread_time()
            try:
                return done(*arguments, **options)
            finally:
                took[stage] += time.thread_time() - started

        setattr(home, name, watched)

    every = load_charset("gb2312")
    chars = every[:: len(every) // count][:count]
    model = calligan.load("bundle", device="cpu")
    index, writer = model.style_index(style), model.writer
    writer.read(chars)
    writer.outlined("永和", index)  # opens the networks
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for stage, where in STAGES.items():
        watch(stage, *where)
    for start in range(0, count, 8):
        drawn = writer.draw(chars[start : start + 8], index)
        writer.traced([glyph.image for glyph in drawn], index)
    stages = dict(took)
    torch.set_num_threads(threads)
    model = calligan.load("bundle", device="cpu")
    model.writer.read(chars)
    model.writer.outlined("永和", index)
    passed, used = time.perf_counter(), time.process_time()
    model.writer.outlined(chars, index)
    stages["together, processor"] = time.process_time() - used
    stages["together, passed"] = time.perf_counter() - passed
    return {stage: 1000 * seconds / count for stage, seconds in stages.items()}


def time_commands(text: str, style: str) -> dict[str, float]:
    """Seconds of processor time of `infer`, the first time and again, in an empty cache."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "calligan", "infer", text, "--style", style, "--model"]
        line += ["bundle", "--wrap", "40", "--size", "40", "-o", f"{folder}/page.png"]
        fonts = Path(os.environ.get("CALLIGAN_CACHE") or Path.home() / ".cache/calligan")
        for name in ("fonts", "known-fonts"):
            Path(folder, name).symlink_to(fonts / name)
        environment = {**os.environ, "CALLIGAN_CACHE": folder, "CALLIGAN_NO_CACHE": ""}
        for what in ("infer, first", "infer, again"):
            before = os.times()
            subprocess.run(line, check=True, env=environment, cwd=folder, capture_output=True)
            after = os.times()
            used = after.children_user + after.children_system
            found[what] = used - before.children_user - before.children_system
    return found


def run_apart(checkout: Path, count: int, style: str) -> dict[str, float]:
    """The figures of a checkout, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "CALLIGAN_NO_CACHE": "1"}
    line = [sys.executable, __file__, "--apart", "--count", str(count), "--style", style]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Time each checkout in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--against", type=Path, help="another checkout of calligan")
    parser.add_argument("--count", type=int, default=256, help="characters")
    parser.add_argument("--style", default="1")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--apart", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.apart:
        from calligan.glyphs.charset import load_charset

        every = load_charset("gb2312")
        text = every[:: len(every) // options.count][: options.count]
        figures = time_stages(options.count, options.style) | time_commands(text, options.style)
        print(json.dumps(figures))
        return
    checkouts = [path.resolve() for path in (options.against, ROOT) if path]
    best: dict[Path, dict[str, float]] = {path: {} for path in checkouts}
    for _ in range(options.rounds):
        for path in checkouts:
            for stage, value in run_apart(path, options.count, options.style).items():
                best[path][stage] = min(value, best[path].get(stage, value))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {options.count} glyphs")
    table = Table(box=None, pad_edge=False)
    for name in ("ms a glyph (infer: s)", *(path.name for path in checkouts)):
        table.add_column(name, justify="left" if name[:2] == "ms" else "right")
    for stage in best[ROOT]:
        table.add_row(stage, *(f"{best[path][stage]:.1f}" for path in checkouts))
    Console().print(table)


if __name__ == "__main__":
    main()
