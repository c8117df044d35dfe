"""How commands find the model that the user means, and a source font for it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.show import note

if TYPE_CHECKING:
    from calligan.models.card import ModelCard

RUNS, HANDS = Path("runs"), Path("hands")

# Options that several commands share.
ModelOption = Annotated[
    Path | None,
    typer.Option(help="Model file, run folder, hand or `bundle`; default the newest run, else it."),
]
SourceOption = Annotated[
    str | None, typer.Option(help="Source font; default one trained with, or of this machine.")
]


def hand_path(name: str, hands: Path = HANDS) -> Path | None:
    """The model of a hand that `calligan learn` made, if there is one of that name."""
    from calligan.errors import ModelError
    from calligan.training.run import newest_run

    try:
        return newest_run(hands / name) / "best.safetensors" if (hands / name).is_dir() else None
    except ModelError:
        return None


def hand_names() -> list[str]:
    """The hands that `calligan learn` made here."""
    return sorted(folder.name for folder in HANDS.glob("*") if hand_path(folder.name))


def model_path(given: Path | None, style: str = "") -> Path:
    """A model file: as given, or a hand of that name, or the `bundle`; the hand named as the style;
    the best of a given run folder, or of the newest; the bundle.
    """
    from calligan.errors import ModelError
    from calligan.resources import bundled_model
    from calligan.training.run import newest_run

    if given is not None and not given.exists():
        named = hand_path(str(given)) or (bundled_model() if str(given) == "bundle" else None)
        if named is not None:
            return named
    if given is not None:
        whole = given.is_dir() and not (given / "best.safetensors").exists()
        folder = newest_run(given) if whole and any(given.glob("[0-9]*")) else given
        return folder / "best.safetensors" if folder.is_dir() else folder
    if style and (hand := hand_path(style)):
        return hand
    try:
        return newest_run(RUNS) / "best.safetensors"
    except ModelError:
        if (bundle := bundled_model()) is None:
            raise
        return bundle


def chinese_font_name(given: str | None) -> str:
    """A regular Chinese font for models and labels: as given, else one of the catalog that is
    here, else one of this machine, else one that is fetched. Says on stderr what it does.
    """
    from calligan.glyphs.catalog import load_catalog
    from calligan.glyphs.fetch import fetch_font
    from calligan.glyphs.system_fonts import chinese_font

    if given is not None:
        return given
    sources = [font for font in load_catalog().values() if font.role == "source"]
    for font in sources:
        if font.fetched:
            return font.name
    if found := chinese_font():
        note(f"font: {found} (--font takes another)")
        return str(found)
    note(f"no Chinese font on this machine: fetching {sources[0].name}, once")
    fetch_font(sources[0])
    return sources[0].name


def source_font(card: "ModelCard", given: str | None) -> str | None:
    """Which source font to draw from: None stands for one that the model was trained with.

    Without one of those, a Chinese font of this machine; else the first of the model's own that
    the catalog can fetch is fetched. Says on stderr what it does.
    """
    from calligan.errors import FontError
    from calligan.glyphs.catalog import load_catalog
    from calligan.glyphs.fetch import fetch_font
    from calligan.glyphs.system_fonts import chinese_font
    from calligan.inference.source import trained_source

    if given is not None or trained_source(card):
        return given
    if found := chinese_font():
        note(f"source font: {found} (--source takes another)")
        return str(found)
    known = [font.name for font in card.sources if font.name in load_catalog()]
    if not known:
        names = ", ".join(font.name for font in card.sources)
        raise FontError(f"none of the model's source fonts is here ({names}); give --source FONT")
    note(f"no Chinese font on this machine: fetching {known[0]}, once")
    fetch_font(load_catalog()[known[0]])
    return None
