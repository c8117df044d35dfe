"""`calligan export`: a learned style as a font to install, or what a font lacks."""

from typing import TYPE_CHECKING, Any

import typer

from calligan.cli.options import (
    DOUBTFUL,
    DeviceOption,
    FineOption,
    ModelOption,
    ReportOption,
    SourceOption,
    StrictOption,
    VerdictOption,
    options_of,
)
from calligan.cli.show import note, progress, some
from calligan.cli.verdict import check_options, model_note, tell
from calligan.requests import DOUBTED, FALLBACKS, FontRequest

if TYPE_CHECKING:
    from calligan.library.orders import MadeFont


@options_of(FontRequest, "font")
def export(
    font: dict[str, Any],
    model: ModelOption = None,
    source: SourceOption = None,
    fine: FineOption = True,
    verdict: VerdictOption = True,
    report: ReportOption = None,
    strict: StrictOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Make a font of a learned style.

    Example: calligan export --style 3 --charset gb2312 -o MyBrush.ttf

    Interrupted, the same command goes on where it was. With --complete MyHand.ttf the outlines and
    metrics that are there stay, and only missing characters are added.
    """
    from calligan.glyphs.charset import load_charset
    from calligan.library.orders import check_font

    request = FontRequest(**font)
    check_font(request)
    needed = bool(report or strict or request.fallback in DOUBTED)
    check_options(verdict, needed, report or [])
    load_charset(request.charset)  # raises for what is none; torch comes with what follows
    from calligan.project.models import check_styles, model_path

    path = model_path(model, request.style)
    check_styles(path, request.style)
    from calligan.library.fonts import make_font
    from calligan.library.model import Model

    drawing = Model(path, source, verdict, fine, device, note, on_open=model_note(path, model))
    with progress("drawing", "glyph") as moved:
        made = make_font(drawing, request, moved, note=note)
    _tell(made, request)
    typer.echo(request.path)
    if tell(drawing, [made.style_index], report or []) and strict:
        raise typer.Exit(DOUBTFUL)


def _tell(made: "MadeFont", request: FontRequest) -> None:
    """What became of the characters asked for."""
    if made.unreadable:
        names = ", ".join(made.unreadable)
        note(f"{request.complete}: left out what cannot be read: {names} (hinting)")
    if made.replaced:
        note(f"{FALLBACKS[request.fallback]}: {some(made.replaced)}")
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
