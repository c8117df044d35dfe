"""A hand learned from a few written glyphs, or from a font."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from calligan.config import RasterConfig
from calligan.errors import ConfigError, DataError, FontError, ModelError
from calligan.glyphs.catalog import FontInfo, load_catalog, resolve_font
from calligan.glyphs.charset import is_han, load_charset
from calligan.glyphs.placement import Placement
from calligan.inference.plan import Plan, planned, unwritten
from calligan.library.checking import CHARSET, proofread
from calligan.library.model import Model, load
from calligan.library.scanning import Scanned
from calligan.library.training import (
    Session,
    Settings,
    new_session,
    resumed_session,
    training_config,
    unfinished,
)
from calligan.models.card import ModelCard
from calligan.models.weights import read_card
from calligan.page.sheet import save_png
from calligan.pairs.handwriting import WrittenGlyphs, from_font, from_pictures, make_hand_store
from calligan.pairs.normalise import print_boxes
from calligan.pairs.store import PreparedFont, Selection
from calligan.progress import Cancel, Note, Progress, count_progress, ignore, never_cancel
from calligan.project.models import BUNDLE, HANDS, hand_path, model_path, suggest_hands
from calligan.project.run import Run
from calligan.project.source import open_source, source_font, trained_sources
from calligan.requests import LearningRequest
from calligan.scan.folder import read_hand
from calligan.storage import atomic_file
from calligan.training.before_after import before_after
from calligan.training.transfer import fit_to_start, with_stage_size

_FEW = 30  # glyphs; fewer teach weight and slant, hardly the forms
_ENOUGH = 300  # steps; docs/own-hand.md has what they bring


def learn(
    origin: Scanned | Path | str,
    name: str = "mine",
    *,
    chars: str | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    model: Path | str = BUNDLE,
    source: str | None = None,
    even: bool = True,
    settings: Settings = (),
    hands: Path | str = HANDS,
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    note: Note = ignore,
) -> Model:
    """Learn a style from 10 to 500 glyphs: what was scanned, a folder of PNGs named by character,
    or a font.

    It begins at `model`, which stays as it is, and takes `minutes` (10) or `steps`. Afterwards
    `load(style=name)` finds the hand. `even` makes uneven writing more even in place and size.

    Raises Cancelled where `cancel` said so: what was reached is saved, and the same call goes on.
    """
    given = str(origin.folder if isinstance(origin, Scanned) else origin)
    how = (chars, minutes, steps, Path(model), source, even, None, Path(hands))
    with learning(LearningRequest(name, given, *how), settings, note) as session:
        session.train_or_cancel(progress, cancel)
        finish_learning(session)
    return load(session.run.folder)


@contextmanager
def learning(
    request: LearningRequest, settings: Settings = (), note: Note = ignore
) -> Iterator[Session]:
    """The run that learns a hand, begun or gone on with; see `learn`.

    `settings` stand for those of the request.
    """
    if (origin := request.origin) is None:
        raise ConfigError("give --from FOLDER or FONT: what to learn the hand from")
    name, folder = request.name, request.hands / request.name
    base = model_path(request.model)
    card = read_card(base)
    _check_name(name, card, base.resolve().is_relative_to(folder.resolve()))
    sources = cache(lambda: _sources(card, request.source, note))
    even = sources if request.even else None
    hand = written(name, origin, request.chars, card.size_px, even, note)
    if len(set(hand.entry.chars)) < 2:
        raise DataError(f"{origin} gives one character only; write two at the least, better 100")
    settings = settings or request.settings or ()
    config = training_config("learn", None, settings, request.minutes, request.steps)
    config = fit_to_start(with_stage_size(config, card.size_px), base, {})
    selection = make_hand_store(folder, hand, sources()).select([name])
    _told(hand, selection, note)
    if Path(origin).is_dir():
        _doubted(hand, str(sources()[0].face.spec), note)
    if begun := unfinished(folder, config, selection, base):
        going = resumed_session(begun, note)
    else:
        if before := hand_path(name, request.hands):
            note(f"{name} was learned before ({before.parent}); once done, this takes its place")
        going = new_session(folder, config, selection, base, note)
    with going as session:
        yield session


def finish_learning(session: Session) -> Path:
    """Remove what only an interrupted run needs; the path of a sheet of before and after."""
    run, done = session.run, session.state.counters.step
    if run.config.steps is None and done < _ENOUGH:
        session.note(
            f"only {done:,} steps in that time, where {_ENOUGH:,} make a hand: learn again while "
            "nothing else runs, or with more --minutes"
        )
    run.drop_checkpoints()
    sheet = run.folder / "before-after.png"
    with atomic_file(sheet) as file:
        save_png(before_after(run, session.selection), file)
    return sheet


def plan_next(
    name: str,
    count: int,
    *,
    source: str | None = None,
    hands: Path | str = HANDS,
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    note: Note = ignore,
) -> Plan:
    """The characters that would teach a learned hand the most, `count` of them."""
    if count < 1:
        raise ConfigError(f"--plan {count} is invalid; give 1 or more")
    if (best := hand_path(name, Path(hands))) is None:
        raise ModelError(f"no hand {name}; {suggest_hands(name, Path(hands))}")
    run = Run.open(best.parent)
    there = run.selection().styles[0].chars
    writer = Model(run.best, source, fine=False, note=note).writer
    chars = unwritten(writer, there)
    plan = planned(writer, chars, count, count_progress("drawing", len(chars), progress, cancel))
    if plan.tried:
        note(
            f"{name} was learned from {len(set(there)):,} characters; of the other "
            f"{plan.tried:,} of GB 2312, {plan.doubtful:,} are doubtful as it draws them now"
        )
    return plan


def _check_name(name: str, card: ModelCard, goes_on: bool) -> None:
    """A name that is a folder's, no number, and not taken but by the hand that it goes on from."""
    taken = {font.name for font in (*card.sources, *(() if goes_on else card.styles))}
    if name in taken | {"all", "random", BUNDLE}:
        raise ConfigError(f"{name!r} is taken; call the hand something else")

    if name.isdecimal() or not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(
            f"{name!r} is not a hand name: give letters, digits, - and _, not a number"
        )


