"""Whole hands before the judges of outlines: the line in figures, and told apart or not.

A model's glyphs are drawn and traced as `export` does it, in four places and enlarged, but as they
come: without the verdict, which would draw doubtful ones in other ways.
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
from calligan.evaluation.told_apart import FOLDS, shown, told_apart
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement
from calligan.inference.writer import Writer
from calligan.pairs.handwriting import OWN_LICENCE
from calligan.pairs.manifest import FontEntry
from calligan.vector.font import UPEM
from calligan.vector.trace import trace

DRAWN = "drawn"
TRACED = {128: "own, 128 px", 256: "own, 256 px"}  # the font's own glyphs through `trace`
OTHERS = "own, other characters"  # half of the real glyphs against the other half
Progress = Callable[[str, int, int], None]  # what, done, of how much


@dataclass(frozen=True)
class Real:
    """A hand's own font, and where its em box lies on a model's canvas."""

    name: str
    face: Face
    placement: Placement


@dataclass(frozen=True)
class Hand:
    """What was found of one hand: AUCs by what was told from the real glyphs (DRAWN, …)."""

    name: str
    line: Line | None = None
    told: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What is to be found of a hand."""

    line: bool = True
    told: bool = False
    calibrate: bool = False  # the font's own glyphs in place of the drawn ones, too


def shared(writer: Writer, face: Face, chars: str) -> str:
    """Those of `chars` that the source font and the hand's own both draw."""
    there = (char for char in chars if not writer.source.lacks(char))
    return "".join(char for char in there if real_outline(face, char) is not None)


def real_hand(style: FontEntry) -> Real:
    """A style's own font, as a data folder was drawn from it.

    Raises Unmeasured where it is no font, but written glyphs, or is gone.
    """
    spec = FontSpec(Path(style.path), style.face, style.instance)
    if style.licence == OWN_LICENCE or not spec.path.is_file():
        raise Unmeasured(f"{style.name} has no font here whose outlines could be looked at")
    return Real(style.name, Face(spec), style.placement)


def judge_hands(
    model: Path,
    source: FontEntry,
    real: Sequence[Real],
    chars: Sequence[str],
    asked: Asked,
    progress: Progress,
    device: str = "cpu",
) -> list[Hand]:
    """A model's hands, drawn from one source: of each those of its characters that both have."""
    spec = FontSpec(Path(source.path), source.face, source.instance)
    writer = Writer.open(model, str(spec), device=device)
    pairs = zip(real, chars, strict=True)
    return [judge_hand(writer, hand, each, asked, progress) for hand, each in pairs]


def judge_hand(
    writer: Writer,
    real: Real,
    chars: str,
    asked: Asked,
    progress: Progress = lambda what, done, of: None,
) -> Hand:
    """Draw `chars` in the style of that name and judge them; at least six to be told apart."""
    chars = shared(writer, real.face, chars)
    progress(f"{real.name}: drawing", 0, 1)
    index = writer.card.style_index(real.name)
    drawn = [glyph.image for glyph in writer.draw(chars, index)]
    large = [*writer.enlarged(drawn)] if drawn else []
    by_char = dict(zip(chars, large, strict=True))
    return judge_images(by_char, real, asked, progress, writer.tracing(index))


def judge_images(
    drawn: Mapping[str, np.ndarray],
    real: Real,
    asked: Asked,
    progress: Progress,
    tracing: TraceConfig | None = None,
) -> Hand:
    """Judge images as `export` traces them, uint8 (S, S) by character, beside the real glyphs."""
    done = 0

    def measured(count: int) -> None:
        nonlocal done
        done += count
        progress(f"{real.name}: measuring", done, len(drawn))

    line = None
    if asked.line and drawn:
        line = measure_line(drawn, real.face, real.placement, tracing, measured)
    told = {}
    if asked.told and len(drawn) >= 2 * FOLDS:
        told = tell_apart(drawn, real, asked.calibrate, progress, tracing)
    return Hand(real.name, line, told)


def tell_apart(
    drawn: Mapping[str, np.ndarray],
    real: Real,
    calibrate: bool,
    progress: Progress,
    tracing: TraceConfig | None = None,
) -> dict[str, Estimate]:
    """AUCs of drawn against real glyphs, and of what calibrates them: by what was told apart."""
    own = np.stack([_shown_real(real, char) for char in drawn])
    pairs = {DRAWN: (np.stack([_shown(image, real, tracing) for image in drawn.values()]), own)}
    if calibrate:
        for size_px, name in TRACED.items():
            place = real.placement.scaled(size_px)
            images = [place.draw(real.face, real.face.glyph_index(char)) for char in drawn]
            kept = [i for i, image in enumerate(images) if image is not None]
            traced = [_shown(image, real) for image in images if image is not None]
            pairs[name] = np.stack(traced), own[kept]
        half = len(own) // 2
        order = np.random.default_rng(0).permutation(len(own))
        pairs[OTHERS] = own[order[:half]], own[order[half : 2 * half]]
    found = {}
    for name, (a, b) in pairs.items():

        def moved(done: int, of: int, name: str = name) -> None:
            progress(f"{real.name}: telling apart, {name}", done, of)

        if len(a) >= 2 * FOLDS:
            found[name] = told_apart(a, b, progress=moved)
    return found


def _shown(image: np.ndarray, real: Real, tracing: TraceConfig | None = None) -> np.ndarray:
    return shown(trace(image, real.placement, UPEM, tracing or TraceConfig()))


def _shown_real(real: Real, char: str) -> np.ndarray:
    outline = real_outline(real.face, char)
    if outline is None:
        raise ValueError(f"{real.name} does not draw {char}")
    return shown(outline)


def as_json(hands: Sequence[Hand]) -> dict[str, dict[str, Any]]:
    """Every figure by hand, with its n and interval; of dense characters too."""
    found: dict[str, dict[str, Any]] = {}
    for hand in hands:
        told = {name: _plain(value) for name, value in hand.told.items()}
        found[hand.name] = {"told_apart": told} if told else {}
        for key, dense in (("line", False), ("dense", True)):
            if hand.line is not None:
                figures = {name: hand.line.figure(name, dense) for name in (*RATIOS, *COUNTS)}
                found[hand.name][key] = {n: _plain(v) for n, v in figures.items() if v}
        if hand.line is not None:
            drawn, own = hand.line.means("straying")
            if not np.isnan(drawn):
                means = {"drawn": round(drawn, 3), "real": round(own, 3)}
                found[hand.name]["straying_thousandths_em"] = means
    return found


def _plain(value: Estimate) -> dict[str, float]:
    numbers = {"mean": value.mean, "low": value.low, "high": value.high}
    rounded = {key: round(number, 4) for key, number in numbers.items() if not np.isnan(number)}
    return {**rounded, "n": value.n}
