"""`calligan learn`: a few written glyphs to a style of one's own."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.hand import written
from calligan.cli.model import HANDS, hand_path, like_hands, model_path, source_font
from calligan.cli.running import resumed, run_training, started, unfinished
from calligan.cli.show import bar, note
from calligan.cli.train import settled

if TYPE_CHECKING:
    from calligan.models.card import ModelCard
    from calligan.pairs.hand import Written
    from calligan.pairs.store import Prepared, Selection

_FEW = 30  # glyphs; fewer teach weight and slant, hardly the forms
_ENOUGH = 600  # steps; docs/own-hand.md has what they bring


def learn(
    name: Annotated[str, typer.Argument(help="What to call the hand.")],
    origin: Annotated[
        str | None, typer.Option("--from", help="Folder of glyphs (`calligan scan`), or a font.")
    ] = None,
    chars: Annotated[
        str | None, typer.Option(help="Use these only: a charset's name, a file, characters.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Learn this long (default 10).")] = None,
    steps: Annotated[int | None, typer.Option(help="Or this many steps.")] = None,
    model: Annotated[
        Path, typer.Option(help="Model to begin at: a file, a run folder, or `bundle`.")
    ] = Path("bundle"),
    source: Annotated[
        str | None, typer.Option(help="Source font; default those that the model knows.")
    ] = None,
    even: Annotated[
        bool,
        typer.Option(help="Make pictures of uneven writing more even, in place and size."),
    ] = True,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, as `train` takes it.")
    ] = None,
    hands: Annotated[Path, typer.Option(help="Where hands are kept.")] = HANDS,
    plan: Annotated[
        int | None, typer.Option(help="Learn nothing: print sheets of so many characters to add.")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The PDF that --plan writes.")
    ] = Path("next.pdf"),
    paper: Annotated[str, typer.Option(help="Its paper: a4 or letter.")] = "a4",
) -> None:
    """Learn a style from 10 to 500 glyphs of one hand, beginning at a trained model.

    Example: calligan learn mine --from hand

    Example: calligan learn half --from HalfAFont.ttf

    Example: calligan learn mine --plan 50 -o next.pdf

    Afterwards `--style mine` works with infer, export and morph. The model it began at stays as
    it was. Interrupted, the same command goes on where it was. A plan holds the characters that
    would teach a learned hand the most: the next in the order that covers components, and those
    that are doubtful as it draws them now.
    """
    from calligan.errors import ConfigError, DataError
    from calligan.models.weights import read_card
    from calligan.page.sheet import save_png
    from calligan.pairs.hand import hand_store
    from calligan.storage import atomic_file
    from calligan.training.compare import before_after
    from calligan.training.transfer import fitted_to_start

    if plan is not None:
        _plan(hands / name, name, plan, source, output, paper)
        return
    if origin is None:
        raise ConfigError("give --from FOLDER or FONT: what to learn the hand from")
    base = model_path(model)
    card = read_card(base)
    _check_name(name, card, base.resolve().is_relative_to((hands / name).resolve()))
    sources = cache(lambda: _sources(card, source))
    hand = written(name, origin, chars, card.size_px, sources if even else None)
    if len(set(hand.entry.chars)) < 2:
        raise DataError(f"{origin} gives one character only; write two at the least, better 100")
    config = fitted_to_start(settled("learn", None, settings or [], minutes, steps, {}), base, {})
    folder = hands / name
    selection = hand_store(folder, hand, sources()).select([name])
    _told(hand, selection)
    if Path(origin).is_dir():
        _doubted(hand, str(sources()[0].face.spec))
    if begun := unfinished(folder, config, selection, base):
        run, selection, state = resumed(begun)
    else:
        if before := hand_path(name, hands):
            note(f"{name} was learned before ({before.parent}); once done, this takes its place")
        run, selection, state = started(folder, config, selection, base)
    if code := run_training(run, selection, state, go_on="the same command"):
        raise typer.Exit(code)
    if run.config.steps is None:
        _told_of_haste(state.counters.step)
    run.drop_checkpoints()
    sheet = run.folder / "before-after.png"
    with atomic_file(sheet) as file:
        save_png(before_after(run, selection), file)
    note(f"look at {sheet}; next: calligan infer 书法 --style {name} -o out.png")
    typer.echo(run.best)


def _told_of_haste(done: int) -> None:
    """Say so where the minutes were over after few steps: a slow machine, or other work on it."""
    if done < _ENOUGH:
        note(
            f"only {done:,} steps in that time, where {_ENOUGH:,} make a hand: learn again while "
            "nothing else runs, or with more --minutes"
        )


def _plan(
    folder: Path, name: str, count: int, source: str | None, output: Path, paper: str
) -> None:
    """Sheets of the characters to write next."""
    from calligan.cli.template import check_template, write_template
    from calligan.cli.verdict import open_writer
    from calligan.errors import ConfigError, ModelError
    from calligan.inference.plan import planned, unwritten
    from calligan.models.weights import read_card
    from calligan.project.run import Run

    check_template(output)
    if count < 1:
        raise ConfigError(f"--plan {count} makes no sense; give 1 or more")
    if (best := hand_path(name, folder.parent)) is None:
        raise ModelError(f"no hand {name}; {like_hands(name, folder.parent)}")
    run = Run.open(best.parent)
    written = run.selection().styles[0].chars
    font = source_font(read_card(run.best), source)
    writer = open_writer(run.best, font, verdict=True)
    chars = unwritten(writer, written)
    with bar(len(chars), "drawing", "glyph") as progress:
        plan = planned(writer, chars, count, progress.update)
    if plan.tried:
        note(
            f"{name} was learned from {len(set(written)):,} characters; of the other "
            f"{plan.tried:,} of GB 2312, {plan.doubtful:,} are doubtful as it draws them now"
        )
    write_template(plan.chars, output, paper, font=source)


def _check_name(name: str, card: "ModelCard", goes_on: bool) -> None:
    """A name that is a folder's, no number, and not taken but by the hand that it goes on from."""
    from calligan.errors import ConfigError

    taken = {font.name for font in (*card.sources, *(() if goes_on else card.styles))}
    if name in taken | {"all", "random", "bundle"}:
        raise ConfigError(f"{name!r} is taken; call the hand something else")

    if name.isdecimal() or not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(f"{name!r} is no name for a hand: letters, digits, - and _, not a number")


