"""`calligan render-pairs`: fonts to paired glyph images."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.show import bar, note

if TYPE_CHECKING:
    from calligan.glyphs.catalog import FontInfo
    from calligan.pairs.manifest import FontEntry
    from calligan.pairs.store import PairStore, Prepared


def render_pairs(
    source: Annotated[
        str, typer.Argument(help="Source font: a catalog name or FILE[#FACE][@INSTANCE].")
    ],
    targets: Annotated[list[str], typer.Argument(help="Target fonts; each becomes a style.")],
    data: Annotated[
        Path, typer.Option("--data", "-d", help="Data folder, made or added to.")
    ] = Path("data"),
    charset: Annotated[
        str, typer.Option(help="Shipped sets (gb2312+jis-1), a UTF-8 file, or the characters.")
    ] = "gb2312",
    size: Annotated[int, typer.Option(help="Canvas edge in pixels.")] = 128,
    seed: Annotated[int, typer.Option(help="Seed of the held-out split.")] = 0,
) -> None:
    """Rasterize a source and one or more target fonts into paired glyph images.

    Example: calligan render-pairs lxgw-wenkai ma-shan-zheng MyHand.ttf

    A later call adds fonts to the folder; the same call again changes nothing.
    """
    from calligan.config import RasterConfig, SplitConfig
    from calligan.glyphs.catalog import resolve_font
    from calligan.glyphs.charset import load_charset
    from calligan.glyphs.face import Face
    from calligan.pairs.sheet import write_contact_sheet
    from calligan.pairs.store import PairStore

    infos = [resolve_font(text) for text in dict.fromkeys((source, *targets))]
    _check_names(infos)
    for info in infos:
        Face(info.spec)  # a font that is not there is told of before a charset that does not suit
    raster = RasterConfig(size_px=size)
    raster.validate()
    store = PairStore.create_or_open(
        data, charset, load_charset(charset), raster, SplitConfig(seed=seed)
    )
    fonts = [store.prepare(info, "target" if i else "source") for i, info in enumerate(infos)]
    changed = any(font.known is None for font in fonts)
    _render(store, fonts)
    if changed or not (data / "contact-sheet.png").exists():
        write_contact_sheet(store)
    count = len(store.manifest.of_role("target"))
    note(f"{data}: {count} style(s); next: calligan train --data {data} --styles {count}")
    typer.echo(data / "contact-sheet.png")


def _render(store: "PairStore", fonts: "list[Prepared]") -> None:
    """Rasterize on all cores, a line a font; SIGTERM ends it as Ctrl-C does."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    from calligan.errors import DataError
    from calligan.glyphs.raster import usable_cores

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    count = len(store.manifest.chars)
    ignore_interrupts = (signal.signal, (signal.SIGINT, signal.SIG_IGN))
    with (
        bar(len(fonts) * count, "rendering", "glyph", unit_scale=True) as progress,
        ProcessPoolExecutor(usable_cores(), get_context("spawn"), *ignore_interrupts) as executor,
    ):
        for font in fonts:
            try:
                entry = store.add(font, executor, progress.update)
            except BrokenProcessPool as error:
                raise DataError(
                    f"{font.info.spec} ended a rendering process (out of memory, or a font that "
                    "breaks FreeType); leave it out or free some memory"
                ) from error
            progress.write(_told(entry, count, font.known is not None), file=sys.stderr)


def _check_names(infos: "list[FontInfo]") -> None:
    """Two fonts of one name would overwrite each other; a source teaches nothing as a target."""
    from calligan.errors import DataError

    names = [info.name for info in infos]
    if len(names) < 2:
        raise DataError(f"{names[0]} is both source and target; give another target")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DataError(f"two fonts would both be named {twice}; rename one of the files")


def _told(font: "FontEntry", asked: int, known: bool) -> str:
    missing = ", ".join(f"{len(chars)} {why}" for why, chars in font.left_out.items() if chars)
    counts = f"{len(font.chars)} of {asked} characters" + (f" ({missing})" if missing else "")
    return f"{font.role:6}  {font.name}: {counts}" + ("  already there" if known else "")
