"""A model, ready to write: what `calligan.load` gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import numpy as np
from PIL import Image

from calligan.described import values
from calligan.errors import ConfigError, DataError
from calligan.inference.content import picture_of
from calligan.inference.drawer import Drawer
from calligan.inference.pages import check_page, write_pages
from calligan.inference.report import Findings
from calligan.inference.writer import DrawnGlyph, Looks, Writer
from calligan.library.orders import check_weight
from calligan.library.pages import Pages
from calligan.models.card import FontCard, ModelCard, read_card
from calligan.page.sheet import Row, contact_sheet
from calligan.progress import Cancel, Note, Progress, count_progress, ignore, never_cancel
from calligan.project.models import mixed_hand, model_path, parse_share, style_index
from calligan.project.source import source_font
from calligan.requests.drawing import DrawingRequest, Style
from calligan.requests.pages import PageRequest
from calligan.storage import sha256_file
from calligan.vector.font import UPEM
from calligan.vector.outline import Outline

if TYPE_CHECKING:
    from calligan.models.base import GeneratorBase


class Layout(TypedDict, total=False):
    """Layout options. Defaults are those of the format, or of a plain page."""

    format: str  # scroll, hall, square, banner, couplet, fan, letter, practice, or a .toml file
    title: str
    signature: str
    seal: str  # one to four characters
    seal_kind: Literal["white", "red"]  # cut out of red, or red in a frame
    vertical: bool  # columns from right to left, on plain pages
    cell_px: int  # edge of a character's cell at 96 dpi, on plain pages
    wrap: int  # characters a line, on plain pages
    ink: str  # a colour: a name or #RRGGBB
    paper: str
    labels: bool  # whether styles are named beside their lines, on plain pages
    transparent: bool
    vary: float  # how much repeats of a character differ, 0 to 1
    seed: int
    trace: int  # pale glyphs to trace, on practice sheets
    marks: bool  # whether to set punctuation in a format that omits it
    missing: Literal["error", "skip", "box"]  # what becomes of characters the source font lacks


@dataclass(frozen=True)
class Glyph:
    """A character as a style draws it."""

    char: str
    image: np.ndarray  # uint8 (S, S), 255 = paper, 0 = ink
    outline: Outline  # in an em of 1000 units, y upward; `outline.draw(pen)` takes fontTools' pens
    score: float | None = None  # 0 to 1, that it reads as its character; None if not looked at
    doubtful: bool = False  # whether it has a fault, and was not picked by eye
    faults: tuple[str, ...] = ()  # see docs/verdict.md
    way: str = ""  # the variation of the inputs that it was drawn with


@dataclass
class Model:
    """A model file and how to draw with it. Weights and source font are opened when first needed.

    Not safe to be used by two threads at once.
    """

    path: Path
    source: str | None = None  # a font by name or path; None takes one that it was trained with
    check: bool = True  # check each glyph, and draw doubtful ones again with other inputs
    fine: bool = True  # draw in four places and trace from twice the pixels: smoother, slower
    device: str = "auto"  # auto, cpu, cuda or mps
    note: Note = ignore
    pick: Mapping[str, int] = field(default_factory=dict)  # candidates to take, from 1
    every_way: bool = False  # draw every character with every variation, to choose by eye
    weight: float = 0.0  # added to the thickness of strokes, in 1/1000 em; -60 to 60
    on_open: Callable[[Writer], None] = ignore  # called when the source font is opened
    cache: bool = True  # keep drawn glyphs, and use kept ones; see inference/glyph_cache.py

    @classmethod
    def of(cls, request: DrawingRequest, path: Path, note: Note = ignore, **more: Any) -> "Model":
        """A model file, drawn with as a request says; `more` are further fields."""
        how = values(request, "model", "verdict", "report", "strict", "json_path")
        return cls(path, check=request.verdict, note=note, **how, **more)

    @cached_property
    def _card(self) -> ModelCard:
        return read_card(self.path)

    @property
    def card(self) -> ModelCard:
        """The model's metadata: styles, licences, sources, split, metrics."""
        return self._card

    def style_name(self, index: int) -> str:
        """The name of a style by its index from 0, also of a mixture or a random style."""
        return self.writer.card.styles[index].name

    @property
    def styles(self) -> tuple[FontCard, ...]:
        """Its styles; style 1 is the first."""
        return self.card.styles

    @cached_property
    def writer(self) -> Writer:
        """The network and its source font, opened."""
        source = source_font(self._card, self.source, self.note)
        looks = Looks(self.pick, self.every_way) if self.check else None
        how = (self.fine, looks, self.device, self.note, self.weight / UPEM, self.cache)
        writer = Writer.open(self.path, source, *how)
        self.on_open(writer)
        return writer

    def as_json(self) -> dict[str, Any]:
        """The model file, and the name of the source font."""
        return {"model": self.path, "source": self.writer.source.name}

    def style_index(self, style: Style) -> int:
        """A style's index from 0. Raises ModelError listing the styles."""
        return style_index(self.card, str(style).strip())

    def style_indices(self, style: Style | Sequence[Style], seed: int = 0) -> list[int]:
        """The indices of one or several styles; "all"; or "random", a new one by the seed.

        `1+4` or `1:0.7+4:0.3` is a mixture of two or more styles with these shares. With a learned
        hand, as in `1:0.7+mine:0.3`, the weights of the networks are averaged too.
        """
        if style == "all":
            return list(range(len(self.styles)))
        if style == "random":
            from calligan.inference.invent import with_random_style

            return [self._added(with_random_style(self.writer.drawer, seed, self.note))]
        if isinstance(style, str):
            style = style.split(",")
        wanted = [style] if isinstance(style, int) else style
        if not isinstance(wanted, Sequence):
            raise ConfigError(f"style {style!r} is neither a number from 1 nor a name")
        if not wanted:
            raise ConfigError("give at least one style")
        return [self._index_of(str(each)) for each in wanted]

    def _index_of(self, style: str) -> int:
        if "+" not in style:
            return self.style_index(style)
        names = [each.name for each in self.writer.card.styles]
        if style.strip() in names:  # mixed before, or a style of that name
            return names.index(style.strip())
        shares: dict[int, float] = {}
        hands: dict[str, float] = {}
        for part in style.split("+"):
            name, share = parse_share(part)
            if mixed_hand(self.path, self.card, name):
                hands[name] = hands.get(name, 0) + share
                continue
            index = self.style_index(name)
            shares[index] = shares.get(index, 0) + share
        if not sum(shares.values()) + sum(hands.values()):
            raise ConfigError(f"the shares of {style!r} are all 0; give one more than 0")
        named = {**{names[i]: share for i, share in shares.items()}, **hands}
        name = "+".join(f"{part}:{share:g}" for part, share in named.items())
        if name in names:  # mixed before
            return names.index(name)
        if hands:
            return self._added(self._with_hands(shares, hands, name))
        from calligan.inference.invent import with_blend

        return self._added(with_blend(self.writer.drawer, shares, name))

    def _with_hands(
        self, shares: Mapping[int, float], hands: Mapping[str, float], name: str
    ) -> Drawer:
        """A drawer with a mixture of styles and learned hands appended."""
        drawer, found, digests = self.writer.drawer, [], []
        for hand, share in hands.items():
            path = mixed_hand(self.path, self.card, hand)
            assert path is not None
            generator = _generator(path, path.stat().st_mtime_ns, drawer.predictor.device)
            found.append((generator, share))
            digests.append(sha256_file(path))
        from calligan.inference.invent import with_hands

        return with_hands(drawer, shares, found, name, " ".join(digests))

    def write(
        self,
        text: str,
        style: Style | Sequence[Style] = 1,
        *,
        progress: Progress = ignore,
        cancel: Cancel = never_cancel,
        **layout: Unpack[Layout],
    ) -> Pages:
        """Write a text on a plain page as large as it is, or on pages of a format.

        `style` is a number from 1 or a name, several of them, "all", "random" (with `seed`), or
        a mixture such as `1:0.7+4:0.3`.
        Raises DataError for what cannot be written, ConfigError for an invalid layout.
        """
        request = page_request(text, layout)
        indices = self.style_indices(style, request.seed)
        return self.write_request(labelled(request, style), indices, progress, cancel)

    def write_request(
        self,
        request: PageRequest,
        indices: list[int],
        progress: Progress = ignore,
        cancel: Cancel = never_cancel,
    ) -> Pages:
        """As `write`, with the layout in one value and the styles' indices from 0."""
        add = count_progress("writing", len(indices) * len(set(request.text)), progress, cancel)
        pages, read = write_pages(self.writer, request, indices, add)
        names = [self.style_name(index) for index in indices]
        return Pages(pages, read, names, self._doubtful(indices, read.drawn))

    def glyphs(
        self,
        chars: str,
        style: Style = 1,
        *,
        progress: Progress = ignore,
        cancel: Cancel = never_cancel,
    ) -> list[Glyph]:
        """Each Han character and kana of a text as a style draws it, in its order, each once.

        Raises DataError where the source font lacks one, or there is none.
        """
        index, han = self.style_index(style), self.writer.read(chars).drawn
        if not han:
            raise DataError("the text has no Chinese character or kana; give some")
        add = count_progress("drawing", len(han), progress, cancel)
        return [_glyph(*each) for each in self.writer.outlined(han, index, add)]

    def specimen(self, text: str = "永和九年书法") -> Image.Image:
        """A sheet of some characters in every style, a row a style."""
        self.writer.open_networks()  # raises for a damaged file before a text that cannot be drawn
        han = self.writer.read(text).drawn
        rows = [
            Row(f"{number} {style.name}", [g.image for g in self.writer.draw(han, number - 1)])
            for number, style in enumerate(self.styles, start=1)
        ]
        return contact_sheet(
            rows, self.card.size_px, pictures=partial(picture_of, self.writer.source)
        )

    def findings(self, indices: Sequence[int]) -> Findings | None:
        """Verdicts on all glyphs drawn in these styles; None if glyphs are not checked."""
        proofreader = self.writer.proofreader
        return Findings(proofreader, indices) if proofreader is not None else None

    def _added(self, drawer: Drawer) -> int:
        """Take a drawer that has one style more; its index."""
        proofreader = self.writer.proofreader
        looking = proofreader and replace(proofreader, drawer=drawer)
        vars(self)["writer"] = replace(self.writer, drawer=drawer, proofreader=looking)
        return len(drawer.card.styles) - 1

    def _doubtful(self, indices: list[int], han: str) -> dict[str, str]:
        findings = self.findings(indices)
        found = findings.doubtful() if findings else {}
        kept = {name: "".join(c for c in chars if c in han) for name, chars in found.items()}
        return {name: chars for name, chars in kept.items() if chars}


