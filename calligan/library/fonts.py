"""Make a font of a style, or complete a font with a style."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from calligan.errors import CalliganError, ConfigError, DataError, ModelError
from calligan.folder_update import remove_unused
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import is_drawn, is_han, load_charset
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement
from calligan.glyphs.vetting import vet_font
from calligan.inference import fontmaker as maker
from calligan.inference.export import JOB, Job, Parts, copy_source, fall_back, outlines, traced
from calligan.inference.writer import Writer
from calligan.inference.written import as_written
from calligan.library.model import Model
from calligan.library.orders import MadeFont, check_font
from calligan.models.card import ModelCard
from calligan.pairs.handwriting import OWN_LICENCE
from calligan.progress import Cancel, Note, Progress, count_progress, ignore, never_cancel
from calligan.project.run import Run
from calligan.requests.drawing import Style
from calligan.requests.fonts import FALLBACKS, FontRequest
from calligan.storage import locked
from calligan.vector.base_font import BaseFont
from calligan.vector.body import Body, Fit, fit_to_body
from calligan.vector.borrow import Lettering
from calligan.vector.font import UPEM
from calligan.vector.name_table import Naming
from calligan.vector.outline import Outline

_READ_S_PER_MB = 2.0  # fontTools reads a font to complete slowly
_PLACED_BY = 500  # common characters, by which a font of letters is placed if it has some


@dataclass(frozen=True)
class _Setting:
    """What is determined before anything is drawn."""

    card: ModelCard
    index: int
    base: BaseFont | None
    placement: Placement | None
    body: Body | None
    reserved: set[str]
    english: str

    @property
    def there(self) -> set[int]:
        return self.base.codepoints if self.base else set()

    @property
    def upem(self) -> int:
        return self.base.upem if self.base else UPEM

    @property
    def place(self) -> Placement:
        return self.placement or Placement.full_width(self.card.size_px)

    def narrowed(self, fit: Fit) -> str:
        """What is said of glyphs that were made narrower; "" if they were not."""
        if self.body is None or fit.width == 1:
            return ""
        lower = f" and {100 * fit.height:.0f} % of their height" if fit.height < 1 else ""
        return (
            f"the font's characters are {self.body.advance:,} of {self.upem:,} units wide: the "
            f"new ones are made narrower, {100 * fit.width:.0f} % of their width{lower}, to fit; "
            "upright strokes are thinner. Learn the font's own hand, which draws narrow characters"
        )


def export_font(
    model: Model,
    path: Path | str,
    style: Style = 1,
    charset: str = "gb2312",
    *,
    latin: str | None = None,
    family: str | None = None,
    family_chinese: str | None = None,
    own: bool = True,
    fallback: str = "dense",
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
) -> MadeFont:
    """Make a font of a style: .ttf, .otf, .woff2 or .ufo, by the path's ending.

    `charset` is a shipped set, a UTF-8 file or the characters themselves. `family` is the name in
    ASCII. `fallback`: "dense" leaves out characters with more strokes than the model can draw,
    "keep" keeps all, "skip" leaves out doubtful glyphs, "source" takes them from the source font.
    After an interruption or cancellation, the same call resumes.
    """
    names = (family, family_chinese)
    order = FontRequest(Path(path), str(style), charset, None, latin, *names, own, fallback)
    return make_font(model, order, progress, cancel, model.note)


def complete_font(
    font: Path | str,
    model: Model,
    path: Path | str,
    style: Style = 1,
    charset: str = "gb2312",
    *,
    family: str | None = None,
    family_chinese: str | None = None,
    own: bool = True,
    fallback: str = "dense",
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
) -> MadeFont:
    """Add the missing characters of a charset to a font. Its outlines and metrics are unchanged.

    `font` is a static .ttf or .otf; `path` has the same ending, or .woff2. Otherwise as
    `export_font`.
    """
    names = (family, family_chinese)
    order = FontRequest(Path(path), str(style), charset, str(font), None, *names, own, fallback)
    return make_font(model, order, progress, cancel, model.note)


def make_font(
    model: Model,
    order: FontRequest,
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    note: Note = ignore,
    *,
    also: Sequence[Path] = (),
    width: float | None = None,
) -> MadeFont:
    """Draw, trace and write the requested font.

    A new font is written to the paths `also`, of other kinds, too. `width` is the scale of widths
    that a completed font was made with before: then glyphs that are the same stay as they were.
    Finished parts are kept beside it until then. Raises ConfigError if another process makes the
    same font.
    """
    for path in (order.path, *also):
        check_font(replace(order, path=path))
    if order.complete is not None and also:
        raise ConfigError("a completed font is written as one kind; give no other paths")
    if order.complete is not None and model.weight:
        note(f"only new glyphs are made bolder or lighter; those of {order.complete} stay")
    parts = order.path.with_name(f".{order.path.name}.parts")
    busy = f"{order.path} is being made by another process; wait for it, or give another -o"
    with locked(parts / ".lock", busy):
        try:
            plan = _planned(model, order, note)
            naming = plan.naming(model.writer, plan.contents(len(plan.chars)))
            total = len(plan.chars + plan.letters)
            add = count_progress("drawing", total, progress, cancel)
            glyphs = _drawn(model, order, plan, parts, width, add)
            made = _told(model, order, plan, glyphs)
            if glyphs.replaced or glyphs.kana:
                naming = plan.naming(model.writer, plan.contents_of(made))
            paths = (order.path, *also)
            made.seconds["font"] = _save(paths, plan, glyphs, model.writer, naming)
            shutil.rmtree(parts, ignore_errors=True)
            return made
        except BaseException:
            remove_unused(parts, JOB)
            raise


@dataclass(frozen=True)
class _Plan:
    """What a font is to consist of, and its names."""

    setting: _Setting
    mine: dict[str, np.ndarray]  # handwritten glyphs, which are not drawn
    chars: str  # to draw
    kana: str  # to copy from the source font, since they are not legible in the hand
    letters: str  # letters, digits and marks to draw; the others are of `letterings`
    lacking: str  # left out, since the source font lacks them
    letterings: tuple[Lettering, ...]  # the other letters are of the first of these that has them
    asked: str  # letters, digits and marks in the charset
    families: tuple[str, str]  # in Latin letters, and Chinese

    def contents(self, drawn: int, taken: int = 0) -> str:
        """What the font's description says of its characters."""
        total = len(self.chars + self.kana) + len(self.mine) + len(self.setting.there)
        others = f" ({taken:,} of the others are as the source font has them)" if taken else ""
        return f"{drawn:,} of {total:,} characters{others}"

    def contents_of(self, made: MadeFont) -> str:
        """The same once it is known which of them were replaced."""
        taken = len(made.borrowed + made.kana)
        return self.contents(len(made.drawn) - len(self.mine) - taken, taken)

    def naming(self, writer: Writer, contents: str) -> Naming:
        """The names, description and licence. Raises DataError for names that it may not have."""
        setting = self.setting
        of_letters = (maker.reserved_by(each.face) for each in self.letterings)
        reserved = setting.reserved.union(*of_letters)
        source = writer.source.name
        return maker.named(setting.card, setting.index, source, self.families, reserved, contents)


