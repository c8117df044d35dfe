"""What can be asked for: the options of pages, fonts, training, learning and evaluation, once.

The commands make their options of the described fields; the library takes the same values. Whoever
carries a request out checks it first (`check_page`, `FontRequest` in inference/fontmaker.py, …).
"""

from dataclasses import dataclass
from pathlib import Path

from calligan.described import REQUIRED, described

Style = int | str  # a number from 1, or a name
DOUBTED = {  # what becomes of glyphs that stay doubtful
    "skip": "doubtful, left out",
    "source": "doubtful, taken from the source font",
}
FALLBACKS = {
    "dense": "left out, more strokes than this model draws (--fallback keep draws them)",
    "keep": "kept",
    **DOUBTED,
}


@dataclass(frozen=True)
class PageRequest:
    """A text and how it is to look. None stands for what the format says, or the plain page."""

    text: str
    form: str | None = described(
        None,
        "scroll, hall, square, banner, couplet, fan, letter, practice; or a .toml file.",
        "--format",
    )
    title: str = described("", "A title before the text, in a format.")
    signature: str = described("", "A signature after it, in small script.", "--sign")
    seal: str = described("", "One to four characters for a red seal.")
    seal_kind: str = described("white", "white: cut out of red; red: in a frame.")
    vertical: bool = described(False, "Columns from right to left.")
    cell_px: int | None = described(None, "Edge of a character's cell in pixels.", "--size")
    wrap: int | None = described(None, "Break lines after so many characters.")
    ink: str | None = described(None, "Ink colour: a name or #RRGGBB.")
    paper: str | None = described(None, "Paper colour.")
    transparent: bool = described(False, "No paper at all.")
    vary: float | None = described(None, "How much repeats of a character differ, 0 to 1.")
    seed: int = described(0, "Other variations; another random style.")
    trace: int = described(3, "Pale glyphs to trace, on practice sheets.")
    marks: bool | None = described(
        None, "Punctuation, where a format goes without.", "--marks/--no-marks"
    )
    missing: str = described("error", "Characters the source lacks: error, skip or box.")


@dataclass(frozen=True)
class FontRequest:
    """Which font to make. None takes what suits the style, or the font to complete."""

    path: Path = described(
        REQUIRED, "The font to write: .ttf, .otf, .woff2 or .ufo.", "--output", "-o"
    )
    style: str = described("1", "A number or name of `calligan styles`.")
    charset: str = described("gb2312", "A shipped set, a UTF-8 file, or the characters themselves.")
    complete: str | None = described(
        None, "A font to keep as it is and add to: only what it lacks is drawn."
    )
    latin: str | None = described(None, "Letters, digits and marks from this font; default source.")
    family: str | None = described(None, "The font's name, in ASCII.")
    family_chinese: str | None = described(None, "Its Chinese name.")
    own: bool = described(True, "Characters that you wrote keep your glyphs.", "--own/--no-own")
    fallback: str = described(
        "dense",
        "Leave out what is too dense for the model (dense); or keep all, or skip what stays "
        "doubtful, or take the source's.",
    )


@dataclass(frozen=True)
class EvaluationRequest:
    """What to measure of a model."""

    data: Path | None = described(None, "Data folder; default the run's own.", "--data", "-d")
    source: str | None = described(None, "Draw from this source font of the data instead.")
    styles: str | None = described(None, "Only these styles, by name, with commas.")
    charset: str | None = described(None, "Only test characters of this charset.")
    validation: bool = described(
        False, "Judge validation characters: to choose a model.", "--validation"
    )
    count: int | None = described(None, "At most so many characters a style.")
    fine: bool = described(False, "Draw each glyph in four places, as infer does.", "--fine")
    perceptual: bool = described(
        False, "LPIPS and FID too (calligan[perceptual]); downloads weights.", "--perceptual"
    )
    line: bool = described(
        False, "Outlines as export writes them, beside the fonts' own.", "--line"
    )
    told_apart: bool = described(
        False, "Whether a network tells them apart: a minute a hand.", "--told-apart"
    )
    calibrate: bool = described(
        False, "The same of the fonts' own glyphs: three minutes a hand.", "--calibrate"
    )


@dataclass(frozen=True)
class TrainingRequest:
    """What to train, and how long. None stands for the default."""

    data: Path | None = described(None, "Data folder of `render-pairs`.", "--data", "-d")
    styles: str | None = described(
        None, "How many styles (the first N), or names with commas; default all."
    )
    sources: str | None = described(None, "Source fonts by name, with commas; default all.")
    minutes: float | None = described(None, "Train this long (default 30).")
    steps: int | None = described(None, "Or this many steps.")
    batch_size: int | None = described(None, "Glyphs a step.")
    seed: int | None = described(None, "Seed of weights and batches.")
    device: str | None = described(None, "auto, cpu, cuda or mps.")
    preset: str | None = described(None, "zi2zi, pix2pix, sngan, stargan or vae.")
    config: Path | None = described(None, "TOML file of settings.")
    settings: list[str] | None = described(
        None, "One setting, such as loss.l1=2; repeatable.", "--set"
    )
    runs: Path | None = described(None, "Where run folders are made; default runs.")
    start: Path | None = described(
        None, "Begin at this model's weights; adds new styles.", "--from"
    )


@dataclass(frozen=True)
class LearningRequest:
    """A hand to learn from a few glyphs."""

    name: str
    origin: str | None = described(None, "Folder of glyphs (`calligan scan`), or a font.", "--from")
    chars: str | None = described(None, "Use these only: a charset's name, a file, characters.")
    minutes: float | None = described(None, "Learn this long (default 10).")
    steps: int | None = described(None, "Or this many steps.")
    model: Path = described(Path("bundle"), "Model to begin at: a file, a run folder, or `bundle`.")
    source: str | None = described(None, "Source font; default those that the model knows.")
    even: bool = described(True, "Make pictures of uneven writing more even, in place and size.")
    settings: list[str] | None = described(None, "One setting, as `train` takes it.", "--set")
    hands: Path = described(Path("hands"), "Where hands are kept.")
