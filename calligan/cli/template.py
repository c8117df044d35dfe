"""`calligan template`: make sheets to print and write on."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.show import note

_DEFAULT_COUNT = 100


def template(
    output: Annotated[Path, typer.Option("--output", "-o", help="PDF to write.")] = Path(
        "template.pdf"
    ),
    count: Annotated[
        int | None,
        typer.Option(
            help="Number of characters. Default: 100, or all if --charset lists characters."
        ),
    ] = None,
    charset: Annotated[
        str,
        typer.Option(
            help="Characters to choose from: a shipped set, a UTF-8 file, or the characters."
        ),
    ] = "components-500",
    paper: Annotated[str, typer.Option(help="Paper size: a4 or letter.")] = "a4",
    cell: Annotated[int, typer.Option(help="Cell size in mm, 12 to 60.")] = 20,
    grid: Annotated[
        str, typer.Option(help="Guide lines in a cell: mi (米), tian (田), jiu (九宫) or hui (回).")
    ] = "mi",
    font: Annotated[
        str | None,
        typer.Option(help="Font of the small model characters. Default: one on this machine."),
    ] = None,
) -> None:
    """Make sheets of cells to write your own hand in. `calligan scan` reads them.

    Example: calligan template --count 100 -o sheets.pdf

    The characters are ordered by how much they help `calligan learn`, so it is worth writing even
    the first few. Leave a cell empty or cross it out to skip it.
    """
    from calligan.errors import ConfigError
    from calligan.glyphs.charset import load_charset, pick_covering
    from calligan.library.sheets import check_template, write_template

    check_template(output)
    if count is not None and count < 1:
        raise ConfigError(f"--count {count} is invalid; give 1 or more")
    chars = load_charset(charset)
    if count is None:
        count = len(chars) if set(chars) <= set(charset) else _DEFAULT_COUNT
    if count > len(chars):
        note(f"{charset} has only {len(chars)} characters, not {count}")
    wanted = pick_covering(chars, count)
    report_template(wanted, write_template(wanted, output, paper, cell, grid, font, note), output)


def report_template(chars: str, pages: int, output: Path) -> None:
    """Print what was written and the next step."""
    note(f"{len(chars)} characters on {pages} page(s); print at 100 %, not fitted to the page")
    note("next: calligan scan PHOTO… -o hand   (all four corner marks must be in each photograph)")
    typer.echo(output)
