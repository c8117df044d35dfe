"""Check font requests, and describe the font made. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from calligan.errors import ConfigError, DataError
from calligan.inference import fontmaker as maker
from calligan.models.card import MAX_BOLDER_EM
from calligan.requests import FALLBACKS, FontRequest

MAX_WEIGHT = round(1000 * MAX_BOLDER_EM)


def parse_share(text: str) -> tuple[str, float]:
    """Parse a part of a mixture of styles, `kaiti:0.7`, to its name and share (1 by default)."""
    name, colon, number = text.strip().partition(":")
    try:
        share = float(number) if colon else 1.0
    except ValueError:
        share = -1.0
    if not name or not 0 <= share <= 1000:
        raise ConfigError(f"{text!r} is not a part of a mixture; write 1:0.7+4:0.3, or 1+4")
    return name, share


def check_weight(weight: float) -> None:
    """Raise ConfigError for a thickness to add to strokes, in 1/1000 em, that is too large."""
    if not -MAX_WEIGHT <= weight <= MAX_WEIGHT:
        raise ConfigError(f"--weight {weight:g} is not between -{MAX_WEIGHT} and {MAX_WEIGHT}")


def check_font(request: FontRequest) -> None:
    """Raise ConfigError or DataError for an invalid option."""
    path, base = request.path, request.complete
    if request.fallback not in FALLBACKS:
        raise ConfigError(f"--fallback {request.fallback!r} is not one of {', '.join(FALLBACKS)}")
    if path.suffix.lower() not in maker.KINDS:
        kinds = ", ".join(maker.KINDS)
        raise DataError(f"{path} should end in {kinds}: the kind of font to write")
    if path.is_dir() and path.suffix.lower() != ".ufo":
        raise DataError(f"{path} is a folder; name a file in it")
    if base is not None and Path(base).exists() and path.exists() and path.samefile(base):
        raise DataError(f"{path} is the font to complete; name another file to write")


@dataclass(frozen=True)
class MadeFont:
    """A font that was written, and where its characters come from."""

    path: Path
    family: str
    style_index: int  # from 0
    drawn: str  # characters with ink, handwritten ones included
    written: str  # of those, the ones with handwritten glyphs
    misread: str  # of those, the ones that read badly or as another character
    replaced: str  # too dense or doubtful, and left out or taken from the source font
    borrowed: str  # of those, the ones taken from the source font
    blank: str  # left out, since they were drawn blank
    lacking: str  # left out, since the source font lacks them
    unreadable: Sequence[str] = ()  # tables of the completed font that were dropped
    holds_name_of: str = ""  # the completed font's family, if the new name contains it
    seconds: dict[str, float] = field(default_factory=dict)  # by stage