def _planned(model: Model, order: FontRequest, note: Note) -> _Plan:
    wanted, setting = load_charset(order.charset), _settled(model, order)
    mine = written_glyphs(model, note) if order.own else {}
    drawn_anyway = setting.there | set(map(ord, model.pick))  # a candidate that was picked is drawn
    mine = {char: image for char, image in mine.items() if ord(char) not in drawn_anyway}
    chars, lacking = maker.drawable(model.writer, wanted, setting.there | set(map(ord, mine)))
    if not chars and not mine:
        raise DataError("nothing to draw: no character of the charset is missing")
    families = (setting.english, order.family_chinese or setting.english)
    parted = model.writer.parted(chars, setting.index)
    letterings = _letterings(model, order)
    letters = _letters(model, order, setting.index, letterings)
    marks = (char for char in wanted if not is_drawn(char) and not char.isspace())
    asked = "" if order.complete else "".join(marks)
    return _Plan(setting, mine, *parted, letters, lacking, letterings, asked, families)


@dataclass(frozen=True)
class _Glyphs:
    """Outlines of the new glyphs, and what became of the others."""

    fitted: Fit
    inked: dict[str, Outline]  # of them, those with ink
    letters: dict[str, Outline]  # letters, digits and marks
    replaced: str  # too dense or doubtful
    kana: str  # copied from the source font
    misread: str  # handwritten ones that read badly
    seconds: dict[str, float]


