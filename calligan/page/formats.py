"""Formats of pages as data: scroll, couplet, fan, letter paper, practice sheets and users' own."""

import math
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from PIL import ImageColor

from calligan.config.checks import require, require_one_of
from calligan.errors import ConfigError, DataError
from calligan.limits import MAX_PAGE_MM
from calligan.reading import read_toml
from calligan.resources import data_folder
from calligan.settings import from_dict

GRIDS = ("mi", "tian", "jiu", "hui")
_REGION, _MAX_CELLS = "region", 10_000
_RANGES: dict[str, tuple[float, float]] = {  # of a region's numbers
    **dict.fromkeys(("x_mm", "y_mm"), (-MAX_PAGE_MM, MAX_PAGE_MM)),
    **dict.fromkeys(("width_mm", "height_mm", "padding_mm", "size_mm"), (0, MAX_PAGE_MM)),
    **dict.fromkeys(("gap", "line_gap"), (-0.9, 100)),
    "spread": (0, 100),
    "short": (0.01, 1),
    "text": (0, 1000),
}


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

    def validate(self) -> None:
        """Raise ConfigError naming the invalid field."""
        require_one_of(self, _REGION, direction=("vertical", "horizontal"), grid=("", *GRIDS))
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            require(least <= value <= most, f"{_REGION}.{name}", value, f"{least:g} to {most:g}")
        require(self.largest_mm > 0, f"{_REGION}.largest_mm", self.largest_mm, "more than 0")
        for name in ("paper", "rule"):
            _check_colour(f"{_REGION}.{name}", getattr(self, name) or "white")
        if self.direction != "vertical" and (self.fan or self.rule):
            raise ConfigError("a region with a fan or a rule has columns: direction vertical")
        if self.fan and self.rule:
            raise ConfigError("a region with a fan has no rule: rules are between columns")
        if min(self.width_mm, self.height_mm) <= 2 * self.padding_mm:
            raise ConfigError("a region should have room inside its padding_mm")
        if 0 < self.size_mm < 1:
            raise ConfigError("a region's size_mm should be 0, or 1 and more")
        if self.grid and not 1 <= self._cells <= _MAX_CELLS:
            raise ConfigError(f"a region's grid should have 1 to {_MAX_CELLS:,} cells of size_mm")
        if self.fan and not (
            0 < self.fan.inner_mm < self.fan.radius_mm <= MAX_PAGE_MM
            and 0 < self.fan.spread_deg <= 360
        ):
            raise ConfigError("a fan should have 0 < inner_mm < radius_mm, and 0 to 360 spread_deg")

    @property
    def _cells(self) -> int:
        size = self.size_mm
        return int(self.width_mm / size) * int(self.height_mm / size) if size else 0


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
    shortest_mm: float = 0.0  # height for a text of one short column; 0 is always `height_mm`

    @property
    def signed(self) -> bool:
        """Whether there is a place for a signature and a seal."""
        return any(region.sign and not region.grid for region in self.region)

    @property
    def titled(self) -> bool:
        """Whether there is a place for a title: before the whole text."""
        return any(not (region.text or region.grid) for region in self.region)

    def validate(self) -> None:
        """Raise ConfigError naming the invalid field."""
        if not self.region:
            raise ConfigError("a format needs a [[region]]")
        for name in ("width_mm", "height_mm"):
            value = getattr(self, name)
            require(0 < value <= MAX_PAGE_MM, name, value, f"more than 0, to {MAX_PAGE_MM:g}")
        whole = f"0 to its height_mm, {self.height_mm:g}"
        require(0 <= self.shortest_mm <= self.height_mm, "shortest_mm", self.shortest_mm, whole)
        if self.shortest_mm and (len(self.region) > 1 or self.region[0].direction != "vertical"):
            raise ConfigError("a format with shortest_mm should have one region, of columns")
        require(0 <= self.vary <= 1, "vary", self.vary, "0 to 1")
        for name in ("paper", "ink", "seal"):
            _check_colour(name, getattr(self, name))
        for region in self.region:
            region.validate()


def _check_colour(setting: str, colour: str) -> None:
    try:
        ImageColor.getrgb(colour)
    except ValueError as error:
        raise ConfigError(f"setting {setting} is {colour!r}, which is not a colour") from error


def format_names() -> dict[str, str]:
    """The shipped formats, by name, and what they are."""
    return {path.stem: load_format(path.stem).title for path in sorted(_folder().glob("*.toml"))}


def load_format(what: str) -> Format:
    """A shipped format by name, or one of a TOML file. Raises DataError or ConfigError."""
    path = Path(what) if what.endswith(".toml") else _folder() / f"{what}.toml"
    try:
        made = from_dict(Format, read_toml(path))
        made.validate()
    except FileNotFoundError as error:
        there = sorted(p.stem for p in _folder().glob("*.toml"))
        near = get_close_matches(what, there, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(there)}"
        raise DataError(f"no format {what!r}; {hint} (or give a .toml file)") from error
    except (ValueError, OSError, ConfigError) as error:
        raise ConfigError(f"{path} is not a format: {error}") from error
    return made


def _folder() -> Path:
    return data_folder("formats")
