"""How many glyphs a hand needs: `calligan learn` on fonts that the model never saw.

    python benchmarks/learn.py DATA --model MODEL --counts 10,30,100,300 --out curves

DATA is a folder of `calligan render-pairs` with the hands, some other styles for the style
accuracy, and the model's sources. Each hand is learned from a number of training characters, chosen
to cover components, and evaluated on test characters, which are not in the training data of model
and hand, drawn as in `infer`. An interrupted call continues when repeated.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from line import print_table as print_outlines
from rich.console import Console
from rich.table import Table
from scan import scan_simulated_hand

from calligan.evaluation.evaluate import COPY, MODEL, EvaluationPlan, Glyphs, judge
from calligan.evaluation.judge_styles import OutlineOptions, RealFont, StyleFigures, judge_style
from calligan.evaluation.line_report import line_table
from calligan.evaluation.report import evenly_spaced_row, write_sheet
from calligan.evaluation.scores import REAL, Scores, as_json
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement
from calligan.inference.writer import Writer
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model, read_card
from calligan.page.sheet import contact_sheet, save_png
from calligan.pairs.batches import Pairs
from calligan.pairs.store import PairStore
from calligan.scan.folder import LABELS
from calligan.storage import atomic_file, write_json

HANDS = (  # 楷 行 草, two pens, a display face
    *("aoyagi-kouzan-t", "kouzan-gyosho", "kouzan-sosho"),
    *("zen-kurenaido", "setofont", "smiley-sans"),
)
MAX_OTHERS = 14  # further styles for the style accuracy
METRICS = ("l1", "ssim", "content", "style", "mid_grey", "edge_slope")
REAL_METRICS = ("content", "style", "mid_grey", "edge_slope")  # also computed for the real glyphs


def learn_hand(hand: str, chars: str, options: argparse.Namespace) -> Path:
    """The hand's model trained on these characters; trains it unless it exists."""
    home = options.out / f"{len(chars)}" / hand
    model = home / "0001" / "best.safetensors"
    if not (home / "0001" / "before-after.png").exists():
        origin = hand
        if options.photographed:
            origin = str(options.out / f"{len(chars)}" / "photographed" / hand)
            if not (Path(origin) / LABELS).exists():
                scan_simulated_hand(hand, chars, Path(origin))
        command = ["learn", hand, "--from", origin, "--chars", chars, "--hands", str(home.parent)]
        command += ["--model", str(options.model)]
        command += ["--no-even"] if options.uneven else []
        length = ["--steps", options.steps] if options.steps else ["--minutes", options.minutes]
        command += map(str, length)
        for setting in options.set or []:
            command += ["--set", setting]
        subprocess.run([sys.executable, "-m", "calligan", *command], check=True)
    return model


def first_chars(hand: str, count: int, store: PairStore) -> str:
    """The first `count` component-covering characters that hand and training data have."""
    font = store.manifest.named(hand)
    order = dict.fromkeys(load_charset("components-500") + store.training_chars())
    there = set(font.chars) & set(store.training_chars())
    return "".join([char for char in order if char in there][:count])


def draw_test_glyphs(
    models: dict[str, Path], store: PairStore, options: argparse.Namespace
) -> Glyphs:
    """Test glyphs of every hand: from its own model, copied from the source, and real."""
    sources = [font.name for font in read_card(options.model).sources]
    pairs = Pairs(store.select(list(models), sources[:1]), "test")
    glyphs = Glyphs(pairs.styles, [], [], {MODEL: [], COPY: [], REAL: []})
    for index, path in enumerate(models.values()):
        asked = pairs.spread(index, options.test)
        generator, card = load_model(path)
        card.check_unseen(asked.chars)
        predictor = Predictor(generator, fine=True)
        glyphs.drawn[MODEL].append(predictor.draw(asked.source, predictor.style(0)))
        glyphs.drawn[COPY].append(asked.source)
        glyphs.drawn[REAL].append(asked.target)
        glyphs.chars.append(asked.chars)
        glyphs.source.append(asked.source)
    return glyphs


