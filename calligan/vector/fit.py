"""Cubic Béziers fitted to point chains, all pieces of a glyph at once.

Least squares with fixed end points and end tangents, after Schneider ("An algorithm for
automatically fitting digitized curves", Graphics Gems, 1990). A piece whose error exceeds the
tolerance is split at its largest error. Every piece is sampled at the same number of points, so
that one array holds all of them.
"""

from dataclasses import dataclass

import numpy as np

from calligan.vector.contour import Chain

_SAMPLES = 24  # points of a piece that the fit uses
_FIT_ROUNDS = 3  # least squares, with Newton steps of the parameters between
_MIN_SPLIT_POINTS = 4  # a piece with no more points is not split


@dataclass(frozen=True)
class Pieces:
    """K parts of chains, each between two joints: one array (K,) per field."""

    chain: np.ndarray
    start: np.ndarray  # index into the chain's points
    length: np.ndarray  # in points
    sharp_start: np.ndarray  # whether the piece starts at a corner
    sharp_end: np.ndarray

    def pick(self, which: np.ndarray) -> "Pieces":
        """The pieces selected by a mask or indices."""
        return Pieces(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def join(self, other: "Pieces") -> "Pieces":
        """These pieces followed by `other`."""
        names = self.__dataclass_fields__
        return Pieces(*(np.concatenate([getattr(p, n) for p in (self, other)]) for n in names))


@dataclass(frozen=True)
class Curves:
    """Closed contours of cubics: `controls` (K, 4, 2) and the contour index (K,) of each."""

    controls: np.ndarray
    contour: np.ndarray


def fit(chains: list[Chain], tolerance_px: float) -> Curves:
    """Closed cubic contours at most `tolerance_px` from the chains; corners are kept."""
    if not chains:
        return Curves(np.empty((0, 4, 2)), np.empty(0, int))
    line = _ChainPoints(chains)
    todo = _split_at_joints(chains)
    kept = todo.pick(np.empty(0, int))
    while len(todo.chain):
        _, error, worst = _fit_cubics(line, todo)
        good = (error <= tolerance_px) | (todo.length <= _MIN_SPLIT_POINTS)
        kept = kept.join(todo.pick(good))
        todo = _split_at_worst(todo.pick(~good), worst[~good])
    pieces = kept.pick(np.lexsort((kept.start, kept.chain)))
    return Curves(_fit_cubics(line, pieces)[0], pieces.chain)


class _ChainPoints:
    """The points of all chains in one array, read at fractional indices."""

    def __init__(self, chains: list[Chain]):
        self.points = np.concatenate([chain.points for chain in chains])
        self.count = np.array([len(chain.points) for chain in chains])
        self.offset = np.concatenate([[0], np.cumsum(self.count)[:-1]])

    def at(self, chain: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Points (…, 2) at fractional indices (…) of chains (…), linearly interpolated."""
        floor = np.floor(index).astype(int)
        share = (index - floor)[..., None]
        count, offset = self.count[chain], self.offset[chain]
        a = self.points[offset + floor % count]
        b = self.points[offset + (floor + 1) % count]
        points: np.ndarray = a + share * (b - a)
        return points


def _split_at_joints(chains: list[Chain]) -> Pieces:
    """Pieces between corners; in a chain with fewer than two, between its extreme points too."""
    columns: list[tuple[int, int, int, bool, bool]] = []
    for number, chain in enumerate(chains):
        joints, count = set(chain.corners.tolist()), len(chain.points)
        if len(joints) < 2:
            x, y = chain.points.T
            joints |= {int(x.argmin()), int(y.argmin()), int(x.argmax()), int(y.argmax())}
        sharp = set(chain.corners.tolist())
        ordered = sorted(joints)
        for a, b in zip(ordered, [*ordered[1:], ordered[0] + count], strict=True):
            columns.append((number, a, b - a, a in sharp, b % count in sharp))
    return Pieces(*(np.array(column) for column in zip(*columns, strict=True)))


def _fit_cubics(line: _ChainPoints, pieces: Pieces) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cubics (K, 4, 2), their largest error in pixels (K,), and the sample with it (K,)."""
    steps = np.linspace(0, 1, _SAMPLES)
    chain = pieces.chain[:, None]
    q = line.at(chain, pieces.start[:, None] + pieces.length[:, None] * steps)
    tangents = _tangents(line, pieces)
    # The first parameters u are shares of arc length.
    gaps = np.hypot(*np.moveaxis(np.diff(q, axis=1), -1, 0))
    along = np.concatenate([np.zeros((len(q), 1)), gaps.cumsum(axis=1)], axis=1)
    u = along / np.maximum(along[:, -1:], 1e-9)
    for round_ in range(_FIT_ROUNDS):
        controls = _least_squares(q, u, *tangents, along[:, -1])
        if round_ < _FIT_ROUNDS - 1:
            u = _newton_step(controls, q, u)
    error = np.hypot(*np.moveaxis(_point(controls, u) - q, -1, 0))
    return controls, error.max(axis=1), error.argmax(axis=1)


def _tangents(line: _ChainPoints, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Unit tangents at both ends, pointing into the piece: one-sided differences at corners."""
    reach = np.minimum(3, np.maximum(1, pieces.length / 3))
    end = pieces.start + pieces.length

    def direction(to: np.ndarray, origin: np.ndarray) -> np.ndarray:
        step = line.at(pieces.chain, to) - line.at(pieces.chain, origin)
        unit: np.ndarray = step / np.maximum(np.hypot(*step.T), 1e-9)[:, None]
        return unit

    behind = np.where(pieces.sharp_start, 0, reach)
    beyond = np.where(pieces.sharp_end, 0, reach)
    return (
        direction(pieces.start + reach, pieces.start - behind),
        direction(end - reach, end + beyond),
    )


def _least_squares(
    q: np.ndarray, u: np.ndarray, start: np.ndarray, end: np.ndarray, length: np.ndarray
) -> np.ndarray:
    """Cubics (K, 4, 2) whose inner control points, on the tangents, best fit points q at u."""
    b0, b1, b2, b3 = _bernstein(u)
    first, last = q[:, :1], q[:, -1:]
    rest = q - (b0 + b1)[..., None] * first - (b2 + b3)[..., None] * last
    # Minimise |a * alpha_start + b * alpha_end - rest|²: 2 x 2 normal equations, Cramer's rule.
    a, b = b1[..., None] * start[:, None], b2[..., None] * end[:, None]
    aa, ab, bb = ((x * y).sum(axis=(1, 2)) for x, y in ((a, a), (a, b), (b, b)))
    ar, br = ((x * rest).sum(axis=(1, 2)) for x in (a, b))
    determinant = aa * bb - ab * ab
    safe = np.where(np.abs(determinant) > 1e-9, determinant, 1)
    alphas = np.stack([(ar * bb - br * ab) / safe, (br * aa - ar * ab) / safe])
    # Where the solution is degenerate, use handles of a third of the length.
    wrong = (alphas < 0.05 * length) | (alphas > length) | (np.abs(determinant) <= 1e-9)
    left, right = np.where(wrong.any(axis=0), length / 3, alphas)
    inner = [first[:, 0] + left[:, None] * start, last[:, 0] + right[:, None] * end]
    return np.stack([first[:, 0], *inner, last[:, 0]], axis=1)


def _newton_step(controls: np.ndarray, q: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Parameters u (K, S) after a Newton step towards the curve's nearest points to q."""
    # The nearest point solves f(u) = (B(u) - q) · B'(u) = 0; f' = B'·B' + (B - q)·B''.
    d1 = 3 * np.diff(controls, axis=1)
    d2 = 2 * np.diff(d1, axis=1)
    v = 1 - u
    slope = np.einsum("ksn,knc->ksc", np.stack([v * v, 2 * u * v, u * u], axis=-1), d1)
    curvature = np.einsum("ksn,knc->ksc", np.stack([v, u], axis=-1), d2)
    off = _point(controls, u) - q
    f = (off * slope).sum(-1)
    f_slope = (slope * slope).sum(-1) + (off * curvature).sum(-1)
    stepped = u - np.where(np.abs(f_slope) > 1e-9, f / np.where(f_slope == 0, 1, f_slope), 0)
    stepped = np.clip(stepped, 0, 1)
    stepped[:, 0], stepped[:, -1] = 0, 1
    return np.maximum.accumulate(stepped, axis=1)


def _point(controls: np.ndarray, u: np.ndarray) -> np.ndarray:
    points: np.ndarray = np.einsum("ksn,knc->ksc", np.stack(_bernstein(u), axis=-1), controls)
    return points


def _bernstein(u: np.ndarray) -> tuple[np.ndarray, ...]:
    v = 1 - u
    return v**3, 3 * u * v * v, 3 * u * u * v, u**3


def _split_at_worst(pieces: Pieces, worst: np.ndarray) -> Pieces:
    """Split each piece in two at its worst sample, but not within a quarter of its ends."""
    share = np.clip(worst / (_SAMPLES - 1), 0.25, 0.75)
    first = np.maximum(1, np.rint(share * pieces.length).astype(int))
    smooth = np.zeros(len(worst), bool)
    left = Pieces(pieces.chain, pieces.start, first, pieces.sharp_start, smooth)
    rest = pieces.length - first
    right = Pieces(pieces.chain, pieces.start + first, rest, smooth, pieces.sharp_end)
    return left.join(right)
