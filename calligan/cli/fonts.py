"""`calligan fonts`, `export` and `check`: open fonts, fonts to make, fonts to check."""

from dataclasses import asdict
from pathlib import Path

import typer

from calligan.cli.drawing import finish, open_model
from calligan.cli.show import claim_stdout, note, print_table, progress, result, write_summary
from calligan.described import values
from calligan.requests.drawing import EXIT_DOUBTFUL, DrawingRequest
from calligan.requests.fonts import CheckRequest, FetchRequest, FontRequest

app = typer.Typer(rich_markup_mode=None, invoke_without_command=True)


@app.callback()
def fonts(context: typer.Context) -> None:
    """List the catalog of open fonts, or fetch some of them.

    Example: calligan fonts

    The column GB2312 counts the characters of that set (6,763) that have ink in the font.
    """
    if context.invoked_subcommand is not None:
        return
    from calligan.glyphs.catalog import load_catalog
    from calligan.resources import cache_folder

    rows = [font.listed() for font in load_catalog().values()]
    print_table(list(rows[0]), [list(row.values()) for row in rows], right=("GB2312",))
    note(f"cache: {cache_folder() / 'fonts'}   fetch: calligan fonts fetch NAME…")


def fetch(request: FetchRequest) -> None:
    """Download fonts into the cache with npm, pip or apt, and check their checksums.

    Example: calligan fonts fetch lxgw-wenkai ma-shan-zheng
    """
    from calligan.glyphs.fetch import fetch_fonts

    def report(path: Path, fetched: bool) -> None:
        result(f"{path}{'' if fetched else '  (already there)'}")

    with progress("fetching", "font") as update:
        fetch_fonts(request.names or [], report, update, note)


def export(font: FontRequest, drawing: DrawingRequest) -> None:
    """Make an installable font of a style, or complete an existing font.

    Example: calligan export --style 3 --charset gb2312 -o MyBrush.ttf

    Example: calligan export --style 3 --complete MyHand.ttf -o MyHand-full.ttf

    Repeat an interrupted command to continue it.
    """
    from calligan.library.orders import check_export, not_given

    claim_stdout(drawing.json_path)
    check_export(font, drawing)  # raises before torch is imported below
    model = open_model(drawing, font.style)
    from calligan.library.fonts import make_font

    if drawing.model is None:
        model.on_open = lambda writer: note(*not_given(model.path, drawing, writer))
    with progress("drawing", "glyph") as update:
        made = make_font(model, font, update, note=note)
    if drawing.model is not None:  # later, so that an error is one line
        note(*not_given(model.path, drawing, model.writer))
    note(*made.notes(font))
    result(font.path)
    summary = {**asdict(made), **model.as_json()}
    summary["style"] = model.style_name(summary.pop("style_index"))
    finish(model, drawing, [made.style_index], lambda: ([], summary))


def check(request: CheckRequest) -> None:
    """Find blank, repeated, mislabelled and malformed glyphs.

    Example: calligan check MyFont.ttf --sheet found.png

    The least readable come first; look at them, since some may be right. A glyph that reads worse
    than any genuine one is always listed. Of a font that merely differs from print, at most 1 in
    100 glyphs are listed as malformed.
    """
    from calligan.library.checking import check as examine
    from calligan.page.sheet import save_sheet
    from calligan.storage import written_together

    claim_stdout(request.json_path, request.sheet)
    request.validate()
    with progress("reading", "glyph") as update:
        what = values(request, "json_path", "sheet", "strict")
        examined = examine(**what, progress=update, note=note)
    result(*examined.lines())
    note(*examined.notes())
    with written_together():
        files = write_summary(request.json_path, examined.as_json())
        if request.sheet is not None:
            save_sheet(examined.sheet(), request.sheet)
            files.append(request.sheet)
    result(*files)
    if request.strict and examined.wrong:
        raise typer.Exit(EXIT_DOUBTFUL)
