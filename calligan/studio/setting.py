"""The settings of the Write view, as an address and as a command line."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from calligan.errors import DataError
from calligan.page.formats import format_names, load_format

_MAX_CHARS = {"text": 3000, "title": 60, "sign": 60, "seal": 4, "hand": 200, "pick": 2000}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PICK = re.compile(r"(.)=(\d{1,2})", re.S)
_SWITCHES = ("vertical", "transparent", "marks")
_NUMBERS: dict[str, tuple[type, float, float]] = {
    "size": (int, 24, 512),
    "wrap": (int, 1, 100),
    "vary": (float, 0, 1),
    "seed": (int, 0, 9999),
    "trace": (int, 0, 100),
}
_AS_OPTION = {"sign": "signature", "size": "cell_px"}  # names that differ in the library
_PLAIN_ONLY: tuple[str, ...] = ("vertical", "size", "wrap")
_SIGNED_ONLY = ("sign", "seal", "seal-kind")
_WRITTEN = ("title", "sign", "seal")  # what is on a page beside its text
_FORMAT_ONLY = ("title", *_SIGNED_ONLY, "marks", "trace")


@dataclass(frozen=True)
class Setting:
    """A text, a hand, and all other options by their names on the command line."""

    text: str
    hand: str = "1"
    pick: Mapping[str, int] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> "Setting":
        """Parse the values of an address or a page. Raises DataError for invalid ones."""
        values = {name: str(value) for name, value in given.items() if str(value)}
        for name, most in _MAX_CHARS.items():
            if len(values.get(name, "")) > most:
                raise DataError(f"{name} is longer than {most:,} characters; give less")
        text = values.get("text", "").replace("\r", "")
        chosen: dict[str, Any] = {n: values[n] for n in _WRITTEN if n in values}
        chosen |= {name: True for name in _SWITCHES if values.get(name) == "1"}
        chosen |= {name: _number(name, values[name]) for name in _NUMBERS if name in values}
        chosen |= {name: _colour(name, values[name]) for name in ("ink", "paper") if name in values}
        if "format" in values:
            chosen["format"] = _format(values["format"])
        if values.get("seal-kind") == "red" and "seal" in chosen:
            chosen["seal-kind"] = "red"
        apart = _PLAIN_ONLY if "format" in chosen else _FORMAT_ONLY
        if "format" in chosen:
            form = load_format(chosen["format"])
            apart += () if form.signed else _SIGNED_ONLY
            apart += () if form.titled else ("title",)
        chosen = {name: value for name, value in chosen.items() if name not in apart}
        page = "".join([text, *(chosen.get(name, "") for name in _WRITTEN)])
        pick = {char: int(n) for char, n in _PICK.findall(values.get("pick", "")) if char in page}
        return cls(text, values.get("hand", "1"), pick, chosen)

    @property
    def layout(self) -> dict[str, Any]:
        """The keywords of `Model.write`."""
        named = {_AS_OPTION.get(n, n).replace("-", "_"): v for n, v in self.chosen.items()}
        return {**named, "missing": "box"}

    def query(self) -> str:
        """The query of an address."""
        values = {"text": self.text, "hand": self.hand}
        values |= {n: "1" if v is True else str(v) for n, v in self.chosen.items()}
        if self.pick:
            values["pick"] = ",".join(f"{char}={number}" for char, number in self.pick.items())
        return urlencode(values)

    def command(self, hand: tuple[str, ...], output: str = "out.png") -> str:
        """The equivalent command line; `hand` are the options that name the hand."""
        words = ["calligan", "infer", self.text.replace("\n", "\\n"), *hand]
        for name, value in self.chosen.items():
            words += [f"--{name}"] if value is True else [f"--{name}", _text_of(value)]
        if self.pick:
            picked = [f"{char}={number}" for char, number in self.pick.items()]
            words += ["--pick", ",".join(picked)]
        return shlex.join([*words, "--missing", "box", "-o", output])


def _number(name: str, text: str) -> int | float:
    kind, least, most = _NUMBERS[name]
    try:
        value: int | float = kind(text)
    except ValueError as error:
        raise DataError(f"{name} {text!r} is no number") from error
    if not least <= value <= most:
        raise DataError(f"{name} {text} is out of range; give {least:g} to {most:g}")
    return value


def _colour(name: str, text: str) -> str:
    if not _COLOUR.fullmatch(text):
        raise DataError(f"{name} {text!r} is not a colour; write it as #202020")
    return text


def _format(name: str) -> str:
    """A shipped format; a page cannot name files."""
    if name not in format_names():
        raise DataError(f"no format {name!r}; choose one of the list")
    return name


def _text_of(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