def _sources(card: "ModelCard", given: str | None) -> "list[Prepared]":
    """The source fonts to learn from: the one given, or all of the model's that are here."""
    from calligan.glyphs.catalog import FontInfo
    from calligan.glyphs.placement import Placement
    from calligan.pairs.store import Prepared
    from calligan.project.source import open_source, trained_sources

    found = []
    for face, font in trained_sources(card) if given is None else ():
        info = FontInfo(font.name, face.spec, font.chinese, font.script, font.licence)
        place = Placement(**font.placement).scaled(card.size_px)  # type: ignore[arg-type]
        found.append(Prepared(info, "source", face, place, None))
    if not found:
        face, place = open_source(card, source_font(card, given))
        info = FontInfo(face.spec.path.stem, face.spec)
        found.append(Prepared(info, "source", face, place, None))
    return found


def _doubted(hand: "Written", font: str) -> None:
    """Name the written glyphs that read as another character than they are labelled."""
    from calligan.cli.check import proofread

    glyphs = list(zip(hand.entry.chars, hand.images, strict=True))
    seen = proofread(glyphs, font)
    if seen and seen.mislabelled:
        told = ", ".join(f"{char} as {other}" for char, other in seen.mislabelled.items())
        note(f"labelled right? the reader takes {told}")


def _told(hand: "Written", selection: "Selection") -> None:
    count = len(set(hand.entry.chars))
    known = set().union(*(font.chars for font in selection.sources))
    if lacking := "".join(dict.fromkeys(c for c in hand.entry.chars if c not in known)):
        note(f"not learned from, no source font has them: {lacking}")
    note(f"{len(hand.entry.chars)} glyphs of {count} characters")
    if count < _FEW:
        note(f"{count} are few: expect weight and slant, hardly the forms; 100 are better")
