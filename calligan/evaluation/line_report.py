"""What the judges of outlines found, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from calligan.evaluation import hands as judged
from calligan.evaluation.hands import DRAWN, OTHERS, TRACED, Hand
from calligan.evaluation.interval import Estimate
from calligan.evaluation.line import COUNTS, RATIOS
from calligan.evaluation.report import Table

MEAN = "mean of hands"


def tables(found: Mapping[str, Sequence[Hand]], intervals: bool = False) -> list[Table]:
    """Of each system's hands: their line, that of dense characters, and told apart or not."""
    made = []
    for system, hands in found.items():
        for table in (
            *(line_table(hands, dense, intervals) for dense in (False, True)),
            told_table(hands),
        ):
            title = ": ".join(filter(None, (system if len(found) > 1 else "", table.head[0])))
            made += [replace(table, head=[title, *table.head[1:]])] if table.rows else []
    return made


def as_json(found: Mapping[str, Sequence[Hand]]) -> dict[str, Any]:
    """Every figure by system and hand; nothing where nothing was asked for."""
    if not found:
        return {}
    return {"outlines": {system: judged.as_json(hands) for system, hands in found.items()}}


def line_table(hands: Sequence[Hand], dense: bool = False, intervals: bool = False) -> Table:
    """A row a hand: figures over the real glyphs', of all characters or of dense ones."""
    names = [*RATIOS, *COUNTS]
    rows, found = [], []
    for hand in hands:
        if hand.line is not None:
            figures = {name: hand.line.figure(name, dense) for name in names}
            count = max((value.n for value in figures.values() if value), default=0)
            cells = [_figure(figures[name], name, intervals) for name in names]
            straying = "" if dense else _upem(hand)
            rows.append([hand.name, str(count), *cells, *([] if dense else [straying])])
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


def told_table(hands: Sequence[Hand], intervals: bool = True) -> Table:
    """A row a hand: the AUC of drawn against real glyphs, and of what calibrates it."""
    names = [DRAWN, *TRACED.values(), OTHERS]
    there = [name for name in names if any(name in hand.told for hand in hands)]
    rows = [
        [hand.name, str(max(v.n for v in hand.told.values()))]
        + [_figure(hand.told.get(name), "AUC", intervals, 3) for name in there]
        for hand in hands
        if hand.told
    ]
    if len(rows) > 1:
        means = [_mean([hand.told.get(name) for hand in hands], "AUC", 3) for name in there]
        rows.append([MEAN, "", *means])
    return Table(["told apart, AUC", "n", *there], rows, MEAN)


def _upem(hand: Hand) -> str:
    drawn, real = hand.line.means("straying") if hand.line else (np.nan, np.nan)
    return "–" if np.isnan(drawn) else f"{drawn:.2f} of {real:.2f}"


def _mean(values: Sequence[Estimate | None], name: str, digits: int = 2) -> str:
    there = [value.mean for value in values if value is not None]
    return _told(float(np.mean(there)), name, digits) if there else "–"


def _figure(value: Estimate | None, name: str, interval: bool, digits: int = 2) -> str:
    if value is None:
        return "–"
    text = _told(value.mean, name, digits)
    if not interval:
        return text
    return f"{text} ({_told(value.low, name, digits)}–{_told(value.high, name, digits)})"


def _told(number: float, name: str, digits: int) -> str:
    return f"{number:+.0f}" if name in COUNTS else f"{number:.{digits}f}"
