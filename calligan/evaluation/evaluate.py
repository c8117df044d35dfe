"""Evaluation of a model on held-out characters, with baselines and the real glyphs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from calligan.errors import ModelError, Unmeasured
from calligan.evaluation import metrics, perceptual
from calligan.evaluation.baselines import nearest_training_glyph
from calligan.evaluation.judge_styles import (
    OutlineOptions,
    StyleFigures,
    judge_styles,
    open_real_font,
)
from calligan.evaluation.recogniser import Recogniser, frechet_distance
from calligan.evaluation.scores import COMMON_PX, LARGE_PX, REAL, Scores
from calligan.evaluation.style_classifier import classify, train_style_classifier
from calligan.inference.drawer import draw_style
from calligan.models.pixels import to_tensor, to_uint8
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model, read_card
from calligan.pairs.batches import Pairs
from calligan.pairs.manifest import FontEntry
from calligan.pairs.split import Part
from calligan.pairs.store import Selection
from calligan.reader.faults import Shape, detect
from calligan.reader.limits import shipped

MODEL, COPY, NEAREST = "model", "copy the source", "nearest training glyph"
Progress = Callable[[str, int, int], None]  # what, done, of how much


@dataclass(frozen=True)
class EvaluationPlan:
    """What to evaluate, and how."""

    model: Path
    selection: Selection  # the styles, and the sources to draw from
    against: dict[str, Path] = field(default_factory=dict)  # other models, by name
    part: Part = "test"  # use "validation" to choose between models, so that test stays unseen
    chars: str | None = None  # use only test characters in this string
    count: int | None = None  # at most this many characters per style
    fine: bool = False  # with cycle spinning, as in `infer` and `export`
    strict: bool = True  # the model must not have seen any of the characters, in any style
    perceptual: bool = False  # LPIPS and FID, which download weights
    device: str = "cpu"  # to run the models on
    outlines: OutlineOptions | None = None  # which figures of outlines to compute, if any


@dataclass(frozen=True)
class Glyphs:
    """Test glyphs as each system drew them: uint8 (N, S, S) for each style."""

    styles: tuple[FontEntry, ...]
    chars: list[str]  # a string of N characters for each style
    source: list[np.ndarray]
    drawn: dict[str, list[np.ndarray]]  # by system; the last is REAL
    size_px: dict[str, int] = field(default_factory=dict)  # of models; default the data's


def evaluate(
    plan: EvaluationPlan, progress: Progress = lambda what, done, of: None
) -> tuple[Scores, Glyphs]:
    """Scores of a model on test characters, at 128 px (or the data's size, where that is smaller).

    L1, RMSE and SSIM of models that draw 256 px or more are also computed at 256 px, if the data
    has that size. Images are reduced by averaging whole pixels. Raises DataError where the model
    was trained on characters that should be unseen.
    """
    glyphs = draw_glyphs(plan, progress)
    return judge(glyphs, plan, progress), glyphs


def draw_glyphs(plan: EvaluationPlan, progress: Progress) -> Glyphs:
    """Draw the test characters with every system."""
    pairs, training = Pairs(plan.selection, plan.part), Pairs(plan.selection, "train")
    paths = {MODEL: plan.model, **plan.against}
    models = {name: load_model(path, plan.device) for name, path in paths.items()}
    for name, (generator, card) in models.items():
        if generator.takes_char_index:
            raise ModelError(f"{name} draws from noise; it cannot draw unseen characters")
        if plan.strict:
            card.check_unseen("".join(set().union(*pairs.chars)))
    size_px = {name: card.size_px for name, (_, card) in models.items()}
    predictors = {n: Predictor(each, plan.device, plan.fine) for n, (each, _) in models.items()}
    glyphs = Glyphs(plan.selection.styles, [], [], {}, size_px)
    for index, style in enumerate(pairs.styles):
        progress("drawing", index, len(pairs.styles))
        batch = pairs.spread(index, plan.count, plan.chars)
        for name, predictor in predictors.items():
            card = models[name][1]
            number = card.style_index(style.name)
            vector = predictor.style(number)
            drawn = draw_style(predictor, card.styles[number], vector, batch.source)
            glyphs.drawn.setdefault(name, []).append(_scale_like(drawn, batch.target))
        glyphs.drawn.setdefault(COPY, []).append(batch.source)
        nearest = nearest_training_glyph(batch, training.spread(index))
        glyphs.drawn.setdefault(NEAREST, []).append(nearest)
        glyphs.drawn.setdefault(REAL, []).append(batch.target)
        glyphs.chars.append(batch.chars)
        glyphs.source.append(batch.source)
    return glyphs


def judge(glyphs: Glyphs, plan: EvaluationPlan, progress: Progress) -> Scores:
    """Compute all available metrics; for the others, record why they are unavailable."""
    every = "".join(dict.fromkeys("".join(glyphs.chars)))
    scores = Scores(glyphs.styles, every, tuple(glyphs.drawn))
    _measure_pixels(scores, glyphs, progress)
    training = Pairs(plan.selection, "train")
    judges: list[tuple[str, Callable[[], None]]] = [
        ("style", lambda: _measure_style(scores, glyphs, training, progress)),
        ("content", lambda: _measure_content(scores, glyphs, Recogniser(), progress)),
        ("faulty", lambda: _measure_faults(scores, glyphs)),
    ]
    if plan.perceptual:
        judges += [
            ("lpips", lambda: _measure_lpips(scores, glyphs)),
            ("fid", lambda: _measure_fid(scores, glyphs)),
        ]
    else:
        reason = "not requested; --perceptual downloads the weights it needs"
        scores.unmeasured |= dict.fromkeys(("lpips", "fid"), reason)
    for name, run in judges:
        try:
            run()
        except Unmeasured as error:
            scores.unmeasured[name] = str(error)
    return scores


def judge_outlines(
    glyphs: Glyphs, plan: EvaluationPlan, progress: Progress
) -> dict[str, list[StyleFigures]]:
    """Figures of every model's outlines, one entry per style, by system.

    Raises Unmeasured where a style is handwriting, not a font.
    """
    assert plan.outlines is not None
    real = [open_real_font(style) for style in glyphs.styles]
    common = plan.selection.sources[0], real, glyphs.chars, plan.outlines, progress
    paths = {MODEL: plan.model, **plan.against}
    return {name: judge_styles(path, *common, plan.device) for name, path in paths.items()}


def style_names(model: Path) -> Sequence[str]:
    """The names of a model's styles, in order."""
    return [style.name for style in read_card(model).styles]


def _measure_pixels(scores: Scores, glyphs: Glyphs, progress: Progress) -> None:
    pairwise = {"l1": metrics.ink_l1, "rmse": metrics.rmse, "ssim": metrics.ssim}
    alone = {
        "clean": metrics.clean,
        "mid_grey": metrics.mid_grey,
        "edge_slope": metrics.edge_slope,
    }
    for style, chars in enumerate(glyphs.chars):
        progress("measuring", style, len(glyphs.chars))
        real = glyphs.drawn[REAL][style]
        data_px = real.shape[-1]
        for system, images in glyphs.drawn.items():
            small = _scale_to(images[style], min(COMMON_PX, data_px))
            for name, measure in alone.items():
                scores.put(system, name, style, chars, measure(small))
            if system == REAL:
                continue
            for name, compare in pairwise.items():
                value = compare(small, _scale_to(real, small.shape[-1]))
                scores.put(system, name, style, chars, value)
            if min(data_px, glyphs.size_px.get(system, data_px)) >= LARGE_PX:
                large = _scale_to(images[style], LARGE_PX), _scale_to(real, LARGE_PX)
                for name, compare in pairwise.items():
                    scores.put(system, f"{name}_{LARGE_PX}", style, chars, compare(*large))


def _measure_style(scores: Scores, glyphs: Glyphs, training: Pairs, progress: Progress) -> None:
    if len(training.styles) < 2:
        raise Unmeasured("style accuracy needs two or more styles")

    def report(done: int, of: int) -> None:
        progress("training the style classifier", done, of)

    classifier = train_style_classifier(training, progress=report)
    for style, chars in enumerate(glyphs.chars):
        for system, images in glyphs.drawn.items():
            right = classify(classifier, images[style]) == style
            scores.put(system, "style", style, chars, right)


def _measure_content(
    scores: Scores, glyphs: Glyphs, recogniser: Recogniser, progress: Progress
) -> None:
    known = set(recogniser.chars)
    found: dict[str, list[np.ndarray]] = {system: [] for system in glyphs.drawn}
    for style, chars in enumerate(glyphs.chars):
        progress("reading", style, len(glyphs.chars))
        for system, images in glyphs.drawn.items():
            read, features = recogniser.read(images[style])
            pairs = zip(read, chars, strict=True)
            right = [r == c if c in known else np.nan for r, c in pairs]
            scores.put(system, "content", style, chars, np.array(right, float))
            found[system].append(features)
    real = np.concatenate(found[REAL])
    for system in glyphs.drawn:
        if system != REAL and len(real) > 1:  # one glyph has no covariance
            distance = frechet_distance(np.concatenate(found[system]), real)
            scores.sets.setdefault("recogniser_frechet", {})[system] = round(distance, 5)


def _measure_faults(scores: Scores, glyphs: Glyphs) -> None:
    """By the detectors, beside the source; by a hand's limits or its script's."""
    if (known := shipped()) is None:
        raise Unmeasured("this calligan came without the detectors' limits; install it again")
    for index, (style, chars) in enumerate(zip(glyphs.styles, glyphs.chars, strict=True)):
        limits = known.limits_of(style.script, style.name)
        shapes = [Shape.of(image) for image in glyphs.source[index]]
        for system, images in glyphs.drawn.items():
            pairs = zip(images[index], shapes, strict=True)
            wrong = [bool(detect(image, shape, limits).faults) for image, shape in pairs]
            scores.put(system, "faulty", index, chars, np.array(wrong, float))


def _measure_lpips(scores: Scores, glyphs: Glyphs) -> None:
    compare = perceptual.lpips()
    for style, chars in enumerate(glyphs.chars):
        for system, images in glyphs.drawn.items():
            if system != REAL:
                values = compare(images[style], glyphs.drawn[REAL][style])
                scores.put(system, "lpips", style, chars, values)


def _measure_fid(scores: Scores, glyphs: Glyphs) -> None:
    compare = perceptual.fid()
    real = np.concatenate(glyphs.drawn[REAL])
    for system, images in glyphs.drawn.items():
        if system != REAL:
            distance = compare(np.concatenate(images), real)
            scores.sets.setdefault("fid", {})[system] = round(distance, 3)


def _scale_like(images: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Images scaled to the size of the real glyphs."""
    return _scale_to(images, like.shape[-1])


def _scale_to(images: np.ndarray, size_px: int) -> np.ndarray:
    """Images uint8 (N, H, W) scaled to (N, size, size)."""
    return images if images.shape[-1] == size_px else to_uint8(to_tensor(images, size_px))
