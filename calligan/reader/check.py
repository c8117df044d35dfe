"""What is wrong with a set of glyphs: blank, the same twice, mislabelled, malformed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from calligan.reader.verdict import Judge

Printed = tuple[str, np.ndarray]  # characters, and each in print: uint8 (N, S, S), 255 = paper

_NEAR = 8  # characters that a doubtful glyph is compared with
_SURE = 0.5  # a glyph is taken for another character from this score on,
_MARGIN = 4.0  # if that is so many times its own
UNSURE = 0.2  # what scores more is not doubted, however well the others of its kind score
_OWN_SHARE, _OWN_FEW = 0.01, 5  # or as few: so much of a set may be doubted for being unlike print
_INK = 128


@dataclass(frozen=True)
class Checked:
    """A set's glyphs and what was found, uint8 (N, S, S), row i showing `chars[i]`."""

    chars: str
    images: np.ndarray
    references: np.ndarray
    scores: np.ndarray  # NaN where no reference has the character
    least_score: float
    blank: str = ""
    duplicates: tuple[str, ...] = ()  # characters that show one and the same picture
    mislabelled: dict[str, str] = field(default_factory=dict)  # to what they look like
    malformed: str = ""  # the worst first
    capped: int = 0  # how many more would be doubtful, were the set not merely unlike print

    @property
    def wrong(self) -> str:
        """Every character that something is the matter with, each once."""
        every = [self.blank, *self.duplicates, *self.mislabelled, self.malformed]
        return "".join(dict.fromkeys("".join(every)))


def check(
    chars: str,
    images: np.ndarray,
    references: Sequence[np.ndarray | None],
    judge: Judge,
    least_score: float,
    progress: Callable[[int], None] = lambda count: None,
    others: Callable[[], Printed] = lambda: ("", np.empty((0, 0, 0), np.uint8)),
    floor: Callable[[np.ndarray], float] = lambda scores: 0.0,
) -> Checked:
    """Look at glyphs, uint8 (N, S, S), 255 = paper, beside the same characters in print.

    What scores below `least_score` (`Judge.least_score`) and 0.2 is doubtful, but at most 1 in 100
    (and 5) where a whole set is unlike print. What scores below the `floor`, asked for by the set's
    scores, is doubtful in any case. A character without a reference is looked at for ink
    and copies only. A doubtful glyph may be taken for any of `chars`, and of `others`, which are
    asked for where there is one.
    """
    inked = np.array([bool((image < _INK).any()) for image in images])
    shown = np.stack(
        [image if r is None else r for image, r in zip(images, references, strict=True)]
    )
    known = inked & np.array([reference is not None for reference in references])
    scores = np.full(len(chars), np.nan)
    rows = np.flatnonzero(known)
    for start in range(0, len(rows), 256):
        part = rows[start : start + 256]
        scores[part] = judge.scores(images[part], shown[part])
        progress(len(part))
    least = unlike = min(least_score, UNSURE)
    if known.any():
        share = min(1.0, max(_OWN_SHARE, _OWN_FEW / known.sum()))
        least = min(least, float(np.quantile(scores[known], share)))
        least = max(least, min(unlike, floor(scores)))
    doubtful = [int(row) for row in np.argsort(scores) if scores[row] < least]
    taken: dict[str, str] = {}
    if doubtful:
        told = "".join(char for char, there in zip(chars, known, strict=True) if there)
        printed = _together((told, shown[known]), others())
        own = {chars[row]: (images[row], float(scores[row])) for row in doubtful}
        taken = _taken_for(own, printed, judge)
    return Checked(
        chars,
        images,
        shown,
        scores,
        least,
        blank="".join(char for char, ink in zip(chars, inked, strict=True) if not ink),
        duplicates=_duplicates(chars, images, inked),
        mislabelled=taken,
        malformed="".join(chars[row] for row in doubtful if chars[row] not in taken),
        capped=int((scores[known] < unlike).sum()) - len(doubtful),
    )


def _duplicates(chars: str, images: np.ndarray, inked: np.ndarray) -> tuple[str, ...]:
    found: dict[bytes, str] = {}
    for char, image, ink in zip(chars, images, inked, strict=True):
        if ink:
            found[image.tobytes()] = found.get(image.tobytes(), "") + char
    return tuple(group for group in found.values() if len(group) > 1)


def _together(some: Printed, others: Printed) -> Printed:
    """Each character once."""
    there = set(some[0])
    rows = [row for row, char in enumerate(others[0]) if char not in there]
    if not rows:
        return some
    chars = some[0] + "".join(others[0][row] for row in rows)
    return chars, np.concatenate([some[1], others[1][rows]])


def _taken_for(
    doubtful: dict[str, tuple[np.ndarray, float]], printed: Printed, judge: Judge
) -> dict[str, str]:
    """Doubtful glyphs, with their scores, that pass for another character: the likest they suit."""
    chars, shown = printed
    embedded, found = judge.embeddings(shown), {}
    seen = judge.embeddings(np.stack([image for image, _ in doubtful.values()]))
    for (char, (image, own)), glyph in zip(doubtful.items(), seen, strict=True):
        near = [row for row in np.argsort(-(embedded @ glyph))[:_NEAR] if chars[row] != char]
        if not near:
            continue
        scores = judge.scores(np.repeat(image[None], len(near), 0), shown[near])
        sure = [
            row
            for row, score in zip(near, scores, strict=True)
            if score >= max(_SURE, _MARGIN * own)
        ]
        if sure:
            found[char] = chars[sure[0]]
    return found
