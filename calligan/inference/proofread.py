"""Check drawn glyphs, and draw doubtful ones again with other inputs.

A glyph with a fault is doubtful. Faults are `unlike` (a low reader score), those that
`reader/faults.py` detects, and those that `reader/reach.py` predicts. The detectors do
know Han characters alone: letters, marks and kana that a hand is known to draw well have no fault;
other kana the reader scores, and the source font's are used in place of doubtful ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from calligan.errors import DataError
from calligan.glyphs.charset import is_han
from calligan.glyphs.strokes import stroke_count
from calligan.inference.content import PLAIN, WAYS, Way
from calligan.inference.drawer import Drawer
from calligan.reader.faults import Findings, Limits, Shape, counters_filled, detect
from calligan.reader.inspector import MIN_SIZE_PX, MISDRAWN, Inspector
from calligan.reader.limits import Calibration
from calligan.reader.reach import Reach, reach_of
from calligan.requests.drawing import BOLD
from calligan.storage import sha256_bytes
from calligan.vector.font import UPEM

if TYPE_CHECKING:
    from calligan.reader.judge import Judge

_DARKEST_BLANK = 127  # of 255: lighter images have no outline
_AS_WRITTEN = "as written"  # by hand
# What is expected of characters, and how doubtful ones are drawn again: kept ones are of one rule.
_RULES = "every way where dense; nothing expected of letters"
_MIN_DETECTED_PX = 64  # specks cannot be detected in smaller images


@dataclass(frozen=True, eq=False)
class Attempt:
    """A glyph as drawn in one way: uint8 (S, S), 255 = paper, its score and its faults."""

    way: str
    image: np.ndarray
    score: float
    faults: tuple[str, ...] = ()  # found by the reader and the detectors
    loose: int = 0  # pieces more than is usual; no fault, but a reason to draw it again


@dataclass(frozen=True)
class Verdict:
    """The result for a character: its attempts, the best first."""

    char: str
    attempts: tuple[Attempt, ...]
    least_score: float  # the score that 95 % of the style's real glyphs reach
    picked: int | None = None  # the number from 1 of the attempt that the user chose
    foreseen: str = ""  # the fault that is expected of every attempt
    tried: int = 0  # how many attempts there were, if only the best is known

    @property
    def count(self) -> int:
        """How often the character was drawn."""
        return self.tried or len(self.attempts)

    @property
    def best(self) -> Attempt:
        """The attempt that is used."""
        return self.attempts[0]

    @property
    def candidates(self) -> tuple[Attempt, ...]:
        """The attempts by the numbers to pick them by, the first being number 1."""
        used, others, at = self.attempts[0], self.attempts[1:], (self.picked or 1) - 1
        return (*others[:at], used, *others[at:])

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults of the attempt that is used."""
        return (*self.best.faults, self.foreseen) if self.foreseen else self.best.faults

    @property
    def doubtful(self) -> bool:
        """Whether the attempt that is used has a fault and was not picked by the user."""
        return self.picked is None and bool(self.faults) and not self.replaced

    @property
    def replaced(self) -> bool:
        """Whether the source font's glyph is used instead: of a drawn kana with a fault."""
        drawn = self.picked is None and self.best.way != _AS_WRITTEN
        return drawn and bool(self.faults) and not is_han(self.char)


