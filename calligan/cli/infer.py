"""`calligan infer`: write a text in a style."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from calligan.cli.show import STDOUT, claim_stdout, note, progress, result, write_summary
from calligan.cli.verdict import (
    check_candidates,
    check_verdict_options,
    model_note,
    reasons_of,
    report_findings,
    save_candidates,
)
from calligan.requests import PageRequest

if TYPE_CHECKING:
    from calligan.library.model import Model
    from calligan.library.pages import Pages


_TextArgument = Annotated[
    str,
    typer.Argument(
        help="The text. @NAME or @FILE reads a shipped text or a file; - reads standard input."
    ),
]
_StylesOption = Annotated[
    str,
    typer.Option(
        help="Style number or name, as listed by `calligan styles`. Several are separated by "
        "commas; also `all`, or `random`. 1:0.7+4:0.3 is a mixture; learned hands can be in it."
    ),
]
_OutputOption = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="File to write: .png, .jpg, .webp, .gif, .svg or .pdf; - is standard output.",
    ),
]
_AsOption = Annotated[
    str,
    typer.Option("--as", help="With -o -, the kind of file: png, jpg, webp, gif, svg or pdf."),
]
_DryOption = Annotated[
    float,
    typer.Option(help="Dryness of the brush, 0 to 1 (PNG only; shows in large characters)."),
]
_CandidatesOption = Annotated[
    int | None,
    typer.Option(
        help="Also draw this number of variants of each character, into a sheet beside OUTPUT."
    ),
]
_PickOption = Annotated[
    str | None,
    typer.Option(help="Use these variants, by their number in the sheet of candidates: 书=2,法=3."),
]


@options_of(PageRequest, "page")
def infer(
    text: _TextArgument,
    *,
    style: _StylesOption = "1",
    output: _OutputOption = Path("out.png"),
    kind: _AsOption = "png",
    model: ModelOption = None,
    source: SourceOption = None,
    page: dict[str, Any],
    dpi: Annotated[float, typer.Option(help="Resolution of PNG and GIF.")] = 96.0,
    grain: Annotated[bool, typer.Option(help="Give the paper a soft grain (PNG only).")] = False,
    dry: _DryOption = 0.0,
    weight: WeightOption = 0.0,
    fine: FineOption = True,
    verdict: VerdictOption = True,
    report: ReportOption = None,
    strict: StrictOption = False,
    candidates: _CandidatesOption = None,
    pick: _PickOption = None,
    device: DeviceOption = "auto",
    cache: CacheOption = True,
    json_path: JsonOption = None,
) -> None:
    r"""Write any text in a style, as a picture or a formatted page.

    Example: calligan infer "书法" --style 3 -o out.png

    A line break (or \n) starts a new line. The model draws Han characters; punctuation, digits and
    letters are taken from the source font. Each drawn glyph is checked: is it the right character,
    and complete? Doubtful glyphs are drawn again in other ways, and listed if they stay doubtful.
    """
    from calligan.errors import ConfigError
    from calligan.page.output import KINDS

    request, picked = PageRequest(_read_text(text), **page), _parse_picks(pick)
    needs_verdict = bool(report or strict or candidates or picked)
    piped = claim_stdout(output, json_path) and output == STDOUT
    check_candidates(candidates, output)
    if piped and f".{kind}" not in KINDS:
        raise ConfigError(f"--as {kind!r} is not one of {', '.join(k[1:] for k in KINDS)}")
    written = Path(f"page.{kind}") if piped else output
    _check(request, written, picked, (dpi, grain, dry), (verdict, needs_verdict, report or []))
    from calligan.library.orders import check_weight
    from calligan.project.models import check_styles, model_path

    check_weight(weight)
    path = model_path(model, style)
    check_styles(path, style)
    from calligan.library.model import Model, labelled

    drawing = Model(path, source, verdict, fine, device, note, picked, bool(candidates), weight)
    drawing.cache = cache
    indices = drawing.style_indices(style, request.seed)
    with progress("writing", "glyph") as update:
        pages = drawing.write_request(labelled(request, style), indices, update)
    files = [] if piped else pages.save(output, dpi, grain, dry)
    if piped:
        sys.stdout.buffer.write(pages.encoded(written.suffix, dpi, grain, dry))
        sys.stdout.buffer.flush()
    model_note(path, model, source)(drawing.writer)  # later, so that an error is one line
    _report(request, pages)
    for file in files:
        result(file)
    if candidates:
        result(save_candidates(drawing, indices, output, candidates))
    write_summary(json_path, _summary(drawing, pages, indices, files))
    if report_findings(drawing, indices, report or [], not candidates) and strict:
        raise typer.Exit(EXIT_DOUBTFUL)


def _check(
    request: PageRequest,
    output: Path,
    picked: dict[str, int],
    look: tuple[float, bool, float],
    verdict: tuple[bool, bool, list[Path]],
) -> None:
    """Raise for invalid options before torch is imported."""
    from calligan.errors import ConfigError
    from calligan.inference.pages import check_output, check_page
    from calligan.page.output import Look

    check_output(output, request.transparent)
    check_verdict_options(*verdict)
    Look(*look).validate()
    check_page(request)
    drawn = request.text + request.title + request.signature + request.seal
    if absent := "".join(char for char in picked if char not in drawn):
        raise ConfigError(f"--pick names {absent}, which is not in the text")


def _summary(
    drawing: "Model", pages: "Pages", indices: list[int], files: list[Path]
) -> dict[str, Any]:
    return {
        "files": files,
        "model": drawing.path,
        "source": drawing.writer.source.name,
        "styles": pages.styles,
        "drawn": pages.text.han,
        "borrowed": pages.borrowed,
        "missing": pages.missing,
        "doubtful": reasons_of(drawing, indices),
    }


def _report(request: PageRequest, pages: "Pages") -> None:
    """Report which characters the model did not draw."""
    from calligan.inference.pages import leaves_out_marks

    if leaves_out_marks(request):
        note(f"punctuation is left out, as is usual for {request.form}; --marks writes it")
    if pages.missing:
        note(f"not in the source font: {' '.join(pages.missing)}")
    if pages.borrowed:
        note(f"taken from the source font: {' '.join(pages.borrowed)}")
    if pages.text.blank:
        note(f"drawn blank: {' '.join(pages.text.blank)}")
    if len(pages.styles) > 1 and not request.labels:
        note(f"styles in order: {', '.join(pages.styles)}")


def _read_text(text: str) -> str:
    """The text, with `\\n` as a line break; for @NAME, @FILE and -, the text that is read."""
    from calligan.errors import DataError
    from calligan.glyphs.charset import load_text

    if text == "-":
        try:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError("standard input is not UTF-8 text; convert it to UTF-8") from error
    return load_text(text[1:]) if text[:1] == "@" and text[1:] else text.replace("\\n", "\n")


def _parse_picks(text: str | None) -> dict[str, int]:
    """Candidate numbers by character, from `书=2,法=3`."""
    from calligan.errors import ConfigError

    picked = {}
    for part in filter(None, (text or "").split(",")):
        char, equals, number = part.strip().partition("=")
        if len(char) != 1 or not equals or not number.isdecimal():
            raise ConfigError(f"--pick {part!r} is invalid; give 书=2,法=3")
        picked[char] = int(number)
    return picked
