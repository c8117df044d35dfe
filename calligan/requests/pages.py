"""Texts on pages, and the pictures made of them."""

from dataclasses import dataclass
from pathlib import Path

from calligan.described import argument, described, refuse_unused
from calligan.errors import DataError
from calligan.requests.drawing import STDOUT

_MIN_DPI, _MAX_DPI = 10, 2400
_WITH_GRAIN = (".png", ".jpg", ".jpeg", ".webp")
_OF_OUTLINES = (".svg", ".pdf")


@dataclass(frozen=True)
class PageRequest:
    """A text and its layout. None means the format's value, or that of a plain page."""

    text: str = argument(
        "The text. @NAME or @FILE reads a shipped text or a file; - reads standard input."
    )
    form: str | None = described(
        None,
        "Page format: scroll, hall, square, banner, couplet, fan, letter, practice, or a .toml "
        "file. Default: a plain page that fits the text.",
        "--format",
    )
    title: str = described("", "Title before the text. Needs --format.")
    signature: str = described(
        "", "Signature after the text, in small characters. Needs --format.", "--sign"
    )
    seal: str = described("", "Text of a red seal, 1 to 4 characters. Needs --format.")
    seal_kind: str = described(
        "white", "white: white characters on red. red: red characters in a red frame."
    )
    vertical: bool = described(
        False, "Write in columns, from right to left. For plain pages; formats set their own."
    )
    cell_px: int | None = described(
        None,
        "Size of a character's cell in pixels at 96 dpi, 8 to 2048. For plain pages. Default: the "
        "model's image size.",
        "--size",
    )
    wrap: int | None = described(
        None, "Break lines after this number of characters. For plain pages."
    )
    ink: str | None = described(
        None, "Ink colour: a name or #RRGGBB. Default: black, or the format's colour."
    )
    paper: str | None = described(
        None, "Paper colour: a name or #RRGGBB. Default: white, or the format's colour."
    )
    labels: bool | None = described(
        None,
        "Write the number and name of each style beside its lines. For plain pages. Default: for "
        "`--style all`.",
        "--labels/--no-labels",
    )
    transparent: bool = described(False, "Make the background transparent.")
    vary: float | None = described(
        None,
        "How much repetitions of a character differ, 0 to 1. Default: 0, or the format's value.",
    )
    seed: int = described(0, "Random seed of --vary and of `--style random`.")
    trace: int = described(
        3, "Pale glyphs to trace after each model character, 0 to 100. For --format practice."
    )
    marks: bool | None = described(
        None,
        "Write the punctuation or leave it out. Needs --format. Default: as the format says.",
        "--marks/--no-marks",
    )
    missing: str = described(
        "error",
        "What to do with characters that the source font lacks: stop with an error, skip them, "
        "or draw a box.",
    )


@dataclass(frozen=True)
class PictureRequest:
    """The styles of a text, and the file to write."""

    style: str = described(
        "1",
        "Style number or name, as listed by `calligan styles`. Several are separated by commas; "
        "also `all`, or `random`. 1:0.7+4:0.3 is a mixture; learned hands can be in it.",
    )
    output: Path = described(
        Path("out.png"),
        "File to write: .png, .jpg, .webp, .gif, .svg or .pdf; - is standard output.",
        "--output",
        "-o",
    )
    kind: str | None = described(
        None,
        "With -o -, the kind of file: png, jpg, webp, gif, svg or pdf. Default: png.",
        "--as",
    )

    @property
    def path(self) -> Path:
        """The file to write; for standard output, a name with the ending of its kind."""
        return Path(f"page.{self.kind or 'png'}") if self.output == STDOUT else self.output


@dataclass(frozen=True)
class Look:
    """Options of raster images."""

    dpi: float = described(
        96.0, "Resolution of PNG, JPEG, WebP and GIF. A GIF is reduced to 2 million pixels."
    )
    grain: bool = described(False, "Give the paper a soft grain (PNG, JPEG and WebP).")
    dryness: float = described(
        0.0,
        "Dryness of the brush, 0 to 1 (PNG, JPEG and WebP; shows in large characters).",
        "--dry",
    )
    frame_ms: int = 250  # of an animated picture

    def check_kind(self, path: Path, transparent: bool) -> None:
        """Raise DataError or ConfigError for an option without effect on a file of this kind."""
        if path.suffix.lower() in _OF_OUTLINES:
            cure = f"{path.suffix} has outlines, not pixels; set sizes with --size or --format"
            refuse_unused(self, ["dpi"], cure)
        if (self.grain or self.dryness) and path.suffix.lower() not in _WITH_GRAIN:
            kinds = ", ".join(_WITH_GRAIN)
            raise DataError(f"--grain and --dry are for {kinds}; {path.suffix} has neither")
        if self.grain and transparent:
            raise DataError("--grain is of the paper; drop it, or --transparent")

    def validate(self) -> None:
        """Raise DataError for a resolution or dryness out of range."""
        if not _MIN_DPI <= self.dpi <= _MAX_DPI:
            raise DataError(f"--dpi {self.dpi:g} is out of range; give {_MIN_DPI} to {_MAX_DPI}")
        if not 0 <= self.dryness <= 1:
            raise DataError(f"--dry {self.dryness:g} is out of range; give 0 to 1")
