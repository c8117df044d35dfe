"""Cut a straightened page into cells, and classify them as written, empty or crossed out."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PIL import Image

from calligan.scan.photo import PX_PER_MM
from calligan.scan.template_sheet import TemplateSheet

OVER_EDGE: Final = "over the edge"
Status = Literal["written", "empty", "crossed out", "over the edge"]
# Shares of a cell's area or side.
_MIN_INK_SHARE = 0.004  # a cell with less ink is empty
_MIN_BLOB_SHARE = 0.0006  # smaller connected parts are dirt
_CORNER_SHARE = 0.14  # a crossing-out starts and ends in corners of this size
_FRAME_SHARE = 0.03  # width of the border in which parts of the printed frame may remain


@dataclass(frozen=True)
class Cell:
    """One cell of a page: `image` is uint8 (S, S), 255 = paper, 0 = ink."""

    char: str
    image: np.ndarray
    status: Status


def cut_cells(ink: np.ndarray, sheet: TemplateSheet, size_px: int) -> list[Cell]:
    """Cut a straightened page, float (H, W), 1 = ink, at PX_PER_MM, into its cells."""
    side = round(sheet.cell_mm * PX_PER_MM)
    cells = []
    for index, char in enumerate(sheet.chars):
        x, y = (round(mm * PX_PER_MM) for mm in sheet.cell_origin_mm(index))
        part = remove_specks(ink[y : y + side, x : x + side])
        status = _classify(part)
        cells.append(Cell(char, to_image(part, size_px), status))
    return cells


def to_image(ink: np.ndarray, size_px: int) -> np.ndarray:
    """Resize ink, float (H, W), 1 = ink, to a glyph image, uint8 (S, S), 255 = paper."""
    picture = Image.fromarray(np.uint8(np.rint(255 * (1 - ink))))
    return np.asarray(picture.resize((size_px, size_px), Image.Resampling.BOX))


def remove_specks(ink: np.ndarray) -> np.ndarray:
    """Remove dirt, and remains of the printed frame along the border, from ink (H, W)."""
    from calligan.scan.opencv import opencv

    cv2 = opencv()
    mask = (ink > 0.35).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    height, width = ink.shape
    edge = round(_FRAME_SHARE * height)
    keep = np.zeros(count, bool)
    for number in range(1, count):
        x, y, w, h, area = stats[number]
        frame = min(w, h) <= edge and (
            x + w <= edge or y + h <= edge or x >= width - edge or y >= height - edge
        )
        keep[number] = area >= _MIN_BLOB_SHARE * ink.size and not frame
    near = cv2.dilate(keep[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.where(near > 0, ink, 0.0)


def _classify(ink: np.ndarray) -> Status:
    if ink.mean() < _MIN_INK_SHARE:
        return "empty"
    size = ink.shape[0]
    # A crossing-out has ink in all four corners and along both diagonals.
    near = round(size * _CORNER_SHARE)
    corners = [ink[:near, :near], ink[:near, -near:], ink[-near:, :near], ink[-near:, -near:]]
    steps = np.linspace(0.08, 0.92, 60)
    at = np.rint(steps * (size - 1)).astype(int)
    falling, rising = (_diagonal_ink(ink, at, at[::step]) for step in (1, -1))
    if min(corner.mean() for corner in corners) > 0.01 and min(falling, rising) > 0.8:
        return "crossed out"
    border = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    return OVER_EDGE if border.mean() > 0.03 else "written"


def _diagonal_ink(ink: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> float:
    """The share of a diagonal's points with ink on or near them."""
    reach = max(2, ink.shape[0] // 30)
    hits = [
        ink[max(0, r - reach) : r + reach + 1, max(0, c - reach) : c + reach + 1].max() > 0.5
        for r, c in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    return float(np.mean(hits))
