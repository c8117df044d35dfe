"""The skeleton of a glyph as a graph: branches between ends and junctions, without spurs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calligan.vector.thinning import thin

Pixel = tuple[int, int]  # row, column
_SPUR = 0.6  # of the half-width: a branch that sticks out by less is no stroke
_ONE_JUNCTION = 1.6  # half-widths: junctions that are closer together are one
_MEASURED_STEP = 4  # of the skeleton's pixels, for the strokes' width
_MIN_LOOP = 3.0  # half-widths: a smaller loop is noise
_STRAIGHT_STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))
_DIAGONAL_STEPS = ((-1, 1), (1, 1), (1, -1), (-1, -1))


@dataclass(frozen=True)
class Branch:
    """A line of the skeleton, (K, 2) x and y in pixels, between two nodes of the graph."""

    points: np.ndarray
    start: int
    end: int


@dataclass(frozen=True)
class Skeleton:
    """Branches, where each node is, and how many branches meet there (1 is an end).

    `half_width_px` is that of the strokes: the median over the skeleton; `spread` is its standard
    deviation over its mean.
    """

    half_width_px: float
    spread: float
    branches: list[Branch]
    places: list[np.ndarray]
    degrees: list[int]


def skeleton_of(ink: np.ndarray) -> Skeleton:
    """The skeleton of `ink`, bool (H, W), which must have some."""
    bones, edge = thin(ink), _edge(ink)
    some = np.argwhere(bones)[::_MEASURED_STEP]
    depths_px = np.hypot(*np.moveaxis(some[:, None] - edge, -1, 0)).min(axis=1) + 0.5
    spread = float(depths_px.std() / depths_px.mean())
    merged = _Merged([*_paths(_links(bones))], float(np.median(depths_px)), spread, edge)
    while merged.prune() or merged.unite() or merged.straighten():
        pass
    return merged.skeleton()


def _edge(ink: np.ndarray) -> np.ndarray:
    """Rows and columns of the pixels of ink beside paper, (K, 2)."""
    padded = np.pad(ink, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(ink & ~inside)


def _links(skeleton: np.ndarray) -> dict[Pixel, list[Pixel]]:
    """Each pixel's neighbours. Diagonal ones count only if no straight steps lead there."""
    pixels = {(row, column) for row, column in np.argwhere(skeleton).tolist()}
    found = {}
    for row, column in pixels:
        near = [
            (row + y, column + x) for y, x in _STRAIGHT_STEPS if (row + y, column + x) in pixels
        ]
        for y, x in _DIAGONAL_STEPS:
            around = (row + y, column) in pixels or (row, column + x) in pixels
            if not around and (row + y, column + x) in pixels:
                near.append((row + y, column + x))
        found[row, column] = near
    return found


def _paths(links: dict[Pixel, list[Pixel]]) -> Iterator[list[Pixel]]:
    """Lines of pixels between nodes, which have other than two neighbours; and closed lines."""
    nodes = {pixel for pixel, near in links.items() if len(near) != 2}
    walked: set[tuple[Pixel, Pixel]] = set()
    rest = set(links) - nodes
    for node in nodes:
        if not links[node]:
            yield [node]
        for first in links[node]:
            if (node, first) not in walked:
                path = _walk(links, nodes, node, first)
                walked |= {(node, first), (path[-1], path[-2])}
                rest.difference_update(path)
                yield path
    while rest:
        start = rest.pop()
        path = _walk(links, {start}, start, links[start][0])
        rest.difference_update(path)
        yield path


def _walk(
    links: dict[Pixel, list[Pixel]], until: set[Pixel], start: Pixel, first: Pixel
) -> list[Pixel]:
    path = [start, first]
    while path[-1] not in until:
        ahead = [pixel for pixel in links[path[-1]] if pixel != path[-2]]
        path.append(ahead[0])
    return path


