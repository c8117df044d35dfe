"""Write text with a model: check the text, draw glyphs, proofread them, and trace them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from calligan.vector.borrow import Lettering
from calligan.vector.font import UPEM, Blank, NotdefBox
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

Missing = Literal["error", "skip", "box"]
_MIN_TRACED_PX = 256  # smaller images are enlarged before they are traced
_CHUNK_CHARS = 32  # drawn and traced between two progress reports


@dataclass(frozen=True)
class Text:
    """Checked text, and where its characters come from."""

    text: str
    han: str  # drawn by the model
    borrowed: str  # copied from the source font
    missing: str  # not in the source font


@dataclass(frozen=True)
class DrawnGlyph:
    """A drawn character, uint8 (S, S), 255 = paper, and its verdict if it was checked."""

    char: str
    image: np.ndarray
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Looks:
    """How drawn glyphs are checked."""

    picked: Mapping[str, int]  # which attempt to use instead of the best, from 1
    every_way: bool = False  # draw every character with every variation, to choose by eye


@dataclass(frozen=True)
class Writer:
    """Draws, checks and traces glyphs of a text: used by every command that writes."""

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
        bolder_em: float = 0.0,
    ) -> "Writer":
        """Open a model file.

        `fine` averages drawings at four positions and enlarges small glyphs to twice the pixels
        before tracing. With `looks`, drawn glyphs are checked, if the reader is installed. Raises
        as `Drawer.open`.
        """
        drawer = Drawer.open(model, source, fine, device, note, bolder_em)
        on = drawer.predictor.device
        proofreader = None
        if looks is not None and reader_model() is not None:
            how = (looks.picked, looks.every_way, shipped())
            proofreader = Proofreader(drawer, Judge.load(on), *how)
        path = upscaler_model() if fine and drawer.card.size_px < _MIN_TRACED_PX else None
        return cls(drawer, proofreader, None if path is None else load_upscaler(path, on))

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self.drawer.card

    @property
    def source(self) -> ContentSource:
        """Where source glyphs and letters come from."""
        return self.drawer.source

    def read(self, text: str, missing: Missing = "error") -> Text:
        """Check a text against the source font.

        Raises DataError for an empty text, for characters that cannot be drawn, and with `missing`
        "error" for characters that the source lacks, naming them.
        """
        text = check_text(text).replace("\r", "").strip("\n")
        chars = dict.fromkeys(char for char in text if not char.isspace())
        if not chars:
            raise DataError("the text is empty; give some characters to write")
        if odd := "".join(char for char in chars if not char.isprintable()):
            raise DataError(f"the text has characters that cannot be drawn: {odd!r}; remove them")
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
        """Draw characters in a style, numbered from 0, and check them if there is a proofreader."""
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
        """Draw characters and trace them to outlines in an em box of UPEM units."""
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
        """Letters for typesetting of every character of a text; a box if the source lacks it."""
        letters = {char: self.borrowed_letter(char) for char in text.missing + text.borrowed}
        for glyph, outline in self.outlined(text.han, style_index, progress):
            letters[glyph.char] = Letter(glyph.char, outline, 1.0)
        return letters

    def borrowed_letter(self, char: str) -> Letter:
        """A letter copied from the source font; a box if the font lacks it."""
        if self.source.lacks(char):
            return Letter(char, Outline.from_drawing(NotdefBox()), 1.0)
        lettering = self.lettering(self.source.lettering)
        outlines = [Outline.from_drawing(glyph.drawing) for glyph in lettering.glyph(char)]
        first, *vertical = outlines or [Outline.from_drawing(Blank())]
        return Letter(char, first, lettering.advance_em(char), *vertical)

    def lettering(self, plain: Lettering) -> Lettering:
        """Borrowed marks, digits and letters, with strokes made bolder as those drawn."""
        return replace(plain, bolder_em=self.drawer.bolder_em)

    def traced(self, images: Sequence[np.ndarray], style_index: int) -> list[Outline]:
        """Outlines of glyphs, uint8 (S, S), in an em box of UPEM units."""
        cell, tracing = Placement.full_width(self.card.size_px), self.tracing(style_index)
        return [trace(image, cell, UPEM, tracing) for image in self.enlarged(images)]

    def tracing(self, style_index: int) -> TraceConfig:
        """Tracing settings of a style."""
        return self.card.styles[style_index].tracing

    def enlarged(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Glyphs ready for tracing, uint8 (N, S, S): small ones enlarged by the upscaler."""
        stack = np.stack(images)
        return stack if self.upscaler is None else upscale(self.upscaler, stack)
