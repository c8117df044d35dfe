"""Requests: what a page, a font, an evaluation, a training run or a learned hand is made from.

Each is described once. The commands make their options and `--help` from the described fields; the
library takes the same values. The code that carries out a request checks it first, before torch is
imported (`check_page` in inference/pages.py, `check_font` in library/orders.py).
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
    """A text and its layout. None means the format's value, or that of a plain page."""

    text: str
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
class FontRequest:
    """The font to make. None means a default that depends on the style or the completed font."""

    path: Path = described(
        REQUIRED, "Font file to write: .ttf, .otf, .woff2 or .ufo.", "--output", "-o"
    )
    style: str = described("1", "Style number or name, as listed by `calligan styles`.")
    charset: str = described(
        "gb2312",
        "Characters to include: a shipped set (gb2312+jis-1), a UTF-8 file, or the characters.",
    )
    complete: str | None = described(
        None,
        "Font to complete: its glyphs and metrics stay as they are, and only the characters that "
        "it lacks are drawn.",
    )
    latin: str | None = described(
        None, "Font for letters, digits and punctuation. Default: the source font."
    )
    family: str | None = described(
        None, "Family name, in ASCII. Default: named after the style or the completed font."
    )
    family_chinese: str | None = described(None, "Chinese family name.")
    own: bool = described(
        True,
        "For a learned hand: use your own glyphs for the characters that you wrote.",
        "--own/--no-own",
    )
    fallback: str = described(
        "dense",
        "Glyphs not to use as drawn. dense: leave out characters with more strokes than the model "
        "can draw. keep: use all. skip: leave out doubtful glyphs. source: take doubtful glyphs "
        "from the source font.",
    )


@dataclass(frozen=True)
class EvaluationRequest:
    """What to measure of a model."""

    data: Path | None = described(
        None,
        "Data folder of `render-pairs`. Default: that of the training run, or data.",
        "--data",
        "-d",
    )
    source: str | None = described(
        None, "Source font of the data to draw from. Default: those the model was trained on."
    )
    styles: str | None = described(None, "Evaluate these styles only: names separated by commas.")
    charset: str | None = described(
        None, "Evaluate these test characters only: a shipped set, a UTF-8 file, or characters."
    )
    validation: bool = described(
        False,
        "Use the validation characters instead of the test characters, to choose between models.",
        "--validation",
    )
    count: int | None = described(None, "Largest number of characters per style. Default: all.")
    fine: bool = described(
        False,
        "Draw each glyph four times at shifted positions and average, as `infer` does.",
        "--fine",
    )
    perceptual: bool = described(
        False,
        "Also compute LPIPS and FID. Needs calligan[perceptual]; downloads weights.",
        "--perceptual",
    )
    line: bool = described(
        False,
        "Also measure the outlines, as `export` writes them, against the fonts' own outlines.",
        "--line",
    )
    told_apart: bool = described(
        False,
        "Also train a classifier to tell drawn from real glyphs. About a minute per hand.",
        "--told-apart",
    )
    calibrate: bool = described(
        False,
        "The same classifier on real glyphs only, for comparison. About three minutes per hand.",
        "--calibrate",
    )


@dataclass(frozen=True)
class TrainingRequest:
    """What to train, and for how long. None means the default of the preset or config."""

    data: Path | None = described(
        None, "Data folder written by `render-pairs`. Default: data.", "--data", "-d"
    )
    styles: str | None = described(
        None,
        "Styles to train: a number N for the first N, or names separated by commas. Default: all.",
    )
    sources: str | None = described(
        None, "Source fonts to train on: names separated by commas. Default: all."
    )
    minutes: float | None = described(None, "Training time in minutes. Default: 30.")
    steps: int | None = described(None, "Training length in steps, instead of --minutes.")
    batch_size: int | None = described(None, "Glyphs per training step.")
    seed: int | None = described(None, "Random seed of the weights and batches.")
    device: str | None = described(None, "Device to train on: auto, cpu, cuda or mps.")
    preset: str | None = described(
        None, "Published method to use: zi2zi, pix2pix, sngan, stargan or vae. Default: calligan's."
    )
    config: Path | None = described(None, "TOML file with settings.")
    settings: list[str] | None = described(
        None, "Change one setting, for example loss.l1=2. Repeatable.", "--set"
    )
    runs: Path | None = described(None, "Folder for run folders. Default: runs.")
    start: Path | None = described(
        None,
        "Start from the weights of this model: a file or run folder. New styles are added.",
        "--from",
    )


@dataclass(frozen=True)
class LearningRequest:
    """A hand to learn from a few glyphs."""

    name: str
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
    even: bool = described(True, "Even out the position and size of written glyphs.")
    settings: list[str] | None = described(
        None, "Change one training setting, as in `calligan train`. Repeatable.", "--set"
    )
    hands: Path = described(Path("hands"), "Folder for learned hands.")
