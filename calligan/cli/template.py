"""`calligan template`: make sheets to print and write on."""

from pathlib import Path

from calligan.cli.show import note, result
from calligan.requests import TemplateRequest


def template(request: TemplateRequest) -> None:
    """Make sheets of cells to write your own hand in. `calligan scan` reads them.

    Example: calligan template --count 100 -o sheets.pdf

    The characters are ordered by how much they help `calligan learn`, so it is worth writing even
    the first few. Leave a cell empty or cross it out to skip it.
    """
    from calligan.library.sheets import make_template

    report_template(*make_template(request, note), request.output)


def report_template(chars: str, pages: int, output: Path) -> None:
    """Print what was written and the next step."""
    note(f"{len(chars)} characters on {pages} page(s); print at 100 %, not fitted to the page")
    note("next: calligan scan PHOTO… -o hand   (all four corner marks must be in each photograph)")
    result(output)
