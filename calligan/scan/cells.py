"""A straightened page to its cells: ink cut out, empty and crossed-out cells told apart."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from calligan.scan.photo import PX_A_MM
from calligan.scan.sheet import Sheet

Status = Literal["written", "empty", "crossed out", "over the edge"]
_LEAST_INK = 0.004  # of a cell: less is a speck
_SPECK = 0.0006  # of a cell: smaller blots are dirt
_CORNER = 0.14  # of a cell: a crossing-out begins and ends in its corners
_GUIDE = 0.03  # of a cell at its border, where the printed frame may remain


@dataclass(frozen=True)
class Cell:
    """One cell of a page: uint8 (S, S), 255 = paper, 0 = ink, and what was found in it."""

    char: str
    image: np.ndarray
    status: Status


def cut_cells(ink: np.ndarray, sheet: Sheet, size_px: int) -> list[Cell]:
    """The cells of a page of ink (H, W), 1 = ink, at PX_A_MM."""
    side = round(sheet.cell_mm * PX_A_MM)
    cells = []
    for index, char in enumerate(sheet.chars):
        x, y = (round(mm * PX_A_MM) for mm in sheet.cell(index))
        part = without_specks(ink[y : y + side, x : x + side])
        status = _status(part)
        cells.append(Cell(char, to_image(part, size_px), status))
    return cells


def to_image(ink: np.ndarray, size_px: int) -> np.ndarray:
    """Ink (H, W), 1 = ink, to a glyph image, uint8 (S, S), 255 = paper."""
    picture = Image.fromarray(np.uint8(np.rint(255 * (1 - ink))))
    return np.asarray(picture.resize((size_px, size_px), Image.Resampling.BOX))


def without_specks(ink: np.ndarray) -> np.ndarray:
    """Ink without dirt, and without the printed frame along the border."""
    from calligan.scan.opencv import opencv

    cv2 = opencv()
    mask = (ink > 0.35).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    height, width = ink.shape
    edge = round(_GUIDE * height)
    keep = np.zeros(count, bool)
    for number in range(1, count):
        x, y, w, h, area = stats[number]
        thin = min(w, h) <= edge and (
            x + w <= edge or y + h <= edge or x >= width - edge or y >= height - edge
        )
        keep[number] = area >= _SPECK * ink.size and not thin
    near = cv2.dilate(keep[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.where(near > 0, ink, 0.0)


def _status(ink: np.ndarray) -> Status:
    if ink.mean() < _LEAST_INK:
        return "empty"
    size = ink.shape[0]
    near = round(size * _CORNER)
    corners = [ink[:near, :near], ink[:near, -near:], ink[-near:, :near], ink[-near:, -near:]]
    steps = np.linspace(0.08, 0.92, 60)
    at = np.rint(steps * (size - 1)).astype(int)
    falling, rising = (_on_diagonal(ink, at, at[::way]) for way in (1, -1))
    if min(corner.mean() for corner in corners) > 0.01 and min(falling, rising) > 0.8:
        return "crossed out"
    border = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    return "over the edge" if border.mean() > 0.03 else "written"


def _on_diagonal(ink: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> float:
    """The share of a diagonal that runs through ink or close by."""
    reach = max(2, ink.shape[0] // 30)
    hits = [
        ink[max(0, r - reach) : r + reach + 1, max(0, c - reach) : c + reach + 1].max() > 0.5
        for r, c in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    return float(np.mean(hits))
