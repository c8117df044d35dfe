"""`calligan infer`: text to a page in a learned style."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from calligan.cli.show import note, progress
from calligan.cli.verdict import check_options, model_note, save_candidates, tell
from calligan.requests import PageRequest

if TYPE_CHECKING:
    from calligan.library.pages import Pages


@options_of(PageRequest, "page")
def infer(
    text: Annotated[
        str, typer.Argument(help="What to write; @NAME or @FILE reads a text, - standard input.")
    ],
    *,
    style: Annotated[
        str,
        typer.Option(help="Number or name of `styles`, several (1,3), a mix (1+4), all or random."),
    ] = "1",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="What to write: .png, .svg, .pdf or .gif.")
    ] = Path("out.png"),
    model: ModelOption = None,
    source: SourceOption = None,
    page: dict[str, Any],
    dpi: Annotated[float, typer.Option(help="Resolution of PNG and GIF.")] = 96.0,
    grain: Annotated[bool, typer.Option(help="Paper with a soft grain (PNG).")] = False,
    dry: Annotated[
        float, typer.Option(help="How dry the brush runs, 0 to 1 (PNG, large characters).")
    ] = 0.0,
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
    device: DeviceOption = "auto",
) -> None:
    r"""Write any text in a learned style, as a picture or a page.

    Example: calligan infer "书法" --style 3 -o out.png

    Lines are broken at line breaks (or \n). Han characters are drawn by the model; punctuation,
    digits and letters are borrowed from the source font. Each drawn glyph is looked at: is it that
    character, and whole? What is doubtful is drawn in other ways, and named if it stays so.
    """
    request, picked = PageRequest(_text(text), **page), _picked(pick)
    looks = bool(report or strict or candidates or picked)
    _check(request, output, picked, (dpi, grain, dry), (verdict, looks, report or []))
    from calligan.project.models import check_styles, model_path

    path = model_path(model, style)
    check_styles(path, style)
    from calligan.library.model import Model  # torch comes with it

    drawing = Model(path, source, verdict, fine, device, note, picked, bool(candidates))
    drawing.on_open = model_note(path, model)
    indices = drawing.style_indices(style, request.seed)
    with progress("writing", "glyph") as moved:
        pages = drawing.write_request(request, indices, moved)
    files = pages.save(output, dpi, grain, dry)
    _tell(request, pages)
    for file in files:
        typer.echo(file)
    if candidates:
        typer.echo(save_candidates(drawing, indices, output, candidates))
    if tell(drawing, indices, report or [], not candidates) and strict:
        raise typer.Exit(DOUBTFUL)


def _check(
    request: PageRequest,
    output: Path,
    picked: dict[str, int],
    look: tuple[float, bool, float],
    looks: tuple[bool, bool, list[Path]],
) -> None:
    """Refuse what makes no sense before torch is imported."""
    from calligan.errors import ConfigError
    from calligan.inference.pages import check_output, check_page
    from calligan.page.output import Look

    check_output(output)
    check_options(*looks)
    Look(*look).validate()
    check_page(request)
    drawn = request.text + request.title + request.signature + request.seal
    if absent := "".join(char for char in picked if char not in drawn):
        raise ConfigError(f"--pick names {absent}, which the text does not hold")


def _tell(request: PageRequest, pages: "Pages") -> None:
    """What of the text is not drawn by the model."""
    from calligan.inference.pages import leaves_out_marks

    if leaves_out_marks(request):
        note(f"punctuation is left out, as on a {request.form}; --marks sets it")
    if pages.missing:
        note(f"not in the source font: {' '.join(pages.missing)}")
    if pages.borrowed:
        note(f"as the source font draws them: {' '.join(pages.borrowed)}")
    if len(pages.styles) > 1:
        note(f"hands in order: {', '.join(pages.styles)}")


def _text(text: str) -> str:
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
