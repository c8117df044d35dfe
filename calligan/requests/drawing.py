"""What is drawn with, and how its glyphs are checked; the fields that several requests have."""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from calligan.described import described
from calligan.errors import ConfigError
from calligan.limits import MAX_INTEGER

STDOUT = Path("-")  # as the name of a file to write
EXIT_DOUBTFUL = 3  # exit code of --strict
BOLD = 20  # thousandths of an em of --weight; beyond, counters may fill
Style = int | str  # a number from 1, or a name
DEVICES = ("auto", "cpu", "cuda", "mps")

MODEL = partial(
    described,
    None,
    "Model file, run folder, learned hand, or `bundle`, the shipped model. Default: the newest "
    "run, else the shipped model.",
)
SOURCE = partial(
    described,
    None,
    "Source font: a catalog name or a file. Default: one the model was trained on, or a Chinese "
    "font of this machine.",
)
STYLE = partial(described, "1", "Style number or name, as listed by `calligan styles`.")
DEVICE = partial(
    described,
    "auto",
    "Device for the networks: auto, cpu, cuda or mps.",
    one_of=DEVICES,
)
JSON = partial(
    described,
    None,
    "Write a summary as JSON to this file; - is standard output, where it replaces everything "
    "else.",
    "--json",
)
STRICT = partial(
    described,
    False,
    f"End with exit code {EXIT_DOUBTFUL} if a glyph stays doubtful.",
    "--strict",
)


def split_names(text: str | None) -> list[str] | None:
    """Names separated by commas, without spaces; None for no text."""
    return [name.strip() for name in text.split(",")] if text else None


def check_seed(seed: int) -> None:
    """Raise ConfigError for a seed that NumPy or torch does not take."""
    if not 0 <= seed <= MAX_INTEGER:
        raise ConfigError(f"--seed {seed} is out of range; give 0 to 2^63 - 1")


@dataclass(frozen=True)
class DrawingRequest:
    """A model and its source font, how glyphs are drawn and checked, and what is reported."""

    model: Path | None = MODEL()
    source: str | None = SOURCE()
    weight: float = described(
        0.0,
        "Make strokes bolder, or lighter if negative: thousandths of an em to add to their "
        "thickness, -60 to 60.",
    )
    fine: bool = described(
        True,
        "For models that draw ink at 128 px: average four shifted drawings, and trace from twice "
        "the resolution. Smoother and slower.",
        "--fine/--no-fine",
    )
    verdict: bool = described(
        True, "Check each drawn glyph, and draw doubtful ones again.", "--verdict/--no-verdict"
    )
    report: list[Path] | None = described(
        None, "Write the verdict on each glyph to a .json or .html file. Repeatable."
    )
    strict: bool = STRICT()
    device: str = DEVICE()
    cache: bool = described(
        True,
        "Keep drawn glyphs on disk, and use those drawn before. CALLIGAN_NO_CACHE=1 turns it off "
        "too.",
        "--cache/--no-cache",
    )
    json_path: Path | None = JSON()

    def cures(self, choose: bool) -> str:
        """What to try about doubtful glyphs. `choose`: whether --candidates is of use."""
        see = [] if self.report else ["see them with --report r.html"]
        candidates = ["choose by eye from --candidates 7"] if choose else []
        lighter = ["give a smaller --weight"] if self.weight > BOLD else []
        return ", or ".join([*see, *candidates, *lighter, "try another --source"])


@dataclass(frozen=True)
class ChoiceRequest:
    """Several variants of each character to choose from, and those that were chosen."""

    candidates: int | None = described(
        None,
        "Also draw this number of variants of each character, into a sheet beside OUTPUT.",
        between=(1, None),
    )
    pick: str | None = described(
        None, "Use these variants, by their number in the sheet of candidates: 书=2,法=3."
    )

    def picked(self) -> dict[str, int]:
        """Numbers of variants by character. Raises ConfigError for another form."""
        found = {}
        for part in filter(None, (self.pick or "").split(",")):
            char, equals, number = part.strip().partition("=")
            if len(char) != 1 or not equals or not re.fullmatch(r"[1-9]\d{0,5}", number):
                raise ConfigError(f"--pick {part!r} is invalid; give 书=2,法=3")
            found[char] = int(number)
        return found
