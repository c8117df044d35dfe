"""Models: to train, to evaluate and to convert."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from calligan.described import REQUIRED, argument, described, refuse_unused
from calligan.errors import ConfigError
from calligan.requests.drawing import DEVICE, JSON


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
class RunRequest:
    """How to begin or resume a training run."""

    resume: Path | None = described(
        None, "Run folder to continue. Takes no other training options."
    )
    dry_run: bool = described(False, "Print the settings as JSON and stop.")
    tensorboard: bool = described(
        False, "Also log for TensorBoard, to tensorboard/ in the run folder.", "--tensorboard"
    )

    def validate(self, training: TrainingRequest) -> None:
        """Raise ConfigError for options that exclude each other."""
        if self.resume is not None and (self.dry_run or training != TrainingRequest()):
            raise ConfigError("--resume uses the run's own settings; drop the other options")
        if self.dry_run:
            refuse_unused(self, ["tensorboard"], "--dry-run trains nothing")


@dataclass(frozen=True)
class EvaluationRequest:
    """What to measure of a model, and where to write it."""

    model: Path | None = argument(
        "Model file, run folder or learned hand. Default: the newest run, else the shipped model.",
        None,
    )
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
    against: list[str] | None = described(
        None, "Another model to compare with, as NAME=MODEL. Repeatable."
    )
    report: Path | None = described(None, "Write an HTML report with pictures to this file.")
    json_path: Path | None = JSON()
    sheet: Path | None = described(None, "Draw source, generated and real glyphs into this PNG.")
    device: str = DEVICE()


class Weights(StrEnum):
    """How large tensors are stored."""

    fp32 = "fp32"
    fp16 = "fp16"
    int8 = "int8"


@dataclass(frozen=True)
class ConversionRequest:
    """A network to convert to ONNX."""

    model: str = argument("Model file, run folder, hand or `bundle`; `reader` or `upscaler`.")
    output: Path = described(REQUIRED, "The .onnx file to write.", "--output", "-o")
    weights: Weights = described(
        Weights.fp16, "fp16 is all that a model file holds; int8 draws a little otherwise."
    )
