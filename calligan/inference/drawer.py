"""Draw characters: a model's generator applied to the glyphs of a content source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calligan.errors import ModelError
from calligan.glyphs.charset import is_han, is_kana
from calligan.glyphs.placement import share_of_canvas
from calligan.inference.content import PLAIN, ContentSource, FontSource, Way
from calligan.inference.kana import LegibleKana, legible_kana
from calligan.models.card import FontCard, ModelCard, read_card
from calligan.progress import Note, ignore
from calligan.project.source import file_digest
from calligan.reader.reach import reach_of
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
    kana: Callable[[], LegibleKana] = LegibleKana  # those of this model and source

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

        content = FontSource.open(card, source)
        return cls(card, network, content, bolder_em, kana=cache(lambda: kana_of(model, content)))

    @property
    def predictor(self) -> "Predictor":
        """The network, opened."""
        return self.network()

    @property
    def has_styles(self) -> bool:
        """Whether styles can be weakened, strengthened and mixed: several, in one vector space."""
        return self.predictor.generator.interpolates_styles and len(self.card.styles) > 1

    def draws(self, char: str, style_index: int) -> bool:
        """Whether a character is drawn in a style: Han, kana that were learned or are legible."""
        learned = reach_of(self.card.trained_chars).learned
        return is_han(char) or char in learned or char in self.kana_ways(style_index)

    def draw(self, chars: str, style_index: int, way: Way = PLAIN) -> np.ndarray:
        """Draw characters in a style, numbered from 0: uint8 (N, S, S), 255 = paper.

        Kana are drawn in the way that makes them legible, unless another is asked for.
        """
        kana = self.kana_ways(style_index) if way == PLAIN and any(map(is_kana, chars)) else {}
        images = self._drawn(chars, style_index, way)
        for at, char in enumerate(chars):
            if (best := kana.get(char, way)) != way:
                images[at] = self._drawn(char, style_index, best)[0]
        return images

    def kana_ways(self, style_index: int) -> Mapping[str, Way]:
        """How kana are drawn that were not learned and yet are legible in a style."""
        style = self.card.styles[style_index]
        return {} if style.path else self.kana().ways(style.name)

    def _drawn(self, chars: str, style_index: int, way: Way) -> np.ndarray:
        vector, predictor = self.predictor.style(style_index, way.strength), self.predictor
        if style_index in self.networks:
            from calligan.models.average import average_weights
            from calligan.models.predictor import Predictor

            generator = average_weights(self.networks[style_index])
            predictor = Predictor(generator, predictor.device, predictor.fine, note=predictor.note)
        style, sources = self.card.styles[style_index], self.source.images(chars, way)
        return draw_style(predictor, style, vector, sources, self.bolder_em)


def kana_of(model: Path, source: ContentSource) -> LegibleKana:
    """The legible kana of a model and a source font."""
    known = legible_kana()
    same = source.digest == known.source and file_digest(model) == known.model
    return known if same else LegibleKana()


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
