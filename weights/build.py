"""Build the bundle: the last run's model, its card and its logs.

    python weights/outlines.py runs/0002/last.safetensors outlines.json
    python weights/build.py outlines.json "on one GPU" runs/0001 runs/0002
    make report                 # evaluates it, and writes metrics.json
    python weights/build.py outlines.json "on one GPU" runs/0001 runs/0002    # again, for the card

The runs are those that led to the model, in order, each started from the previous one (`--from`).
Writes, in this folder: calligan.safetensors, calligan-critic.safetensors (for `learn`),
config.json, log.jsonl (every evaluation), MODEL_CARD.md with the figures of metrics.json. The card
gets each style's stroke weight and tolerance of curves.
"""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

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
    outlines, machine = json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]
    runs = [Run.open(Path(name)) for name in sys.argv[3:]]
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
    write_json(HERE / "config.json", {"runs": configs})
    write_bytes(HERE / "log.jsonl", "".join(evaluations(runs)).encode())
    metrics = json.loads((HERE / "metrics.json").read_text())
    write_bytes(
        HERE / "MODEL_CARD.md", model_card_text(card, metrics, runs, model, machine).encode()
    )


def evaluations(runs: list[Run]) -> list[str]:
    """The evaluation rows of the logs, each with the number of its run."""
    found = []
    for number, run in enumerate(runs, start=1):
        for line in (run.folder / "log.jsonl").read_text().splitlines():
            row = json.loads(line)
            if "validation_l1" in row:
                found.append(json.dumps({"run": number, **row}) + "\n")
    return found


def model_card_text(
    card: ModelCard, metrics: dict, runs: list[Run], model: Path, machine: str
) -> str:
    """The text of MODEL_CARD.md."""
    rows = metrics["means"]
    trained = [last_counts(run) for run in runs]
    hours, images = (sum(part) for part in zip(*trained, strict=True))
    lines = [
        "# The bundled model",
        "",
        f"`calligan.safetensors`, {model.stat().st_size / 1e6:.1f} MB of fp16 weights: "
        f"{len(card.styles)} hands at {card.size_px} px, drawn from any regular Chinese font.",
        "Made by `weights/build.py` from the runs in `config.json`; `log.jsonl` holds every",
        "evaluation, `metrics.json` every figure with its n and its 95 % interval.",
        "",
        f"- Training: {60 * hours:.0f} minutes {machine}, {images:,} images.",
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


def last_counts(run: Run) -> tuple[float, int]:
    """Hours and number of images of a run."""
    rows = map(json.loads, (run.folder / "log.jsonl").read_text().splitlines())
    last = [row for row in rows if "elapsed_s" in row][-1]
    return last["elapsed_s"] / 3600, last["images"]


def metric_title(key: str) -> str:
    """The display name of a metric."""
    return next(metric.title for metric in METRICS if metric.name == key)


def author(font: FontCard) -> str:
    """The author of a font, from the catalog."""
    return load_catalog()[font.name].author


if __name__ == "__main__":
    main()
