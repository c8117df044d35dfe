"""A folding fan: columns run from the outer rim toward the centre, from right to left."""

from dataclasses import dataclass

import numpy as np

from calligan.page.arrangement import Arrangement, Fit, Place
from calligan.page.drawing import polygon
from calligan.page.formats import Fan
from calligan.vector.outline import Outline

_RIM_POINTS = 90  # of the polygon that stands for an arc
_NARROWEST_PITCH = 0.5  # where every second column is short, as a share of the full pitch


@dataclass(frozen=True)
class FanColumns(Arrangement):
    """Columns in a sector. Distances across are arc lengths at the inner rim of the text."""

    @property
    def fan(self) -> Fan:
        """The sector."""
        assert self.region.fan is not None  # layout.arranged
        return self.region.fan

    @property
    def centre_mm(self) -> tuple[float, float]:
        """Where the ribs of the fan meet, on the page."""
        box = self.inner
        return box.x_mm + box.width_mm / 2, self.region.y_mm + self.fan.radius_mm

    @property
    def outer_mm(self) -> float:
        """The radius at which columns begin."""
        return self.fan.radius_mm - self.region.padding_mm

    @property
    def inner_mm(self) -> float:
        """The radius at which columns end."""
        return self.fan.inner_mm + self.region.padding_mm

    @property
    def half_spread_rad(self) -> float:
        """From the fan's middle to its right edge."""
        return float(np.radians(self.fan.spread_deg)) / 2

    def room_along_mm(self, size_mm: float) -> float:
        """From rim to rim."""
        return self.fan.radius_mm - self.fan.inner_mm - 2 * self.region.padding_mm

    def room_across_mm(self, size_mm: float) -> float:
        """The inner arc, where columns are closest, less half a character at either edge."""
        arc_mm = 2 * self.half_spread_rad * self.inner_mm
        return arc_mm - self.reserve_em * size_mm - size_mm

    def pitch_mm(self, size_mm: float) -> float:
        """From one column to the next, at the inner rim.

        Columns are closest at their lower ends. Where every second one is short, neighbours meet
        at the end of the short one, and the long ones, two pitches apart, at the inner rim.
        """
        pitch, short = super().pitch_mm(size_mm), self.region.short
        if short == 1:
            return pitch
        short_end_mm = self.outer_mm - short * self.room_along_mm(size_mm)
        # An arc of one pitch at the short column's end, measured at the inner rim.
        return pitch * max(self.inner_mm / short_end_mm, _NARROWEST_PITCH)

    def place(self, across_mm: float, along_mm: float, fit: Fit) -> Place:
        """A column's middle, turned so that it runs toward the centre."""
        half_mm = fit.size_mm / 2
        # Arc length to angle: half a character of margin at the edge, half of the first column.
        from_edge_rad = (half_mm + self.before_mm(fit) + half_mm + across_mm) / self.inner_mm
        turn_rad = self.half_spread_rad - from_edge_rad
        x_mm, y_mm = self._point(self.outer_mm - along_mm, turn_rad)
        return Place(x_mm, y_mm, turn_rad)

    def sheet(self) -> Outline:
        """The sector, from rim to rim."""
        angles = np.linspace(-self.half_spread_rad, self.half_spread_rad, _RIM_POINTS)
        outer = [self._point(self.fan.radius_mm, angle) for angle in angles]
        return polygon(outer + [self._point(self.fan.inner_mm, angle) for angle in angles[::-1]])

    def _point(self, radius_mm: float, angle_rad: float) -> tuple[float, float]:
        """A point on the page, the angle measured clockwise from straight up."""
        x_mm, y_mm = self.centre_mm
        return (
            float(x_mm + np.sin(angle_rad) * radius_mm),
            float(y_mm - np.cos(angle_rad) * radius_mm),
        )
