"""Build the bundle: the last run's model, its card and its logs.

    python weights/outlines.py runs/0002/last.safetensors outlines.json
    python weights/build.py outlines.json "on one GPU" runs/0001 runs/0002
    make report                 # evaluates it, and writes metrics.json
    python weights/build.py outlines.json "on one GPU" runs/0001 runs/0002    # again, for the card

The runs are those that led to the model, in order, each started from the previous one (`--from`).
With --further they continued the present bundle, and the records of its runs are kept.

Writes, in this folder: calligan.safetensors, calligan-critic.safetensors (for `learn`),
config.json (of every run, with its seconds and images), log.jsonl (every evaluation),
MODEL_CARD.md with the figures of metrics.json. The card gets each style's stroke weight and
tolerance of curves.
"""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from calligan.evaluation.scores import METRICS
from calligan.glyphs.catalog import load_catalog
from calligan.models.card import FontCard, ModelCard
from calligan.models.weights import critic_path, load_model, save_model
from calligan.project.run import Run
from calligan.storage import write_bytes, write_json

HERE = Path(__file__).resolve().parent
SHOWN_METRICS = ("l1", "ssim", "content", "style", "mid_grey", "edge_slope")


def main() -> None:
    """Copy the model and write its files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("outlines", type=Path)
    parser.add_argument("machine")
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--further", action="store_true", help="they continued the present bundle")
    options = parser.parse_args()
    outlines = json.loads(options.outlines.read_text())
    runs = [Run.open(folder) for folder in options.runs]
    model, last = HERE / "calligan.safetensors", runs[-1].last
    generator, card = load_model(last)
    shutil.copyfile(critic_path(runs[-1].best), critic_path(model))
    styles = (replace(style, **outlines[style.name]) for style in card.styles)
    card = replace(card, styles=tuple(styles))
    save_model(model, generator, card)
    for font in (*card.styles, *card.sources):
        if font.path:
            raise SystemExit(f"{font.name} is not in the catalog; all fonts of the bundle must be")
    configs = [json.loads((run.folder / "config.json").read_text()) for run in runs]
    records = [
        {**last_counts(run), "config": config} for run, config in zip(runs, configs, strict=True)
    ]
    before, log = recorded(records) if options.further else ([], [])
    log += evaluations(runs, first=len(before) + 1)
    records = before + records
    write_json(HERE / "config.json", {"runs": records})
    write_bytes(HERE / "log.jsonl", "".join(log).encode())
    metrics = json.loads((HERE / "metrics.json").read_text())
    text = model_card_text(card, metrics, records, model, options.machine)
    write_bytes(HERE / "MODEL_CARD.md", text.encode())


def recorded(new: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The records and the evaluations of the present bundle's runs, without the new ones."""
    records = json.loads((HERE / "config.json").read_text())["runs"]
    kept = [record for record in records if record not in new]
    log = (HERE / "log.jsonl").read_text().splitlines(keepends=True)
    return kept, [row for row in log if json.loads(row)["run"] <= len(kept)]


def evaluations(runs: list[Run], first: int) -> list[str]:
    """The evaluation rows of the logs, each with the number of its run."""
    found = []
    for number, run in enumerate(runs, start=first):
        for line in (run.folder / "log.jsonl").read_text().splitlines():
            row = json.loads(line)
            if "validation_l1" in row:
                found.append(json.dumps({"run": number, **row}) + "\n")
    return found


def model_card_text(
    card: ModelCard, metrics: dict, records: list[dict], model: Path, machine: str
) -> str:
    """The text of MODEL_CARD.md."""
    rows = metrics["means"]
    minutes = sum(record["seconds"] for record in records) / 60
    images = sum(record["images"] for record in records)
    lines = [
        "# The bundled model",
        "",
        f"`calligan.safetensors`, {model.stat().st_size / 1e6:.1f} MB of fp16 weights: "
        f"{len(card.styles)} hands at {card.size_px} px, drawn from any regular Chinese font.",
        "Made by `weights/build.py` from the runs in `config.json`; `log.jsonl` holds every",
        "evaluation, `metrics.json` every figure with its n and its 95 % interval.",
        "",
        f"- Training: {minutes:.0f} minutes {machine}, {images:,} images.",
        f"- Characters: {len(card.trained_chars):,} trained; held out of every style "
        + ", ".join(f"{len(chars):,} {part}" for part, chars in card.held_out.items())
        + " (by hash of seed and codepoint).",
        f"- Sources: {', '.join(font.name for font in card.sources)}; drawn at random in training.",
        "- It draws only what its source font has; it can draw wrong strokes, above all in 草.",
        "",
        "## Styles, and figures on held-out (test) characters",
        "",
        "| | name | hand | script | n | "
        + " | ".join(metric_title(key) for key in SHOWN_METRICS)
        + " |",
        "|---" * (5 + len(SHOWN_METRICS)) + "|",
    ]
    for number, font in enumerate(card.styles, start=1):
        figures = rows[f"style {font.name}"]["model"]
        cells = [f"{figures[key]['mean']:.3f}" if key in figures else "–" for key in SHOWN_METRICS]
        head = [str(number), font.name, font.chinese, font.script, str(figures["l1"]["n"])]
        lines.append("| " + " | ".join([*head, *cells]) + " |")
    lines += ["", "Over all styles, with baselines:", ""]
    lines += ["| | " + " | ".join(metric_title(key) for key in SHOWN_METRICS) + " |"]
    lines += ["|---" * (1 + len(SHOWN_METRICS)) + "|"]
    for system, means in rows["all"].items():
        cells = [f"{means[key]['mean']:.3f}" if key in means else "–" for key in SHOWN_METRICS]
        lines.append("| " + " | ".join([system, *cells]) + " |")
    lines += ["", "## Fonts and their licences", "", "| font | author | licence | role |"]
    lines += ["|---|---|---|---|"]
    for role, fonts in (("style", card.styles), ("source", card.sources)):
        lines += [f"| {f.name} {f.chinese} | {author(f)} | {f.licence} | {role} |" for f in fonts]
    lines += ["", "The licences' texts come with each font (`calligan fonts fetch NAME`)."]
    return "\n".join(lines) + "\n"


def last_counts(run: Run) -> dict[str, int]:
    """Seconds and number of images of a run."""
    rows = map(json.loads, (run.folder / "log.jsonl").read_text().splitlines())
    last = [row for row in rows if "elapsed_s" in row][-1]
    return {"seconds": round(last["elapsed_s"]), "images": last["images"]}


def metric_title(key: str) -> str:
    """The display name of a metric."""
    return next(metric.title for metric in METRICS if metric.name == key)


def author(font: FontCard) -> str:
    """The author of a font, from the catalog."""
    return load_catalog()[font.name].author


if __name__ == "__main__":
    main()
