"""`calligan check`: find faulty glyphs in a font or a folder."""

import typer

from calligan.cli.show import claim_stdout, note, progress, result, write_summary
from calligan.requests import EXIT_DOUBTFUL, CheckRequest


def check(request: CheckRequest) -> None:
    """Find blank, repeated, mislabelled and malformed glyphs.

    Example: calligan check MyFont.ttf --sheet found.png

    The least readable come first; look at them, since some may be right. A glyph that reads worse
    than any genuine one is always listed. Of a font that merely differs from print, at most 1 in
    100 glyphs are listed as malformed.
    """
    from calligan.library.checking import check as examine
    from calligan.page.sheet import save_sheet

    claim_stdout(request.json_path)
    with progress("reading", "glyph") as update:
        examined = examine(
            request.what,
            request.charset,
            script=request.script,
            font=request.font,
            device=request.device,
            progress=update,
            note=note,
        )
    for line in examined.lines():
        result(line)
    for line in examined.notes():
        note(line)
    write_summary(request.json_path, examined.as_json())
    if request.sheet is not None:
        save_sheet(examined.sheet(), request.sheet)
        result(request.sheet)
    if request.strict and examined.wrong:
        raise typer.Exit(EXIT_DOUBTFUL)
