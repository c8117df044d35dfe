"""Learn a hand from a few written glyphs, or from a font."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import numpy as np

from calligan.config import RasterConfig
from calligan.errors import ConfigError, DataError, FontError
from calligan.glyphs.catalog import FontInfo, load_catalog, resolve_font
from calligan.glyphs.charset import is_drawn, load_charset
from calligan.glyphs.placement import Placement
from calligan.library.checking import CHARSET, proofread
from calligan.library.model import Model, load
from calligan.library.scanning import Scanned
from calligan.library.sessions import Session, new_session, resumed_session, unfinished
from calligan.library.training import Settings, parsed_settings, training_config
from calligan.models.card import ModelCard, read_card
from calligan.models.weights import load_model, save_model
from calligan.page.sheet import save_sheet
from calligan.pairs.handwriting import WrittenGlyphs, from_font, from_pictures, make_hand_store
from calligan.pairs.normalise import print_boxes
from calligan.pairs.store import PreparedFont, Selection
from calligan.progress import Cancel, Note, Progress, cancellable, ignore, never_cancel
from calligan.project.hand_folder import being_learned
from calligan.project.models import BUNDLE, HANDS, hand_path, model_path
from calligan.project.run import Run
from calligan.project.source import open_source, source_font, trained_sources
from calligan.requests.hands import MIN_STEPS, LearningRequest
from calligan.scan.folder import read_hand
from calligan.storage import sha256_bytes
from calligan.training.before_after import before_after
from calligan.training.transfer import fit_to_start, with_stage_size
from calligan.vector.pen import pen_of
from calligan.vector.straight_edges import edges_of

_FEW_GLYPHS = 30  # with fewer, a hand learns weight and slant but hardly the forms
_STRAIGHT_TOLERANCE_EM = 0.004  # how far curves stray where edges are straight: experiments.md
_MEASURED_GLYPHS = 24  # of a hand, that say how its outlines are drawn


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
    """Learn a style from 10 to 500 glyphs: a scan, a folder of PNGs named by character, or a font.

    Training starts from `model`, which is not changed, and takes `minutes` (10) or `steps`.
    Afterwards `load(style=name)` loads the hand. `even` reduces differences in position and size,
    evens the strokes of a pen of one width, and straightens edges if the hand's are straight.

    Raises Cancelled if `cancel` returns true: progress is saved, and the same call resumes.
    """
    given = str(origin.folder if isinstance(origin, Scanned) else origin)
    how = (chars, minutes, steps, Path(model), source, even, None, Path(hands))
    request = LearningRequest(name, given, *how)
    with learning(request, settings, note, cancellable(progress, cancel)) as session:
        session.train_or_cancel(progress, cancel)
        progress("drawing the comparison", 0, 1)
        finish_learning(session)
    return load(session.run.folder)


@contextmanager
def learning(
    request: LearningRequest,
    settings: Settings = (),
    note: Note = ignore,
    progress: Progress = ignore,
) -> Iterator[Session]:
    """Start or resume the run that learns a hand; see `learn`.

    `settings` replace those of the request.
    """
    if (origin := request.origin) is None:
        raise ConfigError("give --from FOLDER or FONT: what to learn the hand from")
    progress("reading glyphs", 0, 1)
    name, folder = request.name, request.hands / request.name
    base = model_path(request.model)
    _, card = load_model(base)  # read whole: a damaged one is refused before anything is told
    _check_name(name, card, base.resolve().is_relative_to(folder.resolve()))
    sources = cache(lambda: _sources(card, request.source, note))
    even = sources if request.even else None
    hand = written(name, origin, request.chars, card.size_px, even, note, once=True)
    if len(set(hand.entry.chars)) < 2:
        raise DataError(f"{origin} has one character only; write at least two, better 100")
    settings = settings or [f"device={request.device}", *(request.settings or ())]
    if card.generator.kind != "calligan":  # only this kind can freeze parts
        settings = {"optimizer.moves": "all"} | parsed_settings(settings)
    config = training_config("learn", None, settings, request.minutes, request.steps)
    config = fit_to_start(with_stage_size(config, card.size_px), base, {})
    with being_learned(folder):
        selection = make_hand_store(folder, hand, sources()).select([name])
        _report_glyphs(hand, selection, note)
        if Path(origin).is_dir():
            _report_mislabelled(hand, str(sources()[0].face.spec), note)
        if begun := unfinished(folder, config, selection, base):
            going = resumed_session(begun, note)
        else:
            if before := hand_path(name, request.hands):
                note(f"{name} was learned before ({before.parent}); the new run will replace it")
            going = new_session(folder, config, selection, base, note, True, progress)
        with going as session:
            yield session


def finish_learning(session: Session, even: bool = True) -> Path:
    """Remove checkpoints, and save a sheet of glyphs before and after training; its path.

    With `even`, a hand whose real strokes have one width is drawn with a pen (vector/pen.py), and
    another one whose real edges are straight gets straight edges (vector/straight_edges.py).
    """
    run = session.run
    done = session.state.counters.step + _steps_before(run)
    if run.config.steps is None and done < MIN_STEPS:
        session.note(
            f"only {done:,} steps in that time; a hand needs {MIN_STEPS:,}: learn again while "
            "nothing else runs, or with more --minutes"
        )
    if even:
        _take_line(session)
    run.drop_checkpoints()
    sheet = run.folder / "before-after.png"
    save_sheet(before_after(run, session.selection), sheet)
    return sheet


def _steps_before(run: Run) -> int:
    """How long the model that a run started from had learned the same hand, in steps."""
    if run.start is None:
        return 0
    card = read_card(run.start)
    same = [style.name for style in card.styles] == list(run.styles)
    return card.learned_steps if same else 0


def _take_line(session: Session) -> None:
    """Let the hand be drawn with a pen or with straight edges, if its own glyphs are like that."""
    font = session.selection.styles[0]
    images = session.selection.store.images(font)
    images = images[:: max(1, len(images) // _MEASURED_GLYPHS)]
    edges = "" if (pen := pen_of(images)) else edges_of(images, font.placement.em_px)
    if not pen and not edges:
        return
    generator, card = load_model(session.run.best)
    style = replace(card.styles[0], pen=pen, edges=edges)
    if edges:
        style = replace(style, tolerance_em=_STRAIGHT_TOLERANCE_EM)
    save_model(session.run.best, generator, replace(card, styles=(style, *card.styles[1:])))
    if pen:
        session.note(f"strokes of one width: {style.name} is drawn with a {pen} pen")
    else:
        session.note(f"straight edges: those of {style.name} are drawn straight")


def _check_name(name: str, card: ModelCard, goes_on: bool) -> None:
    """Raise ConfigError for a number, an invalid folder name, or the name of another style."""
    taken = {font.name for font in (*card.sources, *(() if goes_on else card.styles))}
    if name in taken | {"all", "random", BUNDLE}:
        raise ConfigError(f"{name!r} is taken; call the hand something else")

    if name.isdecimal() or not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(
            f"{name!r} is not a hand name: give letters, digits, - and _, not a number"
        )


def _sources(card: ModelCard, given: str | None, note: Note) -> list[PreparedFont]:
    """The source fonts to learn from: the given one, or all installed ones of the model."""
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


def _report_mislabelled(hand: WrittenGlyphs, font: str, note: Note) -> None:
    """Report written glyphs that read as another character than their label."""
    glyphs = list(zip(hand.entry.chars, hand.images, strict=True))
    seen = proofread(glyphs, font)
    if seen and seen.mislabelled:
        pairs = " ".join(f"{char}→{other}" for char, other in seen.mislabelled.items())
        note(f"labelled right? the reader reads another character: {pairs}")


def _report_glyphs(hand: WrittenGlyphs, selection: Selection, note: Note) -> None:
    count = len(set(hand.entry.chars))
    known: set[str] = set().union(*(font.chars for font in selection.sources))
    if lacking := "".join(dict.fromkeys(c for c in hand.entry.chars if c not in known)):
        note(f"not learned from, no source font has them: {lacking}")
    note(f"{len(hand.entry.chars)} glyphs of {count} characters")
    if count < _FEW_GLYPHS:
        note(f"{count} are few: expect weight and slant, hardly the forms; 100 are better")


def written(
    name: str,
    origin: str,
    chars: str | None,
    size_px: int,
    printed: Callable[[], Sequence[PreparedFont]] | None = None,
    note: Note = ignore,
    once: bool = False,
) -> WrittenGlyphs:
    """The glyphs of a folder of PNGs named by character, or of a font, for the charset `chars`.

    Pictures of other than Han characters and kana are left out and reported. With `printed` fonts,
    differences in position and size are reduced; with `once`, identical pictures of a character are
    read once. Raises DataError if nothing is left.
    """
    raster = RasterConfig(size_px=size_px)
    if not Path(origin).is_dir():
        return from_font(name, _font(origin), load_charset(chars or CHARSET), raster)
    every_glyph = list(read_hand(Path(origin)))
    if other := "".join(dict.fromkeys(char for char, _ in every_glyph if not is_drawn(char))):
        note(f"left out, not Han characters or kana: {other}")
    wanted = set(load_charset(chars)) if chars else None
    read = [
        (char, image)
        for char, image in every_glyph
        if is_drawn(char) and (wanted is None or char in wanted)
    ]
    if not read:
        raise DataError(f"{origin} has none of the characters; give others as --chars")
    read = _each_once(read, note) if once else read
    boxes = print_boxes(printed() if printed else (), "".join(char for char, _ in read))
    hand = from_pictures(name, Path(origin), read, raster, boxes)
    if pale := "".join(dict.fromkeys(char for char, _ in read if char not in hand.entry.chars)):
        note(f"left out, no dark ink in the picture: {pale}")
    return hand


def _each_once(glyphs: list[tuple[str, np.ndarray]], note: Note) -> list[tuple[str, np.ndarray]]:
    """Characters and pictures without those that are the same as an earlier one of a character."""
    once = {
        (char, image.shape, sha256_bytes(image.tobytes())): (char, image) for char, image in glyphs
    }
    if same := len(glyphs) - len(once):
        note(
            f"{same} picture(s) left out, the same as others of their character; was a photograph "
            "scanned twice?"
        )
    return list(once.values())


def _font(origin: str) -> FontInfo:
    """Resolve a font by name or path; the error suggests a folder of a similar name."""
    try:
        return resolve_font(origin)
    except FontError as error:
        if Path(origin).exists() or origin in load_catalog():
            raise
        folders = [path.name for path in Path().iterdir() if path.is_dir()]
        near = get_close_matches(origin, folders, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise FontError(f"no folder {origin}{hint}; as a font: {error}") from error