def judge_outlines(models: dict[str, Path], glyphs: Glyphs) -> list[StyleFigures]:
    """Figures of the outlines of every hand's test characters, drawn as in `export`."""
    figures = []
    for (hand, path), chars in zip(models.items(), glyphs.chars, strict=True):
        writer = Writer.open(path)
        placement = Placement(**writer.card.styles[0].placement)  # type: ignore[arg-type]
        real = RealFont(hand, Face(resolve_font(hand).spec), placement)
        figures.append(judge_style(writer, real, "".join(chars), OutlineOptions()))
    return figures


def main() -> None:
    """Learn, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--hands", default=",".join(HANDS))
    parser.add_argument("--others", help="other styles, for style accuracy; default 14 of DATA")
    parser.add_argument("--counts", default="10,30,100,300")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--steps", type=int, help="use steps instead of minutes, if the machine is busy"
    )
    parser.add_argument("--test", type=int, default=100, help="test characters per hand")
    parser.add_argument(
        "--photographed",
        action="store_true",
        help="learn from simulated photographs of unevenly written sheets",
    )
    parser.add_argument(
        "--uneven", action="store_true", help="without normalising size and position"
    )
    parser.add_argument("--line", action="store_true", help="also measure the outlines")
    parser.add_argument("--set", action="append", help="a setting of `learn`; repeatable")
    parser.add_argument("--out", type=Path, default=Path("curves"))
    options = parser.parse_args()
    store, hands = PairStore.open(options.data), options.hands.split(",")
    known = {font.name for font in read_card(options.model).styles}
    if seen := known & set(hands):
        raise SystemExit(f"the model has seen {', '.join(sorted(seen))}; give other --hands")
    others = [f.name for f in store.manifest.of_role("target") if f.name not in hands][:MAX_OTHERS]
    if options.others:
        others = options.others.split(",")
    figures, drawn = {}, {}
    for count in map(int, options.counts.split(",")):
        models = {h: learn_hand(h, first_chars(h, count, store), options) for h in hands}
        glyphs = draw_test_glyphs(models, store, options)
        plan = EvaluationPlan(options.model, store.select([*hands, *others]))
        scores = judge(glyphs, plan, lambda what, done, of: None)
        print_table(count, scores)
        if options.line:
            print_outlines(line_table(judge_outlines(models, glyphs)), Console(width=180))
        drawn[count] = glyphs
        write_sheet(options.out / f"{count}.png", glyphs)
        figures[count] = as_json(scores)
        write_json(options.out / "figures.json", figures)
    write_curve(options.out / "curve.png", drawn)


def print_table(count: int, scores: Scores) -> None:
    """Print one row per hand, and the mean."""
    table = Table(title=f"{count} glyphs", box=None)
    for name in ("hand", *METRICS, *(f"real {metric}" for metric in REAL_METRICS)):
        table.add_column(name, justify="right")
    rows = []
    for index, font in enumerate(scores.styles):
        found = [scores.mean(MODEL, metric, [index]) for metric in METRICS]
        found += [scores.mean(REAL, metric, [index]) for metric in REAL_METRICS]
        rows.append([value.mean if value else np.nan for value in found])
        table.add_row(font.name, *(f"{value:.3f}" for value in rows[-1]))
    table.add_row("mean", *(f"{value:.3f}" for value in np.nanmean(rows, axis=0)))
    Console(width=150).print(table)


def write_curve(path: Path, drawn: dict[int, Glyphs]) -> None:
    """A PNG of the same test characters, learned from few and many glyphs, and real."""
    first = next(iter(drawn.values()))
    rows = []
    for style, font in enumerate(first.styles):
        kinds = {f"{count} glyphs": glyphs.drawn[MODEL] for count, glyphs in drawn.items()}
        kinds[font.name] = first.drawn[REAL]
        rows += [evenly_spaced_row(label, images[style]) for label, images in kinds.items()]
    with atomic_file(path) as file:
        save_png(contact_sheet(rows, first.source[0].shape[-1]), file)


if __name__ == "__main__":
    main()
