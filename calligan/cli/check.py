"""`calligan check`: find faulty glyphs in a font or a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.options import EXIT_DOUBTFUL, DeviceOption, JsonOption, StrictOption
from calligan.cli.show import claim_stdout, note, progress, result, write_summary

if TYPE_CHECKING:
    from calligan.library.checking import Examined


_ScriptOption = Annotated[
    str | None,
    typer.Option(
        help="Script of the glyphs (楷, 行楷, 行, 草, pen or display): sets how much they "
        "may differ from print. Default: that of a catalog font, else any."
    ),
]
_FontOption = Annotated[
    str | None,
    typer.Option(help="Regular Chinese font to compare with. Default: one on this machine."),
]
_SheetOption = Annotated[
    Path | None,
    typer.Option(help="Draw the faulty glyphs under their reference into this PNG."),
]


def check(
    what: Annotated[str, typer.Argument(help="A font, or a folder of PNGs named by character.")],
    charset: Annotated[
        str,
        typer.Option(
            help="Characters of a font to check: shipped sets, a UTF-8 file, or characters."
        ),
    ] = "gb2312+jis-1+big5-1",
    script: _ScriptOption = None,
    font: _FontOption = None,
    json_path: JsonOption = None,
    sheet: _SheetOption = None,
    strict: StrictOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Find blank, repeated, mislabelled and malformed glyphs.

    Example: calligan check MyFont.ttf --sheet found.png

    The least readable come first; look at them, since some may be right. A glyph that reads worse
    than any genuine one is always listed. Of a font that merely differs from print, at most 1 in
    100 glyphs are listed as malformed.
    """
    from calligan.library.checking import check as check_glyphs
    from calligan.page.sheet import save_png
    from calligan.storage import atomic_file

    claim_stdout(json_path)
    with progress("reading", "glyph") as update:
        examined = check_glyphs(
            what,
            charset,
            script=script,
            font=font,
            device=device,
            progress=update,
            note=note,
        )
    _report(examined)
    write_summary(json_path, examined.as_json())
    if sheet is not None:
        with atomic_file(sheet) as file:
            save_png(examined.sheet(), file)
        result(sheet)
    if strict and examined.wrong:
        raise typer.Exit(EXIT_DOUBTFUL)


def _report(examined: "Examined") -> None:
    found = examined.found
    lines = [
        ("blank", examined.blank, examined.blank),
        ("the same picture", "".join(found.duplicates), " ".join(found.duplicates)),
        (
            "mislabelled?",
            "".join(found.mislabelled),
            " ".join(f"{char}→{other}" for char, other in found.mislabelled.items()),
        ),
        ("malformed?", found.malformed, found.malformed),
    ]
    for label, chars, shown in lines:
        result(f"{label:17} {len(chars):5}  {shown[:120]}{' …' if len(shown) > 120 else ''}")
    note(f"checked {len(found.chars):,} glyphs with ink")
    if found.capped:
        note(
            f"{found.capped:,} more glyphs read badly and are not listed: so many suggest a "
            "font that differs from print (--json has every score)"
        )
