"""`calligan template`: sheets to print and write on."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.show import note

_COUNT = 100  # characters


def template(
    output: Annotated[Path, typer.Option("--output", "-o", help="The PDF to write.")] = Path(
        "template.pdf"
    ),
    count: Annotated[
        int | None,
        typer.Option(help="How many of the charset's characters; default 100, or all you name."),
    ] = None,
    charset: Annotated[
        str, typer.Option(help="A shipped set, a UTF-8 file, or the characters themselves.")
    ] = "components-500",
    paper: Annotated[str, typer.Option(help="a4 or letter.")] = "a4",
    cell: Annotated[int, typer.Option(help="A cell's side in mm.")] = 20,
    grid: Annotated[str, typer.Option(help="mi, tian, jiu or hui: the guides in a cell.")] = "mi",
    font: Annotated[
        str | None, typer.Option(help="The small models' font; default one of this machine.")
    ] = None,
) -> None:
    """Sheets of cells to write your own hand in; `calligan scan` reads them back.

    Example: calligan template --count 100 -o sheets.pdf

    The characters stand in the order in which they teach the most: any first part is worth
    writing. Leave a cell empty, or cross it out, and it is skipped.
    """
    from calligan.errors import ConfigError
    from calligan.glyphs.charset import load_charset, pick_covering
    from calligan.library.sheets import check_template, write_template

    check_template(output)
    if count is not None and count < 1:
        raise ConfigError(f"--count {count} makes no sense; give 1 or more")
    chars = load_charset(charset)
    if count is None:
        count = len(chars) if set(chars) <= set(charset) else _COUNT
    if count > len(chars):
        note(f"{charset} has {len(chars)} characters, no {count}")
    wanted = pick_covering(chars, count)
    tell_template(wanted, write_template(wanted, output, paper, cell, grid, font, note), output)


def tell_template(chars: str, pages: int, output: Path) -> None:
    """Say what was written, and what comes next."""
    note(f"{len(chars)} characters on {pages} page(s); print at full size (100 %), no fitting")
    note("next: calligan scan PHOTO… -o hand   (each page with all four corner marks)")
    typer.echo(output)
