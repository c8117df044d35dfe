"""Lay out a text in a format: choose the arrangement, the size and the number of pages."""

from dataclasses import replace

import numpy as np

from calligan.errors import DataError
from calligan.page.arrangement import Arrangement, Fit
from calligan.page.columns import Columns
from calligan.page.drawing import Mark, Page
from calligan.page.evening import SQUARISH, evened
from calligan.page.fan import FanColumns
from calligan.page.fitting import fit_text
from calligan.page.flow import Variation
from calligan.page.formats import Format, Region
from calligan.page.practice import practice_pages
from calligan.page.rows import Rows
from calligan.page.signature import reserve_em, signed
from calligan.page.trimming import shortened, used_mm, without_empty_regions
from calligan.page.words import Setting, Words

__all__ = ["Setting", "Words", "lay_out"]

_MIN_JOINED_GAIN = 1.15  # line breaks are dropped only if the text gets larger by this factor


def lay_out(words: Words, form: Format, setting: Setting) -> list[Page]:
    """Pages of a text in a format.

    Raises DataError where the text is too long for a format of one page, or has too many lines.
    """
    numbers = [region.text for region in form.region if region.text]
    count = len(words.text.split("\n"))
    if numbers and count > max(numbers):
        raise DataError(f"the text has more lines than the format: {form.lines}")
    if count < form.least_lines:
        raise DataError(
            f"{form.title}, needs {form.least_lines} lines or more: {form.lines}; separate them by "
            "line breaks, or by \\n"
        )
    if form.region[0].grid:
        return practice_pages(words.text, form, setting)
    form = _trimmed(words, without_empty_regions(form, count), setting)
    pages: list[Page] = []
    for region in form.region:
        for number, marks in enumerate(_region_marks(words, region, form, setting)):
            if number == len(pages):
                pages.append(Page(form.width_mm, form.height_mm, form.paper))
            pages[number].marks += marks
    return pages


def arranged(region: Region) -> Arrangement:
    """The arrangement of the region: columns, rows or a fan."""
    if region.fan:
        return FanColumns(region)
    return Columns(region) if region.direction == "vertical" else Rows(region)


def _trimmed(words: Words, form: Format, setting: Setting) -> Format:
    if not form.shortest_mm:
        return form
    region = form.region[0]
    arrangement = _with_reserve(arranged(region), words)
    fit = _best_fit(_texts(words, region), arrangement, form, setting)
    return shortened(form, words, arrangement, fit, setting.letters)


def _with_reserve(arrangement: Arrangement, words: Words) -> Arrangement:
    """The arrangement with room for signature and seal, if there are any."""
    region = arrangement.region
    if not (region.sign and words.signed):
        return arrangement
    seal_alone = not words.signature and _is_squarish(region)
    return replace(arrangement, reserve_em=reserve_em(region), balanced=seal_alone)


def _region_marks(words: Words, region: Region, form: Format, setting: Setting) -> list[list[Mark]]:
    """A region's marks, page by page; no pages if the text has no line for it."""
    texts = _texts(words, region)
    if not texts:
        return []
    arrangement = _with_reserve(arranged(region), words)
    fit = _best_fit(texts, arrangement, form, setting)
    if arrangement.balanced or (fit.evened and arrangement.is_vertical):
        arrangement = replace(arrangement, region=_middle_of(words, arrangement, fit, setting))
    per_page = max(1, arrangement.capacity(fit.size_mm)) if form.many else len(fit.lines)
    parts = [fit.lines[i : i + per_page] for i in range(0, len(fit.lines), per_page)]
    vary = Variation(setting.vary, setting.seed).matrices(sum(map(len, fit.lines)) + 1)
    pages, drawn = [], 0
    for lines in parts:
        marks = _paper(arrangement, fit.size_mm, form)
        for index, text in enumerate(lines):
            marks += arrangement.line(text, index, fit, setting, vary[drawn:])
            drawn += len(text)
        pages.append(marks)
    if region.sign:
        pages[-1] += signed(words, arrangement, len(parts[-1]), fit, setting)
    return pages


def _is_squarish(region: Region) -> bool:
    """Whether columns have room for their being centred beside a seal, as on a square."""
    sides = sorted((region.width_mm, region.height_mm))
    plain = region.direction == "vertical" and not (region.rule or region.fan or region.size_mm)
    return plain and sides[1] < SQUARISH * sides[0]


def _middle_of(words: Words, arrangement: Arrangement, fit: Fit, setting: Setting) -> Region:
    """The region, as high as its longest column, so that text and seal are in the middle."""
    region = arrangement.region
    room_mm = arrangement.room_along_mm(fit.size_mm)
    free_mm = max(0.0, room_mm - used_mm(words, arrangement, fit, setting.letters))
    return replace(region, y_mm=region.y_mm + free_mm / 2, height_mm=region.height_mm - free_mm)


def _texts(words: Words, region: Region) -> list[str]:
    """Candidate texts of a region: its own line, or the whole text, with and without breaks."""
    if region.text:
        return words.text.split("\n")[region.text - 1 : region.text]
    return [words.with_title()] + ([words.with_title(joined=True)] if region.joined else [])


def _best_fit(texts: list[str], arrangement: Arrangement, form: Format, setting: Setting) -> Fit:
    """The first text that fits, or the last one if it gets clearly larger; in even lines."""
    fits = [(text, fit_text(text, arrangement, setting.letters, form.many)) for text in texts]
    found = [(text, fit) for text, fit in fits if fit]
    if not found:
        raise DataError(
            f"{len(texts[0]):,} characters are too many for {form.title}; give less text or a "
            "larger format, or one of many pages (letter)"
        )
    first, last = found[0], found[-1]
    joined_is_larger = last[1].size_mm > _MIN_JOINED_GAIN * first[1].size_mm
    text, fit = last if joined_is_larger else first
    return evened(text, fit, arrangement, setting.letters)


def _paper(arrangement: Arrangement, size_mm: float, form: Format) -> list[Mark]:
    """The region's own paper, and its rules."""
    region, here = arrangement.region, np.eye(2, 3)  # coordinates are in millimetres on the page
    colour = region.paper or (form.paper if region.fan else "")
    sheet = [Mark(arrangement.sheet(), here, colour)] if colour else []
    if not region.rule:
        return sheet
    return sheet + [Mark(rule, here, region.rule) for rule in arrangement.rules(size_mm)]
