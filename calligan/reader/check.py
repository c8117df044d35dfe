"""Find bad glyphs in a set: blank, duplicate, mislabelled, malformed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from calligan.reader.judge import Judge

Printed = tuple[str, np.ndarray]  # characters, and their references: uint8 (N, S, S), 255 = paper

_NEIGHBOURS = 8  # characters that a doubtful glyph is compared with
# A glyph is mislabelled if it reaches this score as another character,
_MIN_OTHER_SCORE = 0.5
_MIN_SCORE_RATIO = 4.0  # and if that is so many times its score as its own.
UNSURE = 0.2  # a glyph with a higher score is not doubtful, however well the rest of the set scores
_MAX_DOUBTFUL_SHARE, _MAX_DOUBTFUL = 0.01, 5  # of a set for low scores alone; the larger counts
_INK_BELOW = 128  # grey levels


@dataclass(frozen=True)
class Checked:
    """The glyphs of a set, uint8 (N, S, S), row i showing `chars[i]`, and their faults."""

    chars: str
    images: np.ndarray
    references: np.ndarray
    scores: np.ndarray  # NaN for a character without a reference
    least_score: float
    blank: str = ""
    duplicates: tuple[str, ...] = ()  # groups of characters with identical pictures
    mislabelled: dict[str, str] = field(default_factory=dict)  # to the character they look like
    malformed: str = ""  # the worst first
    capped: int = 0  # low scores that are not reported, since the whole set is unlike print

    @property
    def wrong(self) -> str:
        """Every character with a fault, each once."""
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
    """Check glyphs, uint8 (N, S, S), 255 = paper, against the same characters in print.

    A glyph is doubtful if it scores below both `least_score` (`Judge.least_score`) and 0.2. At most
    1 % of the set (or 5 glyphs, if that is more) are doubtful for this reason, since a whole set
    may be unlike print. A glyph that scores below `floor`, a function of all scores of the set, is
    doubtful in any case. A character without a reference is checked for ink and duplicates only.
    A doubtful glyph is compared with `chars` and with `others`, which is called only if needed.
    """
    inked = np.array([bool((image < _INK_BELOW).any()) for image in images])
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
        share = min(1.0, max(_MAX_DOUBTFUL_SHARE, _MAX_DOUBTFUL / known.sum()))
        least = min(least, float(np.quantile(scores[known], share)))
        least = max(least, min(unlike, floor(scores)))
    doubtful = [int(row) for row in np.argsort(scores) if scores[row] < least]
    taken: dict[str, str] = {}
    if doubtful:
        known_chars = "".join(char for char, is_known in zip(chars, known, strict=True) if is_known)
        printed = _Embedded.of((known_chars, shown[known]), others(), judge)
        own = {chars[row]: (images[row], float(scores[row])) for row in doubtful}
        taken = _find_mislabelled(own, printed, judge)
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


@dataclass(frozen=True)
class _Embedded:
    """References and their embeddings: each character once."""

    chars: str
    images: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, own: Printed, others: Printed, judge: Judge) -> "_Embedded":
        """The references of a set, and those of `others` that it lacks."""
        have = set(own[0])
        rows = [row for row, char in enumerate(others[0]) if char not in have]
        vectors = judge.embeddings(own[1])
        if not rows:
            return cls(*own, vectors)
        chars = own[0] + "".join(others[0][row] for row in rows)
        images = np.concatenate([own[1], others[1][rows]])
        return cls(chars, images, np.concatenate([vectors, _embeddings(judge, others[1])[rows]]))


_kept: dict[bytes, np.ndarray] = {}  # embeddings of the last set of references


def _embeddings(judge: Judge, images: np.ndarray) -> np.ndarray:
    """Embeddings of a charset's references; kept, since several sets are compared with them."""
    key = blake2b(images.tobytes(), key=judge.name.encode()).digest()
    if key not in _kept:
        found = judge.embeddings(images)
        _kept.clear()
        _kept[key] = found
    return _kept[key]


def _find_mislabelled(
    doubtful: dict[str, tuple[np.ndarray, float]], printed: _Embedded, judge: Judge
) -> dict[str, str]:
    """Which doubtful glyphs, given with their scores, read as another character; and as which."""
    chars, found = printed.chars, {}
    seen = judge.embeddings(np.stack([image for image, _ in doubtful.values()]))
    for (char, (image, own)), glyph in zip(doubtful.items(), seen, strict=True):
        near = [
            row
            for row in np.argsort(-(printed.vectors @ glyph))[:_NEIGHBOURS]
            if chars[row] != char
        ]
        if not near:
            continue
        scores = judge.scores(np.repeat(image[None], len(near), 0), printed.images[near])
        least = max(_MIN_OTHER_SCORE, _MIN_SCORE_RATIO * own)
        matches = [row for row, score in zip(near, scores, strict=True) if score >= least]
        if matches:
            found[char] = chars[matches[0]]
    return found
