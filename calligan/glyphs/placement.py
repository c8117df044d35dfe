"""Where a font's em box lies on the canvas: one scale and one offset a font.

Fonts disagree by several pixels in size and height. A placement equalises whole fonts and never
single glyphs: inside a font, where a character sits is part of the hand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from calligan.config import RasterConfig
from calligan.errors import FontError
from calligan.glyphs.face import Bitmap, Face

PITCH = 0.9  # distance between characters of a text, as a share of the canvas
_DESCENT = 0.12  # of the em below the baseline, as full-width fonts have it
_MIN_SAMPLE = 5
_LARGEST_EM = 8.0  # in sides of the canvas: glyphs that are smaller in their em stay small


@dataclass(frozen=True)
class Placement:
    """The em box on a square canvas. Pixels, from the canvas's top left corner, y down.

    An outline point (x, y) in ems lands at (`origin_x_px` + x * `em_px`,
    `baseline_y_px` - y * `em_px`), which is how export undoes it.
    """

    size_px: int
    em_px: float
    origin_x_px: float
    baseline_y_px: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def validate(self) -> None:
        """Raise ValueError for what no font is placed by."""
        far = 64 * self.size_px
        inside = max(abs(self.origin_x_px), abs(self.baseline_y_px)) <= far
        if not (1 <= self.size_px <= 4096 and 0 < self.em_px <= far and inside):
            raise ValueError(f"the placement {self} is out of reach")

    @classmethod
    def full_width(cls, size_px: int) -> "Placement":
        """The em box of a full-width font in which glyphs stand as `infer` sets them."""
        em_px = PITCH * size_px
        bottom_px = (size_px + em_px) / 2
        return cls(size_px, em_px, (size_px - em_px) / 2, bottom_px - _DESCENT * em_px)

    def scaled(self, size_px: int) -> "Placement":
        """The same placement on a canvas of another size."""
        k = size_px / self.size_px
        return Placement(size_px, self.em_px * k, self.origin_x_px * k, self.baseline_y_px * k)

    def moved(self, scale: float, shift_x: float, shift_y: float) -> "Placement":
        """The same, scaled about the canvas's middle and shifted by shares of the canvas."""
        middle = self.size_px / 2
        x = middle + (self.origin_x_px - middle) * scale + shift_x * self.size_px
        y = middle + (self.baseline_y_px - middle) * scale + shift_y * self.size_px
        return Placement(self.size_px, round(self.em_px * scale * 64) / 64, x, y)

    def bitmap(self, face: Face, glyph: int) -> Bitmap | None:
        """A glyph's ink, offset in pixels from the canvas's corner, y down; None if blank."""
        column, row = int(self.origin_x_px), int(self.baseline_y_px)
        shift_px = (self.origin_x_px - column, row - self.baseline_y_px)
        bitmap = face.draw(glyph, self.em_px, *shift_px)
        if bitmap is None:
            return None
        return Bitmap(bitmap.ink, column + bitmap.left_px, row - bitmap.top_px)

    def draw(self, face: Face, glyph: int) -> np.ndarray | None:
        """A glyph on its canvas: uint8 (H, W), 255 = paper; None for a blank glyph."""
        bitmap = self.bitmap(face, glyph)
        if bitmap is None:
            return None
        canvas = np.full((self.size_px, self.size_px), 255, np.uint8)
        paste(canvas, bitmap)
        return canvas


def measure_placement(
    face: Face, chars: Iterable[str], config: RasterConfig, least: int = _MIN_SAMPLE
) -> Placement:
    """Place a font so that its median glyph has the wanted extent and sits in the middle.

    Raises FontError where the font draws fewer than `least` of `chars`.
    """
    chars = list(chars)
    if len(chars) < least:
        raise FontError(
            f"{face.spec} cannot be placed by {len(chars)} training character(s); "
            "give a larger --charset"
        )
    glyphs = [glyph for char in chars if (glyph := face.glyph_index(char))]
    sampled = glyphs[:: max(1, len(glyphs) // config.sampled_chars)]
    boxes = [box for box in map(face.ink_box_em, sampled) if box]
    if len(boxes) < least:
        raise FontError(
            f"{face.spec} draws only {len(boxes)} of the characters asked for; "
            "give a font with Chinese characters, or a smaller --charset"
        )
    return placed(boxes, config)


def placed(boxes: Sequence[tuple[float, float, float, float]], config: RasterConfig) -> Placement:
    """Where ink boxes in ems (left, bottom, right, top; y up) put the em box on the canvas."""
    left, bottom, right, top = np.array(boxes).T
    x, y = np.median((left + right) / 2), np.median((bottom + top) / 2)
    extent = float(np.median(np.maximum(right - left, top - bottom)))
    edges = np.stack([right - x, x - left, top - y, y - bottom])
    reach = float(np.percentile(edges.max(axis=0), 99))
    em_share = min(config.extent / extent, config.reach / 2 / reach, _LARGEST_EM)
    em_px = round(em_share * config.size_px * 64) / 64  # what FreeType can set exactly
    middle = config.size_px / 2
    origin_x_px, baseline_y_px = float(middle - x * em_px), float(middle + y * em_px)
    return Placement(config.size_px, em_px, round(origin_x_px, 3), round(baseline_y_px, 3))


def paste(canvas: np.ndarray, bitmap: Bitmap) -> bool:
    """Put ink on paper, uint8 (H, W), 255 = paper; True if some of it fell outside."""
    left, top = bitmap.left_px, bitmap.top_px
    height, width = bitmap.ink.shape
    size = canvas.shape[0]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, size), min(top + height, size)
    cut = (x1 - x0, y1 - y0) != (width, height)
    if x1 > x0 and y1 > y0:
        canvas[y0:y1, x0:x1] -= bitmap.ink[y0 - top : y1 - top, x0 - left : x1 - left]
    return cut
