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
    """The model of a hand that `calligan learn` made, if there is one of that name.

    Of its runs, the newest that was not interrupted, where there is one.
    """
    from calligan.errors import ModelError
    from calligan.training.run import newest_finished

    try:
        return newest_finished(hands / name) / "best.safetensors"
    except ModelError:
        return None


def hand_names(hands: Path = HANDS) -> list[str]:
    """The hands that `calligan learn` made here."""
    return sorted(folder.name for folder in hands.glob("*") if hand_path(folder.name, hands))


def like_hands(name: str, hands: Path = HANDS) -> str:
    """What to say of a name that is neither a hand's nor another's: which hand it is like."""
    from difflib import get_close_matches

    there = hand_names(hands)
    if near := get_close_matches(name, there, n=1):
        return f"did you mean {near[0]}, a hand in {hands}?"
    return f"hands in {hands}: {', '.join(there) or 'none'}"


def style_index(card: "ModelCard", name: str) -> int:
    """The index from 0 of one of the model's styles, by number or name.

    Raises ModelError, which tells of hands too, where it has none such.
    """
    from calligan.errors import ModelError

    try:
        return card.style_index(name)
    except ModelError as error:
        if name.isdecimal() or not (hands := hand_names()):
            raise
        if name in hands:
            raise ModelError(f"{name} is a hand, a model of its own: give it alone") from error
        like = like_hands(name)
        text = f"no style {name!r}; {like}" if like[-1] == "?" else f"{error}; {like}"
        raise ModelError(text) from error


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
        if given.name == str(given) and not given.suffix:
            raise ModelError(f"no model, run folder or hand {given}; {like_hands(str(given))}")
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