def _sources(card: ModelCard, given: str | None, note: Note) -> list[PreparedFont]:
    """The source fonts to learn from: the one given, or all of the model's that are here."""
    found = []
    for face, font in trained_sources(card) if given is None else ():
        info = FontInfo(font.name, face.spec, font.chinese, font.script, font.licence)
        place = Placement(**font.placement).scaled(card.size_px)
        found.append(PreparedFont(info, "source", face, place, None))
    if not found:
        face, place = open_source(card, source_font(card, given, note))
        info = FontInfo(face.spec.path.stem, face.spec)
        found.append(PreparedFont(info, "source", face, place, None))
    return found


def _doubted(hand: WrittenGlyphs, font: str, note: Note) -> None:
    """Name the written glyphs that read as another character than they are labelled."""
    glyphs = list(zip(hand.entry.chars, hand.images, strict=True))
    seen = proofread(glyphs, font)
    if seen and seen.mislabelled:
        told = ", ".join(f"{char} as {other}" for char, other in seen.mislabelled.items())
        note(f"labelled right? the reader takes {told}")


def _told(hand: WrittenGlyphs, selection: Selection, note: Note) -> None:
    count = len(set(hand.entry.chars))
    known: set[str] = set().union(*(font.chars for font in selection.sources))
    if lacking := "".join(dict.fromkeys(c for c in hand.entry.chars if c not in known)):
        note(f"not learned from, no source font has them: {lacking}")
    note(f"{len(hand.entry.chars)} glyphs of {count} characters")
    if count < _FEW:
        note(f"{count} are few: expect weight and slant, hardly the forms; 100 are better")


def written(
    name: str,
    origin: str,
    chars: str | None,
    size_px: int,
    printed: Callable[[], Sequence[PreparedFont]] | None = None,
    note: Note = ignore,
) -> WrittenGlyphs:
    """What a folder of PNGs named by character, or a font, shows of `chars` (a charset; all).

    Pictures of other than Han characters are left out, and named. With fonts in print, uneven
    pictures are made more even. Raises DataError where nothing is left.
    """
    raster = RasterConfig(size_px=size_px)
    if not Path(origin).is_dir():
        return from_font(name, _font(origin), load_charset(chars or CHARSET), raster)
    every_glyph = list(read_hand(Path(origin)))
    if other := "".join(dict.fromkeys(char for char, _ in every_glyph if not is_han(char))):
        note(f"left out, being no Han characters: {other}")
    wanted = set(load_charset(chars)) if chars else None
    read = [
        (char, image)
        for char, image in every_glyph
        if is_han(char) and (wanted is None or char in wanted)
    ]
    if not read:
        raise DataError(f"{origin} holds none of the characters asked for")
    boxes = print_boxes(printed() if printed else (), "".join(char for char, _ in read))
    hand = from_pictures(name, Path(origin), read, raster, boxes)
    if pale := "".join(dict.fromkeys(char for char, _ in read if char not in hand.entry.chars)):
        note(f"left out, no dark ink in the picture: {pale}")
    return hand


def _font(origin: str) -> FontInfo:
    """The font of that name or path; where there is none, a folder may have been meant."""
    try:
        return resolve_font(origin)
    except FontError as error:
        if Path(origin).exists() or origin in load_catalog():
            raise
        folders = [path.name for path in Path().iterdir() if path.is_dir()]
        near = get_close_matches(origin, folders, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise FontError(f"no folder {origin}{hint}; as a font: {error}") from error
