"""The position of a font's em box on the canvas: one scale and one offset per font.

Fonts differ by several pixels in size and height. A placement normalises whole fonts and never
single glyphs: within a font, the position of a character is part of the style.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from calligan.config import RasterConfig
from calligan.errors import FontError
from calligan.glyphs.face import Bitmap, Face
from calligan.limits import MAX_EM_CANVASES

PITCH = 0.9  # distance between the characters of a text, as a share of the canvas
_DESCENT_EM = 0.12  # part of the em below the baseline in full-width fonts
_MIN_BOXES = 5


def share_of_canvas(length_em: float) -> float:
    """A length in ems of a full-width font as a share of the canvas."""
    return length_em * PITCH


@dataclass(frozen=True)
class Placement:
    """The em box on a square canvas, in pixels from the canvas's top left corner, y down.

    An outline point (x, y) in ems maps to (`origin_x_px` + x * `em_px`,
    `baseline_y_px` - y * `em_px`); export inverts this.
    """

    size_px: int
    em_px: float
    origin_x_px: float
    baseline_y_px: float

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        return asdict(self)

    def validate(self) -> None:
        """Raise ValueError for values out of range."""
        limit_px = 64 * self.size_px
        inside = max(abs(self.origin_x_px), abs(self.baseline_y_px)) <= limit_px
        if not (1 <= self.size_px <= 4096 and 0 < self.em_px <= limit_px and inside):
            raise ValueError(f"the placement {self} is out of range")

    @classmethod
    def full_width(cls, size_px: int) -> "Placement":
        """The em box of a full-width font whose pitch is that of `infer`, centred."""
        em_px = PITCH * size_px
        bottom_px = (size_px + em_px) / 2
        return cls(size_px, em_px, (size_px - em_px) / 2, bottom_px - _DESCENT_EM * em_px)

    def scaled(self, size_px: int) -> "Placement":
        """The same placement on a canvas of another size."""
        k = size_px / self.size_px
        return Placement(size_px, self.em_px * k, self.origin_x_px * k, self.baseline_y_px * k)

    def moved(self, scale: float, shift_x: float, shift_y: float) -> "Placement":
        """The same, scaled about the canvas's centre and shifted by shares of the canvas."""
        middle = self.size_px / 2
        x = middle + (self.origin_x_px - middle) * scale + shift_x * self.size_px
        y = middle + (self.baseline_y_px - middle) * scale + shift_y * self.size_px
        return Placement(self.size_px, round(self.em_px * scale * 64) / 64, x, y)

    def bitmap(self, face: Face, glyph: int) -> Bitmap | None:
        """A glyph's ink, with its offset from the canvas's top left corner; None if blank."""
        column, row = int(self.origin_x_px), int(self.baseline_y_px)
        shift_px = (self.origin_x_px - column, row - self.baseline_y_px)
        bitmap = face.draw(glyph, self.em_px, *shift_px)
        if bitmap is None:
            return None
        return Bitmap(bitmap.ink, column + bitmap.left_px, row - bitmap.top_px)

    def draw(self, face: Face, glyph: int) -> np.ndarray | None:
        """A glyph on its canvas: uint8 (S, S), 255 = paper; None if blank."""
        bitmap = self.bitmap(face, glyph)
        if bitmap is None:
            return None
        canvas = np.full((self.size_px, self.size_px), 255, np.uint8)
        paste(canvas, bitmap)
        return canvas


def measure_placement(
    face: Face,
    chars: Iterable[str],
    config: RasterConfig,
    least: int = _MIN_BOXES,
    option: str = "--charset",
) -> Placement:
    """Place a font so that its median glyph is centred and has the configured extent.

    Raises FontError if the font draws fewer than `least` of `chars`, which `option` gives.
    """
    chars = list(chars)
    if len(chars) < least:
        raise FontError(
            f"{face.spec} cannot be measured on {len(chars)} training character(s); "
            f"give a larger {option}"
        )
    glyphs = [glyph for char in chars if (glyph := face.glyph_index(char))]
    sampled = glyphs[:: max(1, len(glyphs) // config.sampled_chars)]
    boxes = [box for box in map(face.ink_box_em, sampled) if box]
    if len(boxes) < least:
        raise FontError(
            f"{face.spec} draws only {len(boxes)} of the characters of {option}; "
            f"give a font with Chinese characters, or another {option}"
        )
    return fit_placement(boxes, config)


def fit_placement(
    boxes: Sequence[tuple[float, float, float, float]], config: RasterConfig
) -> Placement:
    """The placement for ink boxes in ems (left, bottom, right, top; y up)."""
    left, bottom, right, top = np.array(boxes).T
    # The median centre and extent set offset and scale. The scale is limited so that 99 % of the
    # glyphs stay within `config.reach`.
    x, y = np.median((left + right) / 2), np.median((bottom + top) / 2)
    extent = float(np.median(np.maximum(right - left, top - bottom)))
    edges = np.stack([right - x, x - left, top - y, y - bottom])
    reach = float(np.percentile(edges.max(axis=0), 99))
    em_share = min(config.extent / extent, config.reach / 2 / reach, MAX_EM_CANVASES)
    em_px = round(em_share * config.size_px * 64) / 64  # FreeType's sizes are in 1/64 px
    middle = config.size_px / 2
    origin_x_px, baseline_y_px = float(middle - x * em_px), float(middle + y * em_px)
    return Placement(config.size_px, em_px, round(origin_x_px, 3), round(baseline_y_px, 3))


def paste(canvas: np.ndarray, bitmap: Bitmap) -> bool:
    """Draw ink on a canvas, uint8 (S, S), 255 = paper; True if some of it is outside."""
    left, top = bitmap.left_px, bitmap.top_px
    height, width = bitmap.ink.shape
    size = canvas.shape[0]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, size), min(top + height, size)
    clipped = (x1 - x0, y1 - y0) != (width, height)
    if x1 > x0 and y1 > y0:
        canvas[y0:y1, x0:x1] -= bitmap.ink[y0 - top : y1 - top, x0 - left : x1 - left]
    return clipped
