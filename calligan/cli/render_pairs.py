"""`calligan render-pairs`: turn fonts into paired glyph images, the training data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.show import note, progress

if TYPE_CHECKING:
    from calligan.pairs.manifest import FontEntry


def render_pairs(
    source: Annotated[
        str, typer.Argument(help="Source font: a catalog name or FILE[#FACE][@INSTANCE].")
    ],
    targets: Annotated[
        list[str], typer.Argument(help="Target fonts, written the same way; each becomes a style.")
    ],
    data: Annotated[
        Path, typer.Option("--data", "-d", help="Data folder to create or extend.")
    ] = Path("data"),
    charset: Annotated[
        str,
        typer.Option(
            help="Characters to render: shipped sets (gb2312+jis-1), a UTF-8 file, or the "
            "characters."
        ),
    ] = "gb2312",
    size: Annotated[int, typer.Option(help="Image size in pixels.")] = 128,
    seed: Annotated[int, typer.Option(help="Random seed of the held-out split.")] = 0,
) -> None:
    """Rasterize a source font and one or more target fonts into paired glyph images.

    Example: calligan render-pairs lxgw-wenkai ma-shan-zheng MyHand.ttf

    A later call adds fonts to the folder. Repeating a call changes nothing.
    """

    from calligan.library.pairs import render_pairs as render

    def print_font(font: "FontEntry", known: bool) -> None:
        note(_describe(font, known))

    with progress("rendering", "glyph", unit_scale=True) as update:
        store = render(
            source,
            targets,
            data,
            charset,
            size_px=size,
            seed=seed,
            progress=update,
            on_font=print_font,
            note=note,
        )
    count = len(store.manifest.of_role("target"))
    note(f"{data}: {count} style(s); next: calligan train --data {data} --styles {count}")
    typer.echo(data / "contact-sheet.png")


def _describe(font: "FontEntry", known: bool) -> str:
    total = len(font.chars) + sum(map(len, font.left_out.values()))
    missing = ", ".join(f"{len(chars)} {why}" for why, chars in font.left_out.items() if chars)
    counts = f"{len(font.chars)} of {total} characters" + (f" ({missing})" if missing else "")
    return f"{font.role:6}  {font.name}: {counts}" + ("  already there" if known else "")
