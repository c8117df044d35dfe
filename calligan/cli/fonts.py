"""`calligan fonts`: list the catalog of open fonts, and fetch them."""

import typer

from calligan.cli.show import note, print_table, progress_bar
from calligan.requests import FetchRequest

app = typer.Typer(rich_markup_mode=None, invoke_without_command=True)


@app.callback()
def fonts(context: typer.Context) -> None:
    """List the catalog of open fonts, or fetch some of them.

    Example: calligan fonts

    The column GB2312 counts the characters of that set (6,763) that have ink in the font.
    """
    if context.invoked_subcommand is None:
        _print_table()


@app.command()
def fetch(request: FetchRequest) -> None:
    """Download fonts into the cache with npm, pip or apt, and check their checksums.

    Example: calligan fonts fetch lxgw-wenkai ma-shan-zheng
    """
    from calligan.errors import FetchError
    from calligan.glyphs.catalog import catalog_font, load_catalog
    from calligan.glyphs.fetch import fetch_font

    wanted = [catalog_font(name) for name in dict.fromkeys(request.names or load_catalog())]
    failed: list[FetchError] = []
    with progress_bar(len(wanted), "fetching", "font") as progress:
        for font in wanted:
            progress.set_postfix_str(font.name)
            try:
                fetched = fetch_font(font)
                progress.write(f"{font.path}{'' if fetched else '  (already there)'}")
            except FetchError as error:
                failed.append(error)
            progress.update()
    for earlier in failed[:-1]:
        note(f"calligan: {earlier}")
    if failed:
        raise failed[-1]


def _print_table() -> None:
    from calligan.glyphs.catalog import load_catalog
    from calligan.resources import cache_folder

    rows = []
    for font in load_catalog().values():
        clients = ", ".join(dict.fromkeys(p.client for p in font.packages))
        fetched = "yes" if font.fetched else ""
        licence = font.licence.removeprefix("LicenseRef-")
        cells = (font.chinese, font.script, font.role, licence, clients, fetched)
        rows.append((font.name, *cells, f"{font.gb2312_ink:,}"))
    head = ("name", "own name", "script", "role", "licence", "by", "fetched", "GB2312")
    print_table(head, rows, right=("GB2312",))
    note(f"cache: {cache_folder() / 'fonts'}   fetch: calligan fonts fetch NAME…")
