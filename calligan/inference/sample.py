"""Sample glyphs from noise with a model of kind `noise`."""

from pathlib import Path

import numpy as np
import torch

from calligan.errors import DataError, ModelError
from calligan.models.pixels import to_uint8
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model


def sampled(
    model: Path, chars: str, style: str, count: int, seed: int, between: bool
) -> list[np.ndarray]:
    """Sample `count` glyphs of each character, uint8 (count, S, S).

    Every character gets the same `count` noise vectors: independent ones, or an interpolation
    between two (`between`). Raises ModelError for another kind of model, DataError for characters
    that it was not trained on.
    """
    generator, card = load_model(model)
    if not generator.takes_char_index:
        raise ModelError(f"{model} draws from sources, not from noise; use `calligan infer`")
    if unknown := "".join(char for char in chars if char not in card.trained_chars):
        raise DataError(f"the model was not trained on {' '.join(unknown)}; give other characters")
    torch.manual_seed(seed)
    noise = generator.noise(2 if between else count)
    assert noise is not None
    if between:
        shares = torch.linspace(0, np.pi / 2, count)[:, None]
        noise = torch.cos(shares) * noise[:1] + torch.sin(shares) * noise[1:]  # keeps the norm
    predictor = Predictor(generator)
    vectors = predictor.style(card.style_index(style)).expand(count, -1)
    found = []
    for char in chars:
        numbers = torch.full((count,), card.trained_chars.index(char))
        found.append(to_uint8(predictor.images(numbers, vectors, noise)))
    return found
