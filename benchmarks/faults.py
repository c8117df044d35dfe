"""How many of the bundle's wrong glyphs the verdict finds: glyphs it never saw, marked by eye.

    python benchmarks/faults.py draw drawn.npz
    python benchmarks/faults.py sheets drawn.npz SHEETS     # to look at, and to write marked.csv by
    python benchmarks/faults.py score drawn.npz
    python benchmarks/faults.py simple

`draw` draws 3,000 glyphs in all hands, once each and without retries: held-out characters, rare
ones that are in no training set, and dense ones of both; and reads them by the recogniser of
`calligan evaluate`. `score` says which of the glyphs that are marked wrong in marked.csv the
verdict names, and which of the hands' real glyphs. `simple` draws the characters of the simplest
sources, with retries: how many are doubtful, and how many are in more pieces than the source.
"""

import argparse
import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import calligan
from calligan.evaluation.recogniser import Recogniser
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.placement import Placement
from calligan.glyphs.raster import render_glyphs
from calligan.glyphs.strokes import stroke_count
from calligan.inference.proofread import Proofreader
from calligan.inference.writer import Writer
from calligan.page.sheet import Row, contact_sheet, save_png
from calligan.reader.faults import Shape, class_of, is_simple, measured
from calligan.storage import atomic_file

MARKED = Path(__file__).with_name("marked.csv")
NAMED = "低龘鬱爨思"  # in every hand: what went wrong before
A_HAND = {"held out": 50, "rare": 55, "dense": 50}  # characters, besides those named
TIMED = 200  # glyphs
LEARNED = 25  # and so many that the model learned
DENSE = 20  # strokes
A_ROW, ROWS = 5, 6  # pairs of source and drawn glyph on a sheet


def chosen(writer: Writer, recogniser: Recogniser) -> list[tuple[int, str, str]]:
    """Style index, character and kind of each glyph to draw: seeded, without repeats in a hand."""
    card = writer.card
    readable = [c for c in recogniser.chars if stroke_count(c) and not writer.source.lacks(c)]
    held = set(card.held_out["test"])
    known = held | set(card.held_out["validation"]) | set(card.trained_chars)
    pools = {
        "held out": [c for c in readable if c in held],
        "rare": [c for c in readable if c not in known],
        "dense": [
            c for c in readable if (c in held or c not in known) and stroke_count(c) >= DENSE
        ],
    }
    rng, found = np.random.default_rng(0), []
    for index in range(len(card.styles)):
        taken = set(NAMED)
        found += [(index, char, "named") for char in NAMED]
        for kind, count in A_HAND.items():
            some = rng.permutation([c for c in pools[kind] if c not in taken])[:count]
            taken |= set(some)
            found += [(index, str(char), kind) for char in some]
    return found + learned(writer, recogniser)


def learned(writer: Writer, recogniser: Recogniser) -> list[tuple[int, str, str]]:
    """Characters that the model was trained on: what is drawn most, and should be right."""
    there = set(writer.card.trained_chars) - set(NAMED)
    pool = [c for c in recogniser.chars if c in there and not writer.source.lacks(c)]
    rng = np.random.default_rng(3)
    styles = range(len(writer.card.styles))
    return [(i, str(c), "learned") for i in styles for c in rng.permutation(pool)[:LEARNED]]


def draw(path: Path) -> None:
    """Draw and read; all that the other steps need, in one file."""
    writer, recogniser = calligan.load("bundle", check=False).writer, Recogniser()
    plan = chosen(writer, recogniser)
    images = np.empty((len(plan), writer.card.size_px, writer.card.size_px), np.uint8)
    sources = writer.source.images("".join(char for _, char, _ in plan))
    for index in range(len(writer.card.styles)):
        rows = [row for row, (style, _, _) in enumerate(plan) if style == index]
        drawn = writer.draw("".join(plan[row][1] for row in rows), index)
        images[rows] = np.stack([glyph.image for glyph in drawn])
    styles, chars, kinds = zip(*plan, strict=True)
    with atomic_file(path) as file:
        np.savez_compressed(
            file,
            styles=np.array(styles),
            chars=np.array(chars),
            kinds=np.array(kinds),
            images=images,
            sources=sources,
            read=np.array(list(recogniser.read(images)[0])),
        )


def order(learned: np.ndarray) -> np.ndarray:
    """In which order glyphs are looked at: at random, so that any number of sheets is a sample.

    Those learned, bool (N,), come last, likewise.
    """
    rng = np.random.default_rng(1)
    rest = np.flatnonzero(~learned)
    return np.concatenate([rng.permutation(rest), rng.permutation(np.flatnonzero(learned))])


