"""Batches of (source, target, style) as a function of (seed, step): resuming needs no state."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from calligan.errors import DataError
from calligan.pairs.index import GlyphIndex
from calligan.pairs.split import Part, part_of
from calligan.pairs.store import Selection


@dataclass(frozen=True)
class Batch:
    """Glyphs uint8, 255 = paper; style indices int64, from 0.

    `source` is (M, H, W), `target` and the indices (N, …): the first N / M targets belong to the
    first source, and so on. `chars` has N characters.
    """

    source: np.ndarray
    target: np.ndarray
    style_index: np.ndarray
    wrong_style_index: np.ndarray  # a style other than the pair's, for the discriminator
    source_style_index: np.ndarray  # (M,): the style that a source belongs to; -1 for none
    char_index: np.ndarray  # (M,): the character's index in `Pairs.classes`; -1 for none
    chars: str


Glyph = tuple[str, int]  # a font's name and the row of its array


@dataclass(frozen=True)
class Choice:
    """A batch without its images: M sources and N targets, the rest as in `Batch`."""

    source: list[Glyph]
    target: list[Glyph]
    style_index: np.ndarray
    wrong_style_index: np.ndarray
    source_style_index: np.ndarray
    char_index: np.ndarray
    chars: str


def classes_of(selection: Selection) -> str:
    """The characters used in training: in the training part, in a source and in a style."""
    shown = set().union(*(font.chars for font in selection.sources))
    shown &= set().union(*(font.chars for font in selection.styles))
    return "".join(char for char in selection.store.training_chars() if char in shown)


class Pairs:
    """The pairs of one part of the split, for the sources and styles of a selection.

    With `any_source`, glyphs of the styles are used as sources too. Raises DataError where a style
    has no pairs.
    """

    def __init__(self, selection: Selection, part: Part, any_source: bool = False):
        store, styles = selection.store, selection.styles
        self.store, self.sources, self.styles = store, selection.sources, styles
        if any_source:
            self.sources = (*selection.sources, *styles)
        self.classes = classes_of(selection)
        self._fonts = list({font.name: font for font in (*self.sources, *styles)}.values())
        self._index = GlyphIndex(self._fonts)
        numbers = {font.name: number for number, font in enumerate(self._fonts)}
        self._source_numbers = np.array([numbers[font.name] for font in self.sources])
        self._style_numbers = np.array([numbers[font.name] for font in styles])
        shown = set().union(*(font.chars for font in self.sources))
        split = store.manifest.split
        shown = {char for char in shown if part_of(char, split) == part}
        self.chars = ["".join(c for c in style.chars if c in shown) for style in styles]
        for style, chars in zip(styles, self.chars, strict=True):
            if not chars:
                raise DataError(
                    f"{style.name} shares no {part} characters with the source; "
                    "render a larger --charset"
                )

    def __getstate__(self) -> dict[str, Any]:
        """The state without the arrays: another process maps them itself."""
        return {name: value for name, value in vars(self).items() if name != "_images"}

    def random(self, batch_size: int, styles_per_char: int, seed: int, step: int) -> Batch:
        """The batch that `choose` draws."""
        return self.fetch(self.choose(batch_size, styles_per_char, seed, step))

    def choose(self, batch_size: int, styles_per_char: int, seed: int, step: int) -> Choice:
        """Draw a batch: style, then character, then more styles that have it, then a source font.

        All are drawn uniformly; the glyphs of one character are consecutive and share a source.
        """
        rng = np.random.Generator(np.random.Philox(key=[seed, step]))
        first = rng.integers(len(self.styles), size=batch_size // styles_per_char)
        chars = [self.chars[s][rng.integers(len(self.chars[s]))] for s in first]
        drawn = [
            self._styles_of(char, s, styles_per_char, rng)
            for char, s in zip(chars, first, strict=True)
        ]
        style_index = np.concatenate(drawn)
        others = rng.integers(1, max(2, len(self.styles)), size=batch_size)
        wrong = (style_index + others) % len(self.styles)
        source_indices = [self._source_with(char, rng) for char in chars]
        return self._choice(source_indices, style_index, wrong, chars, styles_per_char, rng)

    def spread(self, style_index: int, count: int | None = None, among: str | None = None) -> Batch:
        """`count` evenly spaced characters of one style (or all), optionally only those in `among`.

        Each uses the first source that has it. Raises DataError where there are none.
        """
        chars = self.chars[style_index]
        if among is not None:
            chars = "".join(char for char in chars if char in set(among))
        if not chars:
            raise DataError(f"{self.styles[style_index].name} has none of the characters asked for")
        if count is not None:
            chars = chars[:: max(1, len(chars) // count)][:count]
        index = np.full(len(chars), style_index)
        source_indices = [self._source_with(char, None) for char in chars]
        return self.fetch(self._choice(source_indices, index, index, chars, 1, None))

    def fetch(self, choice: Choice) -> Batch:
        """The batch of a choice, with its images."""
        source, target = (
            np.stack([self._images[name][row] for name, row in glyphs])
            for glyphs in (choice.source, choice.target)
        )
        indices = (choice.style_index, choice.wrong_style_index, choice.source_style_index)
        return Batch(source, target, *indices, choice.char_index, choice.chars)

    def glyphs(self) -> dict[str, np.ndarray]:
        """Every font's glyphs, uint8 (N, S, S), by name; a choice has rows of these."""
        return self._images

    def _choice(
        self,
        source_indices: Sequence[int],
        style_index: np.ndarray,
        wrong_style_index: np.ndarray,
        chars: Sequence[str],
        styles_per_char: int,
        rng: np.random.Generator | None,
    ) -> Choice:
        each = [char for char in chars for _ in range(styles_per_char)]
        fonts = self._style_numbers[style_index]
        target = [self._glyph(f, char, rng) for f, char in zip(fonts, each, strict=True)]
        numbers = self._source_numbers[list(source_indices)]
        source = [self._glyph(f, char, rng) for f, char in zip(numbers, chars, strict=True)]
        names = (self.sources[index].name for index in source_indices)
        from_style = np.array([self._style_rows.get(name, -1) for name in names])
        char_index = np.array([self._class_rows.get(char, -1) for char in chars])
        return Choice(
            source, target, style_index, wrong_style_index, from_style, char_index, "".join(each)
        )

    def _styles_of(self, char: str, first: int, count: int, rng: np.random.Generator) -> np.ndarray:
        """`first` and other styles that have the character; repeated if there are too few."""
        having = self._index.having(char, self._style_numbers)
        others = rng.permutation(having[having != first])
        return np.resize(np.array([first, *others[: count - 1]], np.int64), count)

    def _source_with(self, char: str, rng: np.random.Generator | None) -> int:
        """The index in `sources` of a source that has the character: random, or the first."""
        having = self._index.having(char, self._source_numbers)
        return int(having[0 if rng is None else int(rng.integers(len(having)))])

    def _glyph(self, font: int, char: str, rng: np.random.Generator | None) -> Glyph:
        """A glyph of a character, of which handwriting may have several: random, or the first."""
        rows = self._index.rows(char, int(font))
        row = rows[0] if rng is None or len(rows) == 1 else rows[int(rng.integers(len(rows)))]
        return self._fonts[font].name, int(row)

    @cached_property
    def _style_rows(self) -> dict[str, int]:
        return {font.name: row for row, font in enumerate(self.styles)}

    @cached_property
    def _class_rows(self) -> dict[str, int]:
        return {char: row for row, char in enumerate(self.classes)}

    @cached_property
    def _images(self) -> dict[str, np.ndarray]:
        return {font.name: self.store.images(font) for font in self._fonts}
