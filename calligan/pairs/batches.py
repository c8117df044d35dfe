"""Batches of (source, target, style) as a function of (seed, step): resuming needs no state."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calligan.errors import DataError
from calligan.pairs.manifest import FontEntry
from calligan.pairs.split import Part, part_of
from calligan.pairs.store import Selection


@dataclass(frozen=True)
class Batch:
    """`source`, `target`: uint8 (N, H, W), 255 = paper; style indices: int64 (N,), from 0."""

    source: np.ndarray
    target: np.ndarray
    style_index: np.ndarray
    wrong_style_index: np.ndarray  # another style than the pair's, for the discriminator
    chars: str


class Pairs:
    """The pairs of one part of the split, for the sources and styles of a selection.

    Raises DataError where a style has none.
    """

    def __init__(self, selection: Selection, part: Part):
        store, styles = selection.store, selection.styles
        self.store, self.sources, self.styles = store, selection.sources, styles
        in_source = set().union(*(font.chars for font in self.sources))
        split = store.manifest.split
        self.chars = [
            [c for c in style.chars if c in in_source and part_of(c, split) == part]
            for style in styles
        ]
        for style, chars in zip(styles, self.chars, strict=True):
            if not chars:
                raise DataError(
                    f"{style.name} shares no {part} characters with the source; "
                    "render a larger --charset"
                )

    def random(self, batch_size: int, seed: int, step: int) -> Batch:
        """Draw a batch: style uniform, then character, then source font, uniform."""
        rng = np.random.Generator(np.random.Philox(key=[seed, step]))
        style_index = rng.integers(len(self.styles), size=batch_size)
        chars = [self.chars[s][rng.integers(len(self.chars[s]))] for s in style_index]
        others = rng.integers(1, max(2, len(self.styles)), size=batch_size)
        return self._gather(style_index, (style_index + others) % len(self.styles), chars, rng)

    def spread(self, style_index: int, count: int | None = None) -> Batch:
        """`count` characters of one style (or all), spread over the charset.

        Each is drawn from the first source that has it.
        """
        chars = self.chars[style_index]
        if count is not None:
            chars = chars[:: max(1, len(chars) // count)][:count]
        index = np.full(len(chars), style_index)
        return self._gather(index, index, chars, None)

    def _gather(
        self,
        style_index: np.ndarray,
        wrong_style_index: np.ndarray,
        chars: list[str],
        rng: np.random.Generator | None,
    ) -> Batch:
        fonts = [self.styles[s] for s in style_index]
        source = np.stack([self._source(char, rng) for char in chars])
        target = np.stack([self._glyph(f, char) for f, char in zip(fonts, chars, strict=True)])
        return Batch(source, target, style_index, wrong_style_index, "".join(chars))

    def _source(self, char: str, rng: np.random.Generator | None) -> np.ndarray:
        having = [font for font in self.sources if char in self._rows[font.name]]
        return self._glyph(having[0 if rng is None else int(rng.integers(len(having)))], char)

    def _glyph(self, font: FontEntry, char: str) -> np.ndarray:
        return self._images[font.name][self._rows[font.name][char]]

    @cached_property
    def _rows(self) -> dict[str, dict[str, int]]:
        return {f.name: {c: i for i, c in enumerate(f.chars)} for f in self._fonts}

    @cached_property
    def _images(self) -> dict[str, np.ndarray]:
        return {font.name: self.store.images(font) for font in self._fonts}

    @property
    def _fonts(self) -> tuple[FontEntry, ...]:
        return (*self.sources, *self.styles)
