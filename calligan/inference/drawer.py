"""Characters to images: a model's generator, shown what a content source has of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calligan.errors import ModelError
from calligan.inference.content import PLAIN, ContentSource, FontSource, Way
from calligan.models.card import ModelCard
from calligan.models.device import pick_device
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model
from calligan.progress import Note, ignore


@dataclass(frozen=True)
class Drawer:
    """What draws a character in a style, in one way, without looking at it."""

    card: ModelCard
    predictor: Predictor
    source: ContentSource

    @classmethod
    def open(
        cls,
        model: Path,
        source: str | None = None,
        fine: bool = False,
        device: str = "cpu",
        note: Note = ignore,
    ) -> "Drawer":
        """A model file and a font to draw from, by name or path; None takes one of its own.

        Raises ModelError for a model that draws from noise, ConfigError for a device that is not
        there.
        """
        device = pick_device(device)
        generator, card = load_model(model, device)
        if generator.takes_char_index:
            raise ModelError(f"{model} draws from noise, without a source; use `calligan sample`")
        predictor = Predictor(generator, device, fine, note=note)
        return cls(card, predictor, FontSource.open(card, source))

    @property
    def has_styles(self) -> bool:
        """Whether a style can be made weaker or stronger: there are several, in one space."""
        return self.predictor.generator.interpolates_styles and len(self.card.styles) > 1

    def draw(self, chars: str, style_index: int, way: Way = PLAIN) -> np.ndarray:
        """Characters in a style numbered from 0: uint8 (N, S, S), 255 = paper."""
        style = self.predictor.style(style_index, way.strength)
        return self.predictor.draw(self.source.images(chars, way), style)
