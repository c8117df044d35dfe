"""Cut a free page (without template) into characters, given its text.

First the columns are found. Each column is then cut into every plausible number of characters at
minimum cost, by dynamic programming: a cut through ink costs, and so does a character whose height
differs from the expected one. A second dynamic program chooses the number of characters of each
column so that they sum to the text at minimum total cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

import numpy as np

from calligan.errors import DataError
from calligan.page.flow import Letter
from calligan.scan.cells import to_image
from calligan.scan.opencv import opencv
from calligan.vector.font import UPEM

Reading = Literal["rtl", "ltr", "rows"]
_SEARCH_PX = 1600  # longer side of the reduced page on which columns and cuts are searched
_HEIGHT_WEIGHT = 6.0  # cost of a squared log ratio of a height to the expected one
_CUT_WEIGHT = 14.0  # cost of a cut that runs through ink only
_EMPTY_COST, _MIN_INK_SHARE = 50.0, 0.05  # cost of a character with less than this share of ink
_MAX_COLUMN_CHARS = 60
_MIN_RULE_SHARE = 0.5  # length of a printed rule, as a share of the page's side
_MAX_RULE_TILT = 0.06  # offset of a rule's ends, as a share of its length
_MIN_CHAR_PX = 3  # smallest height of a character on the reduced page
_INKED = 0.5  # ink of a pixel of the reduced page that counts
_INFINITE_COST = 1e9
_ODD_LOG_RATIO = 0.75  # |log(height / median)| above which a size is doubtful

# A column has a character more, or less, if its cuts then cost so much less. On text set in three
# fonts this is found on 43 of 48 pages with one left out, on 42 with one added, and on none else.
_ONE_MORE, _ONE_LESS = 0.2, 0.8


@dataclass(frozen=True)
class Column:
    """A column in pixels: its left and right, and the cuts along it, both ends included.

    Without cuts they are searched. The rows of a page are columns of the page turned.
    """

    left: int
    right: int
    cuts: tuple[int, ...] = ()

    def scaled(self, scale: float) -> "Column":
        """The same column of a page that is scaled."""
        return Column(
            round(self.left * scale),
            round(self.right * scale),
            tuple(round(at * scale) for at in self.cuts),
        )


@dataclass(frozen=True)
class CharacterBox:
    """A character on the page: its box in pixels, and the mean cost of its column's characters.

    The cost is None where the cuts were given.
    """

    char: str
    left: int
    top: int
    right: int
    bottom: int
    cost: float | None


def find_columns(ink: np.ndarray, reading: Reading) -> list[tuple[int, int]]:
    """Left and right of each column of ink (H, W), or top and bottom of each row, ascending."""
    small, scale = _reduced(ink, reading)
    return [(round(a / scale), round(b / scale)) for a, b in _find_columns(small)]


def find_characters(
    ink: np.ndarray,
    text: str,
    reading: Reading,
    letters: Mapping[str, Letter],
    columns: Sequence[Column] | None = None,
) -> list[CharacterBox]:
    """Find each character of `text` on a page of ink, float (H, W), 1 = ink.

    `letters` give the expected height of each character: 一 is lower than 鹭. `columns` are used
    instead of those that `find_columns` finds, with their cuts. Raises DataError if the page has
    no columns or cannot hold the text, for columns that overlap or hold no ink, and for cuts that
    do the same or make another number of characters than the text has.
    """
    small, scale = _reduced(ink, reading)
    if columns is None:
        columns = [Column(left, right) for left, right in _find_columns(small)]
    else:
        columns = _checked(small, [column.scaled(scale) for column in columns])
    if not columns:
        raise DataError("no writing was found on the page; check that it is upright, and --columns")
    if reading == "rtl":
        columns = columns[::-1]
    along = 0 if reading == "rows" else 1
    heights = [_expected_pitch(letters[char], along) for char in text if not char.isspace()]
    boxes = _cut_columns(small, columns, text, np.array(heights))
    return [_to_page(box, scale, reading) for box in boxes]


def remove_rules(ink: np.ndarray) -> np.ndarray:
    """Remove horizontal and vertical lines of at least half the page from ink (H, W), 1 = ink."""
    cv2 = opencv()
    small = _resize(ink, min(1.0, _SEARCH_PX / max(ink.shape)))
    high, wide = small.shape
    found = cv2.HoughLinesP(
        (small > 0.3).astype(np.uint8),
        *(1, np.pi / 1440, round(0.3 * min(high, wide))),
        minLineLength=_MIN_RULE_SHARE * min(high, wide),
        maxLineGap=max(3, high // 200),
    )
    drawn = np.zeros(small.shape, np.uint8)
    for x0, y0, x1, y1 in [] if found is None else found.reshape(-1, 4).tolist():
        right, down = abs(x1 - x0), abs(y1 - y0)
        horizontal = down < _MAX_RULE_TILT * right and right > _MIN_RULE_SHARE * wide
        vertical = right < _MAX_RULE_TILT * down and down > _MIN_RULE_SHARE * high
        if horizontal or vertical:
            cv2.line(drawn, (x0, y0), (x1, y1), 1, max(5, high // 250))
    size = ink.shape[::-1]
    return np.where(cv2.resize(drawn, size, interpolation=cv2.INTER_NEAREST) > 0, 0, ink)


def crop(ink: np.ndarray, box: CharacterBox, size_px: int) -> np.ndarray:
    """A character as a glyph image, uint8 (S, S), 255 = paper, centred; specks are removed."""
    cv2 = opencv()
    side = max(box.right - box.left, box.bottom - box.top)
    part = ink[box.top : box.bottom, box.left : box.right]
    mask = (part > 0.35).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = np.zeros(count, bool)
    for number in range(1, count):
        _, y, _, h, area = stats[number]
        touches = y == 0 or y + h == len(part)
        keep[number] = area > 0.0004 * side * side and not (touches and h < 0.08 * len(part))
    near = cv2.dilate(keep[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    square = np.zeros((side, side), np.float32)
    y, x = (side - part.shape[0]) // 2, (side - part.shape[1]) // 2
    square[y : y + part.shape[0], x : x + part.shape[1]] = np.where(near > 0, part, 0)
    return to_image(square, size_px)


def find_doubts(boxes: Sequence[CharacterBox]) -> list[str]:
    """The reason to doubt each box (its column fits badly, its height is odd), or an empty text."""
    costs = np.array([np.nan if box.cost is None else box.cost for box in boxes])
    found = ~np.isnan(costs)  # cuts that were given are not doubted
    if not found.any():
        return [""] * len(boxes)
    # Outliers by the median absolute deviation.
    median = np.median(costs[found])
    spread = np.median(np.abs(costs[found] - median))
    sizes = np.array([box.bottom - box.top for box in boxes], float)
    odd = found & (np.abs(np.log(sizes / np.median(sizes))) > _ODD_LOG_RATIO)
    notes = np.where(odd, "odd size", "")
    notes = np.where(costs > median + 6 * spread + 0.5, "column fits badly", notes)
    doubts: list[str] = notes.tolist()
    return doubts


def count_cells(ink: np.ndarray, boxes: Sequence[CharacterBox], reading: Reading) -> int:
    """How many characters a page of ink seems to have that was cut into these.

    A column whose cuts cost much more than those of one character more, or one less, counts so.
    """
    small, scale = _reduced(ink, reading)
    count = len(boxes)
    for edges, group in groupby(boxes, key=lambda b: _across(b, reading)):
        column = list(group)
        if column[0].cost is None:
            continue
        _, profile = _profile(small, (round(edges[0] * scale), round(edges[1] * scale)))
        number = len(column)
        less, same, more = (
            _best_cuts(profile, np.ones(n))[0] if n else _INFINITE_COST
            for n in (number - 1, number, number + 1)
        )
        cost = min(same, number * column[0].cost)
        count += int(cost - more > _ONE_MORE) - int(cost - less > _ONE_LESS)
    return count


def given_columns(boxes: Sequence[CharacterBox], reading: Reading) -> list[Column]:
    """The columns of boxes, left to right (rows: top to bottom), with their cuts."""
    columns = []
    for (left, right), group in groupby(boxes, key=lambda b: _across(b, reading)):
        ends = [(b.left, b.right) if reading == "rows" else (b.top, b.bottom) for b in group]
        columns.append(Column(left, right, (ends[0][0], *(end for _, end in ends))))
    return columns[::-1] if reading == "rtl" else columns


def _across(box: CharacterBox, reading: Reading) -> tuple[int, int]:
    """The edges of a character's column, or row."""
    return (box.top, box.bottom) if reading == "rows" else (box.left, box.right)


