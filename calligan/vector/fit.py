"""Cubic Béziers fitted to point chains, all pieces of a glyph at once.

Least squares with fixed end points and end tangents, after Schneider ("An algorithm for
automatically fitting digitized curves", Graphics Gems, 1990). A piece whose error exceeds the
tolerance is split at its largest error.

Every piece is sampled at the same number of points, so that one array holds all of them: parameters
and lengths are (S, K), points are (2, S, K), x before y. Sums over the samples of a piece then add
whole rows, which NumPy does much faster than sums within rows.
"""

from dataclasses import dataclass

import numpy as np

from calligan.vector.contour import Chain

_SAMPLES = 24  # points of a piece that the fit uses
_FIT_ROUNDS = 3  # least squares, with Newton steps of the parameters between
_MAX_REACH = 3  # points on either side of an end that its tangent uses
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
    """Closed cubic contours at most `tolerance_px` from the chains; corners are kept.

    A piece does not depend on other chains, so that those of many glyphs can be fitted at once.
    """
    if not chains:
        return Curves(np.empty((0, 4, 2)), np.empty(0, int))
    line = _ChainPoints(chains)
    todo = _split_at_joints(chains)
    kept, fitted = todo.pick(np.empty(0, int)), [np.empty((4, 2, 0))]
    while len(todo.chain):
        controls, error, worst = _fit_cubics(line, todo)
        good = (error <= tolerance_px) | (todo.length <= _MIN_SPLIT_POINTS)
        kept = kept.join(todo.pick(good))
        fitted.append(controls[..., good])
        todo = _split_at_worst(todo.pick(~good), worst[~good])
    order = np.lexsort((kept.start, kept.chain))
    controls = np.concatenate(fitted, axis=2)[..., order]
    return Curves(np.ascontiguousarray(controls.transpose(2, 0, 1)), kept.chain[order])


