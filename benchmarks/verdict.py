"""Evaluate the reader behind the verdict on unseen fonts and characters.

    python weights/render.py data
    python benchmarks/verdict.py data --out verdict

Uses fonts that are not in the reader's training, with genuine glyphs and glyphs with defects by
weights/defects.py. Prints the AUC of the reader and of simple structural measures (the probability
that a genuine glyph scores above a defective one), the share of genuine glyphs that pass, the
reading accuracy compared with the recogniser of `calligan evaluate`, and the time per glyph. Writes
figures.json, and misses.png with the reader's worst errors.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from calligan.evaluation.recogniser import Recogniser
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model
from calligan.page.sheet import Row, contact_sheet, save_png
from calligan.pairs.manifest import FontEntry
from calligan.pairs.store import PairStore
from calligan.reader.judge import Judge, least_of
from calligan.resources import bundled_model, reader_model
from calligan.scan.opencv import opencv
from calligan.storage import atomic_file, write_json

sys.path.append(str(Path(__file__).parents[1] / "weights"))
from examples import KINDS, Examples, coarse_ink

NEAREST = 8
TIMING_ROUNDS = 6  # the first is a warm-up
SHOWN_MISSES = 12  # per kind, in the picture
Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


def cosine(glyphs: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Cosine similarity of coarse ink."""
    return np.asarray((coarse_ink(glyphs) * coarse_ink(references)).sum(axis=1))


