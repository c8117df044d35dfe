"""Tables of the figures of outlines."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from calligan.evaluation import judge_styles
from calligan.evaluation.interval import Estimate
from calligan.evaluation.judge_styles import DRAWN, OTHER_CHARS, TRACED_REAL, StyleFigures
from calligan.evaluation.line import COUNTS, RATIOS
from calligan.evaluation.report import Table

MEAN = "mean of hands"


def tables(found: Mapping[str, Sequence[StyleFigures]], intervals: bool = False) -> list[Table]:
    """The tables of each system: line figures, also for dense characters, and AUCs."""
    made = []
    for system, styles in found.items():
        for table in (
            *(line_table(styles, dense, intervals) for dense in (False, True)),
            auc_table(styles),
        ):
            title = ": ".join(filter(None, (system if len(found) > 1 else "", table.head[0])))
            made += [replace(table, head=[title, *table.head[1:]])] if table.rows else []
    return made


def as_json(found: Mapping[str, Sequence[StyleFigures]]) -> dict[str, Any]:
    """All figures by system and style; empty if none were requested."""
    if not found:
        return {}
    return {"outlines": {system: judge_styles.as_json(styles) for system, styles in found.items()}}


def line_table(
    styles: Sequence[StyleFigures], dense: bool = False, intervals: bool = False
) -> Table:
    """Figures relative to the real glyphs, one row per style; of all or of dense characters."""
    names = [*RATIOS, *COUNTS]
    rows, found = [], []
    for style in styles:
        if style.line is not None:
            figures = {name: style.line.figure(name, dense) for name in names}
            count = max((value.n for value in figures.values() if value), default=0)
            cells = [_figure(figures[name], name, intervals) for name in names]
            straying = "" if dense else _straying(style)
            rows.append([style.name, str(count), *cells, *([] if dense else [straying])])
            found.append(figures)
    if len(rows) > 1:
        means = [_mean([figures[name] for figures in found], name) for name in names]
        rows.append([MEAN, "", *means, *([] if dense else [""])])
    head = [
        "dense characters" if dense else "",
        "n",
        *names,
        *([] if dense else ["strays, em/1000"]),
    ]
    return Table(head, rows, MEAN)


def auc_table(styles: Sequence[StyleFigures], intervals: bool = True) -> Table:
    """AUCs of drawn against real glyphs and of reference sets, one row per style."""
    names = [DRAWN, *TRACED_REAL.values(), OTHER_CHARS]
    present = [name for name in names if any(name in style.aucs for style in styles)]
    rows = [
        [style.name, str(max(v.n for v in style.aucs.values()))]
        + [_figure(style.aucs.get(name), "AUC", intervals, 3) for name in present]
        for style in styles
        if style.aucs
    ]
    if len(rows) > 1:
        means = [_mean([style.aucs.get(name) for style in styles], "AUC", 3) for name in present]
        rows.append([MEAN, "", *means])
    return Table(["told apart, AUC", "n", *present], rows, MEAN)


def _straying(style: StyleFigures) -> str:
    drawn, real = style.line.means("straying") if style.line else (np.nan, np.nan)
    return "–" if np.isnan(drawn) else f"{drawn:.2f} of {real:.2f}"


def _mean(values: Sequence[Estimate | None], name: str, digits: int = 2) -> str:
    present = [value.mean for value in values if value is not None]
    return _format(float(np.mean(present)), name, digits) if present else "–"


def _figure(value: Estimate | None, name: str, interval: bool, digits: int = 2) -> str:
    if value is None:
        return "–"
    text = _format(value.mean, name, digits)
    if not interval:
        return text
    return f"{text} ({_format(value.low, name, digits)}–{_format(value.high, name, digits)})"


def _format(number: float, name: str, digits: int) -> str:
    return f"{number:+.0f}" if name in COUNTS else f"{number:.{digits}f}"
