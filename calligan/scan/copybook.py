"""A free page to characters, when its text is known: columns, then cuts that fit the text.

Every column is cut into each plausible number of characters at the least cost (ink that a cut
crosses, heights that differ from what the characters should have); the numbers that add up to the
text at the least total cost are taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from calligan.errors import DataError
from calligan.page.flow import Letter
from calligan.scan.cells import to_image
from calligan.scan.opencv import opencv
from calligan.vector.font import UPEM

Reading = Literal["rtl", "ltr", "rows"]
_WORKED_PX = 1600  # of the longer side, while looking for columns and cuts
_UNEVEN, _CROSSED = 6.0, 14.0  # weights of a height's and of a cut's cost
_EMPTY, _LEAST_INK = 50.0, 0.05  # cost of a character with less than this share of the usual ink
_MOST = 60  # characters in a column
_RULE, _TILT = 0.5, 0.06  # of the page's side; across, of a rule's length
_LEAST_PX = 3  # of a character's height, while looking
_NEVER = 1e9
_ODD = 0.75  # of a size's logarithm


@dataclass(frozen=True)
class Spot:
    """A character on the page: its box in pixels, and how badly it fits."""

    char: str
    left: int
    top: int
    right: int
    bottom: int
    cost: float


def find_characters(
    ink: np.ndarray, text: str, reading: Reading, letters: Mapping[str, Letter]
) -> list[Spot]:
    """Where each character of a text is on a page of ink (H, W), 1 = ink.

    `letters` say how high each character should be: 一 takes less of a column than 鹭. Raises
    DataError where the page has no columns, or cannot hold the text.
    """
    turned = ink.T if reading == "rows" else ink
    scale = min(1.0, _WORKED_PX / max(turned.shape))
    small = _resized(turned, scale)
    columns = _columns(small)
    if not columns:
        raise DataError("no writing was found on the page; is it upright, and --columns right?")
    if reading == "rtl":
        columns = columns[::-1]
    along = 0 if reading == "rows" else 1
    heights = [_extent(letters[char], along) for char in text if not char.isspace()]
    spots = _cut(small, columns, text, np.array(heights))
    return [_placed(spot, scale, reading) for spot in spots]


def without_rules(ink: np.ndarray) -> np.ndarray:
    """Ink (H, W), 1 = ink, without lines that run along half of the page, level or upright."""
    cv2 = opencv()
    small = _resized(ink, min(1.0, _WORKED_PX / max(ink.shape)))
    high, wide = small.shape
    found = cv2.HoughLinesP(
        (small > 0.3).astype(np.uint8),
        *(1, np.pi / 1440, round(0.3 * min(high, wide))),
        minLineLength=_RULE * min(high, wide),
        maxLineGap=max(3, high // 200),
    )
    drawn = np.zeros(small.shape, np.uint8)
    for x0, y0, x1, y1 in [] if found is None else found.reshape(-1, 4).tolist():
        right, down = abs(x1 - x0), abs(y1 - y0)
        level = down < _TILT * right and right > _RULE * wide
        upright = right < _TILT * down and down > _RULE * high
        if level or upright:
            cv2.line(drawn, (x0, y0), (x1, y1), 1, max(5, high // 250))
    size = ink.shape[::-1]
    return np.where(cv2.resize(drawn, size, interpolation=cv2.INTER_NEAREST) > 0, 0, ink)


def crop(ink: np.ndarray, spot: Spot, size_px: int) -> np.ndarray:
    """A character as a glyph image, uint8 (S, S), 255 = paper, in the middle of its square."""
    cv2 = opencv()
    side = max(spot.right - spot.left, spot.bottom - spot.top)
    part = ink[spot.top : spot.bottom, spot.left : spot.right]
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


def doubtful(spots: Sequence[Spot]) -> list[str]:
    """What to doubt of each spot: a column that fits badly, an odd height; mostly nothing."""
    costs = np.array([spot.cost for spot in spots])
    usual, spread = np.median(costs), np.median(np.abs(costs - np.median(costs)))
    sizes = np.array([spot.bottom - spot.top for spot in spots], float)
    odd = np.abs(np.log(sizes / np.median(sizes))) > _ODD
    notes = np.where(odd, "odd size", "")
    notes = np.where(costs > usual + 6 * spread + 0.5, "column fits badly", notes)
    doubts: list[str] = notes.tolist()
    return doubts


def _extent(letter: Letter, axis: int) -> float:
    """How much of its pitch a character takes along a line."""
    points = letter.outline.controls.reshape(-1, 2)
    ink = float(np.ptp(points[:, axis])) / UPEM if len(points) else 0.8
    return 0.25 + 0.87 * ink


def _resized(ink: np.ndarray, scale: float) -> np.ndarray:
    cv2 = opencv()
    size = (round(ink.shape[1] * scale), round(ink.shape[0] * scale))
    whole = np.ascontiguousarray(ink, np.float32)
    resized: np.ndarray = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return resized


def _columns(ink: np.ndarray) -> list[tuple[int, int]]:
    """Left and right of each column, from left to right: runs of ink in the sum over rows."""
    cv2 = opencv()
    profile = ink.sum(axis=0)
    smooth = cv2.GaussianBlur(profile[None].astype(np.float32), (0, 0), ink.shape[1] / 400)[0]
    there = smooth > 0.06 * np.percentile(smooth, 95)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(int), [0]])))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    if not runs:
        return []
    usual = float(np.median([b - a for a, b in runs if b - a > 0.25 * max(b - a for a, b in runs)]))
    merged: list[tuple[int, int]] = []
    for a, b in runs:
        if merged and b - merged[-1][0] < 1.35 * usual:
            merged[-1] = (merged[-1][0], b)
        else:
            merged.append((a, b))
    return [(a, b) for a, b in merged if b - a > 0.35 * usual]


def _cut(
    ink: np.ndarray, columns: list[tuple[int, int]], text: str, heights: np.ndarray
) -> list[Spot]:
    """Numbers of characters a column, then where they begin and end."""
    profiles = [_profile(ink, column) for column in columns]
    lines = [line for line in text.split("\n") if line.strip()]
    chars = "".join(char for char in text if not char.isspace())
    if len(lines) == len(columns):
        numbers = [sum(not char.isspace() for char in line) for line in lines]
    else:
        numbers = _numbers(profiles, columns, len(chars))
    if any(len(p) < _LEAST_PX * n for (_, p), n in zip(profiles, numbers, strict=True)):
        raise _no_room(len(columns), len(chars))
    spots, first = [], 0
    for (left, right), (top, profile), number in zip(columns, profiles, numbers, strict=True):
        cost, cuts = _best_cuts(profile, heights[first : first + number])
        for index, (a, b) in enumerate(pairwise(cuts)):
            char = chars[first + index]
            spots.append(Spot(char, left, top + a, right, top + b, cost / max(number, 1)))
        first += number
    return spots


def _profile(ink: np.ndarray, column: tuple[int, int]) -> tuple[int, np.ndarray]:
    """Where a column's ink begins, and the share of each row that is ink, to where it ends."""
    part = ink[:, column[0] : column[1]]
    rows = np.flatnonzero(part.max(axis=1) > 0.5)
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 1)
    return top, part[top:bottom].mean(axis=1)