def load(
    model: Path | str | None = None,
    *,
    style: str = "",
    source: str | None = None,
    check: bool = True,
    fine: bool = True,
    device: str = "auto",
    weight: float = 0.0,
    cache: bool = True,
    note: Note = ignore,
) -> Model:
    """A model by path, run folder, hand's name or "bundle"; the newest run here, else the bundle.

    `style` may name a hand of `hands/`; then its model is loaded. `source` is the source font, by
    catalog name or path; by default one of the model's, or else an installed or downloaded one
    (reported to `note`). `weight` is added to the thickness of strokes, in 1/1000 em, -60 to 60.
    With `cache`, drawn glyphs are kept on disk and not drawn again. Raises ModelError if there is
    no such model.
    """
    path = model_path(Path(model) if model is not None else None, style)
    check_weight(weight)
    made = Model(path, source, check, fine, device, note, weight=weight, cache=cache)
    _ = made.styles  # raises ModelError for another file
    return made


def styles(model: Path | str | None = None) -> tuple[FontCard, ...]:
    """The styles of a model in order: `name`, `chinese`, `script`, `licence`; see `load`."""
    return load(model).styles


def _glyph(drawn: DrawnGlyph, outline: Outline) -> Glyph:
    verdict = drawn.verdict
    if verdict is None:
        return Glyph(drawn.char, drawn.image, outline)
    doubtful = verdict.doubtful or verdict.replaced
    found = (verdict.best.score, doubtful, verdict.faults, verdict.best.way)
    return Glyph(drawn.char, drawn.image, outline, *found)


@lru_cache(maxsize=4)
def _generator(path: Path, mtime_ns: int, device: str) -> "GeneratorBase":
    """A learned hand's network; kept, since a slider asks for many mixtures."""
    from calligan.models.weights import load_model

    return load_model(path, device)[0]


def labelled(request: PageRequest, style: Style | Sequence[Style]) -> PageRequest:
    """A request with labels, if it is for all styles on a plain page and does not say."""
    wanted = style == "all" and request.labels is None and request.form is None
    return replace(request, labels=True) if wanted else request


def page_request(text: str, layout: Mapping[str, Any]) -> PageRequest:
    """A checked request of a text and the keywords of `Layout`.

    Raises ConfigError for an unknown keyword, naming the nearest, and for an invalid layout.
    """
    for name in layout:
        if name not in Layout.__annotations__:
            near = get_close_matches(name, Layout.__annotations__, n=1)
            hint = f"did you mean {near[0]}?" if near else "see calligan.Layout"
            raise ConfigError(f"unknown layout option {name!r}; {hint}")
    values = dict(layout)
    request = PageRequest(text=text, form=values.pop("format", None), **values)
    check_page(request)
    return request
