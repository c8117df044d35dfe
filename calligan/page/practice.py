"""Practice cells: 米字格, 田字格, 九宫格 and 回宫格, with a model and pale copies to trace."""

import numpy as np

from calligan.errors import ConfigError
from calligan.page.drawing import Mark, Page, dashes, frame, joined
from calligan.page.flow import moved, set_line
from calligan.page.formats import Format
from calligan.page.words import Setting
from calligan.vector.outline import Outline

GRIDS = ("mi", "tian", "jiu", "hui")
GRID_RED, PALE = "#cf6a61", "#cfcfcf"
_LINE = 0.012  # of the cell
_DASH = 0.05
_MODEL = 0.92  # a character's size, as a share of the cell
_IDENTITY = np.eye(2, 3)


def practice_pages(text: str, form: Format, setting: Setting) -> list[Page]:
    """A row for each character: a model, pale ones to trace, and empty cells."""
    region = form.region[0]
    size_mm = region.size_mm
    columns, rows = int(region.width_mm / size_mm), int(region.height_mm / size_mm)
    chars = [char for char in text if not char.isspace()]
    empty = Mark(cell(region.grid, 0, 0, size_mm), _IDENTITY, GRID_RED)
    pages = []
    for start in range(0, len(chars), rows):
        page = Page(form.width_mm, form.height_mm, form.paper)
        for row, column in np.ndindex(rows, columns):
            x_mm, y_mm = region.x_mm + column * size_mm, region.y_mm + row * size_mm
            page.marks.append(moved(empty, x_mm, y_mm))
            if column <= setting.trace and start + row < len(chars):
                colour = PALE if column else setting.ink
                mark = _in_cell(chars[start + row], size_mm, colour, setting)
                page.marks.append(moved(mark, x_mm, y_mm))
        pages.append(page)
    return pages


def cell(kind: str, x: float, y: float, size: float) -> Outline:
    """The lines of a cell. Raises ConfigError for an unknown kind."""
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
    thick = size * _LINE * 1.5  # half of it outside, so that cells side by side share one line
    parts = [frame(x - thick / 2, y - thick / 2, size + thick, size + thick, thick)]
    if kind == "hui":
        parts.append(frame(x + size * 0.2, y + size * 0.14, size * 0.6, size * 0.72, size * _LINE))
    for a, b in ends:
        start, end = ((x + size * p[0], y + size * p[1]) for p in (a, b))
        parts += dashes(start, end, size * _LINE, size * _DASH)
    return joined(parts)


def _in_cell(char: str, cell_mm: float, colour: str, setting: Setting) -> Mark:
    """A character in the middle of a cell that begins at (0, 0)."""
    size_mm, vary = cell_mm * _MODEL, _IDENTITY[None]
    (mark,), _ = set_line(char, setting.letters, "vertical", size_mm, 0, colour, vary)
    return moved(mark, cell_mm / 2, (cell_mm - size_mm) / 2)
