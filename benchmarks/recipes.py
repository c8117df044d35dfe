"""Compare recipes: equal training time, the same pairs, the same evaluation.

    calligan render-pairs lxgw-wenkai ma-shan-zheng zhi-mang-xing …  --data demo/data
    python benchmarks/recipes.py --data demo/data --minutes 20 --out recipes

Trains calligan's own recipe and each preset for --minutes, one after the other, and prints the
table of `calligan evaluate` with one row per recipe, and images per second. An interrupted call
continues when repeated.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from calligan.evaluation.evaluate import MODEL, EvaluationPlan, evaluate
from calligan.evaluation.report import overall, write_report
from calligan.evaluation.scores import as_json
from calligan.project.run import Run
from calligan.storage import write_json

RECIPES = {"calligan": [], "zi2zi": ["--preset", "zi2zi"], "pix2pix": ["--preset", "pix2pix"]}


def train_recipe(name: str, options: argparse.Namespace) -> Run:
    """Train a recipe, or continue its run."""
    folder = options.out / name / "0001"
    if (folder / "run.json").exists():
        command = ["--resume", str(folder)]
    else:
        command = ["--data", str(options.data), "--runs", str(folder.parent), *RECIPES[name]]
        command += ["--minutes", str(options.minutes)]
        command += ["--styles", options.styles] if options.styles else []
        command += ["--sources", options.sources] if options.sources else []
    subprocess.run([sys.executable, "-m", "calligan", "train", *command], check=True)
    return Run.open(folder)


def images_per_s(run: Run) -> float:
    """Images per second over the whole run, including evaluations and checkpoints."""
    lines = (run.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    last = [row for row in map(json.loads, lines) if "elapsed_s" in row][-1]
    return last["images"] / last["elapsed_s"]


def main() -> None:
    """Train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("demo/data"))
    parser.add_argument("--styles", help="names with commas; default all of the data")
    parser.add_argument("--sources", help="names with commas; default all of the data")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--count", type=int, help="test characters per style; default all")
    parser.add_argument("--out", type=Path, default=Path("recipes"))
    options = parser.parse_args()
    runs = {name: train_recipe(name, options) for name in RECIPES}
    ours, *others = runs.items()
    against = {name: run.best for name, run in others}
    plan = EvaluationPlan(ours[1].best, ours[1].selection(), against, count=options.count)
    scores, glyphs = evaluate(plan)
    table = overall(scores)
    grid = Table(box=None, pad_edge=False)
    for title in (*table.head, "images/s"):
        grid.add_column(title, justify="right")
    speeds = {name: images_per_s(run) for name, run in runs.items()}
    for system, *cells in table.rows:
        name = "calligan" if system == MODEL else system
        grid.add_row(name, *cells, f"{speeds[name]:.0f}" if name in speeds else "")
    Console().print(grid)
    title = f"calligan: recipes, {options.minutes:g} minutes each"
    write_report(options.out / "report.html", title, str(options.data), scores, glyphs)
    write_json(options.out / "figures.json", {"images_per_s": speeds, **as_json(scores)})


if __name__ == "__main__":
    main()
