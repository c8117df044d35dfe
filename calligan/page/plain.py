"""Plain pages, as large as their text: lines, or columns from right to left."""

from collections.abc import Sequence

from calligan.page.drawing import Page
from calligan.page.flow import Direction, Variation, advance_em, broken, moved, set_line
from calligan.page.layout import Setting

_LINE_GAP = 0.22  # between lines, in ems
_MARGIN = 0.28  # round the page, in ems


def plain(
    text: str,
    setting: Setting,
    size_mm: float,
    direction: Direction,
    wrap_em: float | None,
    paper: str | None,
) -> Page:
    """One page as large as its text, characters `size_mm` in size."""

    def advance(char: str) -> float:
        return advance_em(setting.letters, char, direction)

    lines = text.split("\n") if wrap_em is None else broken(text, wrap_em, advance)
    vary = Variation(setting.vary, setting.seed).matrices(len(text) + 1)
    set_lines, drawn = [], 0
    for line in lines:
        done = set_line(line, setting.letters, direction, size_mm, 0, setting.ink, vary[drawn:])
        set_lines.append(done)
        drawn += len(line)
    along = max([size_mm, *(length for _, length in set_lines)])
    across = len(lines) * size_mm + (len(lines) - 1) * _LINE_GAP * size_mm
    margin, pitch = _MARGIN * size_mm, size_mm * (1 + _LINE_GAP)
    width, height = (across, along) if direction == "vertical" else (along, across)
    page = Page(width + 2 * margin, height + 2 * margin, paper)
    for number, (marks, _) in enumerate(set_lines):
        if direction == "vertical":
            x, y = margin + width - size_mm / 2 - number * pitch, margin
        else:
            x, y = margin, margin + number * pitch
        page.marks += [moved(mark, x, y) for mark in marks]
    return page


def stacked(pages: Sequence[Page]) -> Page:
    """Pages one under another, aligned at the left."""
    whole = Page(max(page.width_mm for page in pages), 0.0, pages[0].paper)
    for page in pages:
        whole.marks += [moved(mark, 0, whole.height_mm) for mark in page.marks]
        whole.height_mm += page.height_mm
    return whole