def _expected_pitch(letter: Letter, axis: int) -> float:
    """The expected length of a character along its line, in mean pitches."""
    points = letter.outline.controls.reshape(-1, 2)
    ink = float(np.ptp(points[:, axis])) / UPEM if len(points) else 0.8
    return 0.25 + 0.87 * ink


def _resize(ink: np.ndarray, scale: float) -> np.ndarray:
    cv2 = opencv()
    size = (round(ink.shape[1] * scale), round(ink.shape[0] * scale))
    contiguous = np.ascontiguousarray(ink, np.float32)
    resized: np.ndarray = cv2.resize(contiguous, size, interpolation=cv2.INTER_AREA)
    return resized


def _reduced(ink: np.ndarray, reading: Reading) -> tuple[np.ndarray, float]:
    """The page on which columns and cuts are searched, with rows as columns, and its scale."""
    upright = ink.T if reading == "rows" else ink
    scale = min(1.0, _SEARCH_PX / max(upright.shape))
    return _resize(upright, scale), scale


def _checked(small: np.ndarray, columns: Sequence[Column]) -> list[Column]:
    """Given columns on the reduced page, ascending. Raises DataError for those without ink."""
    ascending = sorted(columns, key=lambda column: (column.left, column.right))
    before = 0
    for number, column in enumerate(ascending, start=1):
        left, right = column.left, column.right
        apart = before <= left and right - left >= _MIN_CHAR_PX and right <= small.shape[1]
        if not apart or small[:, left:right].max() <= _INKED:
            raise DataError(
                f"column {number} from the left (or top) is too narrow, overlaps another, or holds "
                "no ink; move its edges or remove it"
            )
        for place, (start, end) in enumerate(pairwise(column.cuts), start=1):
            if end - start < _MIN_CHAR_PX or small[start:end, left:right].max() <= _INKED:
                raise DataError(
                    f"character {place} of column {number} from the left (or top) is too small or "
                    "holds no ink; move the cuts at its ends"
                )
        before = right
    return ascending


