"""`calligan check`: what is wrong with a font, or a folder of glyphs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.options import DOUBTFUL, DeviceOption, StrictOption
from calligan.cli.show import note, progress

if TYPE_CHECKING:
    from calligan.library.checking import Examined


def check(
    what: Annotated[str, typer.Argument(help="A font, or a folder of PNGs named by character.")],
    charset: Annotated[
        str, typer.Option(help="Look at these characters, where a font has them.")
    ] = "gb2312+jis-1+big5-1",
    script: Annotated[
        str | None,
        typer.Option(help="楷, 行楷, 行, 草, pen or display: how far from print is right."),
    ] = None,
    font: Annotated[
        str | None, typer.Option(help="The regular font to compare with; default one that is here.")
    ] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write every score and finding.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Draw what was found under its reference into this PNG.")
    ] = None,
    strict: StrictOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Find blank, repeated, mislabelled and malformed glyphs.

    Example: calligan check MyFont.ttf --sheet found.png

    The worst come first: look at them. Of a font that is merely unlike print its own 1 in 100 least
    readable glyphs are named at most; what reads worse than any genuine glyph always is.
    """
    from calligan.library.checking import check as examined
    from calligan.page.sheet import save_png
    from calligan.storage import atomic_file, write_json

    with progress("reading", "glyph") as moved:
        seen = examined(
            what,
            charset,
            script=script,
            font=font,
            device=device,
            progress=moved,
            note=note,
        )
    _tell(seen)
    if json_path is not None:
        write_json(json_path, seen.as_json())
        typer.echo(json_path)
    if sheet is not None:
        with atomic_file(sheet) as file:
            save_png(seen.sheet(), file)
        typer.echo(sheet)
    if strict and seen.wrong:
        raise typer.Exit(DOUBTFUL)


def _tell(seen: "Examined") -> None:
    found = seen.found
    lines = [
        ("blank", seen.blank, seen.blank),
        ("the same picture", "".join(found.duplicates), " ".join(found.duplicates)),
        (
            "mislabelled?",
            "".join(found.mislabelled),
            " ".join(f"{char}→{other}" for char, other in found.mislabelled.items()),
        ),
        ("malformed?", found.malformed, found.malformed),
    ]
    for label, chars, shown in lines:
        typer.echo(f"{label:17} {len(chars):5}  {shown[:120]}{' …' if len(shown) > 120 else ''}")
    note(f"{len(found.chars):,} glyphs with ink looked at")
    if found.capped:
        note(
            f"{found.capped:,} more read badly and are not named: so many are taken for a set that "
            "is unlike print (--json has every score)"
        )
