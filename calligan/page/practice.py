"""Cells to practise in: 米字格, 田字格, 九宫格 and 回宫格, with a model and pale ones to trace."""

from calligan.errors import ConfigError
from calligan.page.drawing import dashes, frame, joined
from calligan.vector.outline import Outline

GRIDS = ("mi", "tian", "jiu", "hui")
GRID_RED, PALE = "#cf6a61", "#cfcfcf"
_LINE = 0.012  # of the cell
_DASH = 0.05


def cell(kind: str, x: float, y: float, size: float) -> Outline:
    """One cell's lines. Raises ConfigError for a kind that there is not."""
    if kind not in GRIDS:
        raise ConfigError(f"no grid {kind!r}; there are: {', '.join(GRIDS)}")
    ends = []
    if kind in ("mi", "tian"):
        ends += [((0, 0.5), (1, 0.5)), ((0.5, 0), (0.5, 1))]
    if kind == "mi":
        ends += [((0, 0), (1, 1)), ((1, 0), (0, 1))]
    if kind == "jiu":
        ends += [((0, t), (1, t)) for t in (1 / 3, 2 / 3)]
        ends += [((t, 0), (t, 1)) for t in (1 / 3, 2 / 3)]
    parts = [frame(x, y, size, size, size * _LINE * 1.5)]
    if kind == "hui":
        parts.append(frame(x + size * 0.2, y + size * 0.14, size * 0.6, size * 0.72, size * _LINE))
    for a, b in ends:
        start, end = ((x + size * p[0], y + size * p[1]) for p in (a, b))
        parts += dashes(start, end, size * _LINE, size * _DASH)
    return joined(parts)