def _numbers(
    profiles: list[tuple[int, np.ndarray]], columns: list[tuple[int, int]], total: int
) -> list[int]:
    """How many characters each column holds, `total` in all, at the least cost."""
    width = float(np.median([b - a for a, b in columns]))
    lengths = np.array([len(profile) for _, profile in profiles], float)
    pitch = max(lengths.sum() / total, 0.6 * width)
    best = np.full((len(profiles) + 1, total + 1), _NEVER)
    choice = np.zeros_like(best, int)
    best[0, 0] = 0
    for c, (_, profile) in enumerate(profiles):
        guess = len(profile) / pitch
        options = range(max(1, int(guess * 0.7) - 1), min(_MOST, int(guess * 1.4) + 2) + 1)
        for number in options:
            if number > total or number > len(profile) // _LEAST_PX:
                continue
            cost, _ = _best_cuts(profile, np.ones(number), pitch)
            after = best[c, : total + 1 - number] + cost
            better = after < best[c + 1, number:]
            best[c + 1, number:][better] = after[better]
            choice[c + 1, number:][better] = number
    if best[-1, total] >= _NEVER:
        raise _no_room(len(columns), total)
    numbers, left = [], total
    for c in range(len(profiles), 0, -1):
        numbers.append(int(choice[c, left]))
        left -= numbers[-1]
    return numbers[::-1]


def _no_room(columns: int, total: int) -> DataError:
    return DataError(
        f"the page's {columns} columns do not hold the text's {total} characters; give the text "
        "with a line for each column"
    )


def _best_cuts(
    profile: np.ndarray, heights: np.ndarray, pitch: float | None = None
) -> tuple[float, list[int]]:
    """The least cost, and the cuts, of a column in len(heights) characters, ends included.

    With no `pitch`, characters share the column's length.
    """
    number, length = len(heights), len(profile)
    shares = heights / heights.sum() * length if pitch is None else heights * pitch
    step = max(1, length // 400)
    at = np.unique(np.append(np.arange(0, length, step), length))
    crossed = _CROSSED * np.append(profile, 0.0)[np.minimum(at, length)]
    crossed[[0, -1]] = 0.0
    inked = np.append(0.0, np.cumsum(profile))[at]
    empty = inked[None, :] - inked[:, None] < _LEAST_INK * inked[-1] / number
    cost = np.full(len(at), _NEVER)
    cost[0] = 0.0
    back = np.zeros((number, len(at)), int)
    for index in range(number):
        sizes = at[None, :] - at[:, None]
        ratio = np.where(sizes > 0, sizes / max(shares[index], 1e-6), np.inf)
        uneven = _UNEVEN * np.square(np.log(np.clip(ratio, 1e-3, 1e3)))
        total = cost[:, None] + np.where(sizes > 0, uneven + _EMPTY * empty, _NEVER)
        back[index] = total.argmin(axis=0)
        cost = total.min(axis=0) + crossed
    cuts, here = [length], len(at) - 1
    for index in range(number - 1, -1, -1):
        here = int(back[index, here])
        cuts.append(int(at[here]))
    return float(cost[-1]), cuts[::-1]


def _placed(spot: Spot, scale: float, reading: Reading) -> Spot:
    """A spot of the small page on the page itself."""
    left, top, right, bottom = (
        round(v / scale) for v in (spot.left, spot.top, spot.right, spot.bottom)
    )
    if reading == "rows":
        return Spot(spot.char, top, left, bottom, right, spot.cost)
    return Spot(spot.char, left, top, right, bottom, spot.cost)
