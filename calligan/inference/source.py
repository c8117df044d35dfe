"""Which font a model takes its content from: the user's, or the one it was trained with."""

from pathlib import Path

from calligan.config import RasterConfig
from calligan.errors import FontError
from calligan.glyphs.catalog import load_catalog, resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement, measure_placement
from calligan.models.card import FontCard, ModelCard


def open_source(card: ModelCard, wanted: str | None) -> tuple[Face, Placement]:
    """A source face and its placement on the model's canvas.

    Raises FontError where the trained source is not to be found and no other was given.
    """
    if wanted is not None:
        face = Face(resolve_font(wanted).spec)
        chars = card.trained_chars or load_charset("gb2312")
        return face, measure_placement(face, chars, RasterConfig(size_px=card.size_px))
    for font in card.sources:
        if found := _trained_source(font):
            placement = Placement(**font.placement)  # type: ignore[arg-type]
            return found, placement.scaled(card.size_px)
    name = card.sources[0].name if card.sources else "none"
    cure = f"run `calligan fonts fetch {name}`" if name in load_catalog() else "give --source FONT"
    raise FontError(f"the model's source font {name} is not on this machine; {cure}")


def _trained_source(font: FontCard) -> Face | None:
    """The very font that was trained with, where it was or in the catalog's cache."""
    catalog = load_catalog().get(font.name)
    for path in filter(None, (Path(font.path), catalog.path if catalog else None)):
        if path.is_file():
            face = Face(FontSpec(path, font.face, font.instance))
            if face.sha256 == font.font_sha256:
                return face
    return None
