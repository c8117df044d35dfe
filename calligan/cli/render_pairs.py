"""`calligan render-pairs`: fonts to paired glyph images."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.show import note, progress, visible

if TYPE_CHECKING:
    from calligan.pairs.manifest import FontEntry


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
    from tqdm import tqdm

    from calligan.library.pairs import render_pairs as rendered

    def told(font: "FontEntry", known: bool) -> None:
        tqdm.write(visible(_told(font, known)), file=sys.stderr)

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with progress("rendering", "glyph", unit_scale=True) as moved:
        store = rendered(
            source,
            targets,
            data,
            charset,
            size_px=size,
            seed=seed,
            progress=moved,
            on_font=told,
        )
    count = len(store.manifest.of_role("target"))
    note(f"{data}: {count} style(s); next: calligan train --data {data} --styles {count}")
    typer.echo(data / "contact-sheet.png")


def _told(font: "FontEntry", known: bool) -> str:
    asked = len(font.chars) + sum(map(len, font.left_out.values()))
    missing = ", ".join(f"{len(chars)} {why}" for why, chars in font.left_out.items() if chars)
    counts = f"{len(font.chars)} of {asked} characters" + (f" ({missing})" if missing else "")
    return f"{font.role:6}  {font.name}: {counts}" + ("  already there" if known else "")
