"""`calligan scan`: cut labelled glyphs out of photographed pages."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.options import JsonOption
from calligan.cli.show import claim_stdout, note, progress, result, write_summary

_TextOption = Annotated[
    str | None,
    typer.Option(
        help="Text of a page that is not a template, or a UTF-8 file with it. The page is cut "
        "into these characters."
    ),
]
_ColumnsOption = Annotated[
    str,
    typer.Option(
        help="Direction of a page with --text: rtl or ltr (columns from the right or the "
        "left), or rows."
    ),
]
_FontOption = Annotated[
    str | None,
    typer.Option(
        help="Font of the reference characters in the contact sheet. Default: one on this machine."
    ),
]


def scan(
    pages: Annotated[list[Path], typer.Argument(help="Photographs or scans, one file per page.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to add the glyphs to.")
    ] = Path("hand"),
    size: Annotated[int, typer.Option(help="Size of a glyph image in pixels, 32 to 1024.")] = 256,
    text: _TextOption = None,
    columns: _ColumnsOption = "rtl",
    font: _FontOption = None,
    json_path: JsonOption = None,
) -> None:
    """Cut the characters out of filled template pages, or out of a page whose text is known.

    Example: calligan scan page1.jpg page2.jpg -o hand

    Example: calligan scan copybook.jpg --text @lanting --columns rtl -o copybook

    Check hand/contact-sheet.png: each glyph is under its reference, and doubtful ones are framed.
    To correct a label, rename the file or change `char` in hand/labels.csv; an empty `char` leaves
    the glyph out. A second image of a character is kept as a variant.
    """
    from calligan.library.scanning import scan_pages
    from calligan.scan.folder import CONTACT_SHEET, LABELS

    claim_stdout(json_path)
    with progress("reading", "page") as update:
        done = scan_pages(
            *(pages, output),
            size_px=size,
            text=text,
            columns=columns,
            font=font,
            progress=update,
            note=note,
        )
    note(f"{len(done.glyphs)} glyphs from {len(pages)} page(s), {len(done.doubtful)} doubtful")
    if done.variants:
        note(
            f"{len(done.variants)} of them are kept as variants (such as {done.variants[0]}): "
            f"{output} already has their characters; to start again, remove {output} first"
        )
    note(f"check {output / CONTACT_SHEET}; correct labels in {output / LABELS} or by renaming")
    result(output)
    pairs = zip(done.files, done.glyphs, strict=True)
    glyphs = [{"file": file, "char": glyph.char, "note": glyph.note} for file, glyph in pairs]
    write_summary(json_path, {"folder": output, "glyphs": glyphs})