def sheets(path: Path, folder: Path, count: int) -> None:
    """Pairs of source and drawn glyph under their row numbers, in a random order."""
    with np.load(path) as drawn:
        data = dict(drawn)
    rows = order(data["kinds"] == "learned")[:count]
    folder.mkdir(parents=True, exist_ok=True)
    a_sheet = A_ROW * ROWS
    for start in range(0, len(rows), a_sheet):
        part = rows[start : start + a_sheet]
        drawn_rows = [
            Row(
                "ABCDEF"[at],
                [image for row in line for image in (data["sources"][row], data["images"][row])],
            )
            for at, line in enumerate(np.split(part, range(A_ROW, len(part), A_ROW)))
        ]
        name = f"{start // a_sheet:02}"
        with atomic_file(folder / f"{name}.png") as file:
            heads = [name for column in range(1, A_ROW + 1) for name in ("", str(column))]
            save_png(contact_sheet(drawn_rows, 128, heads), file)


@dataclass(frozen=True)
class Looked:
    """Glyphs that were looked at by eye: rows of the drawn ones, and what was said of each."""

    rows: np.ndarray
    wrong: np.ndarray
    glance: np.ndarray

    @classmethod
    def read(cls, styles: Sequence[str], chars: Sequence[str]) -> "Looked":
        """From marked.csv, for drawn glyphs by hand and character."""
        row_of = {pair: row for row, pair in enumerate(zip(styles, chars, strict=True))}
        with MARKED.open(encoding="utf-8", newline="") as file:
            told = list(csv.DictReader(file))
        return cls(
            np.array([row_of[each["hand"], each["char"]] for each in told]),
            np.array([bool(each["fault"]) for each in told]),
            np.array([each["grade"] == "glance" for each in told]),
        )


def judged(
    reading: Proofreader, index: int, glyphs: dict[str, np.ndarray], foresee: bool
) -> tuple[list[bool], list[str]]:
    """Whether the score alone doubts each glyph, as it was before, and the faults found now."""
    script, least = reading.drawer.card.styles[index].script, reading.least_score(index)
    before, now = [], []
    attempts = reading.attempts("".join(glyphs), np.stack(list(glyphs.values())), index)
    for char, attempt in zip(glyphs, attempts, strict=True):
        before.append(attempt.score < least)
        foreseen = reading.reach.fault(char, script) if foresee else ""
        now.append(" ".join([*attempt.faults, foreseen]).strip())
    return before, now


def score(path: Path, count: int) -> None:
    """By script: of the wrong glyphs how many are named, and of the right and the real ones."""
    writer = calligan.load("bundle").writer
    reading = writer.proofreader
    assert reading is not None
    with np.load(path) as file:
        data = dict(file)
    names = [style.name for style in writer.card.styles]
    scripts = np.array([style.script for style in writer.card.styles])
    before = np.zeros(len(data["chars"]), bool)
    now = np.full(len(data["chars"]), "", dtype="<U80")
    for index in range(len(names)):
        rows = np.flatnonzero(data["styles"] == index)
        glyphs = dict(zip(data["chars"][rows].tolist(), data["images"][rows], strict=True))
        before[rows], now[rows] = judged(reading, index, glyphs, foresee=True)
    looked = Looked.read([names[i] for i in data["styles"]], data["chars"].tolist())
    show_drawn(looked, scripts[data["styles"]], data["kinds"], before, now)
    show_ranks(reading, looked, data)
    show_real(reading, scripts, count)
    cost(data["images"][:TIMED], data["sources"][:TIMED])


def show_ranks(reading: Proofreader, looked: Looked, data: dict[str, np.ndarray]) -> None:
    """AUC of the inspector: the chance that a wrong glyph differs more, for its script."""
    inspector, rows, styles = reading.inspector, looked.rows, reading.drawer.card.styles
    assert inspector is not None
    scripts = np.array([styles[index].script for index in data["styles"][rows]])
    limits = np.array([inspector.limit_of(script) for script in scripts])
    learned = data["kinds"][rows] == "learned"
    groups = {
        "all": np.ones(len(rows), bool),
        "unlearned, not 草": ~learned & (scripts != "草"),
        f"{DENSE} strokes or more": np.array(
            [(stroke_count(char) or 0) >= DENSE for char in data["chars"][rows]]
        ),
        "learned": learned,
        "at a glance": looked.glance | ~looked.wrong,
    }
    table = Table(title="AUC of the inspector", box=None)
    for head in ("", "n", "wrong", "AUC"):
        table.add_column(head, justify="right")
    off = inspector.differences(data["images"][rows], data["sources"][rows]) / limits
    for name, group in groups.items():
        wrong, right = off[group & looked.wrong], off[group & ~looked.wrong]
        above = (wrong[:, None] > right).mean() + (wrong[:, None] == right).mean() / 2
        table.add_row(name, str(group.sum()), str(len(wrong)), f"{above:.3f}")
    Console(width=110).print(table)


