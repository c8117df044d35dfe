"""Each glyph drawn once, and in four places and averaged: what it costs and what it gives.

    python benchmarks/spinning.py DATA MODEL --test 40

DATA is a folder of `calligan render-pairs` with the model's styles and sources. Of test characters
of every style: L1 and SSIM of the drawn against the real glyph, mid-grey and edge slope, the cubics
of the outline that `export` traces from it (edges that waver take more), and milliseconds a glyph.
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
    """Cubics of each glyph's outline, traced as `export` does."""
    path = upscaler_model()
    large = images if path is None else upscale(load_upscaler(path), images)
    place = Placement.full_width(images.shape[1])
    return np.array([len(trace(image, place, UPEM, TraceConfig()).contour) for image in large])


def row(name: str, drawn: np.ndarray, real: np.ndarray, seconds: float) -> list[str]:
    """A line of the table."""
    found = [metrics.ink_l1(drawn, real), metrics.ssim(drawn, real)]
    found += [metrics.mid_grey(drawn), metrics.edge_slope(drawn)]
    means = [f"{np.nanmean(values):.3f}" for values in found]
    return [name, *means, f"{cubics(drawn).mean():.0f}", f"{1000 * seconds / len(drawn):.2f}"]


def main() -> None:
    """Draw, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--test", type=int, default=40, help="test characters a style")
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
        predictor.draw(batches[0].source, predictor.style(0))  # the first takes longer
        started = perf_counter()
        drawn = [
            predictor.draw(batch.source, predictor.style(index))
            for index, batch in enumerate(batches)
        ]
        seconds = perf_counter() - started
        table.add_row(
            *row("in four places" if fine else "once", np.concatenate(drawn), real, seconds)
        )
    table.add_row(*row("real", real, real, 0))
    Console(width=120).print(f"{len(real)} glyphs of {len(names)} styles", table)


if __name__ == "__main__":
    main()