def _drawn(
    model: Model,
    order: FontRequest,
    plan: _Plan,
    folder: Path,
    width: float | None,
    progress: Callable[[int], None],
) -> _Glyphs:
    """Draw and trace, and fit the glyphs to the font to complete. Parts are kept in `folder`."""
    writer, setting, seconds = model.writer, plan.setting, dict[str, float]()
    place, tracing = (setting.place, setting.upem), writer.tracing(setting.index)
    job = Job(model.path, setting.index, plan.chars + plan.letters, *place, tracing)
    found = outlines(writer, job, Parts(folder, job.key(writer)), seconds, progress)
    letters = {char: found.pop(char) for char in plan.letters}
    gone = writer.replaced(plan.letters, setting.index)
    letters = {c: o for c, o in letters.items() if c not in gone and len(o.contour)}
    replaced = fall_back(found, writer, job, order.fallback)
    doubtful = writer.replaced(plan.chars, setting.index) if order.fallback != "keep" else ""
    copy_source(found, kana := plan.kana + doubtful, writer, job)
    misread = _add_written(found, plan.mine, writer, job)
    fitted = fit_to_body(found, setting.body, width) if setting.body else Fit(found)
    inked = {char: outline for char, outline in fitted.outlines.items() if len(outline.contour)}
    return _Glyphs(fitted, inked, letters, replaced, kana, misread, seconds)


def _told(model: Model, order: FontRequest, plan: _Plan, glyphs: _Glyphs) -> MadeFont:
    """What the font is made of. Raises DataError or ModelError if nothing was drawn."""
    if not glyphs.inked:
        raise _nothing_drawn(model, order, glyphs.replaced)
    setting, fitted = plan.setting, glyphs.fitted
    narrowed = setting.narrowed(fitted)
    others = [c for c in dict.fromkeys(plan.letters + plan.asked) if c not in glyphs.letters]
    copied = "".join(c for c in others if any(each.has(c) for each in plan.letterings))
    lacking = "".join(char for char in others if char not in copied)
    if model.writer.proofreader and narrowed:
        model.writer.proofreader.remarks[setting.index] = narrowed
    return MadeFont(
        path=order.path,
        family=setting.english,
        style_index=setting.index,
        drawn="".join(glyphs.inked),
        written="".join(plan.mine),
        misread=glyphs.misread,
        replaced=glyphs.replaced,
        borrowed=glyphs.replaced if order.fallback == "source" else "",
        kana=glyphs.kana,
        letters="".join(glyphs.letters),
        copied=copied,
        blank="".join(char for char in fitted.outlines if char not in glyphs.inked),
        lacking=plan.lacking + lacking,
        unreadable=setting.base.dropped if setting.base else (),
        holds_name_of=_contained_name(order, setting.base, plan.families),
        narrowed=narrowed,
        scale=(fitted.width, fitted.height),
        seconds=glyphs.seconds,
    )


def _nothing_drawn(model: Model, order: FontRequest, replaced: str) -> CalliganError:
    """Why a font would have no drawn glyph."""
    if replaced:
        return DataError(f"every character is {FALLBACKS[order.fallback]}")
    what = f"{model.path} draws only blank glyphs in style {order.style}"
    return ModelError(f"{what}; train it longer")


