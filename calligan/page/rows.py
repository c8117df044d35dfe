"""Rows: text runs to the right, or to the left as on boards over doors, one row under another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from calligan.page.arrangement import Arrangement, Fit, Place
from calligan.page.flow import Direction
from calligan.page.latin import leftward_order


@dataclass(frozen=True)
class Rows(Arrangement):
    """Lines of text as rows. Signature and seal are a column at the rows' end."""

    direction: ClassVar[Direction] = "horizontal"

    def room_along_mm(self, size_mm: float) -> float:
        """The region's inner width, without the column of signature and seal."""
        return self.inner.width_mm - self.reserve_em * size_mm

    def room_across_mm(self, size_mm: float) -> float:
        """The region's inner height."""
        return self.inner.height_mm

    def place(self, across_mm: float, along_mm: float, fit: Fit) -> Place:
        """From the left and the top, whichever way the row is read."""
        # Rows that are read leftward end on the left: the signature stands there.
        signature_mm = 0.0 if self.region.rightward else self.reserve_em * fit.size_mm
        x_mm = self.inner.x_mm + along_mm + signature_mm
        return Place(x_mm, self.inner.y_mm + self.before_mm(fit) + across_mm)

    def page_order(self, text: str) -> Sequence[int]:
        """Marks are set from the left."""
        return super().page_order(text) if self.region.rightward else leftward_order(text)

    def start_mm(self, length_mm: float, room_mm: float) -> float:
        """Rows that are read leftward begin at the right edge."""
        return 0.0 if self.region.rightward else room_mm - length_mm

    def room_for_signature_mm(self, size_mm: float) -> float:
        """The column of the signature is as high as the region."""
        return self.inner.height_mm

    def place_of_signature(
        self, lines: int, fit: Fit, signature_mm: float, length_mm: float
    ) -> Place:
        """In the corner where the last row ends."""
        box = self.inner
        x_mm = box.x_mm + (box.width_mm - signature_mm if self.region.rightward else signature_mm)
        return Place(x_mm, box.y_mm + max(0.0, box.height_mm - length_mm))
