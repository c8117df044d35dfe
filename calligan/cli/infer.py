"""`calligan infer`: text to a page in a learned style."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.model import ModelOption, SourceOption, model_note
from calligan.cli.show import note, progress
from calligan.cli.verdict import (
    DOUBTFUL,
    FineOption,
    ReportOption,
    StrictOption,
    VerdictOption,
    check_options,
    save_candidates,
    tell,
)


def infer(
    text: Annotated[
        str, typer.Argument(help="What to write; @NAME or @FILE reads a text, - standard input.")
    ],
    style: Annotated[
        str,
        typer.Option(
            help="A number or name of `calligan styles`, several with commas, all, random, 1+4."
        ),
    ] = "1",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="What to write: .png, .svg, .pdf or .gif.")
    ] = Path("out.png"),
    model: ModelOption = None,
    source: SourceOption = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="scroll, hall, square, banner, couplet, fan, letter, practice; or a .toml file.",
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="A title before the text, in a format.")] = "",
    sign: Annotated[str, typer.Option(help="A signature after it, in small script.")] = "",
    seal: Annotated[str, typer.Option(help="One to four characters for a red seal.")] = "",
    seal_kind: Annotated[
        str, typer.Option(help="white: cut out of red; red: in a frame.")
    ] = "white",
    vertical: Annotated[bool, typer.Option(help="Columns from right to left.")] = False,
    size: Annotated[int | None, typer.Option(help="Edge of a character's cell in pixels.")] = None,
    wrap: Annotated[int | None, typer.Option(help="Break lines after so many characters.")] = None,
    ink: Annotated[str | None, typer.Option(help="Ink colour: a name or #RRGGBB.")] = None,
    paper: Annotated[str | None, typer.Option(help="Paper colour.")] = None,
    transparent: Annotated[bool, typer.Option(help="No paper at all.")] = False,
    grain: Annotated[bool, typer.Option(help="Paper with a soft grain (PNG).")] = False,
    dry: Annotated[
        float, typer.Option(help="How dry the brush runs, 0 to 1 (PNG, large characters).")
    ] = 0.0,
    vary: Annotated[
        float | None, typer.Option(help="How much repeats of a character differ, 0 to 1.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Other variations; another random style.")] = 0,
    trace: Annotated[int, typer.Option(help="Pale glyphs to trace, on practice sheets.")] = 3,
    marks: Annotated[
        bool | None,
        typer.Option("--marks/--no-marks", help="Punctuation, where a format goes without."),
    ] = None,
    dpi: Annotated[float, typer.Option(help="Resolution of PNG and GIF.")] = 96.0,
    missing: Annotated[
        str, typer.Option(help="Characters the source lacks: error, skip or box.")
    ] = "error",
    fine: FineOption = True,
    verdict: VerdictOption = True,
    report: ReportOption = None,
    strict: StrictOption = False,
    candidates: Annotated[
        int | None, typer.Option(help="Also draw so many ways of each character beside OUTPUT.")
    ] = None,
    pick: Annotated[
        str | None,
        typer.Option(help="Take these candidates, as numbered by --candidates: 书=2,法=3."),
    ] = None,
) -> None:
    r"""Write any text in a learned style, as a picture or a page.

    Example: calligan infer "书法" --style 3 -o out.png

    Lines are broken at line breaks (or \n). Han characters are drawn by the model; punctuation,
    digits and letters are borrowed from the source font. Each drawn glyph is looked at: is it that
    character, and whole? What is doubtful is drawn in other ways, and named if it stays so.
    """
    from calligan.errors import ConfigError
    from calligan.inference.pages import Request, check_output
    from calligan.page.output import Look

    check_output(output)
    picked = _picked(pick)
    check_options(verdict, bool(report or strict or candidates or picked), report or [])
    Look(dpi, grain, dry).validate()
    request = Request(
        text=_words(text),
        form=form,
        title=title,
        signature=sign,
        seal=seal,
        seal_kind=seal_kind,
        vertical=vertical,
        cell_px=size,
        wrap=wrap,
        ink=ink,
        paper=paper,
        transparent=transparent,
        vary=vary,
        seed=seed,
        trace=trace,
        marks=marks,
        missing=missing,
    )
    request.validate()
    drawn = request.text + title + sign + seal
    if absent := "".join(char for char in picked if char not in drawn):
        raise ConfigError(f"--pick names {absent}, which the text does not hold")
    from calligan.library.model import Model  # torch comes with it
    from calligan.project.models import model_path

    path = model_path(model, style)
    drawing = Model(path, source, verdict, fine, "cpu", note, picked, bool(candidates))
    drawing.on_open = model_note(path, model)
    indices = drawing.style_indices(style, seed)
    with progress("writing", "glyph") as moved:
        pages = drawing.write_request(request, indices, moved)
    files = pages.save(output, dpi, grain, dry)
    if request.leaves_out_marks():
        note(f"punctuation is left out, as on a {form}; --marks sets it")
    if pages.missing:
        note(f"not in the source font: {' '.join(pages.missing)}")
    if pages.borrowed:
        note(f"as the source font draws them: {' '.join(pages.borrowed)}")
    if len(indices) > 1:
        note(f"hands in order: {', '.join(pages.styles)}")
    for file in files:
        typer.echo(file)
    if candidates:
        typer.echo(save_candidates(drawing, indices, output, candidates))
    if tell(drawing, indices, report or [], not candidates) and strict:
        raise typer.Exit(DOUBTFUL)


def _words(text: str) -> str:
    """The text itself, with `\\n` for a line break; a shipped text or file after @; or stdin."""
    from calligan.errors import DataError
    from calligan.glyphs.charset import load_text

    if text == "-":
        try:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError("standard input is not UTF-8 text; convert it to UTF-8") from error
    return load_text(text[1:]) if text[:1] == "@" and text[1:] else text.replace("\\n", "\n")


def _picked(text: str | None) -> dict[str, int]:
    """`书=2,法=3` to numbers of candidates by character."""
    from calligan.errors import ConfigError

    picked = {}
    for part in filter(None, (text or "").split(",")):
        char, equals, number = part.strip().partition("=")
        if len(char) != 1 or not equals or not number.isdecimal():
            raise ConfigError(f"--pick {part!r} should read as 书=2, with commas between")
        picked[char] = int(number)
    return picked
