"""`calligan scan`: photographs of written pages to labelled glyphs."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.model import chinese_font_name
from calligan.cli.show import bar, note


def scan(
    pages: Annotated[list[Path], typer.Argument(help="Photographs or scans, one a page.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to put glyphs into.")
    ] = Path("hand"),
    size: Annotated[int, typer.Option(help="Side of a glyph's image in pixels.")] = 256,
    font: Annotated[
        str | None, typer.Option(help="The contact sheet's models' font; default one that is here.")
    ] = None,
) -> None:
    """Cut the characters out of filled template pages, whichever way up and however lit.

    Example: calligan scan page1.jpg page2.jpg -o hand

    Look at hand/contact-sheet.png: under each model stands what was found, in a frame where it is
    doubtful. To correct a label, rename the file or change `char` in hand/labels.csv (nothing in
    it leaves the glyph out). A second image of a character is kept as a variant.
    """
    from calligan.errors import ConfigError, DataError
    from calligan.scan.cells import cut_cells
    from calligan.scan.folder import LABELS, SHEET, Found, save_hand
    from calligan.scan.photo import evened, open_photo, read_sheet
    from calligan.scan.template import font_image

    if not 32 <= size <= 1024:
        raise ConfigError(f"--size {size} is out of reach; give 32 to 1024 pixels")
    found: list[Found] = []
    counts: Counter[str] = Counter()
    with bar(len(pages), "reading", "page") as progress:
        for path in pages:
            read = read_sheet(open_photo(path))
            if read is None:
                raise DataError(
                    f"{path} shows no template page: all four corner marks and the code must be in "
                    "the picture and sharp; photograph it again"
                )
            page, sheet = read
            for cell in cut_cells(evened(page), sheet, size):
                counts[cell.status] += 1
                if cell.status in ("written", "over the edge"):
                    note_ = "" if cell.status == "written" else cell.status
                    found.append(Found(cell.char, cell.image, path.name, note_))
            progress.update()
    if not found:
        raise DataError("no cell is written on; nothing was saved")
    save_hand(output, found, font_image(chinese_font_name(font), size))
    told = ", ".join(f"{number} {status}" for status, number in counts.items())
    note(f"{len(pages)} page(s): {told}")
    note(f"look at {output / SHEET}; correct labels in {output / LABELS} or by renaming")
    typer.echo(output)
