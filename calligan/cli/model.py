"""Options that several commands share: which model is meant, and which source font."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.show import note

if TYPE_CHECKING:
    from calligan.models.card import ModelCard

ModelOption = Annotated[
    Path | None,
    typer.Option(help="Model file, run folder, hand or `bundle`; default the newest run, else it."),
]
SourceOption = Annotated[
    str | None, typer.Option(help="Source font; default one trained with, or of this machine.")
]

HANDS = Path("hands")


def model_path(given: Path | None, style: str = "") -> Path:
    """See project/models.py."""
    from calligan.project import models

    return models.model_path(given, style)


def hand_path(name: str, hands: Path = HANDS) -> Path | None:
    """See project/models.py."""
    from calligan.project import models

    return models.hand_path(name, hands)


def hand_names(hands: Path = HANDS) -> list[str]:
    """See project/models.py."""
    from calligan.project import models

    return models.hand_names(hands)


def like_hands(name: str, hands: Path = HANDS) -> str:
    """See project/models.py."""
    from calligan.project import models

    return models.like_hands(name, hands)


def style_index(card: "ModelCard", name: str) -> int:
    """See project/models.py."""
    from calligan.project import models

    return models.style_index(card, name)


def chinese_font_name(given: str | None) -> str:
    """See project/source.py."""
    from calligan.project import source

    return source.chinese_font_name(given, note)


def source_font(card: "ModelCard", given: str | None) -> str | None:
    """See project/source.py."""
    from calligan.project import source

    return source.source_font(card, given, note)
