"""Evaluation of the outlines of whole styles: line figures, and a classifier two-sample test.

A model's glyphs are drawn and traced as in `export`, with cycle spinning and upscaling, but without
the verdict and its retries.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from calligan.config import TraceConfig
from calligan.errors import Unmeasured
from calligan.evaluation.interval import Estimate
from calligan.evaluation.line import COUNTS, RATIOS, Line, measure_line, real_outline
from calligan.evaluation.told_apart import FOLDS, rasterize, two_sample_auc
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement
from calligan.inference.writer import Writer
from calligan.pairs.handwriting import OWN_LICENCE
from calligan.pairs.manifest import FontEntry
from calligan.vector.font import UPEM
from calligan.vector.trace import trace

DRAWN = "drawn"
TRACED_REAL = {128: "own, 128 px", 256: "own, 256 px"}  # the font's glyphs, rasterized and traced
OTHER_CHARS = "own, other characters"  # one half of the real glyphs against the other
Progress = Callable[[str, int, int], None]  # what, done, of how much


@dataclass(frozen=True)
class RealFont:
    """The real font of a style, and its placement on a model's canvas."""

    name: str
    face: Face
    placement: Placement


@dataclass(frozen=True)
class StyleFigures:
    """The figures of one style; `aucs` has AUCs against real glyphs, by kind (DRAWN, …)."""

    name: str
    line: Line | None = None
    aucs: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class OutlineOptions:
    """The figures to compute for style_chars style."""

    line: bool = True
    told_apart: bool = False  # AUCs of drawn against real glyphs
    calibrate: bool = False  # also AUCs for the font's own glyphs instead of drawn ones


def shared_chars(writer: Writer, face: Face, chars: str) -> str:
    """The characters that both the source font and the real font have."""
    available = (char for char in chars if not writer.source.lacks(char))
    return "".join(char for char in available if real_outline(face, char) is not None)


def open_real_font(style: FontEntry) -> RealFont:
    """Open a style's real font, with its placement in the data folder.

    Raises Unmeasured where the style is handwriting, or the file does not exist.
    """
    spec = FontSpec(Path(style.path), style.face, style.instance)
    if style.licence == OWN_LICENCE or not spec.path.is_file():
        raise Unmeasured(f"{style.name} has no font on this machine to compare outlines with")
    return RealFont(style.name, Face(spec), style.placement)


def judge_styles(
    model: Path,
    source: FontEntry,
    real: Sequence[RealFont],
    chars: Sequence[str],
    options: OutlineOptions,
    progress: Progress,
    device: str = "cpu",
) -> list[StyleFigures]:
    """Judge a model's styles, drawn from one source; uses characters that both fonts have."""
    spec = FontSpec(Path(source.path), source.face, source.instance)
    writer = Writer.open(model, str(spec), device=device)
    pairs = zip(real, chars, strict=True)
    return [judge_style(writer, font, known, options, progress) for font, known in pairs]


def judge_style(
    writer: Writer,
    real: RealFont,
    chars: str,
    options: OutlineOptions,
    progress: Progress = lambda what, done, of: None,
) -> StyleFigures:
    """Draw `chars` in the style of `real` and judge them; the AUC needs at least six."""
    chars = shared_chars(writer, real.face, chars)
    progress(f"{real.name}: drawing", 0, 1)
    index = writer.card.style_index(real.name)
    drawn = [glyph.image for glyph in writer.draw(chars, index)]
    large = [*writer.enlarged(drawn)] if drawn else []
    by_char = dict(zip(chars, large, strict=True))
    return judge_images(by_char, real, options, progress, writer.tracing(index))


def judge_images(
    drawn: Mapping[str, np.ndarray],
    real: RealFont,
    options: OutlineOptions,
    progress: Progress,
    tracing: TraceConfig | None = None,
) -> StyleFigures:
    """Compare images to be traced, uint8 (S, S) by character, with the real glyphs."""
    done = 0

    def count_done(count: int) -> None:
        nonlocal done
        done += count
        progress(f"{real.name}: measuring", done, len(drawn))

    line = None
    if options.line and drawn:
        line = measure_line(drawn, real.face, real.placement, tracing, count_done)
    aucs = {}
    if options.told_apart and len(drawn) >= 2 * FOLDS:
        aucs = tell_apart(drawn, real, options.calibrate, progress, tracing)
    return StyleFigures(real.name, line, aucs)


def tell_apart(
    drawn: Mapping[str, np.ndarray],
    real: RealFont,
    calibrate: bool,
    progress: Progress,
    tracing: TraceConfig | None = None,
) -> dict[str, Estimate]:
    """AUCs of drawn against real glyphs, by kind; with `calibrate` also of reference sets."""
    own = np.stack([_real_input(real, char) for char in drawn])
    pairs = {
        DRAWN: (np.stack([_traced_input(image, real, tracing) for image in drawn.values()]), own)
    }
    if calibrate:
        for size_px, name in TRACED_REAL.items():
            place = real.placement.scaled(size_px)
            images = [place.draw(real.face, real.face.glyph_index(char)) for char in drawn]
            kept = [i for i, image in enumerate(images) if image is not None]
            traced = [_traced_input(image, real) for image in images if image is not None]
            pairs[name] = np.stack(traced), own[kept]
        half = len(own) // 2
        order = np.random.default_rng(0).permutation(len(own))
        pairs[OTHER_CHARS] = own[order[:half]], own[order[half : 2 * half]]
    found = {}
    for name, (a, b) in pairs.items():

        def report(done: int, of: int, name: str = name) -> None:
            progress(f"{real.name}: telling apart, {name}", done, of)

        if len(a) >= 2 * FOLDS:
            found[name] = two_sample_auc(a, b, progress=report)
    return found


def _traced_input(
    image: np.ndarray, real: RealFont, tracing: TraceConfig | None = None
) -> np.ndarray:
    return rasterize(trace(image, real.placement, UPEM, tracing or TraceConfig()))


def _real_input(real: RealFont, char: str) -> np.ndarray:
    outline = real_outline(real.face, char)
    if outline is None:
        raise ValueError(f"{real.name} does not draw {char}")
    return rasterize(outline)


def as_json(styles: Sequence[StyleFigures]) -> dict[str, dict[str, Any]]:
    """All figures by style, with n and interval; of dense characters too."""
    found: dict[str, dict[str, Any]] = {}
    for style in styles:
        aucs = {name: _to_json(value) for name, value in style.aucs.items()}
        found[style.name] = {"told_apart": aucs} if aucs else {}
        for key, dense in (("line", False), ("dense", True)):
            if style.line is not None:
                figures = {name: style.line.figure(name, dense) for name in (*RATIOS, *COUNTS)}
                found[style.name][key] = {n: _to_json(v) for n, v in figures.items() if v}
        if style.line is not None:
            drawn, own = style.line.means("straying")
            if not np.isnan(drawn):
                means = {"drawn": round(drawn, 3), "real": round(own, 3)}
                found[style.name]["straying_thousandths_em"] = means
    return found


def _to_json(value: Estimate) -> dict[str, float]:
    numbers = {"mean": value.mean, "low": value.low, "high": value.high}
    rounded = {key: round(number, 4) for key, number in numbers.items() if not np.isnan(number)}
    return {**rounded, "n": value.n}
