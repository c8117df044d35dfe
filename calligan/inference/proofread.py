"""A writer that looks at what it drew, and draws what is doubtful once more in other ways.

A glyph is doubtful that has a fault: `unlike` its character to the reader, one of those that
`reader/faults.py` detects, or one of those that `reader/reach.py` foresees.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calligan.errors import DataError
from calligan.inference.writer import PLAIN, Way, Writer
from calligan.models.upscaler import load_upscaler
from calligan.reader.faults import Calibration, Limits, Shape, faults, shipped
from calligan.reader.reach import reach_of
from calligan.reader.verdict import Judge
from calligan.resources import reader_model, upscaler_model

WAYS = (
    Way("another source", source=1),
    Way("weaker style", strength=0.8),
    Way("smaller", scale=0.96),
    Way("larger", scale=1.04),
    Way("up and left", shift_x=-0.02, shift_y=-0.02),
    Way("down and right", shift_x=0.02, shift_y=0.02),
    Way("stronger style", strength=1.2),
)
_DETECTED_PX = 64  # smaller drawings show no specks


@dataclass(frozen=True)
class Attempt:
    """A glyph as drawn in one way: uint8 (S, S), 255 = paper, its score and its faults."""

    way: str
    image: np.ndarray
    score: float
    faults: tuple[str, ...] = ()  # what is wrong with it, to the reader and to the detectors


@dataclass(frozen=True)
class Verdict:
    """What became of a character: its attempts, the best first."""

    char: str
    attempts: tuple[Attempt, ...]
    least_score: float  # what real glyphs of the style score, 95 in 100
    picked: bool = False  # by eye
    foreseen: str = ""  # the fault that was to be expected, however it is drawn

    @property
    def best(self) -> Attempt:
        """The attempt that is used."""
        return self.attempts[0]

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the attempt that is used."""
        return (*self.best.faults, self.foreseen) if self.foreseen else self.best.faults

    @property
    def doubtful(self) -> bool:
        """Whether no attempt is without a fault, nor was any picked by eye."""
        return not self.picked and bool(self.faults)


