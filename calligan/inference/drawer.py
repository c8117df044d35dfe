"""Draw characters: a model's generator applied to the glyphs of a content source."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calligan.config import TraceConfig
from calligan.errors import ModelError
from calligan.glyphs.charset import is_han
from calligan.glyphs.letter_placement import letter_scale
from calligan.glyphs.placement import share_of_canvas
from calligan.inference.content import PLAIN, ContentSource, FontSource, Way
from calligan.inference.non_han import CURE, KIND, NOUN, Advances, NonHan
from calligan.models.card import FontCard, ModelCard, read_card
from calligan.progress import Note, ignore
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
    non_han: Callable[[], NonHan] = NonHan  # which of them this model draws from this source
    letter_network: "Callable[[], Predictor] | None" = None  # draws them, as `network` does

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

        @cache
        def letter_network() -> "Predictor":
            return _with_decoder(network(), non_han().path)

        @cache
        def non_han() -> NonHan:
            return NonHan.of(model, content.digest)

        content = FontSource.open(card, source)
        return cls(
            *(card, network, content, bolder_em), non_han=non_han, letter_network=letter_network
        )

    @property
    def predictor(self) -> "Predictor":
        """The network, opened."""
        return self.network()

    @property
    def has_styles(self) -> bool:
        """Whether styles can be weakened, strengthened and mixed: several, in one vector space."""
        return self.predictor.generator.interpolates_styles and len(self.card.styles) > 1

    def draws(self, char: str, style_index: int) -> bool:
        """Whether a character is drawn in a style: Han, and others that were learned."""
        learned = reach_of(self.card.trained_chars).learned
        return is_han(char) or char in learned or char in self.advances(style_index)

    def advances(self, style_index: int) -> Advances:
        """The letters, marks and kana that a style has, besides those of `card`, with advances."""
        style = self.card.styles[style_index]
        if style.path or style_index in self.networks:
            return {}
        return self.non_han().card.hands.get(style.name, {})

    def tracing(self, char: str, style_index: int) -> TraceConfig:
        """How a drawn character is traced."""
        style = self.card.styles[style_index]
        if is_han(char) or char not in self.advances(style_index):
            return style.tracing
        return self.non_han().tracing(char, style.name, style.tracing)

    def open_letters(self, chars: str, style_index: int) -> None:
        """Open the network of letters, marks and kana, if some of `chars` are drawn with it."""
        if self.letter_network is not None and any(self._scales(chars, style_index).values()):
            self.letter_network()

    def draw(self, chars: str, style_index: int, way: Way = PLAIN) -> np.ndarray:
        """Draw characters in a style, numbered from 0: uint8 (N, S, S), 255 = paper.

        Letters and marks lie as glyphs/letter_placement.py says.
        """
        scales, images = self._scales(chars, style_index), dict[str, np.ndarray]()
        for scale in set(scales.values()):
            part = "".join(char for char in scales if scales[char] == scale)
            drawn = self._letters if scale else self._drawn
            images.update(zip(part, drawn(part, style_index, way), strict=True))
        return np.stack([images[char] for char in chars])

    def _scales(self, chars: str, style_index: int) -> dict[str, float | None]:
        """The scale at which each character is drawn by `letter_network`; None for `network`."""
        scales: dict[str, float | None] = dict.fromkeys(chars)
        name, others = self.card.styles[style_index].name, [c for c in scales if not is_han(c)]
        if others and self.advances(style_index):
            scales |= {char: self.non_han().scale_of(char, name) for char in others}
        return scales

    def _letters(self, chars: str, style_index: int, way: Way) -> np.ndarray:
        """Draw letters, marks or kana, all of one scale, as they were learned.

        What the style's card says of strokes is for Han characters.
        """
        assert self.letter_network is not None
        predictor = self.letter_network()
        vector, sources = predictor.style(style_index, way.strength), self.source.images(chars, way)
        style = replace(self.card.styles[style_index], bolder_em=0.0, pen="")
        bolder_em = self.bolder_em * letter_scale(chars[0])
        return draw_style(predictor, style, vector, sources, bolder_em)

    def _drawn(self, chars: str, style_index: int, way: Way) -> np.ndarray:
        vector, predictor = self.predictor.style(style_index, way.strength), self.predictor
        if style_index in self.networks:
            from calligan.models.average import average_weights
            from calligan.models.predictor import Predictor

            generator = average_weights(self.networks[style_index])
            predictor = Predictor(generator, predictor.device, predictor.fine, note=predictor.note)
        style, sources = self.card.styles[style_index], self.source.images(chars, way)
        return draw_style(predictor, style, vector, sources, self.bolder_em)


def _with_decoder(predictor: "Predictor", decoder: Path | None) -> "Predictor":
    """A copy of an opened network, with the weights of the file `decoder` in place of its own."""
    from calligan.models.file import read_weights
    from calligan.models.predictor import Predictor
    from calligan.models.weights import replace_weights

    generator = deepcopy(predictor.generator)
    if decoder is not None:
        replace_weights(generator, read_weights(decoder, KIND, NOUN, CURE)[0], decoder)
    return Predictor(generator, predictor.device, predictor.fine, note=predictor.note)


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