@dataclass
class Proofreader:
    """Scores what a drawer draws, and has doubtful characters drawn again with other inputs.

    `verdicts` caches the results by style index and character.
    """

    drawer: Drawer
    judge: "Judge"
    picked: Mapping[str, int] = field(default_factory=dict)  # attempts to use, from 1
    every_way: bool = False  # try every variation of every character, to choose by eye
    calibration: Calibration | None = None  # limits of the detectors; None: no detectors
    inspector: Inspector | None = None  # finds what is misdrawn
    verdicts: dict[int, dict[str, Verdict]] = field(default_factory=dict)
    remarks: dict[int, str] = field(default_factory=dict)  # on all glyphs of a style

    @property
    def identity(self) -> list[str]:
        """What determines verdicts, besides the glyphs."""
        inspector = self.inspector.name if self.inspector else ""
        found = [self.judge.name, inspector, sha256_bytes(repr(self.calibration).encode())]
        return [*found, _RULES] + (["counters"] if self._is_bold else [])

    @cached_property
    def reach(self) -> Reach:
        """Predicts which characters the model cannot draw well."""
        return reach_of(self.drawer.card.trained_chars)

    def judged(self, chars: str, style_index: int) -> list[Verdict]:
        """The verdict on each character in a style, numbered from 0. New ones are drawn."""
        known = self.verdicts.setdefault(style_index, {})
        if new := "".join(char for char in dict.fromkeys(chars) if char not in known):
            known.update(self._judged(new, style_index))
        return [known[char] for char in chars]

    def every_attempt(self, char: str, style_index: int) -> Verdict:
        """A character with every variation, the best first; not cached."""
        made: list[Attempt] = []
        for way in (PLAIN, *self._ways()):
            made += self._drawn(char, style_index, way)
        return self._sorted(char, made, self.least_score(style_index), style_index, picked=None)

    def remember(self, style_index: int, verdicts: list[Verdict]) -> None:
        """Add earlier verdicts to the cache."""
        known = self.verdicts.setdefault(style_index, {})
        known.update((verdict.char, verdict) for verdict in verdicts)

    def look_at(self, written: Mapping[str, np.ndarray], style_index: int) -> str:
        """Score handwritten glyphs, uint8 (S, S). Returns the doubtful characters."""
        known = "".join(char for char in written if not self.drawer.source.lacks(char))
        if not known:
            return ""
        references = self.drawer.source.images(known)
        scores = self.judge.scores(np.stack([written[char] for char in known]), references)
        least = self.least_score(style_index)
        found = []
        for char, score in zip(known, scores.tolist(), strict=True):
            wrong = self._unlike(score, style_index)
            attempt = Attempt(_AS_WRITTEN, written[char], score, wrong)
            found.append(Verdict(char, (attempt,), least))
        self.remember(style_index, found)
        return "".join(verdict.char for verdict in found if verdict.doubtful)

    def doubtful(self, style_index: int) -> list[Verdict]:
        """Verdicts on the doubtful characters drawn so far, lowest score first."""
        found = [v for v in self.verdicts.get(style_index, {}).values() if v.doubtful]
        return sorted(found, key=lambda verdict: verdict.best.score)

    def replaced(self, chars: str, style_index: int) -> str:
        """Those of some characters, drawn before, whose glyphs are the source font's instead."""
        known = self.verdicts.get(style_index, {})
        return "".join(char for char in chars if char in known and known[char].replaced)

    def least_score(self, style_index: int) -> float:
        """The score that 95 % of the style's real glyphs reach with this reader.

        Measured when the model was trained or, for fonts of the catalog, when the reader was;
        otherwise that of the script.
        """
        card = self.drawer.card
        style = card.styles[style_index]
        if style.least_score is not None and card.provenance.get("reader") == self.judge.name:
            return style.least_score
        return self.judge.least_score(style.script, "" if style.path else style.name)

    def doubted_score(self, style_index: int) -> float:
        """A glyph with a lower score is `unlike`.

        For fonts of the catalog, 99 % of real glyphs reach it; for other hands it is the least
        score.
        """
        style, known = self.drawer.card.styles[style_index], self.calibration
        if known and known.reader == self.judge.name and not style.path:
            return known.least_scores.get(style.name, self.least_score(style_index))
        return self.least_score(style_index)

    def attempts(
        self, chars: str, images: np.ndarray, style_index: int, way: str = PLAIN.name
    ) -> list[Attempt]:
        """Score glyphs, uint8 (N, S, S), drawn with one variation, and detect their faults."""
        sources, limits = self.drawer.source.images(chars), self._limits(style_index)
        scores = self.judge.scores(images, sources).tolist()
        misdrawn = self._misdrawn(images, sources, style_index)
        whole, found = self._is_whole(style_index), []
        known = () if all(map(is_han, chars)) else self.drawer.advances(style_index)
        for char, image, source, score, off in zip(
            chars, images, sources, scores, misdrawn, strict=True
        ):
            strokes, seen = stroke_count(char) if whole else None, Findings(())
            if limits and is_han(char):
                seen = detect(image, Shape.of(source), limits, strokes)
            wrong = self._unlike(score, style_index) + ((MISDRAWN,) if off else ()) + seen.faults
            if char in known and way == PLAIN.name:
                wrong = ()
            if int(image.min()) > _DARKEST_BLANK:
                wrong = ("blank",)  # the other faults follow from it
            found.append(Attempt(way, image, score, wrong, seen.loose if whole else 0))
        return found

    def _drawn(self, chars: str, style_index: int, way: Way) -> list[Attempt]:
        """Draw characters with one variation, score them and detect their faults."""
        images = self.drawer.draw(chars, style_index, way)
        made = self.attempts(chars, images, style_index, way.name)
        if not self._is_bold:
            return made
        plain = replace(self.drawer, bolder_em=0.0).draw(chars, style_index, way)
        return [
            _melted(attempt) if counters_filled(thin, attempt.image) else attempt
            for attempt, thin in zip(made, plain, strict=True)
        ]

    @property
    def _is_bold(self) -> bool:
        """Whether strokes are made so much bolder that counters may be filled."""
        return self.drawer.bolder_em > BOLD / UPEM

    def _limits(self, style_index: int) -> Sequence[Limits]:
        """Limits of the detectors by class; none for images too small for them."""
        if self.calibration is None or self.drawer.card.size_px < _MIN_DETECTED_PX:
            return ()
        return self.calibration.limits_of(*self._script_and_hand(style_index))

    def _is_whole(self, style_index: int) -> bool:
        """Whether simple glyphs of the style seldom have more pieces than their source."""
        known = self.calibration
        return known is not None and known.is_whole(*self._script_and_hand(style_index))

    def _script_and_hand(self, style_index: int) -> tuple[str, str]:
        """A style's script, and its name if it is a font of the catalog."""
        style = self.drawer.card.styles[style_index]
        return style.script, "" if style.path else style.name

    def _misdrawn(self, images: np.ndarray, sources: np.ndarray, style_index: int) -> np.ndarray:
        """Which glyphs the inspector doubts, bool (N,); none of those too small for it."""
        if self.inspector is None or images.shape[-1] < MIN_SIZE_PX:
            return np.zeros(len(images), bool)
        limit = self.inspector.limit_of(self.drawer.card.styles[style_index].script)
        return self.inspector.differences(images, sources) > limit

    def _unlike(self, score: float, style_index: int) -> tuple[str, ...]:
        return ("unlike",) if score < self.doubted_score(style_index) else ()

    def _judged(self, chars: str, style_index: int) -> dict[str, Verdict]:
        least = self.least_score(style_index)
        attempts: dict[str, list[Attempt]] = {char: [] for char in chars}
        todo = chars
        for way in (PLAIN, *self._ways()):
            if not todo:
                break
            for char, attempt in zip(todo, self._drawn(todo, style_index, way), strict=True):
                attempts[char].append(attempt)
            if not self.every_way:
                weak = {c: [_is_weak(attempt, least) for attempt in attempts[c]] for c in todo}
                going = (c for c in todo if c in self.picked or self._goes_on(c, weak[c]))
                todo = "".join(going)
        rest = (least, style_index)
        return {c: self._sorted(c, m, *rest, self.picked.get(c)) for c, m in attempts.items()}

    def _sorted(
        self,
        char: str,
        made: list[Attempt],
        least: float,
        style_index: int,
        picked: int | None,
    ) -> Verdict:
        """Order attempts by faults, looseness and score; a picked one comes first.

        Otherwise the first is the best up to the attempt after which no other is needed, whether
        or not more were made to choose by eye.
        """
        weak = [_is_weak(attempt, least) for attempt in made]
        counts = range(1, len(made) + 1)
        enough = next((n for n in counts if not self._goes_on(char, weak[:n])), len(made))
        needed = made[:enough]
        ordered = sorted(made, key=_rank)
        ordered.insert(0, ordered.pop(ordered.index(min(needed, key=_rank))))
        wanted = picked or 1
        if not 1 <= wanted <= len(ordered):
            raise DataError(f"{char} has {len(ordered)} candidates; there is no number {wanted}")
        ordered.insert(0, ordered.pop(wanted - 1))
        return Verdict(char, tuple(ordered), least, picked, self._foreseen(char, style_index))

    def _foreseen(self, char: str, style_index: int) -> str:
        """The fault expected of a character; none of letters and kana that a hand has."""
        if not is_han(char) and char in self.drawer.advances(style_index):
            return ""
        return self.reach.fault(char, self.drawer.card.styles[style_index].script)

    def _goes_on(self, char: str, weak: Sequence[bool]) -> bool:
        """Whether to draw a character once more, by which attempts so far are weak.

        Of a character too dense for the model, an attempt that is not weak is often hardly legible:
        once the first is weak, the best of all is used. It is doubtful in any case. What is not
        Han is drawn once: other ways may draw another one, which the reader cannot tell.
        """
        if not is_han(char) and char not in self.reach.learned:
            return False
        return weak[-1] or (weak[0] and self.reach.is_dense(char))

    def _ways(self) -> tuple[Way, ...]:
        """The variations that this model and the installed fonts allow."""
        has_styles, sources = self.drawer.has_styles, self.drawer.source.count
        return tuple(w for w in WAYS if (w.strength == 1 or has_styles) and w.source < sources)


def _melted(attempt: Attempt) -> Attempt:
    return replace(attempt, faults=tuple(dict.fromkeys((*attempt.faults, "melted"))))


def _rank(attempt: Attempt) -> tuple[int, int, float]:
    return len(attempt.faults), attempt.loose, -attempt.score


def _is_weak(attempt: Attempt, least: float) -> bool:
    """Whether to make another attempt."""
    return attempt.score < least or bool(attempt.faults) or attempt.loose > 0
