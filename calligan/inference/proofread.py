"""Drawn glyphs are looked at, and what is doubtful is drawn once more in other ways."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from calligan.errors import DataError
from calligan.inference.content import PLAIN, Way
from calligan.inference.drawer import Drawer
from calligan.reader.verdict import Judge

WAYS = (
    Way("another source", source=1),
    Way("weaker style", strength=0.8),
    Way("smaller", scale=0.96),
    Way("larger", scale=1.04),
    Way("up and left", shift_x=-0.02, shift_y=-0.02),
    Way("down and right", shift_x=0.02, shift_y=0.02),
    Way("stronger style", strength=1.2),
)


@dataclass(frozen=True)
class Attempt:
    """A glyph as drawn in one way: uint8 (S, S), 255 = paper, and its score."""

    way: str
    image: np.ndarray
    score: float


@dataclass(frozen=True)
class Verdict:
    """What became of a character: its attempts, the best first."""

    char: str
    attempts: tuple[Attempt, ...]
    least_score: float  # what real glyphs of the style score, 95 in 100
    picked: bool = False  # by eye

    @property
    def best(self) -> Attempt:
        """The attempt that is used."""
        return self.attempts[0]

    @property
    def doubtful(self) -> bool:
        """Whether no attempt reads as real glyphs of the style do, nor was any picked by eye."""
        return not self.picked and self.low

    @property
    def low(self) -> bool:
        """Whether the attempt that is used reads worse than real glyphs of the style do."""
        return self.best.score < self.least_score


@dataclass
class Proofreader:
    """Scores what a drawer draws, and has doubtful characters drawn in other ways.

    `verdicts` holds what was found, by style index and character: nothing is judged twice.
    """

    drawer: Drawer
    judge: Judge
    picked: Mapping[str, int] = field(default_factory=dict)  # attempts to use, from 1
    every_way: bool = False  # for every character, to choose by eye
    verdicts: dict[int, dict[str, Verdict]] = field(default_factory=dict)

    def judged(self, chars: str, style_index: int) -> list[Verdict]:
        """The verdict on each character in a style numbered from 0, drawn where it is new."""
        known = self.verdicts.setdefault(style_index, {})
        if new := "".join(char for char in dict.fromkeys(chars) if char not in known):
            known.update(self._judged(new, style_index))
        return [known[char] for char in chars]

    def remember(self, style_index: int, verdicts: list[Verdict]) -> None:
        """Take verdicts that were found before."""
        known = self.verdicts.setdefault(style_index, {})
        known.update((verdict.char, verdict) for verdict in verdicts)

    def look_at(self, written: Mapping[str, np.ndarray], style_index: int) -> str:
        """Judge glyphs that somebody wrote, uint8 (S, S); which read worse than real ones do."""
        known = "".join(char for char in written if not self.drawer.source.lacks(char))
        if not known:
            return ""
        references = self.drawer.source.images(known)
        scores = self.judge.scores(np.stack([written[char] for char in known]), references)
        least = self.least_score(style_index)
        found = [
            Verdict(char, (Attempt("as written", written[char], score),), least)
            for char, score in zip(known, scores.tolist(), strict=True)
        ]
        self.remember(style_index, found)
        return "".join(verdict.char for verdict in found if verdict.doubtful)

    def doubtful(self, style_index: int) -> list[Verdict]:
        """The characters drawn so far that still look wrong, the worst first."""
        found = [v for v in self.verdicts.get(style_index, {}).values() if v.doubtful]
        return sorted(found, key=lambda verdict: verdict.best.score)

    def least_score(self, style_index: int) -> float:
        """What real glyphs of the style score, by this reader: measured when it was trained, or
        with the reader, for fonts of the catalog; else what those of its script do.
        """
        card = self.drawer.card
        style = card.styles[style_index]
        if style.least_score is not None and card.provenance.get("reader") == self.judge.name:
            return style.least_score
        return self.judge.least_score(style.script, "" if style.path else style.name)

    def _judged(self, chars: str, style_index: int) -> dict[str, Verdict]:
        least = self.least_score(style_index)
        attempts: dict[str, list[Attempt]] = {char: [] for char in chars}
        todo = chars
        for way in (PLAIN, *self._ways()):
            if not todo:
                break
            images = self.drawer.draw(todo, style_index, way)
            scores = self.judge.scores(images, self.drawer.source.images(todo))
            for char, image, score in zip(todo, images, scores.tolist(), strict=True):
                attempts[char].append(Attempt(way.name, image, score))
            if not self.every_way:
                todo = "".join(c for c in todo if c in self.picked or attempts[c][-1].score < least)
        return {char: self._sorted(char, made, least) for char, made in attempts.items()}

    def _sorted(self, char: str, made: list[Attempt], least: float) -> Verdict:
        """The best attempt first, or that which was picked by eye."""
        ordered = sorted(made, key=lambda attempt: -attempt.score)
        wanted = self.picked.get(char, 1)
        if not 1 <= wanted <= len(ordered):
            raise DataError(f"{char} was drawn in {len(ordered)} ways; there is no {wanted}")
        ordered.insert(0, ordered.pop(wanted - 1))
        return Verdict(char, tuple(ordered), least, picked=char in self.picked)

    def _ways(self) -> tuple[Way, ...]:
        """The ways that this model and this machine allow."""
        has_styles, sources = self.drawer.has_styles, self.drawer.source.count
        return tuple(w for w in WAYS if (w.strength == 1 or has_styles) and w.source < sources)
