"""Lines of equal length, for a text that has no line breaks of its own."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from calligan.page.arrangement import Arrangement, Fit
from calligan.page.fitting import fit_text, lengths
from calligan.page.flow import Letter, broken

_NEARLY = 0.85  # of the size: one line is taken where it makes the text hardly smaller
_STEP_EM = 0.25
SQUARISH = 1.5  # at most: the longer side by the shorter one


def evened(text: str, fit: Fit, arrangement: Arrangement, letters: Mapping[str, Letter]) -> Fit:
    """The text in one line where it is hardly smaller there, else in equally long lines: 5 + 5.

    Unchanged where it has line breaks, as below a title, and where lines have places of their own:
    between rules, on a fan, of a given size, or in a region for one line.
    """
    if not (_is_free(text, arrangement) and _is_ragged(fit, arrangement, letters)):
        return fit
    one = _one_line(text, arrangement, letters)
    if one and one.size_mm >= _NEARLY * fit.size_mm:
        return one
    lines = _even_lines(text, len(fit.lines), lengths(arrangement, letters))
    return Fit(fit.size_mm, lines, evened=True)


def _one_line(text: str, arrangement: Arrangement, letters: Mapping[str, Letter]) -> Fit | None:
    """The text in one line of a long region."""
    region = arrangement.region
    sides = sorted((region.width_mm, region.height_mm))
    if sides[1] < SQUARISH * sides[0]:
        return None
    one = fit_text(text, replace(arrangement, region=replace(region, text=1)), letters, many=False)
    return replace(one, evened=True) if one else None


def _is_free(text: str, arrangement: Arrangement) -> bool:
    """Whether lines may end anywhere."""
    region = arrangement.region
    has_places = region.rule or region.fan or region.size_mm or region.text or region.short != 1
    return "\n" not in text and not has_places and (arrangement.is_vertical or region.centred)


def _is_ragged(fit: Fit, arrangement: Arrangement, letters: Mapping[str, Letter]) -> bool:
    """Whether the last line is shorter than the first.

    A signature does not need the room below it: it has a column of its own.
    """
    length_em = lengths(arrangement, letters)
    return length_em(fit.lines[-1]) < length_em(fit.lines[0])


def _even_lines(text: str, count: int, length_em: Callable[[str], float]) -> list[str]:
    """The text in `count` lines or fewer, the first of them the longer ones: 4 + 3 + 3."""
    lines: list[str] = []
    for left in range(count, 0, -1):
        longest_em = length_em(text) / left
        while len(found := broken(text, longest_em, length_em)) > left:
            longest_em += _STEP_EM
        lines.append(found[0])
        text = text.removeprefix(found[0]).lstrip(" ")
        if not text:
            break
    return lines
