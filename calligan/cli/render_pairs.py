"""`calligan render-pairs`: turn fonts into paired glyph images, the training data."""

from typing import TYPE_CHECKING

from calligan.cli.show import note, progress, result
from calligan.requests import PairsRequest

if TYPE_CHECKING:
    from calligan.pairs.manifest import FontEntry


def render_pairs(request: PairsRequest) -> None:
    """Rasterize a source font and one or more target fonts into paired glyph images.

    Example: calligan render-pairs lxgw-wenkai ma-shan-zheng MyHand.ttf

    A later call adds fonts to the folder. Repeating a call changes nothing.
    """
    from calligan.library.pairs import render_pairs as render
    from calligan.pairs.contact_sheet import CONTACT_SHEET

    with progress("rendering", "glyph", unit_scale=True) as update:
        store = render(**vars(request), progress=update, on_font=_note_font, note=note)
    data, count = request.data, len(store.manifest.of_role("target"))
    note(f"{data}: {count} style(s); next: calligan train --data {data} --styles {count}")
    result(data / CONTACT_SHEET)


def _note_font(font: "FontEntry", known: bool) -> None:
    total = len(font.chars) + sum(map(len, font.left_out.values()))
    missing = ", ".join(f"{len(chars)} {why}" for why, chars in font.left_out.items() if chars)
    counts = f"{len(font.chars)} of {total} characters" + (f" ({missing})" if missing else "")
    note(f"{font.role:6}  {font.name}: {counts}" + ("  already there" if known else ""))
