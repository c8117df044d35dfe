"""`calligan export`: a learned style as a font to install, or what a font lacks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.model import ModelOption, SourceOption, model_note
from calligan.cli.show import note, progress, some
from calligan.cli.verdict import (
    DOUBTFUL,
    FineOption,
    ReportOption,
    StrictOption,
    VerdictOption,
    check_options,
    tell,
)

if TYPE_CHECKING:
    from calligan.library.orders import MadeFont, Order


def export(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The font to write: .ttf, .otf, .woff2 or .ufo.")
    ],
    style: Annotated[str, typer.Option(help="A number or name of `calligan styles`.")] = "1",
    charset: Annotated[
        str, typer.Option(help="A shipped set, a UTF-8 file, or the characters themselves.")
    ] = "gb2312",
    complete: Annotated[
        str | None,
        typer.Option(help="A font to keep as it is and add to: only what it lacks is drawn."),
    ] = None,
    model: ModelOption = None,
    source: SourceOption = None,
    latin: Annotated[
        str | None, typer.Option(help="Letters, digits and marks from this font; default source.")
    ] = None,
    family: Annotated[str | None, typer.Option(help="The font's name, in ASCII.")] = None,
    family_chinese: Annotated[str | None, typer.Option(help="Its Chinese name.")] = None,
    own: Annotated[
        bool, typer.Option("--own/--no-own", help="Characters that you wrote keep your glyphs.")
    ] = True,
    fine: FineOption = True,
    verdict: VerdictOption = True,
    fallback: Annotated[
        str,
        typer.Option(
            help="Leave out what is too dense for the model (dense); or keep all, or skip what "
            "stays doubtful, or take the source's."
        ),
    ] = "dense",
    report: ReportOption = None,
    strict: StrictOption = False,
) -> None:
    """Make a font of a learned style.

    Example: calligan export --style 3 --charset gb2312 -o MyBrush.ttf

    Interrupted, the same command goes on where it was. With --complete MyHand.ttf the outlines and
    metrics that are there stay, and only missing characters are added.
    """
    from calligan.glyphs.charset import load_charset
    from calligan.library.orders import DOUBTED, Order

    order = Order(*(output, style, charset, complete, latin, family, family_chinese, own, fallback))
    order.validate()
    check_options(verdict, bool(report or strict or fallback in DOUBTED), report or [])
    load_charset(charset)  # raises for what is none; torch comes with what follows
    from calligan.library.fonts import make_font
    from calligan.library.model import Model
    from calligan.project.models import model_path

    path = model_path(model, style)
    drawing = Model(path, source, verdict, fine, note=note, on_open=model_note(path, model))
    with progress("drawing", "glyph") as moved:
        made = make_font(drawing, order, moved, note=note)
    _tell(made, order)
    typer.echo(output)
    if tell(drawing, [made.style_index], report or []) and strict:
        raise typer.Exit(DOUBTFUL)


def _tell(made: "MadeFont", order: "Order") -> None:
    """What became of the characters asked for."""
    from calligan.library.orders import FALLBACKS

    if made.unreadable:
        names = ", ".join(made.unreadable)
        note(f"{order.complete}: left out what cannot be read: {names} (hinting)")
    if made.replaced:
        note(f"{FALLBACKS[order.fallback]}: {some(made.replaced)}")
    if made.blank:
        note(f"left out, drawn blank: {some(made.blank)}")
    if made.lacking:
        note(f"left out, not in the source font: {some(made.lacking)}")
    told = ", ".join(f"{name} {took:.1f} s" for name, took in made.seconds.items() if took >= 0.05)
    count = len(made.drawn) - len(made.written) - len(made.borrowed)
    note(f"{made.family}: {count:,} character{'s' * (count != 1)} drawn ({told})")
    if made.holds_name_of:
        note(
            f"its name holds that of {made.holds_name_of}, which its licence may keep from changed "
            "fonts: look there before you publish, or give another --family"
        )
    if made.written:
        note(f"{len(made.written):,} more are those that you wrote (--no-own draws them too)")
    if made.misread:
        note(f"of these, read badly or as another character: {some(made.misread)}")
