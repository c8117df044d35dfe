"""Formats made smaller where a text would leave much of the sheet empty."""

from collections.abc import Mapping
from dataclasses import replace

from calligan.page.arrangement import Arrangement, Fit
from calligan.page.fitting import lengths
from calligan.page.flow import Letter
from calligan.page.formats import Format
from calligan.page.signature import signature_em
from calligan.page.words import Words

_MUCH = 0.25  # of a column's room


def used_mm(
    words: Words, arrangement: Arrangement, fit: Fit, letters: Mapping[str, Letter]
) -> float:
    """The length of the longest column, that of the signature among them."""
    gap = arrangement.region.gap
    longest_em = max(map(lengths(arrangement, letters), fit.lines))
    return max(longest_em - gap, signature_em(words)) * fit.size_mm


def without_empty_regions(form: Format, lines: int) -> Format:
    """A format without the regions above for which the text has no line, such as a board."""
    used = [region for region in form.region if region.text <= lines]
    cut_mm = min(r.y_mm for r in used) - min(r.y_mm for r in form.region) if used else 0.0
    if cut_mm <= 0:
        return form
    moved = tuple(replace(region, y_mm=region.y_mm - cut_mm) for region in used)
    return replace(form, height_mm=form.height_mm - cut_mm, region=moved)


def shortened(
    form: Format, words: Words, arrangement: Arrangement, fit: Fit, letters: Mapping[str, Letter]
) -> Format:
    """A format that is shorter if its text leaves much of its room empty.

    The text is one column, which is in the middle, or columns that were made equally long. Not
    shorter than `shortest_mm`.
    """
    is_one = len(fit.lines) == 1
    if not (form.shortest_mm and (is_one or fit.evened)):
        return form
    (region,) = form.region
    room_mm = arrangement.room_along_mm(fit.size_mm)
    free_mm = room_mm - used_mm(words, arrangement, fit, letters)
    if free_mm < _MUCH * room_mm:
        return form
    cut_mm = min(free_mm, form.height_mm - form.shortest_mm)
    region = replace(region, height_mm=region.height_mm - cut_mm, centred=is_one)
    return replace(form, height_mm=form.height_mm - cut_mm, region=(region,))