def cost(images: np.ndarray, sources: np.ndarray) -> None:
    """What the detectors take, in processor time, the best of three rounds."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        for image, source in zip(images, sources, strict=True):
            measured(image, Shape.of(source))
        taken.append((time.process_time() - started) / len(images) * 1e3)
    Console().print(f"the detectors take {min(taken):.2f} ms a glyph, its source included")


def show_drawn(
    looked: Looked, scripts: np.ndarray, kinds: np.ndarray, before: np.ndarray, now: np.ndarray
) -> None:
    """Shares named among the drawn glyphs that were looked at: wrong, at a glance, right."""
    table = Table(title="drawn once, looked at by eye: named before and now", box=None)
    for head in ("", "wrong", "before", "now", "at a glance", "before", "now", "right", "now"):
        table.add_column(head, justify="right")
    rows, learned = looked.rows, kinds[looked.rows] == "learned"
    groups = {name: (scripts[rows] == name) & ~learned for name in dict.fromkeys(scripts.tolist())}
    groups |= {"all unlearned and named": ~learned, "learned": learned}
    for name, group in groups.items():
        told = [name]
        for kind in (looked.wrong, looked.glance, ~looked.wrong):
            some = rows[group & kind]
            told += [str(len(some)), percent(before[some]), percent(now[some] != "")]
        table.add_row(*told[:-2], told[-1])
    Console(width=110).print(table)
    wrong, right = now[rows[looked.wrong]], now[rows[~looked.wrong]]
    for fault in sorted({fault for each in now for fault in each.split()}):
        shares = [
            percent(np.array([fault in each.split() for each in part])) for part in (wrong, right)
        ]
        Console().print(f"{fault:10} of wrong {shares[0]}, of right {shares[1]}")


def show_real(reading: Proofreader, scripts: np.ndarray, count: int) -> None:
    """Shares named of the hands' real glyphs of held-out characters, by the drawing and in all."""
    found: dict[str, list[np.ndarray]] = {}
    drawer = reading.drawer
    for index, style in enumerate(drawer.card.styles):
        spec = resolve_font(style.name).spec
        chars = [c for c in drawer.card.held_out["test"] if not drawer.source.lacks(c)]
        real = render_glyphs(spec, "".join(chars), Placement(**style.placement), 0.001)
        glyphs = dict(zip(real.chars[:count], real.images[:count], strict=True))
        before, drawing = judged(reading, index, glyphs, foresee=False)
        foreseen = [bool(reading.reach.fault(c, style.script)) for c in glyphs]
        seen = np.array([before, [bool(each) for each in drawing], foreseen])
        for name in (style.script, "all"):
            found.setdefault(name, []).append(seen)
    table = Table(title="real glyphs of held-out characters that are named", box=None)
    for head in ("", "n", "before", "now, by the drawing", "foreseen (unlearned)"):
        table.add_column(head, justify="right")
    for name in (*dict.fromkeys(scripts.tolist()), "all"):
        seen = np.concatenate(found[name], axis=1)
        table.add_row(name, str(seen.shape[1]), *map(percent, seen))
    Console(width=110).print(table)


def simple(count: int) -> None:
    """Simple characters in all hands: doubtful, and in more pieces than the source."""
    writer = calligan.load("bundle").writer
    reading = writer.proofreader
    assert reading is not None and reading.calibration is not None
    known = writer.card.trained_chars + "".join(writer.card.held_out.values())
    sources = {c: writer.source.images(c)[0] for c in known if not writer.source.lacks(c)}
    shapes = {c: shape for c, image in sources.items() if is_simple(shape := Shape.of(image))}
    chars = "".join(np.random.default_rng(0).permutation(sorted(shapes))[:count])
    table = Table(title=f"{len(chars)} of {len(shapes)} simple characters, all hands", box=None)
    for head in ("class", "whole", "n", "doubtful", "in more pieces, drawn once", "kept"):
        table.add_column(head, justify="right")
    rows = []
    for index, style in enumerate(writer.card.styles):
        whole = reading.calibration.is_whole(style.script, style.name)
        once = writer.drawer.draw(chars, index)
        for verdict, image in zip(reading.judged(chars, index), once, strict=True):
            source = shapes[verdict.char]
            more = [Shape.of(x).pieces > source.pieces for x in (image, verdict.best.image)]
            rows.append((class_of(source), whole, verdict.doubtful, *more))
    found = np.array(rows)
    for place, whole in sorted({(row[0], row[1]) for row in rows}):
        some = found[(found[:, 0] == place) & (found[:, 1] == whole)]
        shares = map(percent, some[:, 2:].T)
        table.add_row(str(place), "yes" if whole else "no", str(len(some)), *shares)
    Console(width=110).print(table)


def percent(flags: np.ndarray) -> str:
    """The share that is true."""
    return f"{100 * flags.mean():.1f} %" if len(flags) else "-"


def main() -> None:
    """One step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    steps = parser.add_subparsers(dest="step", required=True)
    for name in ("draw", "sheets", "score", "simple"):
        step = steps.add_parser(name)
        if name == "simple":
            step.add_argument("--count", type=int, default=80)
            continue
        step.add_argument("drawn", type=Path)
        if name == "sheets":
            step.add_argument("folder", type=Path)
        if name != "draw":
            step.add_argument("--count", type=int, default=960 if name == "sheets" else 150)
    options = parser.parse_args()
    if options.step == "simple":
        simple(options.count)
    elif options.step == "draw":
        draw(options.drawn)
    elif options.step == "sheets":
        sheets(options.drawn, options.folder, options.count)
    else:
        score(options.drawn, options.count)


if __name__ == "__main__":
    main()
