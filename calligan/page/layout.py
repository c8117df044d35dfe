"""A text in a format: how large, which lines, where, on how many pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calligan.errors import DataError
from calligan.page import practice
from calligan.page.drawing import Mark, Page, line, polygon, rectangle
from calligan.page.flow import Direction, Letter, Variation, advance_em, broken, moved, set_line
from calligan.page.formats import Fan, Format, Region
from calligan.page.seal import Kind, seal
from calligan.vector.outline import Outline

_LEAST_MM = 3.0  # no smaller a character is asked of a brush
_LARGER = 1.15  # joined lines must be, to be worth it
_SIGNATURE = 0.42  # its size, as a share of the text's
_SEAL = 1.7  # a seal's side, in characters of the signature
_IN_CELL = 0.92  # of a practice cell
_RULE_MM = 0.25


@dataclass(frozen=True)
class Words:
    """What is to be written."""

    text: str
    title: str = ""
    signature: str = ""
    seal: Sequence[Outline] = ()
    seal_kind: Kind = "white"

    def lines(self, joined: bool = False) -> str:
        """The text's lines or, joined, as one; the title's before them."""
        text = "".join(self.text.split("\n")) if joined else self.text
        return f"　　{self.title}\n{text}" if self.title else text


@dataclass(frozen=True)
class Setting:
    """How it is written."""

    letters: Mapping[str, Letter]
    ink: str
    seal: str = "#b3271e"
    vary: float = 0.0
    seed: int = 0
    trace: int = 3  # pale glyphs after each model, on practice sheets


@dataclass(frozen=True)
class _Fit:
    """A text cut into lines of a size."""

    size_mm: float
    lines: list[str]
    across_mm: float  # of all lines together


def lay_out(words: Words, form: Format, setting: Setting) -> list[Page]:
    """Pages of a text in a format.

    Raises DataError where the text is too long for a format of one page, or has too many lines.
    """
    placed = [region.text for region in form.region if region.text]
    if placed and len(words.text.split("\n")) > max(placed):
        raise DataError(f"the text has more lines than the format: {form.lines}")
    if form.region[0].grid:
        return _practice(words.text, form, setting)
    pages: list[Page] = []
    for region in form.region:
        for number, marks in enumerate(_region(words, region, form, setting)):
            if number == len(pages):
                pages.append(Page(form.width_mm, form.height_mm, form.paper))
            pages[number].marks += marks
    return pages


def _region(words: Words, region: Region, form: Format, setting: Setting) -> list[list[Mark]]:
    """What stands in a region, page by page."""
    texts = [words.lines()] + ([words.lines(joined=True)] if region.joined else [])
    if region.text:
        given = words.text.split("\n")
        if region.text > len(given):
            return []
        texts = [given[region.text - 1]]
    area = _Area.of(region)
    if region.sign and not region.rule and (words.signature or words.seal):
        area = replace(area, reserve=region.line_gap / 2 + _SIGNATURE * (1 + _SEAL / 2))
    fits = [fit for text in texts if (fit := _fitted(text, area, form, setting))]
    if not fits:
        raise DataError(_too_long(texts[0], form))
    fit = fits[-1] if fits[-1].size_mm > _LARGER * fits[0].size_mm else fits[0]
    a_page = max(1, area.holds(fit.size_mm)) if form.many else len(fit.lines)
    parts = [fit.lines[i : i + a_page] for i in range(0, len(fit.lines), a_page)]
    pages, drawn = [], 0
    vary = Variation(setting.vary, setting.seed).matrices(sum(map(len, fit.lines)) + 1)
    for number, lines in enumerate(parts):
        marks = _ground(region, area, fit, form)
        for index, text in enumerate(lines):
            marks += area.line(text, index, fit, setting, vary[drawn:])
            drawn += len(text)
        if region.sign and number == len(parts) - 1:
            marks += _signed(words, area, len(lines), fit, setting)
        pages.append(marks)
    return pages


@dataclass(frozen=True)
class _Area:
    """A region's inner box, in which lines run along `along_mm` and stand beside each other."""

    region: Region
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    reserve: float = 0.0  # for signature and seal, in sizes of the text

    @classmethod
    def of(cls, region: Region) -> "_Area":
        """Inside the padding."""
        pad = region.padding_mm
        width, height = region.width_mm - 2 * pad, region.height_mm - 2 * pad
        return cls(region, region.x_mm + pad, region.y_mm + pad, width, height)

    @property
    def vertical(self) -> bool:
        """Whether lines are columns."""
        return self.way == "vertical"

    @property
    def way(self) -> Direction:
        """Where lines run."""
        return "vertical" if self.region.direction == "vertical" else "horizontal"

    def along_mm(self, size_mm: float) -> float:
        """The room for a line."""
        if fan := self.region.fan:
            return fan.radius_mm - fan.inner_mm - 2 * self.region.padding_mm
        if self.vertical:
            return self.height_mm
        return self.width_mm - self.reserve * size_mm

    def across_mm(self, size_mm: float) -> float:
        """The room for lines beside each other."""
        if fan := self.region.fan:  # columns are closest at their inner ends
            inner = fan.inner_mm + self.region.padding_mm
            room_mm: float = np.radians(fan.spread_deg) * inner - self.reserve * size_mm - size_mm
            return room_mm
        return self.width_mm - self.reserve * size_mm if self.vertical else self.height_mm

    def pitch_mm(self, size_mm: float) -> float:
        """From one line to the next; in a fan at its inner rim.

        A fan's lines come closest where the shorter of two neighbours ends, and where long ones do.
        """
        pitch, short = size_mm * (1 + self.region.line_gap), self.region.short
        if (fan := self.region.fan) and short < 1:
            inner = fan.inner_mm + self.region.padding_mm
            ends = fan.radius_mm - self.region.padding_mm - short * self.along_mm(size_mm)
            return pitch * max(inner / ends, 0.5)
        return pitch

    def holds(self, size_mm: float) -> int:
        """How many lines of a size there is room for."""
        gap = size_mm * self.region.line_gap
        return int((self.across_mm(size_mm) + gap + 1e-6) / self.pitch_mm(size_mm))

    def line(
        self, text: str, index: int, fit: _Fit, setting: Setting, vary: np.ndarray
    ) -> list[Mark]:
        """A line's marks on the page."""
        region, size = self.region, fit.size_mm
        leftward = not self.vertical and not region.rightward
        shown = text[::-1] if leftward else text
        gap = region.gap
        if region.spread and len(text) > 1:
            bare = set_line(shown, setting.letters, self.way, size, gap, setting.ink, vary)[1]
            gap += min(region.spread, (self.along_mm(size) - bare) / size / (len(text) - 1))
        marks, length = set_line(shown, setting.letters, self.way, size, gap, setting.ink, vary)
        start = (self.along_mm(size) - length) / 2 if region.centred else 0.0
        if leftward and not region.centred:
            start = self.along_mm(size) - length
        x, y, turn = self.place(index * self.pitch_mm(size), start, fit)
        return [moved(mark, x, y, turn) for mark in marks]

    def place(self, across: float, along: float, fit: _Fit) -> tuple[float, float, float]:
        """Where a line begins that stands `across` from the first: x, y and its turn."""
        slack = max(0.0, self.across_mm(fit.size_mm) - fit.across_mm)  # none over many pages
        before = slack / 2 if not self.region.rule else 0.0
        size, reserve = fit.size_mm, self.reserve * fit.size_mm
        if fan := self.region.fan:
            inner = fan.inner_mm + self.region.padding_mm
            edge = np.radians(fan.spread_deg) / 2
            turn = edge - (size / 2 + before + size / 2 + across) / inner
            radius = fan.radius_mm - self.region.padding_mm - along
            centre = (self.x_mm + self.width_mm / 2, self.region.y_mm + fan.radius_mm)
            return centre[0] + np.sin(turn) * radius, centre[1] - np.cos(turn) * radius, turn
        if self.vertical:
            right = self.x_mm + self.width_mm - before - size / 2
            return right - across, self.y_mm + along, 0.0
        left = self.x_mm + along + (0 if self.region.rightward else reserve)
        return left, self.y_mm + before + across, 0.0


