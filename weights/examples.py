"""Training examples of the reader: pairs of a glyph and a regular reference, correct or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from defects import ALONE, WITH_OTHER, augment

from calligan.pairs.manifest import FontEntry
from calligan.pairs.split import Part, part_of
from calligan.pairs.store import PairStore
from calligan.reader.network import SIZE_PX
from calligan.scan.opencv import opencv

KINDS = ("genuine", "wrong", "alike", *ALONE, *WITH_OTHER)
_SHARES = {  # of a batch; defects that are hard to detect are more frequent
    **{"genuine": 0.36, "wrong": 0.06, "alike": 0.13, "missing": 0.08, "swapped": 0.06},
    **{"broken": 0.13, "extra": 0.07, "melted": 0.05, "faded": 0.03, "fogged": 0.03},
}
_OTHER_CHAR_KINDS = ("wrong", "alike")  # another character: random, or similar in print
_UNLABELLED = -1.0  # a label that is undefined for a kind
_NEIGHBOURS = 24  # similar characters per character, as hard examples
_TRIES = 4  # attempts to find a character for which a defect is possible
_SIMILAR_PER_BATCH = 4  # similar characters that are put into one batch
_COARSE_PX = 16


@dataclass(frozen=True)
class ReaderBatch:
    """Glyphs and references uint8 (N, 64, 64), 255 = paper; labels (N, 2) of `right`, `whole`:
    1, 0, or -1 where undefined; the kind of each, and the character of each reference.
    """

    glyph: np.ndarray
    reference: np.ndarray
    labels: np.ndarray
    kinds: list[str]
    chars: list[str]


class Examples:
    """Examples from some fonts of a data folder, of one part of its characters.

    Glyphs are taken from `fonts`, in proportion to `shares` (default: equal); `references` are the
    regular fonts.
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
        """Compute all cached tables now, so that worker processes inherit them."""
        _ = self._near, self._known, self._rows, self._images

    def random(self, count: int, seed: int, step: int) -> ReaderBatch:
        """A batch of fonts, characters, kinds and defects, all determined by (seed, step)."""
        rng = np.random.Generator(np.random.Philox(key=[seed, step]))
        made = [self._make_example(_kind(rng), *at, rng) for at in self._choose_chars(count, rng)]
        glyphs, references, kinds, chars = zip(*made, strict=True)
        labels = np.array([labels_for(kind) for kind in kinds], np.float32)
        return ReaderBatch(np.stack(glyphs), np.stack(references), labels, list(kinds), list(chars))

    def _choose_chars(self, count: int, rng: np.random.Generator) -> list[tuple[int, str]]:
        """Fonts and characters, with some similar characters next to each other."""
        found: list[tuple[int, str]] = []
        while len(found) < count:
            index = self._font(range(len(self.fonts)), rng)
            char = self.chars[index][int(rng.integers(len(self.chars[index])))]
            near = self._near.get(char, "")
            for other in (char, *rng.permutation(list(near))[: _SIMILAR_PER_BATCH - 1]):
                having = [i for i, known in enumerate(self._known) if other in known]
                if having:
                    found.append((self._font(having, rng), str(other)))
        return found[:count]

    def _font(self, among: Sequence[int], rng: np.random.Generator) -> int:
        """A random font, in proportion to the shares."""
        shares = self.shares[among]
        return int(rng.choice(among, p=shares / shares.sum()))

    def _make_example(
        self, kind: str, font_index: int, char: str, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, str, str]:
        """An example of a kind; tries several fonts and characters until it is possible."""
        for _ in range(_TRIES):
            made = self.example(font_index, kind, rng, char)
            if made[2] == kind:
                break
            font_index = self._font(range(len(self.fonts)), rng)
            char = self.chars[font_index][int(rng.integers(len(self.chars[font_index])))]
        return made

    def example(
        self, font_index: int, kind: str, rng: np.random.Generator, char: str | None = None
    ) -> tuple[np.ndarray, np.ndarray, str, str]:
        """A glyph, its reference, the kind and the character, which is random if not given.

        Where the defect is not possible, the kind is `genuine`.
        """
        font, chars = self.fonts[font_index], self.chars[font_index]
        char = char or chars[int(rng.integers(len(chars)))]
        having = [r for r in self.references if char in self._rows[r.name] and r.name != font.name]
        reference = having[int(rng.integers(len(having)))] if having else self.references[0]
        shown = char if kind not in _OTHER_CHAR_KINDS else self._other(font_index, char, kind, rng)
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
        drawn = augment(np.ascontiguousarray(spoiled, np.float32), rng)
        print_ink = self._ink(reference, char) if having else ink
        return _image(drawn), _image(print_ink), kind, char

    def _other(self, index: int, char: str, kind: str, rng: np.random.Generator) -> str | None:
        """Another character of the font, random or similar; None where there is none."""
        if kind == "alike":
            there = [other for other in self._near.get(char, "") if other in self._known[index]]
        else:
            chars = self.chars[index]
            drawn = [chars[int(rng.integers(len(chars)))] for _ in range(2)]
            there = [other for other in drawn if other != char]
        return there[int(rng.integers(len(there)))] if there else None

    def _ink(self, font: FontEntry, char: str) -> np.ndarray:
        return downscale_ink(self._images[font.name][self._rows[font.name][char]], SIZE_PX)

    @cached_property
    def _near(self) -> dict[str, str]:
        """The most similar characters of each, by the cosine of coarse ink in print."""
        font = self.references[0]
        flat, chars, near = coarse_ink(self._images[font.name]), font.chars, {}
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


def downscale_ink(image: np.ndarray, size_px: int) -> np.ndarray:
    """Ink, float32 (size_px, size_px) in [0, 1], of an image uint8 (H, W), 255 = paper."""
    cv2 = opencv()
    small = cv2.resize(255 - np.asarray(image), (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / 255


def coarse_ink(images: np.ndarray) -> np.ndarray:
    """Ink at 16 x 16 px as centred unit vectors (N, 256), a simple similarity feature."""
    flat = np.stack([downscale_ink(image, _COARSE_PX).ravel() for image in images])
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6))


def labels_for(kind: str) -> tuple[float, float]:
    """The labels `right` and `whole` of a kind."""
    if kind == "genuine":
        return 1.0, 1.0
    if kind in _OTHER_CHAR_KINDS:
        return 0.0, _UNLABELLED
    if kind == "swapped":
        return 0.0, 0.0
    return (_UNLABELLED if kind == "missing" else 1.0), 0.0


def _kind(rng: np.random.Generator) -> str:
    return str(rng.choice(list(_SHARES), p=list(_SHARES.values())))


def _image(ink: np.ndarray) -> np.ndarray:
    image: np.ndarray = np.rint(255 * (1 - np.clip(ink, 0, 1))).astype(np.uint8)
    return image