def _find_columns(ink: np.ndarray) -> list[tuple[int, int]]:
    """Left and right of each column, left to right: runs of ink in the sum over rows."""
    cv2 = opencv()
    profile = ink.sum(axis=0)
    smooth = cv2.GaussianBlur(profile[None].astype(np.float32), (0, 0), ink.shape[1] / 400)[0]
    inked = smooth > 0.06 * np.percentile(smooth, 95)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(int), [0]])))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    if not runs:
        return []
    widest = max(b - a for a, b in runs)
    typical = float(np.median([b - a for a, b in runs if b - a > 0.25 * widest]))
    merged: list[tuple[int, int]] = []
    for a, b in runs:
        if merged and b - merged[-1][0] < 1.35 * typical:
            merged[-1] = (merged[-1][0], b)
        else:
            merged.append((a, b))
    return [(a, b) for a, b in merged if b - a > 0.35 * typical]


def _cut_columns(
    ink: np.ndarray, columns: Sequence[Column], text: str, heights: np.ndarray
) -> list[CharacterBox]:
    """Choose the number of characters of each column, then cut it into them."""
    profiles = [_profile(ink, (column.left, column.right)) for column in columns]
    lines = [line for line in text.split("\n") if line.strip()]
    chars = "".join(char for char in text if not char.isspace())
    if len(lines) == len(columns):
        numbers = [sum(not char.isspace() for char in line) for line in lines]
    else:
        numbers = _choose_counts(profiles, columns, len(chars))
    boxes, first = [], 0
    for column, (top, profile), number in zip(columns, profiles, numbers, strict=True):
        if column.cuts and len(column.cuts) - 1 != number:
            raise DataError(
                f"the cuts of a column make {len(column.cuts) - 1} characters, and its line of "
                f"text has {number}; correct the line, or let the cuts be found"
            )
        if not column.cuts and len(profile) < _MIN_CHAR_PX * number:
            raise _does_not_fit(len(columns), len(chars))
        cost, cuts = None, list(column.cuts)
        if not cuts:
            cost, found = _best_cuts(profile, heights[first : first + number])
            cost, cuts = cost / max(number, 1), [top + at for at in found]
        for char, (start, end) in zip(chars[first:], pairwise(cuts), strict=False):
            boxes.append(CharacterBox(char, column.left, start, column.right, end, cost))
        first += number
    return boxes


