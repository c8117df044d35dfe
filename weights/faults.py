"""What real glyphs measure: the limits of the verdict's detectors.

    python weights/faults.py

Glyphs of each of the bundle's hands that its network learned, from the hand's own font, beside the
source font, at the bundle's size. A limit is what all but a few of them stay within, by hand, by
script and for any, and by the class of the source (simple to dense); together they and the reader
doubt 2 of them in 100, and some 3 in 100 of characters that were not measured
(`benchmarks/faults.py score`). Writes faults.json.
"""

import argparse
from collections.abc import Sequence

import numpy as np

import calligan
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.placement import Placement
from calligan.glyphs.raster import render_glyphs
from calligan.inference.writer import Writer
from calligan.reader.faults import CLASSES_PX, MEASURES, SIMPLE, Shape, class_of, measured
from calligan.reader.judge import Judge, four_digits, least_of
from calligan.reader.limits import calibration_path
from calligan.reader.reach import CURSIVE
from calligan.storage import write_json

MEASURED = 450  # glyphs of a class and hand; there are fewer of the simplest
SCORED = 600  # glyphs of a hand
DOUBTED, UNLIKE = 0.012, 0.008  # of real glyphs: by the detectors together, and by the reader
NEVER = 0.001  # of real glyphs score less: a floor
SCRIPTS = ("楷", "行楷", "行", "草", "pen", "display", "")  # "" for any but the cursive one
WHOLE = 0.2  # of simple real glyphs at most are in more pieces than their source
SHARES = {"speck_px2": 3.0, "pinhole_px2": 3.0, "counters_lost": 3.0}  # of that; the others 1


def real_glyphs(writer: Writer, index: int, chars: Sequence[str]) -> tuple[str, np.ndarray]:
    """Those of some characters that a hand's own font has, uint8 (N, S, S), placed as learned."""
    style = writer.card.styles[index]
    glyphs = render_glyphs(
        resolve_font(style.name).spec, "".join(chars), Placement(**style.placement), 0.001
    )
    return glyphs.chars, glyphs.images


def limits(values: np.ndarray) -> dict[str, float]:
    """Of measures (N, M), what each is to stay within so that `DOUBTED` of the rows do not."""
    shares = np.array([SHARES.get(name, 1.0) for name in MEASURES])
    low, high = 0.0, DOUBTED
    for _ in range(20):
        tail = (low + high) / 2
        most = _beyond(values, tail * shares)
        low, high = (low, tail) if (values > most).any(axis=1).mean() > DOUBTED else (tail, high)
    return dict(zip(MEASURES, map(four_digits, _beyond(values, low * shares)), strict=True))


def _beyond(values: np.ndarray, tails: np.ndarray) -> np.ndarray:
    columns = zip(values.T, tails, strict=True)
    return np.array([np.quantile(column, 1 - tail, method="higher") for column, tail in columns])


def is_whole(hands: list[list[np.ndarray]]) -> bool:
    """Whether simple glyphs seldom have more pieces than their source; measures by class."""
    simple = np.concatenate([rows for hand in hands for rows in hand[:SIMPLE]])
    return bool((simple[:, list(MEASURES).index("pieces_more")] > 0).mean() <= WHOLE)


def classes(writer: Writer, chars: Sequence[str]) -> list[dict[str, Shape]]:
    """The shapes of characters in the source font, by class."""
    found: list[dict[str, Shape]] = [{} for _ in range(len(CLASSES_PX) + 1)]
    for char in chars:
        shape = Shape.of(writer.source.images(char)[0])
        found[class_of(shape)][char] = shape
    return found


def measures(writer: Writer, index: int, shapes: dict[str, Shape]) -> np.ndarray:
    """What some of a class's real glyphs in a hand measure, (N, M)."""
    some = np.random.default_rng(index).permutation(list(shapes))[: 4 * MEASURED]
    pairs = list(zip(*real_glyphs(writer, index, some), strict=True))[:MEASURED]
    return np.array([list(measured(image, shapes[char]).values()) for char, image in pairs])


def main() -> None:
    """Draw, measure, write."""
    argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0]).parse_args()
    writer, judge = calligan.load("bundle", check=False).writer, Judge.load()
    learned = [char for char in writer.card.trained_chars if not writer.source.lacks(char)]
    by_class = classes(writer, learned)
    found: dict[str, list[list[np.ndarray]]] = {}  # by name and hand: measures of each class
    scores: dict[str, list[np.ndarray]] = {}
    for index, style in enumerate(writer.card.styles):
        rows = [measures(writer, index, shapes) for shapes in by_class]
        some = np.random.default_rng(index).permutation(learned)[: 4 * SCORED]
        chars, images = real_glyphs(writer, index, some)
        read = judge.scores(images[:SCORED], writer.source.images(chars[:SCORED]))
        for name in (style.name, style.script, ""):
            found.setdefault(name, []).append(rows)
            if name or style.script != CURSIVE:
                scores.setdefault(name, []).append(read)
    calibration = {
        "limits": {
            name: [limits(np.concatenate(of_class)) for of_class in zip(*each, strict=True)]
            for name, each in found.items()
        },
        "least_scores": {s.name: _least(scores[s.name], UNLIKE) for s in writer.card.styles},
        "floors": {name: _least(scores[name], NEVER) for name in scores if name in SCRIPTS},
        "reader": judge.name,
        "whole": [name for name, each in found.items() if is_whole(each)],
    }
    write_json(calibration_path(), calibration)


def _least(scores: list[np.ndarray], share: float) -> float:
    return least_of(np.concatenate(scores), 1 - share)


if __name__ == "__main__":
    main()
