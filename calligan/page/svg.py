"""Write pages as SVG: each glyph's outline is defined once and referenced.

https://www.w3.org/TR/SVG11
"""

from xml.sax.saxutils import escape, quoteattr

from fontTools.pens.svgPathPen import SVGPathPen

from calligan.page.drawing import Mark, Page
from calligan.vector.outline import Outline


def to_svg(page: Page) -> str:
    """One page. Its text is the title of the image, for search and screen readers."""
    names: dict[int, str] = {}
    shapes, uses = [], []
    for mark in page.marks:
        key = id(mark.outline)
        if not len(mark.outline.contour):
            continue
        if key not in names:
            names[key] = f"g{len(names)}"
            shapes.append(f'<path id="{names[key]}" d="{_path(mark.outline)}"/>')
        uses.append(_use(mark, names[key]))
    size = f'width="{page.width_mm:g}mm" height="{page.height_mm:g}mm"'
    box = f'viewBox="0 0 {page.width_mm:g} {page.height_mm:g}"'
    paper = f'<rect width="100%" height="100%" fill={quoteattr(page.paper)}/>' if page.paper else ""
    about = "; ".join(f"{key}: {text}" for key, text in page.about.items())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} role="img">',
        f"<title>{escape(page.text)}</title>",
        f"<desc>{escape(about)}</desc>" if about else "",
        "<defs>",
        *shapes,
        "</defs>",
        paper,
        *uses,
        _unseen_text(page),
        "</svg>",
    ]
    return "\n".join(filter(None, parts)) + "\n"


def _unseen_text(page: Page) -> str:
    """Invisible characters at the places of their outlines, to select and search."""
    chars = page.chars()
    if not chars:
        return ""
    xs, ys = (" ".join(f"{mark.matrix[row, 2]:.5g}" for _, mark in chars) for row in (0, 1))
    size = f"{max(mark.size_mm for _, mark in chars):.5g}"
    text = escape(page.text)
    return f'<text x="{xs}" y="{ys}" font-size="{size}" fill-opacity="0">{text}</text>'


def _use(mark: Mark, name: str) -> str:
    (a, c, e), (b, d, f) = mark.matrix.tolist()
    place = " ".join(f"{v:.6g}" for v in (a, b, c, d, e, f))
    return f'<use href="#{name}" transform="matrix({place})" fill={quoteattr(mark.colour)}/>'


def _path(outline: Outline) -> str:
    pen = SVGPathPen(None, ntos=lambda v: f"{v:.6g}")
    outline.draw(pen)
    commands: str = pen.getCommands()
    return commands