def _profile(ink: np.ndarray, column: tuple[int, int]) -> tuple[int, np.ndarray]:
    """The first row of a column with ink, and the ink share of each row from there to the last."""
    part = ink[:, column[0] : column[1]]
    rows = np.flatnonzero(part.max(axis=1) > _INKED)
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 1)
    return top, part[top:bottom].mean(axis=1)


def _choose_counts(
    profiles: list[tuple[int, np.ndarray]], columns: Sequence[Column], total: int
) -> list[int]:
    """The number of characters in each column, `total` in all, at minimum cost."""
    width = float(np.median([column.right - column.left for column in columns]))
    lengths = np.array([len(profile) for _, profile in profiles], float)
    pitch = max(lengths.sum() / total, 0.6 * width)
    # best[c, n]: minimum cost of n characters in the first c columns.
    best = np.full((len(profiles) + 1, total + 1), _INFINITE_COST)
    choice = np.zeros_like(best, int)
    best[0, 0] = 0
    for c, ((_, profile), column) in enumerate(zip(profiles, columns, strict=True)):
        guess = len(profile) / pitch
        most = min(_MAX_COLUMN_CHARS, int(guess * 1.4) + 2, len(profile) // _MIN_CHAR_PX)
        likely = range(max(1, int(guess * 0.7) - 1), most + 1)
        for number in [len(column.cuts) - 1] if column.cuts else likely:
            if number > total:
                continue
            cost = 0.0 if column.cuts else _best_cuts(profile, np.ones(number), pitch)[0]
            after = best[c, : total + 1 - number] + cost
            better = after < best[c + 1, number:]
            best[c + 1, number:][better] = after[better]
            choice[c + 1, number:][better] = number
    if best[-1, total] >= _INFINITE_COST:
        raise _does_not_fit(len(columns), total)
    numbers, left = [], total
    for c in range(len(profiles), 0, -1):
        numbers.append(int(choice[c, left]))
        left -= numbers[-1]
    return numbers[::-1]


def _does_not_fit(columns: int, total: int) -> DataError:
    return DataError(
        f"the text's {total} characters do not fit the page's {columns} columns; give the text "
        "with one line for each column"
    )


def _best_cuts(
    profile: np.ndarray, heights: np.ndarray, pitch: float | None = None
) -> tuple[float, list[int]]:
    """Minimum cost, and the cuts including both ends, of a column with len(heights) characters.

    Expected heights are in `pitch` rows; without `pitch` they are scaled to the column's length.
    """
    number, length = len(heights), len(profile)
    expected = heights / heights.sum() * length if pitch is None else heights * pitch
    step = max(1, length // 400)
    at = np.unique(np.append(np.arange(0, length, step), length))
    cut_cost = _CUT_WEIGHT * np.append(profile, 0.0)[np.minimum(at, length)]
    cut_cost[[0, -1]] = 0.0
    inked = np.append(0.0, np.cumsum(profile))[at]
    empty = inked[None, :] - inked[:, None] < _MIN_INK_SHARE * inked[-1] / number
    # cost[j]: minimum cost of the characters so far, the last of which ends at row at[j].
    cost = np.full(len(at), _INFINITE_COST)
    cost[0] = 0.0
    back = np.zeros((number, len(at)), int)
    for index in range(number):
        sizes = at[None, :] - at[:, None]
        ratio = np.where(sizes > 0, sizes / max(expected[index], 1e-6), np.inf)
        height_cost = _HEIGHT_WEIGHT * np.square(np.log(np.clip(ratio, 1e-3, 1e3)))
        char_cost = np.where(sizes > 0, height_cost + _EMPTY_COST * empty, _INFINITE_COST)
        total = cost[:, None] + char_cost
        back[index] = total.argmin(axis=0)
        cost = total.min(axis=0) + cut_cost
    cuts, here = [length], len(at) - 1
    for index in range(number - 1, -1, -1):
        here = int(back[index, here])
        cuts.append(int(at[here]))
    return float(cost[-1]), cuts[::-1]


def _to_page(box: CharacterBox, scale: float, reading: Reading) -> CharacterBox:
    """A box on the reduced page in the coordinates of the page."""
    left, top, right, bottom = (
        round(v / scale) for v in (box.left, box.top, box.right, box.bottom)
    )
    if reading == "rows":
        return CharacterBox(box.char, top, left, bottom, right, box.cost)
    return CharacterBox(box.char, left, top, right, bottom, box.cost)
