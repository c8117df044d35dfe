"""The reader behind the verdict, on fonts and characters that it never saw.

    python weights/render.py data
    python benchmarks/verdict.py data --out verdict

Glyphs of the fonts kept out of the reader's training are spoiled by weights/defects.py and
set beside their genuine ones: the chance that a genuine glyph scores above a spoiled one (AUC), for
the reader and for plain measures of structure. Then: how many genuine glyphs pass, by script; what
the reader reads, beside the recogniser of `calligan evaluate`; its cost. Writes
figures.json and misses.png: what the reader was most wrong about.
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
from calligan.reader.verdict import Judge, least_of, load_reader
from calligan.resources import bundled_model, reader_model
from calligan.scan.opencv import opencv
from calligan.storage import atomic_file, write_json

sys.path.append(str(Path(__file__).parents[1] / "weights"))
from examples import KINDS, Examples, coarse_ink

NEAREST = 8
ROUNDS = 6  # of timing; the first warms up
SHOWN = 12  # misses of a kind in the picture
Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


def cosine(glyphs: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Cosine similarity of coarse ink."""
    return np.asarray((coarse_ink(glyphs) * coarse_ink(references)).sum(axis=1))


def chamfer(glyphs: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Minus the mean distance from ink to the other's ink, both ways, in pixels."""
    return np.array(
        [-(_far(g, r) + _far(r, g)) / 2 for g, r in zip(glyphs, references, strict=True)]
    )


def _far(from_image: np.ndarray, to_image: np.ndarray) -> float:
    cv2 = opencv()
    depth = cv2.distanceTransform((to_image >= 128).astype(np.uint8), cv2.DIST_L2, 3)
    inked = from_image < 128
    both = inked.any() and (to_image < 128).any()  # without ink in one there is no distance
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
    """The chance that a good one scores above a bad one, ties counting half (Mann & Whitney)."""
    every = np.concatenate([good, bad])
    _, where, counts = np.unique(every, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[where]
    above = ranks[: len(good)].sum() - len(good) * (len(good) + 1) / 2
    return float(above / len(good) / len(bad))


def told_apart(judge: Judge, examples: Examples, count: int) -> tuple[dict, dict]:
    """AUC by measure, font and kind; and every example with the reader's score, by kind."""
    measures: dict[str, Measure] = {
        "the reader": judge.scores,
        "16 x 16 cosine": cosine,
        "chamfer": chamfer,
        "pieces": pieces,
    }
    found: dict[str, dict] = {name: {} for name in measures}
    shown: dict[str, list] = {kind: [] for kind in KINDS}
    for index, font in enumerate(examples.fonts):
        made = {kind: drawn(examples, index, kind, count) for kind in KINDS}
        for name, measure in measures.items():
            scores = {kind: measure(*pair) for kind, pair in made.items()}
            found[name][font.name] = {
                kind: auc(scores["genuine"], scores[kind]) for kind in KINDS[1:]
            }
            if measure == judge.scores:
                for kind, values in scores.items():
                    shown[kind] += list(zip(values.tolist(), *made[kind], strict=True))
    return found, shown


def drawn(examples: Examples, index: int, kind: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """So many examples of a kind from a font, and their references: uint8 (N, S, S) each."""
    rng, made = np.random.default_rng(index), []
    for _ in range(20 * count):
        glyph, reference, was, _ = examples.example(index, kind, rng)
        if was == kind:
            made.append((glyph, reference))
        if len(made) == count:
            break
    glyphs, references = zip(*made, strict=True)
    return np.stack(glyphs), np.stack(references)


def of_part(store: PairStore, font: FontEntry, print_: FontEntry, part: str) -> str:
    """Characters of a part that both have."""
    chars = set(font.chars) & set(print_.chars)
    return "".join(c for c in store.manifest.held_out[part] if c in chars)


def rows(store: PairStore, font: FontEntry, chars: str) -> np.ndarray:
    """A font's images of some characters."""
    index = {char: row for row, char in enumerate(font.chars)}
    return store.images(font)[[index[char] for char in chars]]


def passed(judge: Judge, store: PairStore, fonts: list[FontEntry], print_: FontEntry) -> dict:
    """Of genuine test glyphs, those that pass by the font's own least score, and by its script's.

    The font's own is measured on validation characters, as when a run begins.
    """
    found = {}
    for font in fonts:
        scores = {}
        for part in ("validation", "test"):
            chars = of_part(store, font, print_, part)
            scores[part] = judge.scores(rows(store, font, chars), rows(store, print_, chars))
        own = least_of(scores["validation"])
        found[font.name] = {
            "script": font.script,
            "n": len(scores["test"]),
            "by its own": float((scores["test"] >= own).mean()),
            "by its script's": float((scores["test"] >= judge.least_score(font.script)).mean()),
        }
    return found


def reading(
    judge: Judge, store: PairStore, fonts: list[FontEntry], print_: FontEntry, count: int
) -> dict:
    """Top-1 among all characters in print, by embedding, beside the recogniser's choice."""
    printed, recogniser, found = judge.embeddings(store.images(print_)), Recogniser(), {}
    for font in fonts:
        chars = of_part(store, font, print_, "test")
        chars = "".join(c for c in chars if c in recogniser.chars)[:count]
        glyphs = rows(store, font, chars)
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


def milliseconds(judge: Judge, model: Path) -> dict[str, float]:
    """A glyph, in batches of 64, on one thread: the reader, and a model's generator beside it.

    Medians of rounds in which both take turns.
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
    rounds = [{name: _timed(work, glyphs) for name, work in works.items()} for _ in range(ROUNDS)]
    torch.set_num_threads(threads)
    found = {name: float(np.median([each[name] for each in rounds[1:]])) for name in works}
    return {**found, "share": found["the reader"] / found["the generator"]}


def _timed(work: Callable[[np.ndarray], object], glyphs: np.ndarray) -> float:
    start = time.perf_counter()
    work(glyphs)
    return (time.perf_counter() - start) / len(glyphs) * 1e3


def misses(path: Path, shown: dict[str, list]) -> None:
    """By kind, what was judged most wrongly: each glyph above its reference."""
    drawn_rows = []
    for kind, made in shown.items():
        worst = sorted(made, key=lambda one: one[0], reverse=kind != "genuine")[:SHOWN]
        drawn_rows.append(Row(kind, [glyph for _, glyph, _ in worst]))
        drawn_rows.append(Row("", [reference for _, _, reference in worst]))
    with atomic_file(path) as file:
        save_png(contact_sheet(drawn_rows, 64), file)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--reader", type=Path, default=reader_model())
    parser.add_argument("--model", type=Path, default=bundled_model(), help="to compare costs with")
    parser.add_argument("--count", type=int, default=400, help="examples of a kind and font")
    parser.add_argument("--read", type=int, default=100, help="glyphs a font to read")
    parser.add_argument("--out", type=Path, default=Path("verdict"))
    options = parser.parse_args()
    store, judge = PairStore.open(options.data), Judge(*load_reader(options.reader))
    unseen = judge.card.about["unseen"].split()
    fonts = [f for f in store.manifest.of_role("target") if f.name in unseen]
    references = [f for f in store.manifest.of_role("source") if f.name in unseen]
    print_ = store.manifest.of_role("source")[0]
    apart, shown = told_apart(judge, Examples(store, fonts, references, "test"), options.count)
    figures = {
        "n": options.count,
        "auc": apart,
        "genuine glyphs that pass": passed(judge, store, fonts, print_),
        "reading": reading(judge, store, [*fonts, *references], print_, options.read),
        "ms a glyph, one thread": milliseconds(judge, options.model),
        "megabytes": options.reader.stat().st_size / 1e6,
    }
    show(figures)
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(options.out / "figures.json", figures)
    misses(options.out / "misses.png", shown)


def show(figures: dict) -> None:
    """As tables."""
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
