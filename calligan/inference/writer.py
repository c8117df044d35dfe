"""Write text with a model: check the text, draw glyphs, proofread them, and trace them."""

import json
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from calligan import __version__
from calligan.config import TraceConfig
from calligan.errors import DataError
from calligan.glyphs.charset import check_text, is_drawn, is_han
from calligan.glyphs.letter_placement import letter_matrix
from calligan.glyphs.placement import Placement
from calligan.inference.content import ContentSource
from calligan.inference.drawer import Drawer
from calligan.inference.glyph_cache import GlyphCache, KeptGlyph, cache_is_on
from calligan.inference.parallel import in_order
from calligan.inference.proofread import Proofreader, Verdict
from calligan.models.card import ModelCard
from calligan.page.flow import Letter
from calligan.progress import Note, ignore
from calligan.project.source import file_digest
from calligan.reader.inspector import Inspector
from calligan.reader.judge import Judge
from calligan.reader.limits import shipped
from calligan.resources import reader_model, upscaler_model
from calligan.storage import sha256_bytes
from calligan.vector.borrow import Lettering
from calligan.vector.font import UPEM, Blank, NotdefBox
from calligan.vector.outline import Outline
from calligan.vector.trace import trace_all
from calligan.vector.vertical_form import vertical_form
from calligan.workers import usable_cores

if TYPE_CHECKING:
    from calligan.models.upscaler import Upscaler

Missing = Literal["error", "skip", "box"]
_MIN_TRACED_PX = 256  # smaller images are enlarged before they are traced
_MAX_AT_ONCE = {"cpu": 8}  # glyphs drawn and traced in one task; else:
_MAX_AT_ONCE_GPU = 64
_KEPT_AT_ONCE = 64  # glyphs written to the cache at once


@dataclass(frozen=True)
class Text:
    """Checked text, and where its characters come from."""

    text: str
    drawn: str  # by the model: Han and kana; what else a style draws is among `borrowed`
    borrowed: str  # marks, digits and letters, which a style may have copied from the source font
    missing: str  # not in the source font
    blank: Mapping[str, str] = field(default_factory=dict)  # drawn without ink, by style
    replaced: Mapping[str, str] = field(default_factory=dict)  # kana copied after all, by style
    copied: Mapping[str, str] = field(default_factory=dict)  # those of `borrowed`, by style


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
class Em:
    """Where outlines are placed: the em box on the canvas, and the units of an em."""

    placement: Placement
    upem: int = UPEM


