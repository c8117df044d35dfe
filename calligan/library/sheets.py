"""Sheets to print and write on."""

from pathlib import Path

from calligan.errors import ConfigError, DataError
from calligan.glyphs.charset import load_charset, pick_covering
from calligan.page.pdf import write_pdf
from calligan.progress import Note, ignore
from calligan.project.source import chinese_font_name
from calligan.requests.hands import TemplateRequest
from calligan.scan.template_page import font_letters, template_page
from calligan.scan.template_sheet import make_sheets
from calligan.storage import atomic_file

_COUNT = 100  # characters of a template, by default


def make_template(request: TemplateRequest, note: Note = ignore) -> tuple[str, int]:
    """Write the sheets that are asked for; their characters, and the number of pages.

    Of a shipped set or a file, those characters come first that cover most components.
    """
    check_template(request.output)
    count, charset = request.count, request.charset
    if count is not None and count < 1:
        raise ConfigError(f"--count {count} is invalid; give 1 or more")
    chars = load_charset(charset)
    if count is None:
        count = len(chars) if set(chars) <= set(charset) else _COUNT
    if count > len(chars):
        note(f"{charset} has only {len(chars)} characters, not {count}")
    wanted = pick_covering(chars, count)
    how = (request.paper, request.cell, request.grid, request.font, note)
    return wanted, write_template(wanted, request.output, *how)


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
