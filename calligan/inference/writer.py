"""A model ready to write: texts are read, drawn, looked at where that is wanted, and traced."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from calligan.config import TraceConfig
from calligan.errors import DataError
from calligan.glyphs.charset import check_text, is_han
from calligan.glyphs.placement import Placement
from calligan.inference.content import ContentSource
from calligan.inference.drawer import Drawer
from calligan.inference.proofread import Proofreader, Verdict
from calligan.models.card import ModelCard
from calligan.models.upscaler import Upscaler, load_upscaler, upscale
from calligan.page.flow import Letter
from calligan.progress import Note, ignore
from calligan.reader.faults import shipped
from calligan.reader.verdict import Judge
from calligan.resources import reader_model, upscaler_model
from calligan.vector.font import UPEM, Blank, NotdefBox
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

Missing = Literal["error", "skip", "box"]
_TRACED_PX = 256  # images of this size are traced as they are
_CHUNK_CHARS = 32  # drawn and traced between two words of progress


@dataclass(frozen=True)
class Text:
    """Checked text, and which of its characters are drawn by whom."""

    text: str
    han: str  # drawn by the model
    borrowed: str  # drawn from the source font as it is
    missing: str  # not in the source font


@dataclass(frozen=True)
class DrawnGlyph:
    """A character as drawn: uint8 (S, S), 255 = paper; its verdict, where it was looked at."""

    char: str
    image: np.ndarray
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Looks:
    """How drawn glyphs are looked at."""

    picked: Mapping[str, int]  # which attempt to use, from 1, where it is not the best
    every_way: bool = False  # every character is drawn in every way, to choose by eye


@dataclass(frozen=True)
class Writer:
    """Whoever draws glyphs for people has them from here."""

    drawer: Drawer
    proofreader: Proofreader | None = None
    upscaler: Upscaler | None = None  # enlarges small glyphs before their outlines are traced

    @classmethod
    def open(
        cls,
        model: Path,
        source: str | None = None,
        fine: bool = True,
        looks: Looks | None = None,
        device: str = "cpu",
        note: Note = ignore,
    ) -> "Writer":
        """A model file, ready to write.

        `fine` draws ink in four places and traces small glyphs from twice the pixels. `looks` has
        the reader look at what is drawn, where calligan came with it. Raises as `Drawer.open`.
        """
        drawer = Drawer.open(model, source, fine, device, note)
        on = drawer.predictor.device
        proofreader = None
        if looks is not None and reader_model() is not None:
            how = (looks.picked, looks.every_way, shipped())
            proofreader = Proofreader(drawer, Judge.load(on), *how)
        path = upscaler_model() if fine and drawer.card.size_px < _TRACED_PX else None
        return cls(drawer, proofreader, None if path is None else load_upscaler(path, on))

    @property
    def card(self) -> ModelCard:
        """What the model says of itself."""
        return self.drawer.card

    @property
    def source(self) -> ContentSource:
        """Where source glyphs and letters come from."""
        return self.drawer.source

    def read(self, text: str, missing: Missing = "error") -> Text:
        """Check a text against the source font.

        Raises DataError for an empty text, characters that no font draws, or (unless `missing`
        says otherwise) characters that the source lacks, naming them.
        """
        text = check_text(text).replace("\r", "").strip("\n")
        chars = dict.fromkeys(char for char in text if not char.isspace())
        if not chars:
            raise DataError("the text is empty; give some characters to write")
        if odd := "".join(char for char in chars if not char.isprintable()):
            raise DataError(f"the text holds characters that cannot be drawn: {odd!r}; remove them")
        lacking = "".join(filter(self.source.lacks, chars))
        if lacking and missing == "error":
            raise DataError(
                f"the source font {self.source.file_name} lacks: {' '.join(lacking)}; "
                "give another --source, or --missing skip or box"
            )
        there = [char for char in chars if char not in lacking]
        if not there and missing == "skip":
            raise DataError(
                "the source font lacks every character of the text; give another --source"
            )
        if missing == "skip":
            text = "".join(char for char in text if char not in lacking)
        han = "".join(filter(is_han, there))
        return Text(text, han, "".join(c for c in there if not is_han(c)), lacking)

    def draw(self, chars: str, style_index: int) -> list[DrawnGlyph]:
        """Characters in a style numbered from 0, each looked at where this writer has a reader."""
        if not chars:
            return []
        if self.proofreader is None:
            images = self.drawer.draw(chars, style_index)
            return [DrawnGlyph(char, image) for char, image in zip(chars, images, strict=True)]
        verdicts = self.proofreader.judged(chars, style_index)
        return [DrawnGlyph(verdict.char, verdict.best.image, verdict) for verdict in verdicts]

    def outlined(
        self,
        chars: str,
        style_index: int,
        progress: Callable[[int], None] = ignore,
    ) -> list[tuple[DrawnGlyph, Outline]]:
        """Characters as drawn, and their outlines in an em box of UPEM units."""
        found: list[tuple[DrawnGlyph, Outline]] = []
        for start in range(0, len(chars), _CHUNK_CHARS):
            drawn = self.draw(chars[start : start + _CHUNK_CHARS], style_index)
            outlines = self.traced([glyph.image for glyph in drawn], style_index)
            found += zip(drawn, outlines, strict=True)
            progress(len(drawn))
        return found

    def letters(
        self, text: Text, style_index: int, progress: Callable[[int], None] = ignore
    ) -> dict[str, Letter]:
        """Every character of a text, ready to be set; a box for those the source lacks."""
        letters = {char: self.borrowed_letter(char) for char in text.missing + text.borrowed}
        for glyph, outline in self.outlined(text.han, style_index, progress):
            letters[glyph.char] = Letter(glyph.char, outline, 1.0)
        return letters

    def borrowed_letter(self, char: str) -> Letter:
        """A character as the source font draws it, ready to be set; a box where it lacks it."""
        if self.source.lacks(char):
            return Letter(char, Outline.from_drawing(NotdefBox()), 1.0)
        lettering = self.source.lettering
        outlines = [Outline.from_drawing(glyph.drawing) for glyph in lettering.glyph(char)]
        first, *vertical = outlines or [Outline.from_drawing(Blank())]
        return Letter(char, first, lettering.advance_em(char), *vertical)

    def traced(self, images: Sequence[np.ndarray], style_index: int) -> list[Outline]:
        """Outlines of glyphs, uint8 (S, S), in an em box of UPEM units."""
        cell, tracing = Placement.full_width(self.card.size_px), self.tracing(style_index)
        return [trace(image, cell, UPEM, tracing) for image in self.enlarged(images)]

    def tracing(self, style_index: int) -> TraceConfig:
        """How a style's glyphs become outlines."""
        return self.card.styles[style_index].tracing

    def enlarged(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Glyphs as they are traced: uint8 (N, S, S), small ones enlarged by the upscaler."""
        stack = np.stack(images)
        return stack if self.upscaler is None else upscale(self.upscaler, stack)
