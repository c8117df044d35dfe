"""What the commands that draw share: a writer that looks at what it drew, and what it says."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.show import note

if TYPE_CHECKING:
    from calligan.inference.writer import Writer

DOUBTFUL = 3  # exit code of --strict
_NAMED = 40  # doubtful characters named in the note

# Options that several commands share.
VerdictOption = Annotated[
    bool, typer.Option("--verdict/--no-verdict", help="Look at each glyph; retry doubtful ones.")
]
ReportOption = Annotated[
    list[Path] | None,
    typer.Option(help="Write the verdicts to a .json or .html file; repeatable."),
]
FineOption = Annotated[
    bool,
    typer.Option(
        "--fine/--no-fine",
        help="Draw each glyph in four places and trace from twice the pixels: smoother, slower.",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help=f"Exit code {DOUBTFUL} where a glyph stays doubtful.")
]


def check_options(verdict: bool, needed: bool, reports: Sequence[Path]) -> None:
    """Refuse what makes no sense, before anything is drawn."""
    from calligan.errors import ConfigError
    from calligan.inference.report import check_report

    if needed and not verdict:
        raise ConfigError(
            "--report, --strict, --candidates and --pick need the verdict; drop --no-verdict"
        )
    for path in reports:
        check_report(path)


def open_writer(
    model: Path,
    source: str | None,
    verdict: bool,
    fine: bool = False,
    picked: dict[str, int] | None = None,
    every_way: bool = False,
) -> "Writer":
    """A writer, which proofreads unless told not to; `fine` asks for smooth edges."""
    from calligan.inference.proofread import Proofreader
    from calligan.inference.writer import Writer
    from calligan.models.upscaler import load_upscaler
    from calligan.resources import reader_model, upscaler_model

    upscaler = upscaler_model()
    if not verdict or reader_model() is None:
        writer = Writer(model, source)
    else:
        writer = Proofreader(model, source, picked=picked, every_way=every_way)
    writer.spins = fine
    if fine and upscaler is not None:
        writer.upscaler = load_upscaler(upscaler)
    return writer


def save_candidates(writer: "Writer", styles: Sequence[int], output: Path, count: int) -> Path:
    """The sheet to choose from, beside the picture; its path."""
    from calligan.inference.proofread import Proofreader
    from calligan.inference.report import Findings

    assert isinstance(writer, Proofreader)
    sheet = output.with_name(f"{output.stem}-candidates.png")
    Findings(writer, styles).save_candidates(sheet, count)
    return sheet


def tell(
    writer: "Writer",
    verdict: bool,
    styles: Sequence[int],
    reports: Sequence[Path],
    candidates: bool = False,
) -> bool:
    """Write the reports, name what is doubtful on stderr; whether anything is.

    `candidates`: whether the command can draw some, and has not.
    """
    from calligan.inference.proofread import Proofreader
    from calligan.inference.report import Findings

    if not isinstance(writer, Proofreader):
        if verdict:
            note("this calligan came without its reader: the glyphs were not looked at")
        return False
    findings = Findings(writer, styles)
    for path in reports:
        findings.save(path)
        typer.echo(path)
    if overruled := findings.overruled():
        note(f"doubtful, and taken because you picked them: {' '.join(overruled)}")
    doubtful = findings.doubtful()
    for name, chars in doubtful.items():
        shown = " ".join(chars[:_NAMED]) + (" …" if len(chars) > _NAMED else "")
        note(f"doubtful in {name} ({len(chars)}): {shown}")
    if doubtful:
        look = [] if reports else ["look at them with --report r.html"]
        choose = ["choose by eye from --candidates 7"] if candidates else []
        note(", or ".join([*look, *choose, "try another --source"]))
    return bool(doubtful)
