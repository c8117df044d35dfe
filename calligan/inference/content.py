"""Content input of a generator: source glyphs of characters, and their variations."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from threading import RLock
from typing import Any, Protocol

import numpy as np

from calligan.glyphs.charset import is_drawn
from calligan.glyphs.face import Face
from calligan.glyphs.letter_placement import letter_placement
from calligan.glyphs.placement import Placement
from calligan.glyphs.raster import Renderer
from calligan.models.card import ModelCard
from calligan.project.source import installed_sources, open_source, trained_sources
from calligan.vector.borrow import Lettering


@dataclass(frozen=True)
class Way:
    """A variation of the inputs. Doubtful characters are drawn again with other variations."""

    name: str = "as it is"
    source: int = 0  # which of the source fonts
    scale: float = 1.0  # of the source glyph, about the middle of the canvas
    shift_x: float = 0.0  # of the source glyph, share of the canvas
    shift_y: float = 0.0
    strength: float = 1.0  # of the style: its distance from the mean of all styles


PLAIN = Way()
WAYS = (
    Way("another source", source=1),
    Way("weaker style", strength=0.8),
    Way("smaller", scale=0.96),
    Way("larger", scale=1.04),
    Way("up and left", shift_x=-0.02, shift_y=-0.02),
    Way("down and right", shift_x=0.02, shift_y=0.02),
    Way("stronger style", strength=1.2),
)


class ContentSource(Protocol):
    """Source glyphs of characters, with matching Latin letters, digits and punctuation."""

    @property
    def name(self) -> str:
        """The name to show."""

    @property
    def file_name(self) -> str:
        """The name of its file, for messages."""

    @property
    def digest(self) -> str:
        """The checksum of its file."""

    @property
    def identity(self) -> Any:
        """Everything that determines its images, as JSON."""

    @property
    def lettering(self) -> Lettering:
        """Where marks, digits and letters come from."""

    @property
    def count(self) -> int:
        """How many sources there are to draw from: `Way.source` is below it."""

    def lacks(self, char: str) -> bool:
        """Whether it has no glyph with ink for a character."""

    def images(self, chars: str, way: Way = PLAIN) -> np.ndarray:
        """Source glyphs as input to the model: uint8 (N, S, S), 255 = paper.

        Letters and marks lie as glyphs/letter_placement.py says.
        """


def picture_of(source: ContentSource, char: str) -> np.ndarray | None:
    """A character's source glyph, uint8 (S, S), 255 = paper, for a label; None if it is lacking."""
    if source.lacks(char):
        return None
    image: np.ndarray = source.images(char)[0]
    return image


class FontSource:
    """A source font, and those other source fonts of the model that are installed."""

    def __init__(self, face: Face, placement: Placement, card: ModelCard):
        self.face, self.placement, self._card = face, placement, card
        self._renderers: dict[tuple[Way, str], Renderer] = {}
        self._lacking: dict[str, bool] = {}  # cache of `lacks`
        self._lock = RLock()  # FreeType's faces are not safe to be used by two threads

    @classmethod
    def open(cls, card: ModelCard, wanted: str | None) -> "FontSource":
        """Open a font by name or path, or else one that the model was trained with.

        Raises FontError if it cannot be found.
        """
        return cls(*open_source(card, wanted), card)

    @property
    def name(self) -> str:
        """The font's family."""
        return self.face.family

    @property
    def file_name(self) -> str:
        """The name of the font's file."""
        return self.face.spec.path.name

    @property
    def digest(self) -> str:
        """The font's checksum."""
        return self.face.sha256

    @property
    def identity(self) -> Any:
        """Checksum and placement, and which of the model's other sources are installed."""
        others = installed_sources(self._card)
        return [self.face.sha256, asdict(self.placement), others]

    @property
    def lettering(self) -> Lettering:
        """The font's own letters and marks."""
        return Lettering(self.face, self.placement)

    @property
    def count(self) -> int:
        """The number of source fonts, this one included."""
        with self._lock:
            return 1 + len(self._others)

    def lacks(self, char: str) -> bool:
        """Whether the font has no ink for a character."""
        with self._lock:
            if char not in self._lacking:
                left_out = self._renderer(PLAIN).render(char, self._paper())
                self._lacking[char] = left_out not in (None, "clipped")
            return self._lacking[char]

    def images(self, chars: str, way: Way = PLAIN) -> np.ndarray:
        """Source glyphs, uint8 (N, S, S); from this font if the font of `way` lacks them."""
        with self._lock:
            return np.stack([self._image(char, way) for char in chars])

    def _image(self, char: str, way: Way) -> np.ndarray:
        canvas = self._paper()
        letter = "" if is_drawn(char) else char
        left_out = self._renderer(way, letter).render(char, canvas)
        if left_out and way.source:
            self._renderer(PLAIN, letter).render(char, canvas)
        return canvas

    @cached_property
    def _others(self) -> Sequence[tuple[Face, Placement]]:
        found = []
        for face, font in trained_sources(self._card):
            if face.sha256 != self.face.sha256:
                place = Placement(**font.placement)
                found.append((face, place.scaled(self._card.size_px)))
        return found

    def _renderer(self, way: Way, letter: str = "") -> Renderer:
        """What draws Han characters and kana; or one letter or mark, which has its own place."""
        if (way, letter) not in self._renderers:
            face, place = self.face, self.placement
            if way.source:
                face, place = self._others[way.source - 1]
            if letter:
                place = letter_placement(face, letter, place)
            moved = place.moved(way.scale, way.shift_x, way.shift_y)
            self._renderers[way, letter] = Renderer(face, moved, min_ink=0)
        return self._renderers[way, letter]

    def _paper(self) -> np.ndarray:
        size_px = self._card.size_px
        return np.full((size_px, size_px), 255, np.uint8)
