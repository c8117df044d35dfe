"""Hands: sheets to write on, photographs of them, and learning."""

from dataclasses import dataclass
from pathlib import Path

from calligan.described import argument, described, refuse_unused, values
from calligan.requests.drawing import DEVICE, JSON

MIN_STEPS = 300  # of learning a hand, see docs/own-hand.md


@dataclass(frozen=True)
class LearningRequest:
    """A hand to learn from a few glyphs."""

    name: str = argument("Name of the hand.")
    origin: str | None = described(
        None, "Glyphs to learn from: a folder written by `calligan scan`, or a font.", "--from"
    )
    chars: str | None = described(
        None, "Learn from these characters only: a shipped set, a UTF-8 file, or the characters."
    )
    minutes: float | None = described(None, "Training time in minutes. Default: 10.")
    steps: int | None = described(None, "Training length in steps, instead of --minutes.")
    model: Path = described(
        Path("bundle"), "Model to start from: a file, a run folder, or `bundle`, the shipped model."
    )
    source: str | None = described(
        None, "Source font: a catalog name or a file. Default: the fonts the model was trained on."
    )
    even: bool = described(
        True,
        "Even out the position and size of written glyphs, the strokes of a pen of one width, and "
        "straight edges.",
    )
    settings: list[str] | None = described(
        None, "Change one training setting, as in `calligan train`. Repeatable.", "--set"
    )
    hands: Path = described(Path("hands"), "Folder for learned hands.")
    device: str = DEVICE()


@dataclass(frozen=True)
class PlanRequest:
    """Sheets of the characters to write next for a hand."""

    count: int | None = described(
        None,
        "Do not learn; make sheets for this number of further characters to write.",
        "--plan",
    )
    output: Path = described(Path("next.pdf"), "PDF that --plan writes.", "--output", "-o")
    paper: str = described("a4", "Paper of --plan: a4 or letter.")

    def validate(self, learning: LearningRequest) -> None:
        """Raise ConfigError for options of learning beside --plan, or of its sheets without it."""
        if self.count is None:
            refuse_unused(self, ["output", "paper"], "they are of the sheets of --plan")
            return
        planned = ("name", "source", "hands", "device")
        unused = [name for name in values(learning) if name not in planned]
        refuse_unused(learning, unused, "--plan does not learn; drop one")


@dataclass(frozen=True)
class ScanRequest:
    """Photographs to cut into glyphs."""

    pages: list[Path] = argument("Photographs or scans, one file per page.")
    folder: Path = described(Path("hand"), "Folder to add the glyphs to.", "--output", "-o")
    size_px: int = described(256, "Size of a glyph image in pixels, 32 to 1024.", "--size")
    text: str | None = described(
        None,
        "Text of a page that is not a template, or a UTF-8 file with it. The page is cut into "
        "these characters.",
    )
    columns: str = described(
        "rtl",
        "Direction of a page with --text: rtl or ltr (columns from the right or the left), or "
        "rows.",
    )
    font: str | None = described(
        None,
        "Font of the reference characters in the contact sheet. Default: one on this machine.",
    )
    json_path: Path | None = JSON()

    def validate(self) -> None:
        """Raise ConfigError for an option without effect."""
        if self.text is None:
            refuse_unused(self, ["columns"], "give the --text of the page")


@dataclass(frozen=True)
class TemplateRequest:
    """Sheets to write on."""

    output: Path = described(Path("template.pdf"), "PDF to write.", "--output", "-o")
    count: int | None = described(
        None, "Number of characters. Default: 100, or all if --charset lists characters."
    )
    charset: str = described(
        "components-500",
        "Characters to choose from: a shipped set, a UTF-8 file, or the characters.",
    )
    paper: str = described("a4", "Paper size: a4 or letter.")
    cell: int = described(20, "Cell size in mm, 12 to 60.")
    grid: str = described(
        "mi", "Guide lines in a cell: mi (米), tian (田), jiu (九宫) or hui (回)."
    )
    font: str | None = described(
        None, "Font of the small model characters. Default: one on this machine."
    )
