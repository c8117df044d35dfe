"""Compare adversarial objectives: equal training time, data, seed and evaluation.

    calligan render-pairs lxgw-wenkai ma-shan-zheng zhi-mang-xing liu-jian-mao-cao long-cang \
        zcool-xiaowei
    python benchmarks/objectives.py data --out objectives
    python benchmarks/objectives.py data --out objectives --rows conditions

The first call trains every objective alone. The second uses the default objective and changes one
setting: the discriminator's input, its negatives, or the generator's losses.

All runs start from one network that was trained without a discriminator (--start-minutes), and are
trained for --minutes. Prints a table and writes it as JSON, with a sheet of held-out glyphs, one
row per run. An interrupted call continues when repeated.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from calligan.config import OBJECTIVE_RULES
from calligan.errors import Diverged
from calligan.evaluation.evaluate import MODEL, EvaluationPlan, Glyphs, draw_glyphs, judge
from calligan.evaluation.recogniser import Recogniser
from calligan.evaluation.scores import REAL
from calligan.page.sheet import Row, contact_sheet, save_png
from calligan.project.run import Run
from calligan.storage import atomic_file, write_json

START = "start"  # the network that all start from
DEFAULT = "default"  # the settings of `train`: hinge and feature matching
METRICS = ("l1", "ssim", "content", "style", "mid_grey", "edge_slope")
_RECONSTRUCTION_STAGE = (
    "share=1.0, size_px=64, adversarial=false, learning_rate=2e-3, learning_rate_end=6e-4"
)
_ADVERSARIAL_STAGE = (
    "share=1.0, size_px=64, adversarial=true, learning_rate=6e-4, learning_rate_end=6e-5"
)
_FAST_AVERAGE = "ema_decay=0.99"  # for short runs
# The objective alone, without feature matching, which dominates the default recipe.
_ALONE = ["loss.feature_matching=0", "loss.adversarial=0.1"]
# Settings that an objective needs; others are those of its paper, or the default.
NEEDS = {
    "ebgan": ["discriminator.kind=autoencoder"],
}
GAMES = {
    **{name: [f"loss.objective={name}", *NEEDS.get(name, []), *_ALONE] for name in OBJECTIVE_RULES},
    DEFAULT: [],
}
CONDITIONS = {  # the default settings with one change
    DEFAULT: [],
    "spectral-norm": ["discriminator.spectral_norm=true"],
    "two-scales": ["discriminator.scales=2"],
    "r1": ["loss.penalty=1"],
    "no-wrong-style": ["loss.wrong_style=0"],
    "wrong-character": ["loss.wrong_character=0.5"],
    "heads-apart": ["discriminator.heads=apart", "loss.wrong_character=0.5"],
    "names-styles": ["discriminator.names_styles=true", "loss.category=0.1"],
    "label-shuffling": ["loss.label_shuffling=true"],
    "constancy": ["loss.constancy=1"],
    "reader": ["loss.reader=0.02"],
    "reader-more": ["loss.reader=0.1"],
}
TABLES = {"games": GAMES, "conditions": CONDITIONS}
ROWS = {**GAMES, **CONDITIONS}
SPIKE_FACTOR = 5  # a loss above this many times the median is a spike
SHOWN, SHOWN_PX = 4, 64  # glyphs per style in the sheet, and their size


def train_row(name: str, options: argparse.Namespace) -> Run | None:
    """Train a row, or continue it; None where it diverged."""
    folder = options.out / name / "0001"
    if (folder / "run.json").exists():
        command = ["--resume", str(folder)]
    else:
        command = ["--data", str(options.data), "--runs", str(folder.parent)]
        command += train_options(name, options)
    done = subprocess.run([sys.executable, "-m", "calligan", "train", *command], check=False)
    if done.returncode == Diverged.exit_code:
        return None
    if done.returncode:
        raise SystemExit(done.returncode)
    return Run.open(folder)


def train_options(name: str, options: argparse.Namespace) -> list[str]:
    """The options of `train`: for the common start, or for a row that starts from it."""
    first = name == START
    settings = [f"stages=[{{{_RECONSTRUCTION_STAGE if first else _ADVERSARIAL_STAGE}}}]"]
    if not first:
        settings += [_FAST_AVERAGE, *ROWS[name], *(options.set or [])]
    command = ["--minutes", str(options.start_minutes if first else options.minutes)]
    if not first:
        command += ["--from", str(options.out / START / "0001")]
    return command + [part for setting in settings for part in ("--set", setting)]


def read_log(run: Run) -> list[dict]:
    """The rows of the log that have losses."""
    lines = (run.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if "elapsed_s" in row]


def count_spikes(rows: list[dict]) -> int:
    """How often the generator's loss exceeds five times its median."""
    losses = np.abs([row["g"] for row in rows if "d" in row and "g" in row])
    return int((losses > SPIKE_FACTOR * np.median(losses)).sum()) if len(losses) else 0


