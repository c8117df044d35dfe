"""`calligan export`: make a font of a style, or complete an existing font."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from calligan.cli.options import (
    EXIT_DOUBTFUL,
    CacheOption,
    DeviceOption,
    FineOption,
    JsonOption,
    ModelOption,
    ReportOption,
    SourceOption,
    StrictOption,
    VerdictOption,
    WeightOption,
    options_of,
)
from calligan.cli.show import abbreviate, claim_stdout, note, progress, result, write_summary
from calligan.cli.verdict import check_verdict_options, model_note, reasons_of, report_findings
from calligan.requests import DOUBTED, FALLBACKS, FontRequest

if TYPE_CHECKING:
    from calligan.library.model import Model
    from calligan.library.orders import MadeFont


@options_of(FontRequest, "font")
def export(
    font: dict[str, Any],
    model: ModelOption = None,
    source: SourceOption = None,
    weight: WeightOption = 0.0,
    fine: FineOption = True,
    verdict: VerdictOption = True,
    report: ReportOption = None,
    strict: StrictOption = False,
    device: DeviceOption = "auto",
    cache: CacheOption = True,
    json_path: JsonOption = None,
) -> None:
    """Make an installable font of a style, or complete an existing font.

    Example: calligan export --style 3 --charset gb2312 -o MyBrush.ttf

    Example: calligan export --style 3 --complete MyHand.ttf -o MyHand-full.ttf

    Repeat an interrupted command to continue it.
    """
    from calligan.glyphs.charset import load_charset
    from calligan.library.orders import check_font, check_weight

    request = FontRequest(**font)
    claim_stdout(json_path)
    check_font(request)
    check_weight(weight)
    needed = bool(report or strict or request.fallback in DOUBTED)
    check_verdict_options(verdict, needed, report or [])
    load_charset(request.charset)  # raises before torch is imported below
    from calligan.project.models import check_styles, model_path

    path = model_path(model, request.style)
    check_styles(path, request.style)
    from calligan.library.fonts import make_font
    from calligan.library.model import Model

    drawing = Model(path, source, verdict, fine, device, note, weight=weight, cache=cache)
    about = model_note(path, model, source)
    if model is None:
        drawing.on_open = about
    with progress("drawing", "glyph") as update:
        made = make_font(drawing, request, update, note=note)
    if model is not None:  # later, so that an error is one line
        about(drawing.writer)
    _report(made, request)
    result(request.path)
    write_summary(json_path, _summary(made, drawing))
    if report_findings(drawing, [made.style_index], report or []) and strict:
        raise typer.Exit(EXIT_DOUBTFUL)


def _summary(made: "MadeFont", drawing: "Model") -> dict[str, Any]:
    summary = {**asdict(made), "model": drawing.path, "source": drawing.writer.source.name}
    summary["style"] = drawing.style_name(summary.pop("style_index"))
    return {**summary, "doubtful": reasons_of(drawing, [made.style_index])}


def _report(made: "MadeFont", request: FontRequest) -> None:
    """Report what was drawn, left out and replaced."""
    if made.unreadable:
        names = ", ".join(made.unreadable)
        note(f"{request.complete}: left out hinting tables that cannot be read: {names}")
    if made.replaced:
        note(f"{FALLBACKS[request.fallback]}: {abbreviate(made.replaced)}")
    if made.blank:
        note(f"left out, drawn blank: {abbreviate(made.blank)}")
    if made.lacking:
        note(f"left out, not in the source font: {abbreviate(made.lacking)}")
    times = ", ".join(f"{name} {took:.1f} s" for name, took in made.seconds.items() if took >= 0.05)
    count = len(made.drawn) - len(made.written) - len(made.borrowed)
    note(f"{made.family}: {count:,} character{'s' * (count != 1)} drawn ({times})")
    if made.holds_name_of:
        note(
            f"the new name contains {made.holds_name_of}: that font's licence may not allow this; "
            "check it before you publish, or give another --family"
        )
    if made.written:
        note(f"{len(made.written):,} more characters are your own glyphs (--no-own draws them)")
    if made.misread:
        note(f"of your own, these read badly or as another character: {abbreviate(made.misread)}")