def _contained_name(order: FontRequest, base: BaseFont | None, families: tuple[str, str]) -> str:
    """The completed font's family, if a name that the user gave contains it; else ""."""
    if base is None or order.family is None or not maker.holds(families, base.family):
        return ""
    return base.family


def _add_written(
    found: dict[str, Outline], mine: dict[str, np.ndarray], writer: Writer, job: Job
) -> str:
    """Add the outlines of handwritten glyphs; the characters of those that read badly."""
    if not mine:
        return ""
    large = writer.enlarged(list(mine.values()))
    found |= traced(dict(zip(mine, large, strict=True)), job)
    return writer.proofreader.look_at(mine, job.style_index) if writer.proofreader else ""


def written_glyphs(model: Model, note: Note = ignore) -> dict[str, np.ndarray]:
    """The handwritten glyphs that a hand was learned from, uint8 (S, S), if stored with its model.

    Missing glyphs of a handwritten style are reported to `note`.
    """
    if not any(style.licence == OWN_LICENCE for style in model.styles):
        return {}
    try:
        return as_written(Run.open(model.path.parent).selection())
    except CalliganError as error:
        note(f"your handwritten glyphs were not found and are drawn instead: {error}")
        return {}


def _settled(model: Model, order: FontRequest) -> _Setting:
    card, base, placement, body = model.card, None, None, None
    index = model.style_index(order.style)
    if order.complete is not None:
        spec = resolve_font(order.complete).spec
        vet_font(spec, "calligan.vector.base_font:read_all", _READ_S_PER_MB)
        base = BaseFont.open(spec.path, Face(spec).index)
        maker.check_kind(order.path, base)
        has = "".join(filter(is_han, map(chr, sorted(base.codepoints))))
        placement = maker.placed_font(order.complete, has, card.size_px).placement
        body = base.body()
    reserved = maker.reserved_names(card, base)
    english = order.family or maker.default_family(card, index, base, reserved)
    return _Setting(card, index, base, placement, body, reserved, english)


def _letterings(model: Model, order: FontRequest) -> tuple[Lettering, ...]:
    """The fonts of letters that are not drawn: the one asked for, then the source font."""
    own = model.writer.lettering(model.writer.source.lettering)
    if order.latin is None:
        return (own,)
    # By its Chinese characters it is placed as the drawn ones are; without any it stays as it is.
    common = load_charset("gb2312-1")[:_PLACED_BY]
    placed = maker.placed_font(order.latin, common, model.card.size_px, least=0)
    return (model.writer.lettering(placed), own)


def _letters(model: Model, order: FontRequest, index: int, letterings: Sequence[Lettering]) -> str:
    """The letters, digits and marks that a new font has in its hand."""
    if order.complete is not None:
        return ""
    first = letterings[0] if order.latin is not None else None
    there = (char for char in model.writer.drawer.advances(index) if not is_drawn(char))
    return "".join(char for char in there if first is None or not first.has(char))


def _with_letters(naming: Naming, plan: _Plan, some_drawn: bool) -> Naming:
    """The names, with the fonts that supply letters."""
    *given, source = (each.face for each in plan.letterings)
    for face in given:
        naming = maker.with_letters(naming, face)
    rest = f" that {given[0].family} lacks" if given else " that are not drawn" * some_drawn
    return maker.with_letters(naming, source, rest)


def _save(
    paths: Sequence[Path], plan: _Plan, glyphs: _Glyphs, writer: Writer, naming: Naming
) -> float:
    """Write the font; returns the time taken in seconds."""
    started, base = perf_counter(), plan.setting.base
    drawn = {**glyphs.inked, **glyphs.letters}
    letters = [writer.drawn_letter(*each, plan.setting.index) for each in drawn.items()]
    named = naming if base else _with_letters(naming, plan, bool(glyphs.letters))
    for path in paths:
        if base:
            maker.save_completed(path, glyphs.inked, base, named)
        else:
            maker.save_new(path, letters, plan.letterings, named)
    return perf_counter() - started