class Proofreader(Writer):
    """Draws as `Writer` does, scores each glyph, and retries the doubtful ones.

    `verdicts` holds what was found, by style index and character.
    """

    def __init__(
        self,
        model: Path,
        source: str | None = None,
        judge: Judge | None = None,
        picked: dict[str, int] | None = None,
        every_way: bool = False,
        device: str = "cpu",
        calibration: Calibration | None = None,
    ):
        super().__init__(model, source, device)
        self.judge = judge or Judge.load()
        self.calibration = calibration  # what the detectors go by; None looks with none
        self.reach = reach_of(self.card.trained_chars)
        self.picked = picked or {}  # which attempt to use, from 1, where it is not the best
        self.every_way = every_way  # for every character, to choose by eye
        self.verdicts: dict[int, dict[str, Verdict]] = {}

    def draw(self, chars: str, style_index: int, way: Way = PLAIN) -> dict[str, np.ndarray]:
        """Characters in a style numbered from 0: the best attempt of each, by character."""
        if way is not PLAIN:
            return super().draw(chars, style_index, way)
        known = self.verdicts.setdefault(style_index, {})
        if new := "".join(char for char in dict.fromkeys(chars) if char not in known):
            known.update(self._judged(new, style_index))
        return {char: known[char].best.image for char in chars}

    def remember(self, style_index: int, verdicts: list[Verdict]) -> None:
        """Take verdicts that were found before."""
        known = self.verdicts.setdefault(style_index, {})
        known.update((verdict.char, verdict) for verdict in verdicts)

    def look_at(self, written: dict[str, np.ndarray], style_index: int) -> str:
        """Read glyphs that somebody wrote, uint8 (S, S); which read worse than real ones do."""
        known = "".join(char for char in written if not self.lacks(char))
        if not known:
            return ""
        references = np.stack([self.source_image(char) for char in known])
        scores = self.judge.scores(np.stack([written[char] for char in known]), references)
        least = self.least_score(style_index)
        found = []
        for char, score in zip(known, scores.tolist(), strict=True):
            wrong = self._unlike(score, style_index)
            attempt = Attempt("as written", written[char], score, wrong)
            found.append(Verdict(char, (attempt,), least))
        self.remember(style_index, found)
        return "".join(verdict.char for verdict in found if verdict.doubtful)

    def doubtful(self, style_index: int) -> list[Verdict]:
        """The characters drawn so far that still have a fault, those that read worst first."""
        found = [v for v in self.verdicts.get(style_index, {}).values() if v.doubtful]
        return sorted(found, key=lambda verdict: verdict.best.score)

    def least_score(self, style_index: int) -> float:
        """What real glyphs of the style score, by this reader: measured when it was trained, or
        with the reader, for fonts of the catalog; else what those of its script do.
        """
        style = self.card.styles[style_index]
        if style.least_score is not None and self.card.provenance.get("reader") == self.judge.name:
            return style.least_score
        return self.judge.least_score(style.script, "" if style.path else style.name)

    def doubted_score(self, style_index: int) -> float:
        """A glyph that scores less is `unlike`: 99 in 100 real ones of a hand of the catalog score
        more; of another hand this is its least score.
        """
        style, known = self.card.styles[style_index], self.calibration
        if known and known.reader == self.judge.name and not style.path:
            return known.least_scores.get(style.name, self.least_score(style_index))
        return self.least_score(style_index)

    def _judged(self, chars: str, style_index: int) -> dict[str, Verdict]:
        least = self.least_score(style_index)
        attempts: dict[str, list[Attempt]] = {char: [] for char in chars}
        todo = chars
        for way in (PLAIN, *self._ways()):
            if not todo:
                break
            images = super().draw(todo, style_index, way)
            for char, attempt in self.looked_at(images, style_index, way.name).items():
                attempts[char].append(attempt)
            if not self.every_way:
                todo = "".join(c for c in todo if c in self.picked or _weak(attempts[c][-1], least))
        return {
            char: self._sorted(char, made, least, style_index) for char, made in attempts.items()
        }

    def looked_at(
        self, images: dict[str, np.ndarray], style_index: int, way: str = PLAIN.name
    ) -> dict[str, Attempt]:
        """Glyphs drawn in one way, uint8 (S, S), each with its score and faults."""
        found, limits = {}, self._limits(style_index)
        sources = [self.source_image(char) for char in images]
        scores = self.judge.scores(np.stack(list(images.values())), np.stack(sources))
        seen = zip(images.items(), sources, scores.tolist(), strict=True)
        for (char, image), source, score in seen:
            wrong = self._unlike(score, style_index)
            wrong += faults(image, Shape.of(source), limits) if limits else ()
            found[char] = Attempt(way, image, score, wrong)
        return found

    def _limits(self, style_index: int) -> Limits:
        """What the detectors go by; nothing for drawings too small for them."""
        style = self.card.styles[style_index]
        if self.calibration is None or self.card.size_px < _DETECTED_PX:
            return {}
        return self.calibration.limits_of(style.script, "" if style.path else style.name)

    def _unlike(self, score: float, style_index: int) -> tuple[str, ...]:
        return ("unlike",) if score < self.doubted_score(style_index) else ()

    def _sorted(self, char: str, made: list[Attempt], least: float, style_index: int) -> Verdict:
        """The best attempt first, with the fewest faults, or that which was picked by eye."""
        ordered = sorted(made, key=lambda attempt: (len(attempt.faults), -attempt.score))
        wanted = self.picked.get(char, 1)
        if not 1 <= wanted <= len(ordered):
            raise DataError(f"{char} was drawn in {len(ordered)} ways; there is no {wanted}")
        ordered.insert(0, ordered.pop(wanted - 1))
        foreseen = self.reach.fault(char, self.card.styles[style_index].script)
        return Verdict(char, tuple(ordered), least, char in self.picked, foreseen)

    def _ways(self) -> tuple[Way, ...]:
        """The ways that this model and this machine allow."""
        return tuple(
            way
            for way in WAYS
            if (way.strength == 1 or self.has_styles) and way.source <= len(self.other_sources)
        )


def _weak(attempt: Attempt, least: float) -> bool:
    """Whether another attempt may do better."""
    return attempt.score < least or bool(attempt.faults)


def open_writer(
    model: Path,
    source: str | None,
    fine: bool = True,
    looks: tuple[dict[str, int], bool] | None = None,
    device: str = "cpu",
) -> Writer:
    """A model ready to draw; `fine` draws in four places and traces from twice the pixels.

    `looks` has it look at what it drew, where calligan came with its reader: which attempts are
    picked by eye, and whether every character is drawn in every way.
    """
    if looks is None or reader_model() is None:
        writer = Writer(model, source, device)
    else:
        writer = Proofreader(*(model, source, None, *looks, device), calibration=shipped())
    writer.spins = fine
    upscaler = upscaler_model()
    if fine and upscaler is not None:
        writer.upscaler = load_upscaler(upscaler)
    return writer
