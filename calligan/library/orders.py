"""Check requests to draw, and describe the font made. Needs no torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from calligan.described import refuse_unused, values
from calligan.errors import ConfigError, DataError
from calligan.glyphs.charset import is_drawn, load_charset
from calligan.inference import fontmaker as maker
from calligan.inference.pages import check_output, check_page
from calligan.inference.report import check_report
from calligan.limits import MAX_NAME_CHARS
from calligan.models.card import MAX_BOLDER_EM, read_card
from calligan.page.film import check_film
from calligan.page.formats import load_format
from calligan.page.output import KINDS
from calligan.project.models import hand_path, model_path, style_index
from calligan.requests.drawing import STDOUT, ChoiceRequest, DrawingRequest
from calligan.requests.fonts import DOUBTED, FALLBACKS, FontRequest
from calligan.requests.pages import Look, PageRequest, PictureRequest
from calligan.requests.sheets import MAX_STEPS, MORPH_WAYS, STILL, MorphRequest

if TYPE_CHECKING:
    from calligan.inference.writer import Writer

MAX_WEIGHT = round(1000 * MAX_BOLDER_EM)


def check_picture(
    picture: PictureRequest,
    page: PageRequest,
    look: Look,
    drawing: DrawingRequest,
    choice: ChoiceRequest,
) -> None:
    """Raise ConfigError or DataError for an invalid option of a page to write."""
    picked = choice.picked()
    if picture.output == STDOUT:
        if choice.candidates:
            raise ConfigError(
                "--candidates writes a sheet beside the picture; give a file as --output"
            )
        if picture.path.suffix not in KINDS:
            kinds = ", ".join(kind[1:] for kind in KINDS)
            raise ConfigError(f"--as {picture.kind!r} is not one of {kinds}")
    elif picture.kind not in (None, picture.output.suffix[1:].lower()):
        raise ConfigError(
            f"--as is for -o -; the ending of {picture.output} names its kind, not {picture.kind}"
        )
    check_output(picture.path, page.transparent)
    check_verdict(drawing, needed=bool(choice.candidates or picked))
    look.validate()
    look.check_kind(picture.path, page.transparent)
    check_page(page)
    _check_used(page, picture.style)
    drawn = page.text + page.title + page.signature + page.seal
    if choice.candidates and not any(map(is_drawn, drawn)):
        raise ConfigError("--candidates: the text has no Chinese character or kana; give some")
    if absent := "".join(char for char in picked if char not in drawn):
        raise ConfigError(f"--pick names {absent}, which is not in the text")
    check_weight(drawing.weight)


def _check_used(page: PageRequest, style: str) -> None:
    """Raise ConfigError for an option of a page that has no effect beside the others."""
    form = load_format(page.form) if page.form else None
    practice = form is not None and bool(form.region[0].grid)
    if practice:
        refuse_unused(page, ["vary"], "cells to practise in are all alike")
    else:
        refuse_unused(page, ["trace"], "it needs --format practice")
    if not page.seal:
        refuse_unused(page, ["seal_kind"], "give the text of the --seal")
    if page.transparent:
        refuse_unused(page, ["paper"], "drop it, or --transparent")
    varies = form.vary if form and page.vary is None else page.vary
    if style != "random" and (practice or not varies):
        refuse_unused(page, ["seed"], "it is of --vary and `--style random`")


def check_morph(request: MorphRequest) -> None:
    """Raise ConfigError, DataError or ModelError for an invalid option of a film or a sheet."""
    check_film(request.output, also=[STILL])
    if not 1 <= request.fps <= 60:
        raise ConfigError(f"--fps {request.fps:g} is out of range; give 1 to 60")
    if request.output.suffix.lower() == STILL:
        refuse_unused(request, ["fps", "loop"], f"{STILL} is a sheet; write a .gif, .webp or .mp4")
    stops_of(**values(request, "output", "fps", "loop", "source", "device"))


def stops_of(
    text: str, styles: Sequence[str] | str, steps: int | None, way: str, model: Path | None
) -> tuple[Path, list[tuple[Path | None, int]]]:
    """The model of a morph; and for each style the model of a hand, or None, and its index.

    Raises ConfigError, DataError or ModelError for what cannot be interpolated.
    """
    if way not in MORPH_WAYS or not (steps is None or 1 <= steps <= MAX_STEPS):
        raise ConfigError(f"give --way slerp or lerp, and --steps 1 to {MAX_STEPS:,}")
    if not any(map(is_drawn, text)):
        raise DataError("the text has no Chinese character or kana; give some")
    given = styles.split(",") if isinstance(styles, str) else list(styles)
    stops = [(name.strip(), hand_path(name.strip())) for name in given]
    path, hands = model_path(model), [hand for _, hand in stops]
    if model is None and hands[0] and all(hands):
        path = hands[0]
    card = read_card(path)
    if given == ["all"]:
        stops = [(str(number), None) for number in range(1, len(card.styles) + 1)]
    if len(stops) < 2:
        raise ConfigError("--styles needs two or more, such as 1,3")
    return path, [(hand, 0 if hand else style_index(card, name)) for name, hand in stops]


def check_export(font: FontRequest, drawing: DrawingRequest) -> None:
    """Raise ConfigError or DataError for an invalid option of a font to make."""
    check_font(font)
    check_weight(drawing.weight)
    check_verdict(drawing, needed=font.fallback in DOUBTED)
    load_charset(font.charset)


def check_verdict(request: DrawingRequest, needed: bool = False) -> None:
    """Raise ConfigError or DataError if what is asked for needs a verdict that is turned off.

    `needed` is whether more than its reports does.
    """
    if (needed or request.report or request.strict) and not request.verdict:
        raise ConfigError(
            "--report, --strict, --candidates and --pick need the verdict; drop --no-verdict"
        )
    for path in request.report or ():
        check_report(path)


def check_weight(weight: float) -> None:
    """Raise ConfigError for a thickness to add to strokes, in 1/1000 em, that is too large."""
    if not -MAX_WEIGHT <= weight <= MAX_WEIGHT:
        raise ConfigError(f"--weight {weight:g} is not between -{MAX_WEIGHT} and {MAX_WEIGHT}")


def check_font(request: FontRequest) -> None:
    """Raise ConfigError or DataError for an invalid option."""
    path, base = request.path, request.complete
    if request.fallback not in FALLBACKS:
        raise ConfigError(f"--fallback {request.fallback!r} is not one of {', '.join(FALLBACKS)}")
    if path.suffix.lower() not in maker.KINDS:
        kinds = ", ".join(maker.KINDS)
        raise DataError(f"{path} should end in {kinds}: the kind of font to write")
    if path.is_dir() and path.suffix.lower() != ".ufo":
        raise DataError(f"{path} is a folder; name a file in it")
    chinese = request.family_chinese or ""
    if len(chinese) > MAX_NAME_CHARS or not chinese.isprintable():
        raise ConfigError(f"--family-chinese is no name of at most {MAX_NAME_CHARS} characters")
    if base is not None:
        refuse_unused(request, ["latin"], "--complete keeps the letters of the font")
    if base is not None and Path(base).exists() and path.exists() and path.samefile(base):
        raise DataError(f"{path} is the font to complete; name another file to write")


@dataclass(frozen=True)
class MadeFont:
    """A font that was written, and where its characters come from."""

    path: Path
    family: str
    style_index: int  # from 0
    drawn: str  # characters with ink, handwritten ones included
    written: str  # of those, the ones with handwritten glyphs
    misread: str  # of those, the ones that read badly or as another character
    replaced: str  # too dense or doubtful, and left out or taken from the source font
    borrowed: str  # of those, the ones taken from the source font
    kana: str  # copied from the source font, since they are not legible in the hand
    letters: str  # letters, digits and marks drawn in the hand
    copied: str  # those asked for, or melted in the hand, that are another font's
    blank: str  # left out, since they were drawn blank
    lacking: str  # left out, since no font here has them
    unreadable: Sequence[str] = ()  # tables of the completed font that were dropped
    holds_name_of: str = ""  # the completed font's family, if the new name contains it
    narrowed: str = ""  # what is said of characters made narrower to fit the completed font
    scale: tuple[float, float] = (1.0, 1.0)  # of their widths and heights
    seconds: dict[str, float] = field(default_factory=dict)  # by stage

    def notes(self, request: FontRequest) -> Iterator[str]:
        """What was drawn, left out and replaced, in lines."""
        if self.unreadable:
            names = ", ".join(self.unreadable)
            yield f"{request.complete}: left out hinting tables that cannot be read: {names}"
        if self.narrowed:
            yield self.narrowed
        if self.replaced:
            yield f"{FALLBACKS[request.fallback]}: {abbreviate(self.replaced)}"
        if self.kana:
            yield f"kana of the source font, not legible in the hand: {abbreviate(self.kana)}"
        if self.blank:
            yield f"left out, drawn blank: {abbreviate(self.blank)}"
        if self.lacking:
            yield f"left out, not in the source font: {abbreviate(self.lacking)}"
        times = [f"{name} {took:.1f} s" for name, took in self.seconds.items() if took >= 0.05]
        count = len(self.drawn) - len(self.written) - len(self.borrowed + self.kana)
        plural = "s" * (count != 1)
        yield f"{self.family}: {count:,} character{plural} drawn ({', '.join(times)})"
        yield from self._lettering(request)
        if self.holds_name_of:
            yield (
                f"the new name contains {self.holds_name_of}: that font's licence may not allow "
                "this; check it before you publish, or give another --family"
            )
        if self.written:
            count = len(self.written)
            yield f"{count:,} more characters are your own glyphs (--no-own draws them)"
        if self.misread:
            yield (
                f"of your own, these read badly or as another character: {abbreviate(self.misread)}"
            )

    def _lettering(self, request: FontRequest) -> Iterator[str]:
        """Where letters, digits and marks of a new font come from."""
        if request.complete is not None:
            return
        if self.letters:
            yield f"{len(self.letters):,} letters, digits and marks are in the hand too"
        elif request.latin is None:
            yield "letters, digits and marks are the source font's"
        if self.copied:
            whose = "the source font" if request.latin is None else "other fonts"
            yield f"letters and marks taken from {whose}: {abbreviate(self.copied)}"


def abbreviate(chars: str, shown: int = 20) -> str:
    """The first characters, and the number of the others."""
    rest = len(chars) - shown
    return " ".join(chars[:shown]) + (f" and {rest:,} more" if rest > 0 else "")


def not_given(path: Path, request: DrawingRequest, writer: "Writer") -> Iterator[str]:
    """A line about what the user did not give: the model at `path`, its source font, or nothing."""
    sources, parts = writer.card.sources, []
    if request.model is None:
        steps = writer.card.provenance.get("step")
        parts.append(f"model: {path}" + (f" ({steps:,} steps)" if steps is not None else ""))
    if request.source is None:
        other = sources and sources[0].font_sha256 != writer.source.digest
        why = f" ({sources[0].name}, which the model prefers, is not here)" if other else ""
        parts.append(f"source font: {writer.source.file_name}{why}")
    if parts:
        yield "; ".join(parts)