def _fitted(text: str, area: _Area, form: Format, setting: Setting) -> _Fit | None:
    """The largest size at which a text fits, or its lines at the size that the format asks for.

    None where it does not fit.
    """
    region = area.region

    def cut(size: float) -> _Fit:
        def advance(char: str) -> float:
            return advance_em(setting.letters, char, area.way) + region.gap

        lines = broken(text, area.along_mm(size) / size + region.gap, advance, region.short)
        if region.text and len(lines) > 1:
            return _Fit(size, lines, 1e9)
        across = len(lines) * area.pitch_mm(size) - size * region.line_gap
        return _Fit(size, lines, across)

    if region.size_mm:
        fit = cut(region.size_mm)
        return fit if form.many or fit.across_mm <= area.across_mm(fit.size_mm) else None
    low, high = _LEAST_MM, min(area.width_mm, area.height_mm, region.largest_mm) + 1e-6
    if cut(low).across_mm > area.across_mm(low):
        return None
    for _ in range(40):
        middle = (low + high) / 2
        if cut(middle).across_mm <= area.across_mm(middle):
            low = middle
        else:
            high = middle
    return cut(low)


def _too_long(text: str, form: Format) -> str:
    return (
        f"{len(text):,} characters are too many for {form.title}; give less text or a larger "
        "format, or one of many pages (letter)"
    )