class _Merged:
    """Paths whose end pixels are grouped to nodes."""

    def __init__(
        self, paths: list[list[Pixel]], half_width_px: float, spread: float, edge: np.ndarray
    ):
        self.paths, self.edge = paths, edge
        self.half_width_px, self.spread = half_width_px, spread
        self._parent: dict[Pixel, Pixel] = {}
        self._depths_px: dict[Pixel, float] = {}

    def depth_px(self, pixel: Pixel) -> float:
        """Distance of a pixel from the edge of the ink."""
        if pixel not in self._depths_px:
            self._depths_px[pixel] = float(np.hypot(*(self.edge - pixel).T).min())
        return self._depths_px[pixel]

    def node(self, pixel: Pixel) -> Pixel:
        """The pixel that stands for the group of an end pixel."""
        while (parent := self._parent.setdefault(pixel, pixel)) != pixel:
            pixel = parent
        return pixel

    def ends(self, path: list[Pixel]) -> tuple[Pixel, Pixel]:
        """The nodes at both ends of a path."""
        return self.node(path[0]), self.node(path[-1])

    def degrees(self) -> Counter[Pixel]:
        """How many paths end at each node."""
        return Counter(node for path in self.paths for node in self.ends(path))

    def prune(self) -> bool:
        """Remove branches that end too near to a junction; whether there were any."""
        degrees, kept = self.degrees(), []
        for path in sorted(self.paths, key=len):
            a, b = self.ends(path)
            if self._is_spur(path, degrees[a], degrees[b]):
                degrees.subtract((a, b))
            else:
                kept.append(path)
        changed = len(kept) < len(self.paths)
        self.paths = kept
        return changed

    def _is_spur(self, path: list[Pixel], first: int, last: int) -> bool:
        a, b = self.ends(path)
        if a == b:
            return len(path) < _MIN_LOOP * self.half_width_px and first > 2
        if 1 not in (first, last) or max(first, last) < 3:
            return False
        end, junction = (path[0], path[-1]) if first == 1 else (path[-1], path[0])
        away_px = float(np.hypot(end[0] - junction[0], end[1] - junction[1]))
        sticks_out_px = away_px + self.depth_px(end) - self.depth_px(junction)
        return sticks_out_px < _SPUR * self.half_width_px

    def unite(self) -> bool:
        """Make one of two junctions that a short path joins; whether there were any."""
        degrees = self.degrees()
        for at, path in enumerate(self.paths):
            a, b = self.ends(path)
            short = len(path) < _ONE_JUNCTION * self.half_width_px
            if a != b and short and min(degrees[a], degrees[b]) > 2:
                self._parent[a] = b
                del self.paths[at]
                return True
        return False

    def straighten(self) -> bool:
        """Join two paths at a node where nothing else ends; whether there were any."""
        meeting: dict[Pixel, list[int]] = {}
        for at, path in enumerate(self.paths):
            for node in self.ends(path):
                meeting.setdefault(node, []).append(at)
        for node, pair in meeting.items():
            if len(pair) == 2 and pair[0] != pair[1]:
                first, second = (self.paths[i] for i in pair)
                first = first if self.node(first[-1]) == node else first[::-1]
                second = second if self.node(second[0]) == node else second[::-1]
                self.paths = [path for i, path in enumerate(self.paths) if i not in pair]
                self.paths.append(first + second)
                return True
        return False

    def skeleton(self) -> Skeleton:
        """The graph."""
        degrees, pixels = self.degrees(), {node: [] for node in self.degrees()}  # type: ignore[var-annotated]
        for path in self.paths:
            for pixel in (path[0], path[-1]):
                pixels[self.node(pixel)].append(pixel)
        number = {node: i for i, node in enumerate(pixels)}
        branches = []
        for path in self.paths:
            a, b = self.ends(path)
            branches.append(Branch(_points(path), number[a], number[b]))
        places = [_points(each).mean(axis=0) for each in pixels.values()]
        return Skeleton(
            self.half_width_px, self.spread, branches, places, [degrees[node] for node in pixels]
        )


def _points(pixels: list[Pixel]) -> np.ndarray:
    """Centres of pixels, (K, 2) x and y."""
    return np.array(pixels, float)[:, ::-1] + 0.5
