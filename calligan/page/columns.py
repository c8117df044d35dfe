"""Columns: text runs downward, and columns follow each other from right to left."""

from dataclasses import dataclass

from calligan.page.arrangement import Arrangement, Fit, Place
from calligan.page.drawing import line
from calligan.vector.outline import Outline

_RULE_MM = 0.25  # thickness; the frame is twice as thick
_RULE_OVERHANG_MM = 2.0  # above and below the text


@dataclass(frozen=True)
class Columns(Arrangement):
    """Lines of text as columns."""

    def room_along_mm(self, size_mm: float) -> float:
        """The region's inner height."""
        return self.inner.height_mm

    def room_across_mm(self, size_mm: float) -> float:
        """The region's inner width, without the column of signature and seal."""
        return self.inner.width_mm - self.both_reserves_em * size_mm

    def place(self, across_mm: float, along_mm: float, fit: Fit) -> Place:
        """From the right; x is the middle of the column."""
        box, size = self.inner, fit.size_mm
        right = (self.both_reserves_em - self.reserve_em) * size
        first = box.x_mm + box.width_mm - right - self.before_mm(fit) - size / 2
        return Place(first - across_mm, box.y_mm + along_mm)

    def place_of_signature(
        self, lines: int, fit: Fit, signature_mm: float, length_mm: float
    ) -> Place:
        """On ruled paper in the middle of the next column, if there is one."""
        if not self.region.rule or lines >= self.capacity(fit.size_mm):
            return super().place_of_signature(lines, fit, signature_mm, length_mm)
        along_mm = max(0.0, self.room_for_signature_mm(fit.size_mm) - length_mm)
        return self.place(lines * self.pitch_mm(fit.size_mm), along_mm, fit)

    def rules(self, size_mm: float) -> list[Outline]:
        """A line in the middle of each gap between columns, and one above and below them all."""
        box, pitch, count = self.inner, self.pitch_mm(size_mm), self.capacity(size_mm)
        right = box.x_mm + box.width_mm + size_mm * self.region.line_gap / 2
        left = right - count * pitch
        top, bottom = box.y_mm - _RULE_OVERHANG_MM, box.y_mm + box.height_mm + _RULE_OVERHANG_MM
        xs = [right - number * pitch for number in range(count + 1)]
        between = [line((x, top), (x, bottom), _RULE_MM) for x in xs]
        return between + [line((left, y), (right, y), 2 * _RULE_MM) for y in (top, bottom)]
