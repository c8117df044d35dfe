"""Sample glyphs from noise with a model of kind `noise`."""

from pathlib import Path

import numpy as np
import torch

from calligan.errors import ConfigError, DataError, ModelError
from calligan.glyphs.charset import is_drawn
from calligan.models.pixels import to_uint8
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model
from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.project.models import model_path
from calligan.requests.drawing import check_seed
from calligan.requests.sheets import SampleRequest


def save_samples(request: SampleRequest) -> None:
    """Write a sheet of the glyphs sampled of each character. Raises as `sampled` does."""
    chars = "".join(dict.fromkeys(filter(is_drawn, request.chars)))
    if not chars or not 1 <= request.count <= 64:
        raise ConfigError("give at least one Chinese character, and --count 1 to 64")
    check_seed(request.seed)
    how = (request.style, request.count, request.seed, request.between)
    found = sampled(model_path(request.model), chars, *how)
    rows = [Row(c, list(images)) for c, images in zip(chars, found, strict=True)]
    save_sheet(contact_sheet(rows, found[0].shape[-1]), request.output)


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
