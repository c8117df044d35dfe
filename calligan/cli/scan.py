"""`calligan scan`: cut labelled glyphs out of photographed pages."""

from calligan.cli.show import claim_stdout, note, progress, result, write_summary
from calligan.requests import ScanRequest


def scan(request: ScanRequest) -> None:
    """Cut the characters out of filled template pages, or out of a page whose text is known.

    Example: calligan scan page1.jpg page2.jpg -o hand

    Example: calligan scan copybook.jpg --text @lanting --columns rtl -o copybook

    Check hand/contact-sheet.png: each glyph is under its reference, and doubtful ones are framed.
    To correct a label, rename the file or change `char` in hand/labels.csv; an empty `char` leaves
    the glyph out. A second image of a character is kept as a variant.
    """
    from calligan.library.scanning import scan_pages
    from calligan.scan.folder import CONTACT_SHEET, LABELS

    claim_stdout(request.json_path)
    options, folder = dict(vars(request)), request.folder
    del options["json_path"]
    with progress("reading", "page") as update:
        done = scan_pages(**options, progress=update, note=note)
    pages, doubtful = len(request.pages), len(done.doubtful)
    note(f"{len(done.glyphs)} glyphs from {pages} page(s), {doubtful} doubtful")
    if done.variants:
        note(
            f"{len(done.variants)} of them are kept as variants (such as {done.variants[0]}): "
            f"{folder} already has their characters; to start again, remove {folder} first"
        )
    note(f"check {folder / CONTACT_SHEET}; correct labels in {folder / LABELS} or by renaming")
    result(folder)
    write_summary(request.json_path, done.as_json())