@dataclass(frozen=True)
class Writer:
    """Draws, checks and traces glyphs of a text: used by every command that writes.

    Networks are opened, and torch imported, when a glyph is drawn that is not in the cache.
    """

    drawer: Drawer
    proofreader: Proofreader | None = None
    upscaler_path: Path | None = None  # its network enlarges small glyphs before they are traced
    origin: Mapping[str, Any] | None = None  # what the drawer was opened from; None: nothing kept

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
        kept: bool = False,
    ) -> "Writer":
        """Open a model file.

        `fine` averages drawings at four positions and enlarges small glyphs to twice the pixels
        before tracing. With `looks`, drawn glyphs are checked, if the reader is installed. With
        `kept`, drawn glyphs are kept in the cache. Raises as `Drawer.open`.
        """
        drawer = Drawer.open(model, source, fine, device, note, bolder_em)
        proofreader = None
        if looks is not None and reader_model() is not None:
            how = (looks.picked, looks.every_way, shipped())

            def on() -> str:
                return drawer.predictor.device

            proofreader = Proofreader(drawer, Judge.load(on), *how, inspector=Inspector.load(on))
        path = upscaler_model() if fine and drawer.card.size_px < _MIN_TRACED_PX else None
        origin = {"model": model, "fine": fine, "device": device, "kept": kept and cache_is_on()}
        return cls(drawer, proofreader, path, origin)

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self.drawer.card

    @property
    def source(self) -> ContentSource:
        """Where source glyphs and letters come from."""
        return self.drawer.source

    @cached_property
    def upscaler(self) -> "Upscaler | None":
        """The network that enlarges small glyphs before their outlines are traced."""
        from calligan.models.upscaler import load_upscaler

        path = self.upscaler_path
        return None if path is None else load_upscaler(path, self.drawer.predictor.device)

    def read(self, text: str, missing: Missing = "error") -> Text:
        """Check a text against the source font.

        Raises DataError for an empty text, for characters that cannot be drawn, and with `missing`
        "error" for characters that the source lacks, naming them.
        """
        text = check_text(text).replace("\r", "").strip("\n")
        chars = [char for char in dict.fromkeys(text) if not char.isspace()]
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
        drawn = "".join(filter(is_drawn, there))
        return Text(text, drawn, "".join(c for c in there if not is_drawn(c)), lacking)

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
        self, chars: str, style_index: int, progress: Callable[[int], None] = ignore
    ) -> list[tuple[DrawnGlyph, Outline]]:
        """Draw characters and trace them to outlines in an em box of UPEM units."""
        found = []
        with closing(self.stream(chars, style_index)) as each:
            for one in each:
                found.append(one)
                progress(1)
        return found

    def stream(
        self, chars: str, style_index: int, em: Em | None = None
    ) -> Generator[tuple[DrawnGlyph, Outline], None, None]:
        """Characters drawn and traced on all cores, in order, each once; kept ones are not drawn.

        Close the iterator to end it early.
        """
        cache = self._cache(style_index, em)
        kept = cache.read(chars) if cache else {}
        if self.proofreader is not None:
            verdicts = [glyph.verdict for glyph in kept.values() if glyph.verdict]
            self.proofreader.remember(style_index, verdicts)
        new = "".join(char for char in dict.fromkeys(chars) if char not in kept)
        drawn, fresh = self._drawn(new, style_index, em), {}
        try:
            for char in dict.fromkeys(chars):
                if char in kept:
                    glyph = kept[char]
                    yield DrawnGlyph(char, glyph.image, glyph.verdict), glyph.outline
                    continue
                made, outline = next(drawn)
                fresh[char] = KeptGlyph(made.image, outline, made.verdict)
                yield made, outline
                if cache and len(fresh) >= _KEPT_AT_ONCE:
                    cache.write(fresh)
                    fresh = {}
        finally:
            drawn.close()
            if cache and fresh:
                cache.write(fresh)

    def _drawn(
        self, chars: str, style_index: int, em: Em | None
    ) -> Generator[tuple[DrawnGlyph, Outline], None, None]:
        if not chars:
            return
        self.open_networks()  # before threads need them
        self.drawer.open_letters(chars, style_index)

        def work(part: str) -> list[tuple[DrawnGlyph, Outline]]:
            drawn = self.draw(part, style_index)
            outlines = self.traced({one.char: one.image for one in drawn}, style_index, em)
            return [(one, outlines[one.char]) for one in drawn]

        limit = _MAX_AT_ONCE.get(self.drawer.predictor.device, _MAX_AT_ONCE_GPU)
        size = min(limit, -(-len(chars) // usable_cores()))
        parts = (chars[start : start + size] for start in range(0, len(chars), size))
        with closing(in_order(work, parts)) as results:
            for result in results:
                yield from result

    def open_networks(self) -> None:
        """Open the networks, which otherwise happens when something is drawn."""
        _ = self.drawer.predictor, self.upscaler
        if self.proofreader is not None:
            _ = self.proofreader.judge.network
            _ = self.proofreader.inspector and self.proofreader.inspector.network

    def _cache(self, style_index: int, em: Em | None) -> GlyphCache | None:
        """Where glyphs of a style are kept; None if they are not, as with variants to choose."""
        chosen = self.proofreader and (self.proofreader.picked or self.proofreader.every_way)
        if self.origin is None or not self.origin["kept"] or chosen:
            return None
        return GlyphCache(sha256_bytes(json.dumps(self.setting(style_index, em)).encode()))

    def setting(self, style_index: int, em: Em | None = None) -> dict[str, Any]:
        """Everything that determines the glyphs of a style, as JSON."""
        assert self.origin is not None
        em = em or Em(Placement.full_width(self.card.size_px))
        checked, larger = self.proofreader, self.upscaler_path
        style = self.card.styles[style_index]
        return {
            "model": file_digest(self.origin["model"]),
            "fine": self.origin["fine"],
            "bolder": self.drawer.bolder_em,
            "device": self.origin["device"],
            "version": __version__,
            "torch": version("torch"),
            "source": self.source.identity,
            "style": [style_index, style.name, style.font_sha256],
            "em": [asdict(em.placement), em.upem],
            "trace": asdict(self.tracing(style_index)),
            "non_han": self.drawer.non_han().identity,
            "enlarged": larger and file_digest(larger),
            "checked": checked and checked.identity,
        }

    def letters(
        self, text: Text, style_index: int, progress: Callable[[int], None] = ignore
    ) -> dict[str, Letter]:
        """Letters for typesetting of every character of a text; a box if the source lacks it."""
        drawn, copied = self.parted(text.drawn + text.borrowed, style_index)
        letters = {char: self.borrowed_letter(char) for char in text.missing + copied}
        for glyph, outline in self.outlined(drawn, style_index, progress):
            letters[glyph.char] = self.letter(glyph, outline, style_index)
        return letters

    def letter(self, glyph: DrawnGlyph, outline: Outline, style_index: int) -> Letter:
        """The letter of a drawn character; for doubtful kana, the source font's."""
        if glyph.verdict and glyph.verdict.replaced:
            return self.borrowed_letter(glyph.char)
        return self.drawn_letter(glyph.char, outline, style_index)

    def drawn_letter(self, char: str, outline: Outline, style_index: int) -> Letter:
        """The letter of an outline that was traced in a style."""
        advance_em = 1.0 if is_han(char) else self.drawer.advances(style_index).get(char, 1.0)
        return Letter(char, outline, advance_em, vertical_form(char, outline, advance_em))

    def parted(self, chars: str, style_index: int, picked: Collection[str] = ()) -> tuple[str, str]:
        """What is drawn in a style, and what is copied from the source font.

        Kana of which a candidate was picked are drawn.
        """
        by_eye = {*picked, *(self.proofreader.picked if self.proofreader else ())}
        by_eye = set(filter(is_drawn, by_eye))
        drawn = "".join(c for c in chars if c in by_eye or self.drawer.draws(c, style_index))
        return drawn, "".join(char for char in chars if char not in drawn)

    def replaced(self, chars: str, style_index: int) -> str:
        """Those of some characters, drawn before, that are copied from the source font instead."""
        drawn, kana = self.parted(chars, style_index)
        doubtful = self.proofreader.replaced(drawn, style_index) if self.proofreader else ""
        return kana + doubtful

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

    def traced(
        self, images: Mapping[str, np.ndarray], style_index: int, em: Em | None = None
    ) -> dict[str, Outline]:
        """Outlines of glyphs, uint8 (S, S), by character; without `em`, in a full-width em of UPEM
        units.
        """
        em = em or Em(Placement.full_width(self.card.size_px))
        large, chars = self.enlarged(list(images.values())), list(images)
        how, outlines = [self.drawer.tracing(c, style_index) for c in chars], dict[str, Outline]()
        for tracing in dict.fromkeys(how):
            part = [at for at, wanted in enumerate(how) if wanted == tracing]
            found = trace_all(large[part], em.placement, em.upem, tracing)
            outlines.update(zip((chars[at] for at in part), found, strict=True))
        if not all(map(is_han, images)):
            for char, advance_em in self.drawer.advances(style_index).items():
                if char in outlines:
                    matrix = letter_matrix(char, advance_em, em.placement, em.upem)
                    outlines[char] = outlines[char].transform(matrix)
        return {char: outlines[char] for char in chars}

    def tracing(self, style_index: int) -> TraceConfig:
        """Tracing settings of a style."""
        return self.card.styles[style_index].tracing

    def enlarged(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Glyphs ready for tracing, uint8 (N, S, S): small ones enlarged by the upscaler."""
        stack = np.stack(images)
        if self.upscaler is None:
            return stack
        from calligan.models.upscaler import upscale

        return upscale(self.upscaler, stack)