def _ground(region: Region, area: _Area, fit: _Fit, form: Format) -> list[Mark]:
    """A region's own paper and its rules."""
    shapes: list[tuple[Outline, str]] = []
    if region.fan:
        shapes.append((_sector(area, region.fan), region.paper or form.paper))
    elif region.paper:
        box = (region.x_mm, region.y_mm, region.width_mm, region.height_mm)
        shapes.append((rectangle(*box), region.paper))
    if region.rule:
        top, low = area.y_mm - 2, area.y_mm + area.height_mm + 2
        right, gap = area.x_mm + area.width_mm, fit.size_mm * region.line_gap
        for k in range(area.holds(fit.size_mm) + 1):
            x = right + gap / 2 - k * area.pitch_mm(fit.size_mm)
            shapes.append((line((x, top), (x, low), _RULE_MM), region.rule))
        left = right + gap / 2 - area.holds(fit.size_mm) * area.pitch_mm(fit.size_mm)
        for y in (top, low):
            shapes.append((line((left, y), (right + gap / 2, y), 2 * _RULE_MM), region.rule))
    return [Mark(outline, np.eye(2, 3), colour) for outline, colour in shapes]


def _sector(area: _Area, fan: Fan) -> Outline:
    """The fan's sheet."""
    edge = np.radians(fan.spread_deg) / 2
    angles = np.linspace(-edge, edge, 90)
    x, y = area.x_mm + area.width_mm / 2, area.region.y_mm + fan.radius_mm
    rims = [(fan.radius_mm, angles), (fan.inner_mm, angles[::-1])]
    points = [(x + r * np.sin(t), y - r * np.cos(t)) for r, each in rims for t in each]
    return polygon([(float(a), float(b)) for a, b in points])


def _signed(words: Words, area: _Area, lines: int, fit: _Fit, setting: Setting) -> list[Mark]:
    """Signature and seal: a small column that ends where the text's columns end."""
    if not (words.signature or words.seal):
        return []
    room = area.along_mm(fit.size_mm) if area.vertical else area.height_mm
    longest = len(words.signature) * 1.05 + (_SEAL + 0.4 if words.seal else 0)
    size = min(fit.size_mm * _SIGNATURE, room / longest)
    side = size * _SEAL if words.seal else 0.0
    vary = Variation(setting.vary, setting.seed + 1).matrices(len(words.signature))
    marks, length = set_line(
        words.signature, setting.letters, "vertical", size, 0.05, setting.ink, vary
    )
    below = length + (side + size * 0.4 if side else 0)
    if area.vertical:
        across = (lines - 1) * area.pitch_mm(fit.size_mm) + fit.size_mm / 2
        across += fit.size_mm * area.region.line_gap / 2 + size
        x, y, turn = area.place(across, max(0.0, room - below), fit)
    else:
        x = area.x_mm + (area.width_mm - size if area.region.rightward else size)
        y, turn = area.y_mm + max(0.0, area.height_mm - below), 0.0
    signed = [moved(mark, x, y, turn) for mark in marks]
    if side:
        corner = (-side / 2, length + size * 0.4)
        stamp = seal(words.seal, side, corner, words.seal_kind, setting.seal)
        signed.append(moved(stamp, x, y, turn))
    return signed


def _practice(text: str, form: Format, setting: Setting) -> list[Page]:
    """A row for each character: a model, pale ones to trace, and empty cells."""
    region = form.region[0]
    size = region.size_mm
    columns, rows = int(region.width_mm / size), int(region.height_mm / size)
    chars = [char for char in text if not char.isspace()]
    empty = practice.cell(region.grid, 0, 0, size)
    pages = []
    for start in range(0, len(chars), rows):
        page = Page(form.width_mm, form.height_mm, form.paper)
        for row in range(rows):
            for column in range(columns):
                x, y = region.x_mm + column * size, region.y_mm + row * size
                page.marks.append(moved(Mark(empty, np.eye(2, 3), practice.GRID_RED), x, y))
                if column <= setting.trace and start + row < len(chars):
                    colour = practice.PALE if column else setting.ink
                    mark = _in_cell(chars[start + row], size, colour, setting)
                    page.marks.append(moved(mark, x, y))
        pages.append(page)
    return pages


def _in_cell(char: str, cell_mm: float, colour: str, setting: Setting) -> Mark:
    """A character in the middle of a cell that begins at (0, 0)."""
    size = cell_mm * _IN_CELL
    (mark,), _ = set_line(char, setting.letters, "vertical", size, 0, colour, np.eye(2, 3)[None])
    return moved(mark, cell_mm / 2, (cell_mm - size) / 2)
