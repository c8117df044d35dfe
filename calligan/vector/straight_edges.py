"""Straighten the edges of a glyph that its hand draws straight.

Networks let straight edges waver by some thousandths of an em, and round off their corners. For
hands whose real edges are straight, runs of a chain that are nearly so become lines, and lines that
are nearly level or upright become exactly so. Corners between two lines are where the lines cross.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calligan.config import TraceConfig
from calligan.vector.contour import Chain, extract_chains, resample_open
from calligan.vector.straight_runs import degrees_off_axis, line_through, turns_deg, vertices_of

_WAVER_EM = 0.008  # an edge that is farther from a line is a curve
_MAX_BEND = 0.018  # the same of a long edge, as a share of its length
_MAX_AXIS_DEG = 6.0  # from horizontal or vertical, for a run to count as along an axis
_MAX_TILT_DEG = 3.0  # lines that are less tilted become level or upright
_MIN_CORNER_DEG = 50.0  # where a chain turns by less, no corner ends the edge
_SOFT_END_EM = 0.03  # what stays a curve at an end without a corner
_MIN_ARC_SHARE = 0.5  # of the bow of a regular arc, for an edge to be part of a curve
_BLEND_EM = 0.18  # length over which a curve is moved to meet a line
_PARALLEL = 0.17  # sine of the angle below which two lines do not cross


@dataclass(frozen=True)
class EdgeKind:
    """What straight edges a hand has."""

    along_axes: bool  # only level and upright ones; others are curves
    min_em: float  # shorter runs stay as they are
    corner_em: float  # roundings up to this length between two edges are cut away
    end_em: float  # what stays rounded at either end of an edge


KINDS = {
    "sharp": EdgeKind(along_axes=True, min_em=0.05, corner_em=0.025, end_em=0.0),
    "round": EdgeKind(along_axes=True, min_em=0.11, corner_em=0.0, end_em=0.018),
    "polygon": EdgeKind(along_axes=False, min_em=0.04, corner_em=0.045, end_em=0.0),
}

# What decides the kind of a hand (`edges_of`).
_EXACT_EM = 0.0015  # how far a real edge is from straight, at most
_LONG_EM = 0.08
_MAX_LEVEL_DEG = 0.5
_MIN_POLYGON_SHARE = 0.75  # of the outline in edges
_MAX_POLYGON_LEVEL = 0.3  # of these edges, level and upright ones
_MIN_LEVEL_SHARE = 0.1  # of the outline in level and upright edges
_MIN_SHARP_SHARE = 0.4  # of the ends of such edges


@dataclass(frozen=True)
class _Span:
    """Part of a closed chain, from point `start` to point `stop` > `start`; they may pass its end.

    With a `point` and a unit `direction` it lies on that line, else it is a curve.
    """

    start: int
    stop: int
    point: np.ndarray | None = None
    direction: np.ndarray | None = None

    def on_line(self, at: np.ndarray) -> np.ndarray:
        """The nearest point of the line."""
        assert self.point is not None and self.direction is not None
        found: np.ndarray = self.point + self.direction * ((at - self.point) @ self.direction)
        return found


def straighten(chain: Chain, kind: EdgeKind, em_px: float, step_px: float) -> Chain:
    """The chain with straight edges, and corners at their ends; itself if it has none."""
    spans = _spans(chain, kind, em_px, step_px)
    if all(span.point is None for span in spans):
        return chain
    around = np.concatenate([chain.points] * 3)
    meeting = _meeting_points(spans, around, kind.corner_em * em_px)
    parts, corners, count = [], [], 0
    for number, span in enumerate(spans):
        ends = meeting[number - 1], meeting[number]
        if span.point is not None:
            line = np.stack(ends)
        elif ends[0] is ends[1]:  # a rounding that was cut away
            continue
        else:
            line = _moved(around[span.start : span.stop + 1], *ends, _BLEND_EM * em_px / step_px)
        part = resample_open(line, step_px)
        inner = _corners_within(chain, span) if span.point is None else []
        corners += [count, *(count + round(at * len(part)) for at in inner)]
        count += len(part)
        parts.append(part)
    points = np.concatenate(parts)
    return Chain(points, np.unique([at for at in corners if at < len(points)]))


def edges_of(images: Iterable[np.ndarray], em_px: float) -> str:
    """The name in KINDS of the edges of real glyphs, uint8 (S, S); "" if few are straight.

    `em_px` is the em on these images.
    """
    total = straight = level = sharp = 0.0
    for image in images:
        for chain in extract_chains(image, TraceConfig()):
            vertices = vertices_of(chain, _EXACT_EM * em_px)
            chords = np.roll(chain.points[vertices], -1, axis=0) - chain.points[vertices]
            corner = np.abs(turns_deg(chords)) >= _MIN_CORNER_DEG  # at the start of each
            length = np.hypot(*chords.T)
            long = length >= _LONG_EM * em_px
            on_axis = long & (degrees_off_axis(chords) <= _MAX_LEVEL_DEG)
            total += length.sum()
            straight += length[long].sum()
            level += length[on_axis].sum()
            sharp += (length * (corner + np.roll(corner, -1)) / 2)[on_axis].sum()
    if straight >= _MIN_POLYGON_SHARE * total and level < _MAX_POLYGON_LEVEL * straight:
        return "polygon"
    if not level or level < _MIN_LEVEL_SHARE * total:
        return ""
    return "sharp" if sharp / level >= _MIN_SHARP_SHARE else "round"


def _spans(chain: Chain, kind: EdgeKind, em_px: float, step_px: float) -> list[_Span]:
    """The chain as lines and curves in turn (lines may follow each other), a line first."""
    count, around = len(chain.points), np.concatenate([chain.points] * 2)
    vertices = vertices_of(chain, _WAVER_EM * em_px, _MAX_BEND)
    stops = [*vertices[1:], vertices[0] + count]
    chords = np.array([around[b] - around[a] for a, b in zip(vertices, stops, strict=True)])
    at_start = turns_deg(chords)
    at_end = np.roll(at_start, -1)
    # A short chord is a rounded corner, which turns by as much as both its ends.
    rounding = np.where(np.hypot(*chords.T) <= kind.corner_em * em_px, 1, 0)
    ends_deg = np.stack(
        [at_start + np.roll(rounding * at_start, 1), at_end + np.roll(rounding * at_end, -1)], 1
    )
    curved = kind.along_axes & (degrees_off_axis(chords) > _MAX_AXIS_DEG)
    found: list[_Span] = []
    for number, (start, stop) in enumerate(zip(vertices, stops, strict=True)):
        span = _Span(start, stop)
        if curved[number]:
            found.append(span)
        else:
            found += _split_off_ends(span, around, ends_deg[number], kind, em_px / step_px)
    return _merged(found, count)


def _split_off_ends(
    span: _Span,
    around: np.ndarray,
    ends_deg: np.ndarray,
    kind: EdgeKind,
    points_per_em: float,
) -> list[_Span]:
    """A nearly straight span as a line and what stays a curve at its ends, or the span itself.

    `ends_deg` (2,) is by how much the chain turns at its ends.
    """
    before = after = 0
    if kind.along_axes:
        before, after = (
            round((kind.end_em if abs(turn) >= _MIN_CORNER_DEG else _SOFT_END_EM) * points_per_em)
            for turn in ends_deg
        )
    start, stop = span.start + before, span.stop - after
    if stop - start < kind.min_em * points_per_em:
        return [span]
    if kind.along_axes and _is_arc(around[span.start : span.stop + 1], ends_deg):
        return [span]
    point, direction = line_through(around[start : stop + 1])
    if kind.along_axes and degrees_off_axis(direction) <= _MAX_TILT_DEG:
        direction = np.rint(direction)
    line = _Span(start, stop, point, direction)
    parts = _Span(span.start, start), line, _Span(stop, span.stop)
    return [part for part in parts if part.stop > part.start]


def _is_arc(points: np.ndarray, ends_deg: np.ndarray) -> bool:
    """Whether nearly straight points (N, 2) bow as the chain turns at their ends."""
    soft = ends_deg[np.abs(ends_deg) < _MIN_CORNER_DEG]
    turn = np.radians(soft.mean()) if len(soft) else 0.0
    chord = points[-1] - points[0]
    along = (np.arange(len(points)) * (2 / (len(points) - 1)) - 1) ** 2
    along -= along.mean()
    across = (chord[0] * points[:, 1] - chord[1] * points[:, 0]) / np.hypot(*chord)
    bow_px = (along @ across) / (along @ along)  # from the middle to the ends
    arc_px = np.hypot(*chord) * turn / 8  # of a polygon around an arc that turns as much
    return bool(bow_px * np.sign(turn) > _MIN_ARC_SHARE * abs(arc_px) > 0)


def _merged(spans: Sequence[_Span], count: int) -> list[_Span]:
    """Consecutive curves as one; the first is a line, if there is any. `count` points in all."""
    first = next((i for i, span in enumerate(spans) if span.point is not None), 0)
    later = [replace(s, start=s.start + count, stop=s.stop + count) for s in spans[:first]]
    found: list[_Span] = []
    for span in [*spans[first:], *later]:
        if found and span.point is None and found[-1].point is None:
            found[-1] = replace(found[-1], stop=span.stop)
        else:
            found.append(span)
    return found


def _meeting_points(
    spans: Sequence[_Span], around: np.ndarray, corner_px: float
) -> list[np.ndarray]:
    """Where each span meets the next. A rounding that is cut away meets both at the same point."""
    found: list[np.ndarray] = [np.empty(0)] * len(spans)
    for number, span in enumerate(spans):
        after = (number + 1) % len(spans)
        here = around[span.stop]
        if span.point is not None and spans[after].point is not None:
            found[number] = _corner(span, spans[after], here, corner_px)
        elif span.point is not None:
            found[number] = span.on_line(here)
        else:
            found[number] = spans[after].on_line(here)
    for number, span in enumerate(spans):
        before, behind = spans[number - 1], spans[(number + 1) % len(spans)]
        if span.point is not None or before is behind:
            continue
        at, middle = _crossing(before, behind), around[(span.start + span.stop) // 2]
        short = np.hypot(*(around[span.stop] - around[span.start])) <= corner_px
        if short and at is not None and np.hypot(*(at - middle)) <= corner_px:
            found[number - 1] = found[number] = at
    return found


def _corner(a: _Span, b: _Span, here: np.ndarray, corner_px: float) -> np.ndarray:
    """Where two lines meet that follow each other at `here`."""
    at = _crossing(a, b)
    if at is not None and np.hypot(*(at - here)) <= corner_px:
        return at
    middle: np.ndarray = (a.on_line(here) + b.on_line(here)) / 2
    return middle


def _crossing(a: _Span, b: _Span) -> np.ndarray | None:
    """Where two lines cross; None if they are nearly parallel."""
    assert a.point is not None and a.direction is not None
    assert b.point is not None and b.direction is not None
    sine = a.direction[0] * b.direction[1] - a.direction[1] * b.direction[0]
    if abs(sine) < _PARALLEL:
        return None
    offset = b.point - a.point
    along = (offset[0] * b.direction[1] - offset[1] * b.direction[0]) / sine
    found: np.ndarray = a.point + a.direction * along
    return found


def _moved(curve: np.ndarray, first: np.ndarray, last: np.ndarray, blend: float) -> np.ndarray:
    """A curve (N, 2), moved at its ends to new end points, ever less over `blend` points."""
    index = np.arange(len(curve))[:, None]
    weight = np.clip(1 - index / min(blend, len(curve) - 1), 0, 1)
    moved: np.ndarray = curve + weight * (first - curve[0]) + weight[::-1] * (last - curve[-1])
    return moved


def _corners_within(chain: Chain, span: _Span) -> list[float]:
    """The chain's corners inside a span, as shares of its length."""
    count, length = len(chain.points), span.stop - span.start
    offset = (chain.corners - span.start) % count
    return [float(at) / length for at in offset if 0 < at < length]
