"""The size at which a text fills a region."""

from collections.abc import Callable, Mapping

from calligan.page.arrangement import Arrangement, Fit
from calligan.page.flow import Letter, advances_em, broken

_SMALLEST_MM = 3.0  # the smallest character that a brush can write
_SEARCH_STEPS = 40  # halvings; 20 m / 2^40 is far below what a file can hold


def fit_text(
    text: str, arrangement: Arrangement, letters: Mapping[str, Letter], many: bool
) -> Fit | None:
    """The text at the region's own size, or at the largest at which it fits.

    None where it does not fit. With `many`, a text of the region's own size always fits, since it
    continues on further pages.
    """
    region, box = arrangement.region, arrangement.inner
    if region.size_mm:
        fit = _broken_at(region.size_mm, text, arrangement, letters)
        return fit if many or _fits(fit, arrangement) else None
    best = _broken_at(_SMALLEST_MM, text, arrangement, letters)
    if not _fits(best, arrangement):
        return None
    too_large_mm = min(box.width_mm, box.height_mm, region.largest_mm) + 1e-6
    for _ in range(_SEARCH_STEPS):
        fit = _broken_at((best.size_mm + too_large_mm) / 2, text, arrangement, letters)
        if _fits(fit, arrangement):
            best = fit
        else:
            too_large_mm = fit.size_mm
    return best


def lengths(arrangement: Arrangement, letters: Mapping[str, Letter]) -> Callable[[str], float]:
    """The length of a text in ems, with the gap after each character."""
    gap = arrangement.region.gap

    def length_em(text: str) -> float:
        return sum(em + gap for em in advances_em(letters, text, arrangement.direction))

    return length_em


def _broken_at(
    size_mm: float, text: str, arrangement: Arrangement, letters: Mapping[str, Letter]
) -> Fit:
    """The text in lines of the region's length."""
    region = arrangement.region
    # Every advance includes a gap, that of a line's last character too: add one gap to the room.
    room_em = arrangement.room_along_mm(size_mm) / size_mm + region.gap
    return Fit(size_mm, broken(text, room_em, lengths(arrangement, letters), region.short))


def _fits(fit: Fit, arrangement: Arrangement) -> bool:
    """Whether the lines fit beside each other; in a region for one line, whether one is enough."""
    if arrangement.region.text and len(fit.lines) > 1:
        return False
    extent_mm = arrangement.extent_mm(len(fit.lines), fit.size_mm)
    return extent_mm <= arrangement.room_across_mm(fit.size_mm)
