"""How many of the bundle's wrong glyphs the verdict finds: glyphs it never saw, marked by eye.

    python benchmarks/faults.py draw drawn.npz
    python benchmarks/faults.py sheets drawn.npz SHEETS     # to look at, and to write marked.csv by
    python benchmarks/faults.py score drawn.npz

`draw` draws 3,000 glyphs in all hands, once each and without retries: held-out characters, rare
ones that are in no training set, and dense ones of both; and reads them by the recogniser of
`calligan evaluate`. `score` says which of the glyphs that are marked wrong in marked.csv the
verdict names, and which of the hands' real glyphs.
"""

import argparse
from pathlib import Path

import numpy as np

import calligan
from calligan.evaluation.recogniser import Recogniser
from calligan.glyphs.strokes import stroke_count
from calligan.inference.writer import Writer
from calligan.page.sheet import Row, contact_sheet, save_png
from calligan.storage import atomic_file

MARKED = Path(__file__).with_name("marked.csv")
NAMED = "低龘鬱爨思"  # in every hand: what went wrong before
A_HAND = {"held out": 50, "rare": 55, "dense": 50}  # characters, besides those named
DENSE = 20  # strokes
A_ROW, ROWS = 5, 6  # pairs of source and drawn glyph on a sheet


def chosen(writer: Writer, recogniser: Recogniser) -> list[tuple[int, str, str]]:
    """Style index, character and kind of each glyph to draw: seeded, without repeats in a hand."""
    card = writer.card
    readable = [c for c in recogniser.chars if stroke_count(c) and not writer.lacks(c)]
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
    return found


def draw(path: Path) -> None:
    """Draw and read; all that the other steps need, in one file."""
    writer, recogniser = calligan.load("bundle", check=False).writer, Recogniser()
    plan = chosen(writer, recogniser)
    images = np.empty((len(plan), writer.card.size_px, writer.card.size_px), np.uint8)
    sources = np.stack([writer.source_image(char) for _, char, _ in plan])
    for index in range(len(writer.card.styles)):
        rows = [row for row, (style, _, _) in enumerate(plan) if style == index]
        drawn = writer.draw("".join(plan[row][1] for row in rows), index)
        images[rows] = np.stack(list(drawn.values()))
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


def order(count: int) -> np.ndarray:
    """In which order glyphs are looked at: at random, so that any number of sheets is a sample."""
    return np.random.default_rng(1).permutation(count)


def sheets(path: Path, folder: Path, count: int) -> None:
    """Pairs of source and drawn glyph under their row numbers, in a random order."""
    with np.load(path) as drawn:
        data = dict(drawn)
    rows = order(len(data["chars"]))[:count]
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


def main() -> None:
    """One step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("step", choices=["draw"])
    parser.add_argument("drawn", type=Path)
    options = parser.parse_args()
    draw(options.drawn)


if __name__ == "__main__":
    main()
