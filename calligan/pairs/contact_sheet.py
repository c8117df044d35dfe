"""The contact sheet of a data folder: sources above targets."""

from pathlib import Path

from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.pairs.store import PairStore

_COLUMNS = 16
_CELL_PX = 64


CONTACT_SHEET = "contact-sheet.png"


def write_contact_sheet(store: PairStore, folder: Path) -> None:
    """Draw evenly spaced characters of the charset, one row per font, into a PNG in `folder`."""
    manifest = store.manifest
    fonts = (*manifest.of_role("source"), *manifest.of_role("target"))
    shared = set.intersection(*(set(font.chars) for font in fonts))
    trained = store.training_chars()
    chars = [c for c in trained if c in shared] or trained
    shown = chars[:: max(1, len(chars) // _COLUMNS)][:_COLUMNS]
    rows = []
    for font in fonts:
        images, where = store.images(font), {c: i for i, c in enumerate(font.chars)}
        cells = [images[where[c]] if c in where else None for c in shown]
        rows.append(Row(font.name, cells))
    save_sheet(contact_sheet(rows, _CELL_PX), folder / CONTACT_SHEET)