def chamfer(glyphs: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Minus the symmetric mean distance from ink to the nearest ink of the other, in pixels."""
    return np.array(
        [
            -(_mean_distance(g, r) + _mean_distance(r, g)) / 2
            for g, r in zip(glyphs, references, strict=True)
        ]
    )


def _mean_distance(from_image: np.ndarray, to_image: np.ndarray) -> float:
    cv2 = opencv()
    depth = cv2.distanceTransform((to_image >= 128).astype(np.uint8), cv2.DIST_L2, 3)
    inked = from_image < 128
    both = inked.any() and (to_image < 128).any()  # otherwise the distance is undefined
    return float(depth[inked].mean()) if both else float(from_image.shape[0])


def pieces(glyphs: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Minus the difference in the number of connected pieces."""
    cv2 = opencv()
    counts = [
        [cv2.connectedComponents((image < 128).astype(np.uint8))[0] for image in images]
        for images in (glyphs, references)
    ]
    return -np.abs(np.diff(np.array(counts), axis=0)[0]).astype(float)


def auc(good: np.ndarray, bad: np.ndarray) -> float:
    """The probability that `good` scores above `bad`, ties counting half (Mann & Whitney)."""
    every = np.concatenate([good, bad])
    _, where, counts = np.unique(every, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[where]
    above = ranks[: len(good)].sum() - len(good) * (len(good) + 1) / 2
    return float(above / len(good) / len(bad))


def measure_auc(judge: Judge, examples: Examples, count: int) -> tuple[dict, dict]:
    """AUC by measure, font and kind; and all examples with the reader's score, by kind."""
    measures: dict[str, Measure] = {
        "the reader": judge.scores,
        "16 x 16 cosine": cosine,
        "chamfer": chamfer,
        "pieces": pieces,
    }
    found: dict[str, dict] = {name: {} for name in measures}
    shown: dict[str, list] = {kind: [] for kind in KINDS}
    for index, font in enumerate(examples.fonts):
        made = {kind: make_examples(examples, index, kind, count) for kind in KINDS}
        for name, measure in measures.items():
            scores = {kind: measure(*pair) for kind, pair in made.items()}
            found[name][font.name] = {
                kind: auc(scores["genuine"], scores[kind]) for kind in KINDS[1:]
            }
            if measure == judge.scores:
                for kind, values in scores.items():
                    shown[kind] += list(zip(values.tolist(), *made[kind], strict=True))
    return found, shown


def make_examples(
    examples: Examples, index: int, kind: str, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """`count` examples of a kind from a font, and their references: uint8 (N, S, S) each."""
    rng, made = np.random.default_rng(index), []
    for _ in range(20 * count):
        glyph, reference, was, _ = examples.example(index, kind, rng)
        if was == kind:
            made.append((glyph, reference))
        if len(made) == count:
            break
    glyphs, references = zip(*made, strict=True)
    return np.stack(glyphs), np.stack(references)


def chars_of_part(store: PairStore, font: FontEntry, print_: FontEntry, part: str) -> str:
    """Characters of a part of the split that both fonts have."""
    chars = set(font.chars) & set(print_.chars)
    return "".join(c for c in store.manifest.held_out[part] if c in chars)


def images_of(store: PairStore, font: FontEntry, chars: str) -> np.ndarray:
    """A font's images of some characters."""
    index = {char: row for row, char in enumerate(font.chars)}
    return store.images(font)[[index[char] for char in chars]]


def share_passed(judge: Judge, store: PairStore, fonts: list[FontEntry], print_: FontEntry) -> dict:
    """The share of genuine test glyphs above the minimum score of the font, and of its script.

    The font's minimum score is measured on validation characters, as at the start of a run.
    """
    found = {}
    for font in fonts:
        scores = {}
        for part in ("validation", "test"):
            chars = chars_of_part(store, font, print_, part)
            scores[part] = judge.scores(
                images_of(store, font, chars), images_of(store, print_, chars)
            )
        own = least_of(scores["validation"])
        found[font.name] = {
            "script": font.script,
            "n": len(scores["test"]),
            "by its own": float((scores["test"] >= own).mean()),
            "by its script's": float((scores["test"] >= judge.least_score(font.script)).mean()),
        }
    return found


def reading_accuracy(
    judge: Judge, store: PairStore, fonts: list[FontEntry], print_: FontEntry, count: int
) -> dict:
    """Top-1 accuracy among all printed characters by embedding, and the recogniser's accuracy."""
    printed, recogniser, found = judge.embeddings(store.images(print_)), Recogniser(), {}
    for font in fonts:
        chars = chars_of_part(store, font, print_, "test")
        chars = "".join(c for c in chars if c in recogniser.chars)[:count]
        glyphs = images_of(store, font, chars)
        order = np.argsort(-judge.embeddings(glyphs) @ printed.T, axis=1)[:, :NEAREST]
        near = [[print_.chars[row] for row in each] for each in order]
        found[font.name] = {
            "script": font.script,
            "n": len(chars),
            "the nearest": float(np.mean([c == n[0] for c, n in zip(chars, near, strict=True)])),
            f"among the nearest {NEAREST}": float(
                np.mean([c in n for c, n in zip(chars, near, strict=True)])
            ),
            "PP-OCRv6": float(
                np.mean([a == b for a, b in zip(recogniser.read(glyphs)[0], chars, strict=True)])
            ),
        }
    return found


def time_per_glyph(judge: Judge, model: Path) -> dict[str, float]:
    """Milliseconds per glyph on one thread, of the reader and of a model's generator.

    Medians over rounds in which both are timed alternately.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    glyphs = np.random.default_rng(0).integers(0, 256, (256, 128, 128)).astype(np.uint8)
    predictor = Predictor(load_model(model)[0])
    style = predictor.style(0)
    works: dict[str, Callable[[np.ndarray], object]] = {
        "the reader": lambda part: judge.scores(part, part),
        "the generator": lambda part: predictor.draw(part, style),
    }
    rounds = [
        {name: _time_ms(work, glyphs) for name, work in works.items()} for _ in range(TIMING_ROUNDS)
    ]
    torch.set_num_threads(threads)
    found = {name: float(np.median([each[name] for each in rounds[1:]])) for name in works}
    return {**found, "share": found["the reader"] / found["the generator"]}


def _time_ms(work: Callable[[np.ndarray], object], glyphs: np.ndarray) -> float:
    start = time.perf_counter()
    work(glyphs)
    return (time.perf_counter() - start) / len(glyphs) * 1e3


def write_misses(path: Path, shown: dict[str, list]) -> None:
    """Draw the worst errors by kind: each glyph above its reference."""
    drawn_rows = []
    for kind, made in shown.items():
        worst = sorted(made, key=lambda one: one[0], reverse=kind != "genuine")[:SHOWN_MISSES]
        drawn_rows.append(Row(kind, [glyph for _, glyph, _ in worst]))
        drawn_rows.append(Row("", [reference for _, _, reference in worst]))
    with atomic_file(path) as file:
        save_png(contact_sheet(drawn_rows, 64), file)


def main() -> None:
    """Measure the reader, print tables and write files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--reader", type=Path, default=reader_model())
    parser.add_argument(
        "--model", type=Path, default=bundled_model(), help="to compare the time with"
    )
    parser.add_argument("--count", type=int, default=400, help="examples per kind and font")
    parser.add_argument("--read", type=int, default=100, help="glyphs per font to read")
    parser.add_argument("--out", type=Path, default=Path("verdict"))
    options = parser.parse_args()
    store, judge = PairStore.open(options.data), Judge.load(path=options.reader)
    unseen = judge.card.about["unseen"].split()
    fonts = [f for f in store.manifest.of_role("target") if f.name in unseen]
    references = [f for f in store.manifest.of_role("source") if f.name in unseen]
    print_ = store.manifest.of_role("source")[0]
    apart, shown = measure_auc(judge, Examples(store, fonts, references, "test"), options.count)
    figures = {
        "n": options.count,
        "auc": apart,
        "genuine glyphs that pass": share_passed(judge, store, fonts, print_),
        "reading": reading_accuracy(judge, store, [*fonts, *references], print_, options.read),
        "ms a glyph, one thread": time_per_glyph(judge, options.model),
        "megabytes": options.reader.stat().st_size / 1e6,
    }
    print_figures(figures)
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(options.out / "figures.json", figures)
    write_misses(options.out / "misses.png", shown)


def print_figures(figures: dict) -> None:
    """Print the figures as tables."""
    console = Console(width=120)
    for name, by_font in figures["auc"].items():
        console.print(_table(f"AUC, {name}, n = {figures['n']} a cell", by_font))
    for name in ("genuine glyphs that pass", "reading"):
        console.print(_table(name, figures[name]))
    cost = ", ".join(f"{k} {v:.2f}" for k, v in figures["ms a glyph, one thread"].items())
    console.print(
        f"ms a glyph, one thread: {cost}; the reader's file: {figures['megabytes']:.2f} MB"
    )


def _table(title: str, by_font: dict[str, dict]) -> Table:
    table = Table(title=title, box=None)
    for name in ("font", *next(iter(by_font.values()))):
        table.add_column(name, justify="right")
    for font, row in by_font.items():
        table.add_row(font, *(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()))
    if all(isinstance(v, float) for row in by_font.values() for v in row.values()):
        means = np.mean([list(row.values()) for row in by_font.values()], axis=0)
        table.add_row("mean", *(f"{value:.3f}" for value in means))
    return table


if __name__ == "__main__":
    main()
