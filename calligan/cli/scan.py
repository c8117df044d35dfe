"""`calligan scan`: photographs of written pages to labelled glyphs."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.show import note, progress


def scan(
    pages: Annotated[list[Path], typer.Argument(help="Photographs or scans, one a page.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to put glyphs into.")
    ] = Path("hand"),
    size: Annotated[int, typer.Option(help="Side of a glyph's image in pixels.")] = 256,
    text: Annotated[
        str | None,
        typer.Option(help="What a free page says, or a UTF-8 file: it is cut by that."),
    ] = None,
    columns: Annotated[
        str, typer.Option(help="How a free page runs: rtl, ltr (columns), or rows.")
    ] = "rtl",
    font: Annotated[
        str | None, typer.Option(help="The contact sheet's models' font; default one that is here.")
    ] = None,
) -> None:
    """Cut the characters out of filled template pages, or out of a page whose text is known.

    Example: calligan scan page1.jpg page2.jpg -o hand

    Example: calligan scan copybook.jpg --text @lanting --columns rtl -o hand

    Look at hand/contact-sheet.png: under each model stands what was found, in a frame where it is
    doubtful. To correct a label, rename the file or change `char` in hand/labels.csv (nothing in
    it leaves the glyph out). A second image of a character is kept as a variant.
    """
    from calligan.library.scanning import scan_pages
    from calligan.scan.folder import CONTACT_SHEET, LABELS

    with progress("reading", "page") as moved:
        done = scan_pages(
            *(pages, output),
            size_px=size,
            text=text,
            columns=columns,
            font=font,
            progress=moved,
            note=note,
        )
    note(f"{len(done.glyphs)} glyphs from {len(pages)} page(s), {len(done.doubtful)} doubtful")
    if done.variants:
        note(
            f"{len(done.variants)} of them are kept as variants (such as {done.variants[0]}), "
            f"their characters being there already; to read a page anew, remove {output} first"
        )
    note(f"look at {output / CONTACT_SHEET}; correct labels in {output / LABELS} or by renaming")
    typer.echo(output)
