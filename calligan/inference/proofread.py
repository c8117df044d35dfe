"""A writer that looks at what it drew, and draws what is doubtful once more in other ways."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calligan.errors import DataError
from calligan.inference.writer import PLAIN, Way, Writer
from calligan.models.upscaler import load_upscaler
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
    ):
        super().__init__(model, source, device)
        self.judge = judge or Judge.load()
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

    def every_attempt(self, char: str, style_index: int) -> Verdict:
        """A character in every way, the best first; nothing is remembered of it."""
        least = self.least_score(style_index)
        made: list[Attempt] = []
        reference = self.source_image(char)[None]
        for way in (PLAIN, *self._ways()):
            image = super().draw(char, style_index, way)[char]
            made.append(Attempt(way.name, image, self.judge.scores(image[None], reference)[0]))
        return Verdict(char, tuple(sorted(made, key=lambda each: -each.score)), least)

    def remember(self, style_index: int, verdicts: list[Verdict]) -> None:
        """Take verdicts that were found before."""
        known = self.verdicts.setdefault(style_index, {})
        known.update((verdict.char, verdict) for verdict in verdicts)

    def look_at(self, written: dict[str, np.ndarray], style_index: int) -> str:
        """Judge glyphs that somebody wrote, uint8 (S, S); which read worse than real ones do."""
        known = "".join(char for char in written if not self.lacks(char))
        if not known:
            return ""
        references = np.stack([self.source_image(char) for char in known])
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
        style = self.card.styles[style_index]
        if style.least_score is not None and self.card.provenance.get("reader") == self.judge.name:
            return style.least_score
        return self.judge.least_score(style.script, "" if style.path else style.name)

    def _judged(self, chars: str, style_index: int) -> dict[str, Verdict]:
        least = self.least_score(style_index)
        attempts: dict[str, list[Attempt]] = {char: [] for char in chars}
        todo = chars
        for way in (PLAIN, *self._ways()):
            if not todo:
                break
            images = super().draw(todo, style_index, way)
            references = np.stack([self.source_image(char) for char in todo])
            scores = self.judge.scores(np.stack([images[char] for char in todo]), references)
            for char, score in zip(todo, scores.tolist(), strict=True):
                attempts[char].append(Attempt(way.name, images[char], score))
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
        return tuple(
            way
            for way in WAYS
            if (way.strength == 1 or self.has_styles) and way.source <= len(self.other_sources)
        )


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
        writer = Proofreader(model, source, picked=looks[0], every_way=looks[1], device=device)
    writer.spins = fine
    upscaler = upscaler_model()
    if fine and upscaler is not None:
        writer.upscaler = load_upscaler(upscaler)
    return writer