class _ChainPoints:
    """The points of all chains in one array, read at fractional indices.

    Each chain is stored twice, with some points before and after, since a piece may pass its end.
    """

    def __init__(self, chains: list[Chain]):
        counts = [len(chain.points) for chain in chains]
        rows = [
            chain.points[np.arange(-_MAX_REACH, 2 * count + _MAX_REACH + 1) % count]
            for chain, count in zip(chains, counts, strict=True)
        ]
        self.x, self.y = np.ascontiguousarray(np.concatenate(rows).T)
        lengths = np.array([len(row) for row in rows])
        self.first = np.cumsum(lengths) - lengths + _MAX_REACH  # where each chain begins

    def at(self, chain: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Points (2, …, K) at fractional indices (…, K) of chains (K,), linearly interpolated."""
        floor = np.floor(index)
        share = index - floor
        row = floor.astype(int)
        row += self.first[chain]
        found = np.empty((2, *index.shape))
        for axis, values in enumerate((self.x, self.y)):
            a = values[row]
            found[axis] = values[row + 1]
            found[axis] -= a
            found[axis] *= share
            found[axis] += a
        return found


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
    """Cubics (4, 2, K), their largest error in pixels (K,), and the sample with it (K,)."""
    steps = np.linspace(0, 1, _SAMPLES)[:, None]
    q = line.at(pieces.chain, pieces.start + pieces.length * steps)
    tangents = _tangents(line, pieces)
    # The first parameters u are shares of arc length.
    along = np.zeros(q.shape[1:])
    np.cumsum(np.hypot(*(q[:, 1:] - q[:, :-1])), axis=0, out=along[1:])
    u = along / np.maximum(along[-1], 1e-9)
    for round_ in range(_FIT_ROUNDS):
        controls = _least_squares(q, u, *tangents, along[-1])
        terms = _polynomial(controls)
        if round_ < _FIT_ROUNDS - 1:
            u = _newton_step(terms, q, u)
    squared = np.square(_point(terms, u) - q)
    squared[0] += squared[1]
    worst = squared[0].argmax(axis=0)
    return controls, np.sqrt(squared[0, worst, np.arange(len(worst))]), worst


def _tangents(line: _ChainPoints, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Unit tangents (2, K) at both ends, pointing into the piece; one-sided at corners."""
    reach = np.minimum(_MAX_REACH, np.maximum(1, pieces.length / 3))
    end = pieces.start + pieces.length
    behind = np.where(pieces.sharp_start, 0, reach)
    beyond = np.where(pieces.sharp_end, 0, reach)
    from_, to = [pieces.start - behind, end + beyond], [pieces.start + reach, end - reach]
    step = line.at(pieces.chain, np.stack(to)) - line.at(pieces.chain, np.stack(from_))
    step /= np.maximum(np.hypot(*step), 1e-9)
    return step[:, 0], step[:, 1]


def _least_squares(
    q: np.ndarray, u: np.ndarray, start: np.ndarray, end: np.ndarray, length: np.ndarray
) -> np.ndarray:
    """Cubics (4, 2, K) whose inner control points, on the tangents, best fit points q at u."""
    first, last = q[:, 0], q[:, -1]
    v, uu = 1 - u, u * u
    b1, b2 = 3 * u * v * v, 3 * uu * v  # Bernstein polynomials
    last_share = uu * u + b2  # of the last end point, where the handles have no length
    rest = q - first[:, None] - last_share * (last - first)[:, None]
    # Minimise |b1 alpha_0 start + b2 alpha_1 end - rest|²: normal equations, Cramer's rule.
    aa = (b1 * b1).sum(axis=0) * (start * start).sum(axis=0)
    bb = (b2 * b2).sum(axis=0) * (end * end).sum(axis=0)
    ab = (b1 * b2).sum(axis=0) * (start * end).sum(axis=0)
    ar = ((b1 * rest).sum(axis=1) * start).sum(axis=0)
    br = ((b2 * rest).sum(axis=1) * end).sum(axis=0)
    determinant = aa * bb - ab * ab
    safe = np.where(np.abs(determinant) > 1e-9, determinant, 1)
    alphas = np.stack([(ar * bb - br * ab) / safe, (br * aa - ar * ab) / safe])
    # Where the solution is degenerate, use handles of a third of the length.
    wrong = (alphas < 0.05 * length) | (alphas > length) | (np.abs(determinant) <= 1e-9)
    left, right = np.where(wrong.any(axis=0), length / 3, alphas)
    return np.stack([first, first + left * start, last + right * end, last])


def _polynomial(controls: np.ndarray) -> np.ndarray:
    """Cubics (4, 2, K) as coefficients of 1, u, u², u³, (4, 2, 1, K)."""
    p0, p1, p2, p3 = controls
    terms = [p0, 3 * (p1 - p0), 3 * (p2 - 2 * p1 + p0), p3 - p0 + 3 * (p1 - p2)]
    return np.stack(terms)[:, :, None]


def _point(terms: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Points (2, S, K) of cubics at parameters u (S, K)."""
    constant, linear, square, cube = terms
    point: np.ndarray = cube * u
    for term in (square, linear):
        point += term
        point *= u
    point += constant
    return point


def _newton_step(terms: np.ndarray, q: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Parameters u (S, K) after a Newton step towards the curve's nearest points to q."""
    # The nearest point solves f(u) = (B(u) - q) · B'(u) = 0; f' = B'·B' + (B - q)·B''.
    _, linear, square, cube = terms
    off = _point(terms, u)
    off -= q
    slope = 3 * cube * u
    curvature = 2 * (slope + square)
    slope += 2 * square
    slope *= u
    slope += linear
    f = (off * slope).sum(axis=0)
    f_slope = (slope * slope).sum(axis=0) + (off * curvature).sum(axis=0)
    flat = np.abs(f_slope) <= 1e-9
    f[flat], f_slope[flat] = 0, 1
    stepped = np.clip(u - f / f_slope, 0, 1)
    stepped[0], stepped[-1] = 0, 1
    return np.maximum.accumulate(stepped, axis=0)


def _split_at_worst(pieces: Pieces, worst: np.ndarray) -> Pieces:
    """Split each piece in two at its worst sample, but not within a quarter of its ends."""
    share = np.clip(worst / (_SAMPLES - 1), 0.25, 0.75)
    first = np.maximum(1, np.rint(share * pieces.length).astype(int))
    smooth = np.zeros(len(worst), bool)
    left = Pieces(pieces.chain, pieces.start, first, pieces.sharp_start, smooth)
    rest = pieces.length - first
    right = Pieces(pieces.chain, pieces.start + first, rest, smooth, pieces.sharp_end)
    return left.join(right)
