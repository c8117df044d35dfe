"""Formats of pages as data: scroll, couplet, fan, letter paper, practice sheets and users' own."""

import math
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from calligan.errors import ConfigError, DataError
from calligan.resources import data_folder
from calligan.settings import from_dict


@dataclass(frozen=True)
class Fan:
    """A sector: text runs from the outer rim toward the centre."""

    radius_mm: float  # outer
    inner_mm: float  # inner
    spread_deg: float


@dataclass(frozen=True)
class Region:
    """Where text goes. Its box is measured from the page's top left corner."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    direction: str = "vertical"  # or "horizontal"
    rightward: bool = True  # of a horizontal line; boards over doors run leftward
    text: int = 0  # the line of the text that goes here, from 1; 0 is all of it
    paper: str = ""  # a strip of its own colour
    padding_mm: float = 0.0  # between the strip's edge and the text
    size_mm: float = 0.0  # of a character; 0 is as large as fits
    largest_mm: float = math.inf  # but no larger
    gap: float = 0.08  # between characters, in ems
    spread: float = 0.0  # maximum additional gap, to fill the line
    line_gap: float = 0.3  # between lines, in ems
    short: float = 1.0  # every second line ends after this share of the room
    joined: bool = False  # line breaks are dropped if the text gets larger
    rule: str = ""  # colour of lines between columns
    centred: bool = False  # a line in the middle of its region
    sign: bool = False  # whether signature and seal stand here
    grid: str = ""  # mi, tian, jiu or hui: cells to practise in
    fan: Fan | None = None


@dataclass(frozen=True)
class Format:
    """A kind of page."""

    title: str
    width_mm: float
    height_mm: float
    region: tuple[Region, ...]
    paper: str = "white"
    ink: str = "black"
    seal: str = "#b3271e"
    marks: bool = True  # whether to set punctuation; brushed pages omit it
    vary: float = 0.0  # how much repeats of a character differ, 0 to 1
    many: bool = False  # whether text that does not fit continues on further pages
    lines: str = ""  # what the lines of the text are, where each has its place
    least_lines: int = 1  # how many of these a text has at the least

    def validate(self) -> None:
        """Raise ConfigError naming the invalid field."""
        if not self.region:
            raise ConfigError("a format needs a [[region]]")
        if min(self.width_mm, self.height_mm) <= 0 or max(self.width_mm, self.height_mm) > 20_000:
            raise ConfigError("a format's width_mm and height_mm should be 0 to 20000")
        for region in self.region:
            if region.direction not in ("vertical", "horizontal"):
                raise ConfigError("a region's direction should be vertical or horizontal")
            if region.direction != "vertical" and (region.fan or region.rule):
                raise ConfigError("a region with a fan or a rule has columns: direction vertical")
            if region.fan and region.rule:
                raise ConfigError("a region with a fan has no rule: rules are between columns")
            if min(region.width_mm, region.height_mm) <= 2 * region.padding_mm:
                raise ConfigError("a region should have room inside its padding_mm")
            if not 0 < region.short <= 1:
                raise ConfigError("a region's short should be more than 0, and 1 at the most")


def format_names() -> dict[str, str]:
    """The shipped formats, by name, and what they are."""
    return {path.stem: load_format(path.stem).title for path in sorted(_folder().glob("*.toml"))}


def load_format(what: str) -> Format:
    """A shipped format by name, or one of a TOML file. Raises DataError or ConfigError."""
    path = Path(what) if what.endswith(".toml") else _folder() / f"{what}.toml"
    if not path.is_file():
        there = sorted(p.stem for p in _folder().glob("*.toml"))
        near = get_close_matches(what, there, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(there)}"
        raise DataError(f"no format {what!r}; {hint} (or give a .toml file)")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        made = from_dict(Format, values)
        made.validate()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, ConfigError) as error:
        raise ConfigError(f"{path} is not a format: {error}") from error
    return made


def _folder() -> Path:
    return data_folder("formats")
