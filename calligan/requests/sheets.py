"""Sheets and films of glyphs."""

from dataclasses import dataclass
from pathlib import Path

from calligan.described import argument, described, refuse_unused
from calligan.requests.drawing import DEVICE, JSON, MODEL, SOURCE, STYLE

STILL = ".png"  # the ending of a sheet of a few steps, instead of a film
MAX_STEPS = 1000  # of a morph, from each style to the next
MORPH_WAYS = ("slerp", "lerp")


@dataclass(frozen=True)
class MorphRequest:
    """A text on its way from style to style."""

    text: str = argument("One or more Chinese characters.")
    styles: str = described(
        "1,2",
        "Style numbers or names, separated by commas, or `all`. May include learned hands.",
    )
    steps: int | None = described(
        None, "Frames from each style to the next. Default: 24, on a sheet 7."
    )
    output: Path = described(
        Path("morph.gif"),
        "File to write: a film (.gif, .webp, .mp4), or a .png sheet of a few steps.",
        "--output",
        "-o",
    )
    way: str = described("slerp", "Interpolation of style embeddings: slerp (spherical) or lerp.")
    loop: bool = described(True, "Return to the first style at the end.")
    fps: float = described(
        20.0, "Frames per second, 1 to 60. A frame has at most 2 million pixels."
    )
    model: Path | None = MODEL()
    source: str | None = SOURCE()
    device: str = DEVICE()


@dataclass(frozen=True)
class AnimationRequest:
    """How a training run went, as a film or as curves."""

    run: Path = argument("Run folder.")
    output: Path = described(
        Path("film.gif"),
        "File to write: a film (.gif, .webp, .mp4), or a .png with curves of the log.",
        "--output",
        "-o",
    )
    styles: str | None = described(
        None, "Style names, separated by commas. Default: the first three."
    )
    chars: int = described(2, "Validation characters per style.")
    fps: float = described(6.0, "Frames per second, 1 to 60. A frame has at most 2 million pixels.")


@dataclass(frozen=True)
class RestyleRequest:
    """Glyphs to redraw in a style."""

    origin: str = argument("A folder of PNGs named by character, or a font.")
    style: str = STYLE()
    output: Path = described(
        Path("restyled"), "Folder to write PNGs and a contact sheet into.", "--output", "-o"
    )
    chars: str | None = described(
        None, "Redraw these characters only: a shipped set, a UTF-8 file, or the characters."
    )
    model: Path | None = MODEL()
    device: str = DEVICE()


@dataclass(frozen=True)
class SampleRequest:
    """Glyphs to draw from noise."""

    chars: str = argument("Characters that the model was trained on.")
    style: str = STYLE()
    count: int = described(8, "Glyphs of each character, 1 to 64.")
    seed: int = described(0, "Random seed of the noise.")
    between: bool = described(False, "Interpolate between two draws of noise.", "--between")
    output: Path = described(Path("samples.png"), "PNG to write.", "--output", "-o")
    model: Path | None = MODEL()


@dataclass(frozen=True)
class SpecimenRequest:
    """The styles of a model to list, and to draw."""

    model: Path | None = MODEL()
    output: Path | None = described(None, "Also draw all styles into this PNG.", "--output", "-o")
    text: str = described("永和九年书法", "Text to draw into the PNG.")
    source: str | None = SOURCE()
    json_path: Path | None = JSON()

    def validate(self) -> None:
        """Raise ConfigError for an option without effect."""
        if self.output is None:
            refuse_unused(self, ["text", "source"], "they are of the picture that -o names")
