"""The value of each metric for each glyph and system; means with intervals, also by group."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from calligan.evaluation.interval import Estimate, estimate
from calligan.glyphs.strokes import stroke_count
from calligan.pairs.manifest import FontEntry

REAL = "real"
COMMON_PX = 128  # image size of all figures, so that models can be compared
LARGE_PX = 256  # of additional figures, if both model and data have this size
STROKES = ((1, 6), (7, 10), (11, 14), (15, 99))


@dataclass(frozen=True)
class Metric:
    """A metric of one glyph."""

    name: str
    title: str
    better: str  # lower | higher | as real
    about: str


METRICS = (
    Metric("l1", "L1", "lower", "mean difference of ink (0 to 1) a pixel"),
    Metric("rmse", "RMSE", "lower", "root of the mean squared difference of ink, a glyph"),
    Metric("ssim", "SSIM", "higher", "on ink, Gaussian window 11 px, sigma 1.5 px, data range 1"),
    *(
        Metric(f"{name}_{LARGE_PX}", f"{title} {LARGE_PX} px", better, f"the same at {LARGE_PX} px")
        for name, title, better in (
            ("l1", "L1", "lower"),
            ("rmse", "RMSE", "lower"),
            ("ssim", "SSIM", "higher"),
        )
    ),
    Metric("lpips", "LPIPS", "lower", "AlexNet, through torchmetrics"),
    Metric("content", "content", "higher", "share read as the right character by PP-OCRv6-small"),
    Metric("clean", "clean", "as real", "share of ink on strokes or near them, not fog or specks"),
    Metric(
        "style",
        "style",
        "higher",
        "share that a classifier of real glyphs gives to the style, of those judged",
    ),
    Metric("faulty", "faulty", "as real", "share with a speck, melted, broken … by the detectors"),
    Metric("mid_grey", "mid-grey", "as real", "share of pixels with ink between .2 and .8"),
    Metric("edge_slope", "edge slope", "as real", "step of ink a pixel across an outline"),
)


@dataclass
class Scores:
    """`values[system, metric]` is (styles, characters), NaN where there is no glyph."""

    styles: tuple[FontEntry, ...]
    chars: str  # of all styles
    systems: tuple[str, ...]  # the models, baselines, and the real font
    values: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    sets: dict[str, dict[str, float]] = field(default_factory=dict)  # figures of glyph sets
    unmeasured: dict[str, str] = field(default_factory=dict)  # metric to reason

    def put(self, system: str, metric: str, style: int, chars: str, values: np.ndarray) -> None:
        """Store one style's values, in the order of `chars`."""
        shape = (len(self.styles), len(self.chars))
        table = self.values.setdefault((system, metric), np.full(shape, np.nan))
        table[style, [self._column[char] for char in chars]] = values

    def mean(
        self,
        system: str,
        metric: str,
        styles: Iterable[int] | None = None,
        strokes: tuple[int, int] | None = None,
    ) -> Estimate | None:
        """The mean over some styles (or all) and characters of some stroke counts (or all)."""
        table = self.values.get((system, metric))
        if table is None:
            return None
        if strokes is not None:
            counts = np.array([stroke_count(char) or 0 for char in self.chars])
            table = table[:, (counts >= strokes[0]) & (counts <= strokes[1])]
        chosen = table if styles is None else table[list(styles)]
        return estimate(chosen) if chosen.size else None

    def ratio_to_real(
        self, system: str, metric: str, styles: Iterable[int] | None = None
    ) -> float | None:
        """A mean, divided by that of the real glyphs."""
        rows = None if styles is None else list(styles)
        drawn, real = self.mean(system, metric, rows), self.mean(REAL, metric, rows)
        return drawn.mean / real.mean if drawn and real and real.mean else None

    def groups(self) -> dict[str, list[int]]:
        """Style indices by script (楷, 行, …), in the styles' order."""
        found: dict[str, list[int]] = {}
        for index, style in enumerate(self.styles):
            found.setdefault(style.script or "other", []).append(index)
        return found

    def __post_init__(self) -> None:
        self._column = {char: i for i, char in enumerate(self.chars)}


def as_json(scores: Scores) -> dict[str, Any]:
    """All means with n and interval: overall, by script, by style, by stroke count."""
    scopes: dict[str, list[int] | None] = {"all": None}
    scopes |= {f"script {name}": rows for name, rows in scores.groups().items()}
    scopes |= {f"style {font.name}": [i] for i, font in enumerate(scores.styles)}
    means = {scope: _means(scores, rows) for scope, rows in scopes.items()}
    strokes = {
        f"{low}-{high} strokes": {
            system: _to_json(scores.mean(system, "content", strokes=(low, high)))
            for system in scores.systems
        }
        for low, high in STROKES
    }
    about = {metric.name: metric.about for metric in METRICS}
    return {
        "metrics": about,
        "unmeasured": scores.unmeasured,
        "means": means,
        "content_by_strokes": strokes,
        "sets": scores.sets,
    }


def _means(scores: Scores, rows: list[int] | None) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for system in scores.systems:
        found[system] = {}
        for metric in METRICS:
            if (value := _to_json(scores.mean(system, metric.name, rows))) is not None:
                found[system][metric.name] = value
    return found


def _to_json(value: Estimate | None) -> dict[str, float] | None:
    if value is None:
        return None
    numbers = {"mean": value.mean, "low": value.low, "high": value.high}
    return {**{key: round(number, 5) for key, number in numbers.items()}, "n": value.n}