def mean_difference(images: np.ndarray) -> float:
    """The mean L1 between glyphs of different characters; near 0 after mode collapse."""
    ink = (255 - images.reshape(len(images), -1).astype(np.float32)) / 255
    return float(np.mean([np.abs(ink - np.roll(ink, k, 0)).mean() for k in range(1, 6)]))


def inception_score(probabilities: np.ndarray) -> float:
    """exp of the mean KL divergence of p(y|x) from p(y) (Salimans et al. 2016)."""
    p = probabilities.clip(1e-12)
    return float(np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean()))


def judge_runs(runs: dict[str, Run], count: int) -> tuple[dict, Glyphs]:
    """Figures of every row, of the common start and of real glyphs; and the glyphs."""
    start, reader = runs[START], Recogniser()
    against = {name: run.best for name, run in runs.items() if name != START}
    plan = EvaluationPlan(start.best, start.selection(), against, count=count)
    glyphs = draw_glyphs(plan, lambda what, done, of: None)
    scores = judge(glyphs, plan, lambda what, done, of: None)
    real = mean_difference(np.concatenate(glyphs.drawn[REAL]))
    figures = {}
    for name in (*runs, REAL):
        system = MODEL if name == START else name
        means = {metric: scores.mean(system, metric) for metric in METRICS}
        figures[name] = {metric: mean.mean for metric, mean in means.items() if mean is not None}
        drawn = np.concatenate(glyphs.drawn[system])
        figures[name]["frechet"] = scores.sets.get("recogniser_frechet", {}).get(system)
        figures[name]["inception"] = inception_score(reader.probabilities(drawn))
        figures[name]["spread"] = mean_difference(drawn) / real
        if name in runs:
            rows = read_log(runs[name])
            figures[name]["steps"] = rows[-1]["step"]
            figures[name]["images_per_s"] = rows[-1]["images"] / rows[-1]["elapsed_s"]
            figures[name]["spikes"] = count_spikes(rows)
    return figures, glyphs


def sheet_row(name: str, glyphs: list[np.ndarray]) -> Row:
    """A row of the sheet: the first characters of each style."""
    return Row(name, list(np.concatenate([images[:SHOWN] for images in glyphs])))


def main() -> None:
    """Train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--start-minutes", type=float, default=4)
    parser.add_argument("--count", type=int, default=60, help="test characters per style")
    parser.add_argument("--rows", default="games", help="games, conditions, or names of rows")
    parser.add_argument("--set", action="append", help="a setting for all rows; repeatable")
    parser.add_argument("--out", type=Path, default=Path("objectives"))
    options = parser.parse_args()
    names = (START, *TABLES.get(options.rows, options.rows.split(",")))
    if unknown := [name for name in names[1:] if name not in ROWS]:
        parser.error(f"no row {unknown[0]!r}; there are: {', '.join(ROWS)}")
    tried = {name: train_row(name, options) for name in names}
    runs = {name: run for name, run in tried.items() if run is not None}
    figures, glyphs = judge_runs(runs, options.count)
    figures |= {name: {"diverged": True} for name in tried.keys() - runs.keys()}
    title = options.rows if options.rows in TABLES else "rows"
    write_json(options.out / f"{title}.json", figures)
    drawn = {"source": glyphs.source, START: glyphs.drawn[MODEL], **glyphs.drawn}
    rows = [sheet_row(name, drawn[name]) for name in ("source", *runs, REAL)]
    with atomic_file(options.out / f"{title}.png") as file:
        save_png(contact_sheet(rows, SHOWN_PX), file)
    columns = list(dict.fromkeys(key for row in figures.values() for key in row))
    table = Table(box=None)
    for column in ("row", *columns):
        table.add_column(column.replace("_", " "), justify="right")
    for name, row in figures.items():
        values = (row.get(key) for key in columns)
        table.add_row(name, *("–" if value is None else f"{value:.3g}" for value in values))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
