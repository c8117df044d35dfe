"""Plain pages, as large as their text: lines, or columns from right to left."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from calligan.page.drawing import Mark, Page
from calligan.page.flow import Direction, Letter, Variation, advances_em, broken, moved, set_line
from calligan.page.layout import Setting

_LINE_GAP = 0.22  # between lines, in ems
_MARGIN = 0.28  # round the page, in ems
_LABEL = 0.1  # height of a label, as a share of its page's
_LEAST_LABEL_MM = 2.6
_LABEL_GREY = "#808080"


def plain(
    text: str,
    setting: Setting,
    size_mm: float,
    direction: Direction,
    wrap_em: float | None,
    paper: str | None,
) -> Page:
    """One page as large as its text, characters `size_mm` in size."""

    def length_em(part: str) -> float:
        return sum(advances_em(setting.letters, part, direction))

    lines = text.split("\n") if wrap_em is None else broken(text, wrap_em, length_em)
    vary = Variation(setting.vary, setting.seed).matrices(len(text) + 1)
    margin, pitch = _MARGIN * size_mm, size_mm * (1 + _LINE_GAP)
    across = len(lines) * size_mm + (len(lines) - 1) * _LINE_GAP * size_mm
    along, marks, drawn = size_mm, [], 0
    for number, line in enumerate(lines):
        start_mm = (margin, margin + number * pitch)
        if direction == "vertical":
            start_mm = (margin + across - size_mm / 2 - number * pitch, margin)
        done, length_mm = set_line(
            line, setting.letters, direction, size_mm, 0, setting.ink, vary[drawn:], start_mm
        )
        along, drawn = max(along, length_mm), drawn + len(line)
        marks += done
    width, height = (across, along) if direction == "vertical" else (along, across)
    return Page(width + 2 * margin, height + 2 * margin, paper, marks)


def stacked(
    pages: Sequence[Page], labels: Sequence[str] = (), letters: Mapping[str, Letter] | None = None
) -> Page:
    """Pages one under another, aligned at the left, after a label each, if any, in `letters`."""
    size_mm = max(_LEAST_LABEL_MM, _LABEL * min(page.height_mm for page in pages))
    named = [_label(text, letters or {}, size_mm) for text in labels] or [([], 0.0)] * len(pages)
    left = max(length for _, length in named)
    left += size_mm if labels else 0
    whole = Page(left + max(page.width_mm for page in pages), 0.0, pages[0].paper)
    for page, (label, _) in zip(pages, named, strict=True):
        middle = whole.height_mm + (page.height_mm - size_mm) / 2
        whole.marks += [moved(mark, size_mm, middle) for mark in label]
        whole.marks += [moved(mark, left, whole.height_mm) for mark in page.marks]
        whole.height_mm += page.height_mm
    return whole


def _label(text: str, letters: Mapping[str, Letter], size_mm: float) -> tuple[list[Mark], float]:
    """A line of small grey letters, which are no part of the page's text; and its length."""
    same = np.repeat(np.eye(2, 3)[None], len(text), axis=0)
    marks, length_mm = set_line(text, letters, "horizontal", size_mm, 0, _LABEL_GREY, same)
    return [replace(mark, text="") for mark in marks], length_mm
