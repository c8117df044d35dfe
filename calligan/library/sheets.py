"""Sheets to print and write on."""

from pathlib import Path

from calligan.errors import DataError
from calligan.page.pdf import write_pdf
from calligan.progress import Note, ignore
from calligan.project.source import chinese_font_name
from calligan.scan.template_page import font_letters, template_page
from calligan.scan.template_sheet import make_sheets
from calligan.storage import atomic_file


def check_template(output: Path) -> None:
    """Raise DataError for a path that a template cannot be written to."""
    if output.suffix.lower() != ".pdf" or output.is_dir():
        raise DataError(f"{output} does not end in .pdf; a template is a PDF")


def write_template(
    chars: str,
    output: Path,
    paper: str = "a4",
    cell: int = 20,
    grid: str = "mi",
    font: str | None = None,
    note: Note = ignore,
) -> int:
    """Write sheets of cells for some characters as a PDF; returns the number of pages.

    `cell` is in mm.
    """
    pages = make_sheets(chars, paper, cell)
    foot = [f"calligan {paper} {i}/{len(pages)}" for i in range(1, len(pages) + 1)]
    letters, lacking = font_letters(chinese_font_name(font, note), chars + "".join(foot))
    drawn = [
        template_page(sheet, letters, line, grid) for sheet, line in zip(pages, foot, strict=True)
    ]
    with atomic_file(output) as file:
        write_pdf(drawn, "calligan template", file)
    if lacking:
        note(f"without a small model, since the font lacks them: {' '.join(lacking[:20])}")
    return len(pages)
