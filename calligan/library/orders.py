"""Which font to make, and what became of it; torch is not needed to say so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from calligan.errors import ConfigError, DataError
from calligan.inference import fontmaker as maker

Style = int | str  # a number from 1, or a name

FALLBACKS = {"keep": "kept", "skip": "left out", "source": "taken from the source font"}


def parse_share(text: str) -> tuple[str, float]:
    """`kaiti:0.7`, a part of a mixture of styles, to its name and share; 1 where none is given."""
    name, colon, number = text.strip().partition(":")
    try:
        share = float(number) if colon else 1.0
    except ValueError:
        share = -1.0
    if not name or not 0 <= share <= 1000:
        raise ConfigError(f"{text!r} is no part of a mixture; write 1:0.7+4:0.3, or 1+4")
    return name, share


@dataclass(frozen=True)
class Order:
    """Which font to make. None takes what suits the style, or the font to complete."""

    path: Path  # .ttf, .otf, .woff2 or .ufo
    style: Style = 1
    charset: str = "gb2312"
    complete: str | None = None  # a font to keep and add to
    latin: str | None = None  # a font for letters, digits and marks; None takes the source font
    family: str | None = None
    family_chinese: str | None = None
    own: bool = True  # characters that somebody wrote keep their glyphs
    fallback: str = "keep"  # see FALLBACKS

    def validate(self) -> None:
        """Raise ConfigError or DataError for what makes no sense."""
        if self.fallback not in FALLBACKS:
            raise ConfigError(f"--fallback {self.fallback!r} is none of {', '.join(FALLBACKS)}")
        if self.path.suffix.lower() not in maker.KINDS:
            kinds = ", ".join(maker.KINDS)
            raise DataError(f"{self.path} should end in {kinds}: the kind of font to write")
        if self.path.is_dir() and self.path.suffix.lower() != ".ufo":
            raise DataError(f"{self.path} is a folder; name a file in it")
        there = self.complete is not None and Path(self.complete).exists() and self.path.exists()
        if there and self.path.samefile(self.complete or ""):
            raise DataError(f"{self.path} is the font to complete; name another file to write")


@dataclass(frozen=True)
class MadeFont:
    """A font that was written, and what became of the characters asked for."""

    path: Path
    family: str
    style_index: int  # from 0
    drawn: str  # characters with ink, those written by somebody among them
    written: str  # of those, the ones that keep the glyphs that somebody wrote
    misread: str  # of those, the ones that read badly or as another character
    replaced: str  # doubtful, and left out or taken from the source font
    borrowed: str  # of those, the ones taken from the source font
    blank: str  # left out, being drawn blank
    lacking: str  # left out, the source font having none
    unreadable: Sequence[str] = ()  # tables of the completed font that were dropped
    holds_name_of: str = ""  # the completed font's family, if the new name holds it
    seconds: dict[str, float] = field(default_factory=dict)  # by stage
