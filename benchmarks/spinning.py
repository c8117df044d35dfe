"""The cost and effect of cycle spinning: each glyph drawn once, and averaged over four shifts.

    python benchmarks/spinning.py DATA MODEL --test 40

DATA is a folder of `calligan render-pairs` with the model's styles and sources. For test characters
of every style: L1 and SSIM between drawn and real glyphs, mid-grey and edge slope, the number of
cubics of the outline traced as in `export` (more for wavy edges), and milliseconds per glyph.
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table

from calligan.config import TraceConfig
from calligan.evaluation import metrics
from calligan.glyphs.placement import Placement
from calligan.models.predictor import Predictor
from calligan.models.upscaler import load_upscaler, upscale
from calligan.models.weights import load_model
from calligan.pairs.batches import Pairs
from calligan.pairs.store import PairStore
from calligan.resources import upscaler_model
from calligan.vector.font import UPEM
from calligan.vector.trace import trace

HEAD = ("", "L1", "SSIM", "mid-grey", "edge slope", "cubics", "ms a glyph")


def cubics(images: np.ndarray) -> np.ndarray:
    """The number of cubics of each glyph's outline, traced as in `export`."""
    path = upscaler_model()
    large = images if path is None else upscale(load_upscaler(path), images)
    place = Placement.full_width(images.shape[1])
    return np.array([len(trace(image, place, UPEM, TraceConfig()).contour) for image in large])


def table_row(name: str, drawn: np.ndarray, real: np.ndarray, seconds: float) -> list[str]:
    """A row of the table."""
    found = [metrics.ink_l1(drawn, real), metrics.ssim(drawn, real)]
    found += [metrics.mid_grey(drawn), metrics.edge_slope(drawn)]
    means = [f"{np.nanmean(values):.3f}" for values in found]
    return [name, *means, f"{cubics(drawn).mean():.0f}", f"{1000 * seconds / len(drawn):.2f}"]


def main() -> None:
    """Draw glyphs, measure them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--test", type=int, default=40, help="test characters per style")
    options = parser.parse_args()
    generator, card = load_model(options.model)
    names, sources = ([font.name for font in fonts] for fonts in (card.styles, card.sources))
    store = PairStore.open(options.data)
    asked = Pairs(store.select(names, sources[:1]), "test")
    card.check_unseen("".join(set().union(*asked.chars)))
    batches = [asked.spread(index, options.test) for index in range(len(names))]
    real = np.concatenate([batch.target for batch in batches])
    table = Table(box=None)
    for name in HEAD:
        table.add_column(name, justify="right" if name else "left")
    for fine in (False, True):
        predictor = Predictor(generator, fine=fine)
        predictor.draw(batches[0].source, predictor.style(0))  # warm-up
        started = perf_counter()
        drawn = [
            predictor.draw(batch.source, predictor.style(index))
            for index, batch in enumerate(batches)
        ]
        seconds = perf_counter() - started
        table.add_row(
            *table_row("cycle spinning" if fine else "once", np.concatenate(drawn), real, seconds)
        )
    table.add_row(*table_row("real", real, real, 0))
    Console(width=120).print(f"{len(real)} glyphs of {len(names)} styles", table)


if __name__ == "__main__":
    main()
