"""Pages as JSON for the browser: placed outlines, and the outlines it does not have yet."""

from collections.abc import Collection
from hashlib import blake2b
from typing import Any

from fontTools.pens.svgPathPen import SVGPathPen

from calligan.page.drawing import Mark, Page
from calligan.vector.outline import Outline

_MOST = 20_000  # paths kept
_paths: dict[str, str] = {}


def pages_as_json(pages: list[Page], have: Collection[str]) -> dict[str, Any]:
    """Pages, and the SVG paths of their outlines by name, except those in `have`."""
    outlines: dict[str, str] = {}
    found = []
    for page in pages:
        marks = []
        for mark in page.marks:
            if not len(mark.outline.contour):
                continue
            name = _name(mark.outline)
            if name not in have:
                outlines[name] = path(mark.outline, name)
            marks.append([name, _matrix(mark), mark.colour, mark.text])
        size = {"width_mm": page.width_mm, "height_mm": page.height_mm}
        found.append({**size, "paper": page.paper, "marks": marks})
    return {"pages": found, "outlines": outlines}


def path(outline: Outline, name: str = "") -> str:
    """An outline as the `d` of an SVG path, in its own units."""
    name = name or _name(outline)
    if name not in _paths:
        if len(_paths) >= _MOST:
            _paths.pop(next(iter(_paths)))
        pen = SVGPathPen(None, ntos=lambda value: f"{value:.5g}")
        outline.draw(pen)
        _paths[name] = pen.getCommands()
    return _paths[name]


def ink_width(outline: Outline) -> tuple[float, float]:
    """Where the ink of an outline begins and ends, from left to right."""
    xs = outline.controls[..., 0]
    return (float(xs.min()), float(xs.max())) if len(xs) else (0.0, 0.0)


def _name(outline: Outline) -> str:
    """A name derived from the content, so that it stays the same after a restart."""
    return blake2b(outline.controls.tobytes(), digest_size=9).hexdigest()


def _matrix(mark: Mark) -> str:
    (a, c, e), (b, d, f) = mark.matrix.tolist()
    return " ".join(f"{value:.6g}" for value in (a, b, c, d, e, f))
