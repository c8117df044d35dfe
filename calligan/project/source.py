"""Find the source font: the user's, one that the model was trained with, or one of this machine."""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from calligan.config import RasterConfig
from calligan.errors import ConfigError, FontError, ModelError
from calligan.glyphs.catalog import load_catalog, resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.fetch import fetch_font
from calligan.glyphs.known_fonts import known_font
from calligan.glyphs.placement import Placement, measure_placement
from calligan.glyphs.system_fonts import chinese_font
from calligan.limits import MAX_FONT_BYTES
from calligan.models.card import CURE, FontCard, ModelCard
from calligan.progress import Note, ignore
from calligan.reading import check_file
from calligan.settings import from_dict
from calligan.storage import sha256_file


def open_source(card: ModelCard, wanted: str | None) -> tuple[Face, Placement]:
    """A source face and its placement on the model's canvas.

    Raises FontError where none was given and the model's own source font is not found.
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
    """The first of the model's own source fonts that is on this machine, unchanged."""
    return next(trained_sources(card), None)


def trained_sources(card: ModelCard) -> Iterator[tuple[Face, FontCard]]:
    """The model's own source fonts that are on this machine, unchanged.

    Searched in the paths of the card, in the catalog's cache, and where they were last seen.
    """
    for font in card.sources:
        for path in _places(font):
            if file_digest(path) == font.font_sha256:
                _placement(font)
                yield _open_face(FontSpec(path, font.face, font.instance), font.font_sha256), font
                break


def installed_sources(card: ModelCard) -> list[str]:
    """The checksums of the model's own source fonts for which there is a file, unchecked."""
    return [font.font_sha256 for font in card.sources if any(_places(font))]


def _places(font: FontCard) -> list[Path]:
    """The files in which a font of a model's card may be found."""
    catalog = load_catalog().get(font.name)
    places = (font.path, catalog and catalog.path, known_font(font.font_sha256))
    return [path for path in (Path(place) for place in places if place) if _may_be_font(path)]


def _may_be_font(path: Path) -> bool:
    """Whether a file is there that can be read as a font: a card may name any path."""
    try:
        return check_file(path, MAX_FONT_BYTES) > 0 and os.access(path, os.R_OK)
    except (OSError, ValueError):  # ValueError: such as a path that no file can have
        return False


def _placement(font: FontCard) -> Placement:
    """A font's placement on the model's canvas. Raises ModelError where the card is invalid."""
    try:
        placement = from_dict(Placement, font.placement)
        placement.validate()
    except (ConfigError, ValueError) as error:
        raise ModelError(f"the model's card is damaged ({font.name}: {error}); {CURE}") from error
    return placement


def file_digest(path: Path) -> str:
    """The hex sha256 of a file, remembered while its time of change stays.

    It is checked before a font is opened, as a model's card may name any file.
    """
    return _digest(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _digest(path: Path, mtime_ns: int) -> str:
    return sha256_file(path)


@lru_cache(maxsize=8)
def _open_face(spec: FontSpec, sha256: str) -> Face:
    """Open a font; cached, as commands open their source font several times."""
    return Face(spec)


def installed_chinese_font() -> str:
    """A fetched source font of the catalog, or a Chinese font of this machine; "" without one."""
    fetched = (f.name for f in load_catalog().values() if f.role == "source" and f.fetched)
    return next(fetched, "") or str(chinese_font() or "")


def chinese_font_name(given: str | None, note: Note = ignore) -> str:
    """A regular Chinese font for model characters and labels.

    In order: the given one, a fetched font of the catalog, a font of this machine, a font that is
    fetched now. `note` gets a message about the choice.
    """
    if given is not None:
        return given
    sources = [font for font in load_catalog().values() if font.role == "source"]
    if found := installed_chinese_font():
        if found not in load_catalog():
            note(f"font: {found} (use --font for another)")
        return found
    note(f"no Chinese font on this machine: fetching {sources[0].name}, once")
    fetch_font(sources[0])
    return sources[0].name


def source_font(card: ModelCard, given: str | None, note: Note = ignore) -> str | None:
    """The source font to draw from; None stands for one that the model was trained with.

    In order: the given one, one of the model's own, a Chinese font of this machine, or the first of
    the model's own that can be fetched. `note` gets a message about the choice.
    """
    if given is not None or trained_source(card):
        return given
    if found := chinese_font():
        note(f"source font: {found} (use --source for another)")
        return str(found)
    known = [font.name for font in card.sources if font.name in load_catalog()]
    if not known:
        names = ", ".join(font.name for font in card.sources)
        raise FontError(
            f"none of the model's source fonts is on this machine ({names}); give --source FONT"
        )
    note(f"no Chinese font on this machine: fetching {known[0]}, once")
    fetch_font(load_catalog()[known[0]])
    return None
