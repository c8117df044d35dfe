"""What the reader learns from: real glyphs beside regular ones, right, wrong or spoiled."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calligan.pairs.manifest import FontEntry
from calligan.pairs.split import Part, part_of
from calligan.pairs.store import PairStore
from calligan.reader.defects import ALONE, WITH_OTHER, disturbed
from calligan.reader.network import SIZE_PX

KINDS = ("genuine", "wrong", *ALONE, *WITH_OTHER)
_SHARES = {"genuine": 0.45, "wrong": 0.25}  # the rest is shared by the defects
_NO_LONGER_IT = ("wrong", "swapped")  # what makes it another character
_UNTOLD = -1.0  # a label that a kind does not tell
_NEIGHBOURS = 24  # characters most like another, as hard examples
_TRIES = 4  # characters looked at for one that can be spoiled in the way drawn
_HARD = 0.5  # share of wrong characters that are among those


@dataclass(frozen=True)
class ReaderBatch:
    """Glyphs and references uint8 (N, 64, 64), 255 = paper; labels (N, 2) of `right`, `whole`:
    1, 0, or -1 where untold; the kind of each.
    """

    glyph: np.ndarray
    reference: np.ndarray
    labels: np.ndarray
    kinds: list[str]


class Examples:
    """Examples from some fonts of a data folder, of one part of its characters.

    `fonts` are read; `references` are the regular fonts that say what was asked for.
    """

    def __init__(
        self, store: PairStore, fonts: list[FontEntry], references: list[FontEntry], part: Part
    ):
        self.store, self.fonts, self.references = store, fonts, references
        split = store.manifest.split
        known = set().union(*(font.chars for font in references))
        self.chars = [
            [c for c in font.chars if c in known and part_of(c, split) == part] for font in fonts
        ]

    def random(self, count: int, seed: int, step: int) -> ReaderBatch:
        """Fonts, characters, kinds and spoilings, all drawn by (seed, step)."""
        rng = np.random.Generator(np.random.Philox(key=[seed, step]))
        made = [self._drawn(_kind(rng), rng) for _ in range(count)]
        glyphs, references, kinds = zip(*made, strict=True)
        labels = np.array([label_of(kind) for kind in kinds], np.float32)
        return ReaderBatch(np.stack(glyphs), np.stack(references), labels, list(kinds))

    def _drawn(self, kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, str]:
        """An example of a kind, from the first of a few fonts and characters that can give it."""
        for _ in range(_TRIES):
            made = self.one(int(rng.integers(len(self.fonts))), kind, rng)
            if made[2] == kind:
                break
        return made

    def one(
        self, font_index: int, kind: str, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, str]:
        """A glyph, its reference and the kind; a glyph that cannot be spoiled so stays genuine."""
        font, chars = self.fonts[font_index], self.chars[font_index]
        char = chars[int(rng.integers(len(chars)))]
        having = [r for r in self.references if char in self._rows[r.name] and r.name != font.name]
        reference = having[int(rng.integers(len(having)))] if having else self.references[0]
        shown = self._other(font, char, chars, rng) if kind == "wrong" else char
        ink = self._ink(font, shown)
        if kind in ALONE:
            spoiled = ALONE[kind](ink, rng)
        elif kind in WITH_OTHER:
            other = self._ink(font, chars[int(rng.integers(len(chars)))])
            spoiled = WITH_OTHER[kind](ink, other, rng)
        else:
            spoiled = ink
        if spoiled is None:
            kind, spoiled = "genuine", ink
        drawn = disturbed(np.ascontiguousarray(spoiled, np.float32), rng)
        print_ink = self._ink(reference, char) if having else ink
        return _image(drawn), _image(print_ink), kind

    def _other(self, font: FontEntry, char: str, chars: list[str], rng: np.random.Generator) -> str:
        """Another character of the font: often one that looks alike in print."""
        if rng.random() < _HARD:
            near = self._near.get(char, "")
            there = [other for other in near if other in self._rows[font.name]]
            if there:
                return there[int(rng.integers(len(there)))]
        while (other := chars[int(rng.integers(len(chars)))]) == char and len(chars) > 1:
            pass
        return other

    def _ink(self, font: FontEntry, char: str) -> np.ndarray:
        image = self._images[font.name][self._rows[font.name][char]]
        k = image.shape[0] // SIZE_PX
        small = image.reshape(SIZE_PX, k, SIZE_PX, k).mean(axis=(1, 3))
        return np.asarray((255 - small) / 255, np.float32)

    @cached_property
    def _near(self) -> dict[str, str]:
        """The characters that look most like each, by the cosine of 16 x 16 ink in print."""
        font = self.references[0]
        images, chars = self._images[font.name], font.chars
        k = images.shape[1] // 16
        cells = np.stack([255 - im.reshape(16, k, 16, k).mean(axis=(1, 3)) for im in images])
        flat = cells.reshape(len(cells), -1).astype(np.float32)
        flat -= flat.mean(axis=1, keepdims=True)
        flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6
        near = {}
        for start in range(0, len(flat), 512):
            alike = flat[start : start + 512] @ flat.T
            best = np.argpartition(-alike, _NEIGHBOURS, axis=1)[:, : _NEIGHBOURS + 1]
            for offset, row in enumerate(best):
                near[chars[start + offset]] = "".join(chars[i] for i in row if i != start + offset)
        return near

    @cached_property
    def _rows(self) -> dict[str, dict[str, int]]:
        every = (*self.fonts, *self.references)
        return {font.name: {char: i for i, char in enumerate(font.chars)} for font in every}

    @cached_property
    def _images(self) -> dict[str, np.ndarray]:
        return {f.name: self.store.images(f) for f in (*self.fonts, *self.references)}


def label_of(kind: str) -> tuple[float, float]:
    """`right` and `whole` of a kind."""
    if kind == "genuine":
        return 1.0, 1.0
    if kind == "wrong":
        return 0.0, _UNTOLD
    if kind in _NO_LONGER_IT:
        return 0.0, 0.0
    return (_UNTOLD if kind == "missing" else 1.0), 0.0


def _kind(rng: np.random.Generator) -> str:
    drawn = rng.random()
    for kind, share in _SHARES.items():
        if drawn < share:
            return kind
        drawn -= share
    defects = KINDS[len(_SHARES) :]
    return defects[int(rng.integers(len(defects)))]


def _image(ink: np.ndarray) -> np.ndarray:
    return np.rint(255 * (1 - np.clip(ink, 0, 1))).astype(np.uint8)
