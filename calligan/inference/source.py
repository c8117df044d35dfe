"""Which font a model takes its content from: the user's, or the one it was trained with."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from calligan.config import RasterConfig
from calligan.errors import ConfigError, FontError, ModelError
from calligan.glyphs.catalog import load_catalog, resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement, measure_placement
from calligan.models.card import FontCard, ModelCard
from calligan.settings import from_dict
from calligan.storage import sha256_file


def open_source(card: ModelCard, wanted: str | None) -> tuple[Face, Placement]:
    """A source face and its placement on the model's canvas.

    Raises FontError where the trained source is not to be found and no other was given.
    """
    if wanted is not None:
        face = Face(resolve_font(wanted).spec)
        chars = card.trained_chars or load_charset("gb2312")
        return face, measure_placement(face, chars, RasterConfig(size_px=card.size_px))
    if found := trained_source(card):
        face, font = found
        return face, _placement(font).scaled(card.size_px)
    name = card.sources[0].name if card.sources else "none"
    cure = f"run `calligan fonts fetch {name}`" if name in load_catalog() else "give --source FONT"
    raise FontError(f"the model's source font {name} is not on this machine; {cure}")


def trained_source(card: ModelCard) -> tuple[Face, FontCard] | None:
    """The first of the model's own source fonts that is here, unchanged."""
    return next(trained_sources(card), None)


def trained_sources(card: ModelCard) -> Iterator[tuple[Face, FontCard]]:
    """The model's own source fonts that are here, unchanged: where they were when the model was
    trained, or in the catalog's cache.
    """
    for font in card.sources:
        catalog = load_catalog().get(font.name)
        paths = [Path(font.path)] if font.path else []
        for path in [*paths, catalog.path] if catalog else paths:
            if path.is_file() and _digest(path, path.stat().st_mtime_ns) == font.font_sha256:
                _placement(font)
                yield _opened(FontSpec(path, font.face, font.instance), font.font_sha256), font
                break


def _placement(font: FontCard) -> Placement:
    """Where a font lies on the model's canvas. Raises ModelError where the card makes no sense."""
    try:
        placement: Placement = from_dict(Placement, font.placement)
        placement.validate()
    except (ConfigError, ValueError) as error:
        raise ModelError(f"the model's card is damaged ({font.name}: {error})") from error
    return placement


@lru_cache(maxsize=32)
def _digest(path: Path, mtime_ns: int) -> str:
    """Compared before a font is opened: a model may come from a stranger, and name any file."""
    return sha256_file(path)


@lru_cache(maxsize=8)
def _opened(spec: FontSpec, sha256: str) -> Face:
    """Open once: a command asks for its source font several times."""
    return Face(spec)
