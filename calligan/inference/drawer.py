"""Draw characters: a model's generator applied to the glyphs of a content source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calligan.errors import ModelError
from calligan.glyphs.placement import share_of_canvas
from calligan.inference.content import PLAIN, ContentSource, FontSource, Way
from calligan.models.card import FontCard, ModelCard, read_card
from calligan.progress import Note, ignore
from calligan.vector.pen import redraw

if TYPE_CHECKING:
    from torch import Tensor

    from calligan.models.average import Shares
    from calligan.models.predictor import Predictor


@dataclass(frozen=True)
class Drawer:
    """Draws characters in a style, once each, without checking the result.

    The network is opened, and torch imported, when something is drawn.
    """

    card: ModelCard
    network: "Callable[[], Predictor]"  # opens it, or gives the opened one
    source: ContentSource
    bolder_em: float = 0.0  # added to the thickness of strokes, besides what the style's card says
    networks: "Mapping[int, Shares]" = field(default_factory=dict)  # of styles that mix models

    @classmethod
    def open(
        cls,
        model: Path,
        source: str | None = None,
        fine: bool = False,
        device: str = "cpu",
        note: Note = ignore,
        bolder_em: float = 0.0,
    ) -> "Drawer":
        """Open a model file and a source font, by name or path; None: one of the model's own.

        `bolder_em` is added to the thickness of strokes. Raises ModelError for a model that draws
        from noise, or ink if strokes shall be bolder; when something is drawn, ModelError for
        damaged weights and ConfigError for a missing device.
        """
        card = read_card(model)
        if card.generator.kind == "noise":
            raise ModelError(f"{model} draws from noise, without a source; use `calligan sample`")
        if bolder_em and card.generator.output != "distance":
            raise ModelError(f"{model} draws ink, whose strokes cannot be made bolder or lighter")

        @cache
        def network() -> "Predictor":
            from calligan.models.device import pick_device
            from calligan.models.precision import store_as_computed
            from calligan.models.predictor import Predictor
            from calligan.models.weights import load_model

            on = pick_device(device)
            return Predictor(store_as_computed(load_model(model, on)[0], on), on, fine, note=note)

        return cls(card, network, FontSource.open(card, source), bolder_em)

    @property
    def predictor(self) -> "Predictor":
        """The network, opened."""
        return self.network()

    @property
    def has_styles(self) -> bool:
        """Whether styles can be weakened, strengthened and mixed: several, in one vector space."""
        return self.predictor.generator.interpolates_styles and len(self.card.styles) > 1

    def draw(self, chars: str, style_index: int, way: Way = PLAIN) -> np.ndarray:
        """Draw characters in a style, numbered from 0: uint8 (N, S, S), 255 = paper."""
        vector, predictor = self.predictor.style(style_index, way.strength), self.predictor
        if style_index in self.networks:
            from calligan.models.average import average_weights
            from calligan.models.predictor import Predictor

            generator = average_weights(self.networks[style_index])
            predictor = Predictor(generator, predictor.device, predictor.fine, note=predictor.note)
        style, sources = self.card.styles[style_index], self.source.images(chars, way)
        return draw_style(predictor, style, vector, sources, self.bolder_em)


def draw_style(
    predictor: "Predictor",
    style: FontCard,
    vector: "Tensor",
    sources: np.ndarray,
    bolder_em: float = 0.0,
) -> np.ndarray:
    """Source glyphs uint8 (N, H, W) in a style, as its card says: uint8 (N, S, S), 255 = paper.

    `bolder_em` is added to the thickness of strokes, besides what the card says.
    """
    images = predictor.draw(sources, vector, share_of_canvas(style.bolder_em + bolder_em))
    if style.pen:
        images[:] = [redraw(image, style.pen) for image in images]
    return images
