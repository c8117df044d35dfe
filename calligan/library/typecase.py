"""A cache of drawn letters, so that a page is laid out again in milliseconds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np

from calligan.errors import ConfigError
from calligan.inference.pages import write_pages
from calligan.inference.proofread import Attempt, Verdict
from calligan.inference.writer import Text
from calligan.library.model import Model, page_request
from calligan.library.pages import Pages
from calligan.page.flow import Letter
from calligan.vector.font import Blank
from calligan.vector.outline import Outline

_MAX_LETTERS = 20_000  # in the cache
_PRINTED = -1  # in place of a style, for letters of the source font
_BLANK = Outline.from_drawing(Blank())


@dataclass(frozen=True)
class Candidate:
    """A character drawn with one variation of the inputs."""

    number: int  # from 1; what `pick` takes
    way: str
    score: float  # 0 to 1, that it reads as its character
    outline: Outline  # in an em of 1000 units, y upward
    faults: tuple[str, ...] = ()  # why it would be doubtful


@dataclass(frozen=True)
class Proof:
    """Pages that may be incomplete."""

    pages: Pages
    pending: str  # characters that are not drawn yet, and blank on the pages
    faults: Mapping[str, tuple[str, ...]]  # of the doubtful characters, in the order of the text


class TypeCase:
    """A model with a cache of its letters. Not thread-safe."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._letters: dict[tuple[int, str, int], Letter] = {}
        self._verdicts: dict[tuple[int, str], Verdict] = {}

    def page(
        self,
        text: str,
        style: int | str = 1,
        *,
        pick: Mapping[str, int] | None = None,
        seconds: float | None = None,
        **layout: Any,
    ) -> Proof:
        """Write as `Model.write` does, in one style, with letters that were drawn before.

        `pick` chooses candidates by number. New characters are drawn for at most `seconds`, but at
        least one is drawn; the rest is in `pending`, and blank on the pages.
        """
        request = page_request(text, layout)
        index = self._index(style, request.seed)
        until = None if seconds is None else monotonic() + seconds
        pending: list[str] = []

        def letters_of(read: Text, index: int) -> dict[str, Letter]:
            first = Text(request.seal, "".join(c for c in read.drawn if c in request.seal), "", "")
            self._letters_of(first, index, pick or {}, None)  # a seal is cut out of whole letters
            letters, left = self._letters_of(read, index, pick or {}, until)
            pending.extend(left)
            return letters

        pages, read = write_pages(self.model.writer, request, [index], letters_of=letters_of)
        name = self.model.style_name(index)
        faults = self._faults(index, read.drawn, pick or {})
        found = {name: "".join(faults)} if faults else {}
        return Proof(Pages(pages, read, [name], found), "".join(pending), faults)

    def printed(self, char: str) -> Outline:
        """A character as the source font has it."""
        return self._kept((_PRINTED, char, 0), lambda: self._borrowed(char)).outline

    def candidates(self, char: str, style: int | str = 1) -> list[Candidate]:
        """A Han character drawn with every variation, the best first.

        Raises DataError for what the source font lacks. Without a reader there is one way.
        """
        self.model.writer.read(char)
        index = self._index(style)
        verdict = self._every_attempt(index, char)
        found = []
        for number, attempt in enumerate(verdict.attempts, start=1):
            letter = self._picked(index, char, number, verdict)
            faults = (*attempt.faults, *filter(None, [verdict.foreseen]))
            score = float(attempt.score)
            found.append(Candidate(number, attempt.way, score, letter.outline, faults))
        return found

    def least_score(self, style: int | str = 1) -> float | None:
        """The score that 95 % of the style's real glyphs reach; None without the reader."""
        proofreader = self.model.writer.proofreader
        return float(proofreader.least_score(self._index(style))) if proofreader else None

    def _index(self, style: int | str, seed: int = 0) -> int:
        indices = self.model.style_indices(style, seed)
        if len(indices) != 1:
            raise ConfigError(f"{style!r} names several styles; give one")
        return indices[0]

    def _letters_of(
        self, read: Text, index: int, pick: Mapping[str, int], until: float | None
    ) -> tuple[dict[str, Letter], str]:
        """Letters by character, and the characters left blank because time ran out."""
        letters: dict[str, Letter] = {}
        pending = ""
        for char, letter in self._one_by_one(read, index, pick, until):
            letters[char] = letter or Letter(char, _BLANK, 1.0)
            pending += "" if letter else char
        return letters, pending

    def _one_by_one(
        self, read: Text, index: int, pick: Mapping[str, int], until: float | None
    ) -> Iterator[tuple[str, Letter | None]]:
        drawn = 0
        chars, copied = self.model.writer.parted(read.drawn + read.borrowed, index, pick)
        for char in read.missing + copied:
            yield char, self._kept((index, char, 0), lambda c=char: self._borrowed(c))
        for char in chars:
            key = (index, char, pick.get(char, 0))
            late = until is not None and drawn > 0 and monotonic() > until
            if key not in self._letters and late:
                yield char, None
                continue
            drawn += key not in self._letters
            yield char, self._kept(key, lambda k=key: self._drawn(*k))

    def _kept(self, key: tuple[int, str, int], draw: Any) -> Letter:
        if key not in self._letters:
            if len(self._letters) >= _MAX_LETTERS:
                self._letters.pop(next(iter(self._letters)))
            self._letters[key] = draw()
        return self._letters[key]

    def _borrowed(self, char: str) -> Letter:
        return self.model.writer.borrowed_letter(char)

    def _drawn(self, index: int, char: str, number: int) -> Letter:
        if number:
            return self._picked(index, char, number, self._every_attempt(index, char))
        (drawn,) = self.model.writer.outlined(char, index)
        return self.model.writer.letter(*drawn, index)

    def _picked(self, index: int, char: str, number: int, verdict: Verdict) -> Letter:
        image = verdict.attempts[min(number, len(verdict.attempts)) - 1].image
        return self._kept((index, char, number), lambda: self._traced(index, char, image))

    def _traced(self, index: int, char: str, image: np.ndarray) -> Letter:
        outline = self.model.writer.traced({char: image}, index)[char]
        return self.model.writer.drawn_letter(char, outline, index)

    def _every_attempt(self, index: int, char: str) -> Verdict:
        writer = self.model.writer
        if (index, char) not in self._verdicts:
            if writer.proofreader is not None:
                verdict = writer.proofreader.every_attempt(char, index)
            else:
                only = Attempt("as it is", writer.draw(char, index)[0].image, float("nan"))
                verdict = Verdict(char, (only,), 0.0)
            self._verdicts[index, char] = verdict
        return self._verdicts[index, char]

    def _faults(self, index: int, han: str, pick: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
        """The doubtful characters that were not picked, and their faults."""
        proofreader = self.model.writer.proofreader
        known = proofreader.verdicts.get(index, {}) if proofreader else {}
        drawn = {c: known[c] for c in han if c not in pick and c in known}
        return {c: verdict.faults for c, verdict in drawn.items() if verdict.doubtful}
