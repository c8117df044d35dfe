"""The held-out figures of a run: the test characters, which training never looked at."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from calligan.evaluation.baselines import nearest_training_glyph
from calligan.evaluation.metrics import ink_l1
from calligan.models.generator import Generator
from calligan.models.pixels import to_tensor, to_uint8
from calligan.models.weights import load_model
from calligan.page.sheet import Row, contact_sheet, save_png
from calligan.pairs.batches import Batch, Pairs
from calligan.pairs.store import Selection
from calligan.storage import atomic_file

_BATCH = 32
_SHOWN = 12


@dataclass(frozen=True)
class Figures:
    """L1 of ink (0-1) over n test characters of one style: the model's and two baselines'."""

    style: str
    n: int
    l1: float
    copy_source_l1: float
    nearest_training_l1: float


def evaluate_model(model: Path, selection: Selection, sheet: Path | None) -> list[Figures]:
    """Figures for each style of a model on the test characters of its data, at the data's size.

    `sheet` is where a PNG of source / generated / real goes, the characters evenly spread.
    """
    generator, card = load_model(model)
    test, training = Pairs(selection, "test"), Pairs(selection, "train")
    figures, rows = [], []
    for index, font in enumerate(selection.styles):
        asked = test.spread(index)
        drawn = generate(generator, asked, card.size_px)
        copied = _as_the_model_sees(asked.source, card.size_px)
        nearest = nearest_training_glyph(asked, training.spread(index))
        l1 = [
            float(ink_l1(_fit(images, asked.target), asked.target).mean())
            for images in (drawn, copied, nearest)
        ]
        figures.append(Figures(font.name, len(asked.chars), *l1))
        shown = slice(None, None, max(1, len(asked.chars) // _SHOWN))
        rows += [
            Row(label, list(images[shown][:_SHOWN]))
            for label, images in (
                ("source", asked.source),
                (font.name, drawn),
                ("real", asked.target),
            )
        ]
    if sheet is not None:
        with atomic_file(sheet) as file:
            save_png(contact_sheet(rows, card.size_px), file)
    return figures


def generate(generator: Generator, batch: Batch, size_px: int) -> np.ndarray:
    """The model's drawing of a batch: uint8 (N, size, size)."""
    drawn = []
    for start in range(0, len(batch.chars), _BATCH):
        part = slice(start, start + _BATCH)
        source = to_tensor(batch.source[part], size_px)
        with torch.inference_mode():
            drawn.append(to_uint8(generator(source, torch.from_numpy(batch.style_index[part]))))
    return np.concatenate(drawn)


def summary(figures: list[Figures]) -> dict[str, Any]:
    """Figures by style and their mean, for JSON."""
    keys = ("l1", "copy_source_l1", "nearest_training_l1")
    mean = {key: float(np.mean([getattr(f, key) for f in figures])) for key in keys}
    return {"styles": [asdict(f) for f in figures], "mean": mean}


def _as_the_model_sees(images: np.ndarray, size_px: int) -> np.ndarray:
    return to_uint8(to_tensor(images, size_px))


def _fit(images: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Images at the real glyphs' size, should the model draw smaller ones."""
    if images.shape[1:] == like.shape[1:]:
        return images
    return to_uint8(to_tensor(images, like.shape[-1]))
