"""What the reader learns from: real glyphs beside regular ones, right, wrong or spoiled."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from defects import ALONE, WITH_OTHER, disturbed

from calligan.pairs.manifest import FontEntry
from calligan.pairs.split import Part, part_of
from calligan.pairs.store import PairStore
from calligan.reader.network import SIZE_PX
from calligan.scan.opencv import opencv

KINDS = ("genuine", "wrong", "alike", *ALONE, *WITH_OTHER)
_SHARES = {  # of a batch; what is hard to see comes more often
    **{"genuine": 0.36, "wrong": 0.06, "alike": 0.13, "missing": 0.08, "swapped": 0.06},
    **{"broken": 0.13, "extra": 0.07, "melted": 0.05, "faded": 0.03, "fogged": 0.03},
}
_OTHERS = ("wrong", "alike")  # another character: any, or one that looks like it in print
_UNTOLD = -1.0  # a label that a kind does not tell
_NEIGHBOURS = 24  # characters most like another, as hard examples
_TRIES = 4  # characters looked at for one that can be spoiled in the way drawn
_TOGETHER = 4  # characters that look alike, in one batch: to be told apart
_CELLS = 16


@dataclass(frozen=True)
class ReaderBatch:
    """Glyphs and references uint8 (N, 64, 64), 255 = paper; labels (N, 2) of `right`, `whole`:
    1, 0, or -1 where untold; the kind of each, and the character that each reference shows.
    """

    glyph: np.ndarray
    reference: np.ndarray
    labels: np.ndarray
    kinds: list[str]
    chars: list[str]


class Examples:
    """Examples from some fonts of a data folder, of one part of its characters.

    `fonts` are read, each as often as its share of `shares` (all alike if None); `references` are
    the regular fonts that say what was asked for.
    """

    def __init__(
        self,
        store: PairStore,
        fonts: list[FontEntry],
        references: list[FontEntry],
        part: Part,
        shares: Sequence[float] | None = None,
    ):
        self.store, self.fonts, self.references = store, fonts, references
        self.shares = np.array(shares or [1.0] * len(fonts))
        split = store.manifest.split
        known = set().union(*(font.chars for font in references))
        self.chars = [
            [c for c in font.chars if c in known and part_of(c, split) == part] for font in fonts
        ]

    def prepare(self) -> None:
        """Look up now what is looked up once: a worker process then finds it done."""
        _ = self._near, self._known, self._rows, self._images

    def random(self, count: int, seed: int, step: int) -> ReaderBatch:
        """Fonts, characters, kinds and spoilings, all drawn by (seed, step)."""
        rng = np.random.Generator(np.random.Philox(key=[seed, step]))
        made = [self._drawn(_kind(rng), *at, rng) for at in self._places(count, rng)]
        glyphs, references, kinds, chars = zip(*made, strict=True)
        labels = np.array([label_of(kind) for kind in kinds], np.float32)
        return ReaderBatch(np.stack(glyphs), np.stack(references), labels, list(kinds), list(chars))

    def _places(self, count: int, rng: np.random.Generator) -> list[tuple[int, str]]:
        """Fonts and characters, some alike beside each other."""
        found: list[tuple[int, str]] = []
        while len(found) < count:
            index = self._font(range(len(self.fonts)), rng)
            char = self.chars[index][int(rng.integers(len(self.chars[index])))]
            near = self._near.get(char, "")
            for other in (char, *rng.permutation(list(near))[: _TOGETHER - 1]):
                having = [i for i, known in enumerate(self._known) if other in known]
                if having:
                    found.append((self._font(having, rng), str(other)))
        return found[:count]

    def _font(self, among: Sequence[int], rng: np.random.Generator) -> int:
        """One of some fonts, by their shares."""
        shares = self.shares[among]
        return int(rng.choice(among, p=shares / shares.sum()))

    def _drawn(
        self, kind: str, font_index: int, char: str, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, str, str]:
        """An example of a kind, from the first of a few fonts and characters that can give it."""
        for _ in range(_TRIES):
            made = self.one(font_index, kind, rng, char)
            if made[2] == kind:
                break
            font_index = self._font(range(len(self.fonts)), rng)
            char = self.chars[font_index][int(rng.integers(len(self.chars[font_index])))]
        return made

    def one(
        self, font_index: int, kind: str, rng: np.random.Generator, char: str | None = None
    ) -> tuple[np.ndarray, np.ndarray, str, str]:
        """A glyph, its reference, the kind and the character, drawn by chance if not given.

        A glyph that cannot be spoiled so stays genuine.
        """
        font, chars = self.fonts[font_index], self.chars[font_index]
        char = char or chars[int(rng.integers(len(chars)))]
        having = [r for r in self.references if char in self._rows[r.name] and r.name != font.name]
        reference = having[int(rng.integers(len(having)))] if having else self.references[0]
        shown = char if kind not in _OTHERS else self._other(font_index, char, kind, rng)
        ink = self._ink(font, shown or char)
        if kind in ALONE:
            spoiled = ALONE[kind](ink, rng)
        elif kind in WITH_OTHER:
            other = self._ink(font, chars[int(rng.integers(len(chars)))])
            spoiled = WITH_OTHER[kind](ink, other, rng)
        else:
            spoiled = ink if shown else None
        if spoiled is None:
            kind, spoiled = "genuine", ink
        drawn = disturbed(np.ascontiguousarray(spoiled, np.float32), rng)
        print_ink = self._ink(reference, char) if having else ink
        return _image(drawn), _image(print_ink), kind, char

    def _other(self, index: int, char: str, kind: str, rng: np.random.Generator) -> str | None:
        """Another character of the font; None where it has none that is so."""
        if kind == "alike":
            there = [other for other in self._near.get(char, "") if other in self._known[index]]
        else:
            chars = self.chars[index]
            drawn = [chars[int(rng.integers(len(chars)))] for _ in range(2)]
            there = [other for other in drawn if other != char]
        return there[int(rng.integers(len(there)))] if there else None

    def _ink(self, font: FontEntry, char: str) -> np.ndarray:
        return shrunk(self._images[font.name][self._rows[font.name][char]], SIZE_PX)

    @cached_property
    def _near(self) -> dict[str, str]:
        """The characters that look most like each, by the cosine of coarse ink in print."""
        font = self.references[0]
        flat, chars, near = coarse(self._images[font.name]), font.chars, {}
        for start in range(0, len(flat), 512):
            alike = flat[start : start + 512] @ flat.T
            best = np.argpartition(-alike, _NEIGHBOURS, axis=1)[:, : _NEIGHBOURS + 1]
            for offset, row in enumerate(best):
                near[chars[start + offset]] = "".join(chars[i] for i in row if i != start + offset)
        return near

    @cached_property
    def _known(self) -> list[set[str]]:
        return [set(chars) for chars in self.chars]

    @cached_property
    def _rows(self) -> dict[str, dict[str, int]]:
        every = (*self.fonts, *self.references)
        return {font.name: {char: i for i, char in enumerate(font.chars)} for font in every}

    @cached_property
    def _images(self) -> dict[str, np.ndarray]:
        return {f.name: self.store.images(f) for f in (*self.fonts, *self.references)}


def shrunk(image: np.ndarray, size_px: int) -> np.ndarray:
    """Ink, float32 (size_px, size_px) in [0, 1], of an image uint8 (H, W), 255 = paper."""
    cv2 = opencv()
    small = cv2.resize(255 - np.asarray(image), (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / 255


def coarse(images: np.ndarray) -> np.ndarray:
    """Ink in 16 x 16 cells as vectors of length one, (N, 256): the plainest likeness."""
    flat = np.stack([shrunk(image, _CELLS).ravel() for image in images])
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6))


def label_of(kind: str) -> tuple[float, float]:
    """`right` and `whole` of a kind."""
    if kind == "genuine":
        return 1.0, 1.0
    if kind in _OTHERS:
        return 0.0, _UNTOLD
    if kind == "swapped":
        return 0.0, 0.0
    return (_UNTOLD if kind == "missing" else 1.0), 0.0


def _kind(rng: np.random.Generator) -> str:
    return str(rng.choice(list(_SHARES), p=list(_SHARES.values())))


def _image(ink: np.ndarray) -> np.ndarray:
    image: np.ndarray = np.rint(255 * (1 - np.clip(ink, 0, 1))).astype(np.uint8)
    return image
