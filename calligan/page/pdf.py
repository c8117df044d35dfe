"""Write pages as PDF with reportlab: outlines, and invisible text to select and search."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from fontTools.pens.basePen import BasePen
from PIL import ImageColor

from calligan import __version__
from calligan.page.drawing import LINE_BREAK, Mark, Page
from calligan.vector.borrow import glyph_name
from calligan.vector.font import UPEM, FontGlyph, NotdefBox, build_font
from calligan.vector.name_table import Naming
from calligan.vector.outline import Point

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.pdfgen.pathobject import PDFPathObject

_POINTS_A_MM = 72 / 25.4
_FONT = "Unseen"  # a font of boxes, made for each file, so that its text can be read out
_UNSEEN: Final = 3  # text render mode
_JUMP_EM = 2.5  # a line that begins nearer to the end of the one before belongs to it


def write_pdf(pages: Sequence[Page], title: str, file: BinaryIO) -> None:
    """Write pages of any sizes into one file."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(TTFont(_FONT, _unseen_font("".join(page.text for page in pages))))
    canvas = Canvas(file, pageCompression=1, invariant=1)
    canvas.setTitle(title)
    canvas.setAuthor("")  # reportlab would write "anonymous"
    canvas.setCreator(f"calligan {__version__}")
    canvas.setSubject("; ".join(f"{key}: {text}" for key, text in pages[0].about.items()))
    forms: dict[int, str] = {}
    for page in pages:
        for mark in page.marks:
            if id(mark.outline) not in forms:
                forms[id(mark.outline)] = f"g{len(forms)}"
                # The stubs ask for int; PDF and reportlab take float.
                canvas.beginForm(forms[id(mark.outline)], *_bounds(mark))  # type: ignore[arg-type]
                _fill(canvas, mark)
                canvas.endForm()
        canvas.setPageSize((page.width_mm * _POINTS_A_MM, page.height_mm * _POINTS_A_MM))
        _draw(canvas, page, forms)
        canvas.showPage()
    canvas.save()


def _draw(canvas: "Canvas", page: Page, forms: dict[int, str]) -> None:
    canvas.transform(_POINTS_A_MM, 0, 0, -_POINTS_A_MM, 0, page.height_mm * _POINTS_A_MM)
    if page.paper:
        canvas.setFillColorRGB(*_rgb(page.paper))
        canvas.rect(0, 0, page.width_mm, page.height_mm, stroke=0, fill=1)
    for mark in page.marks:
        (a, c, e), (b, d, f) = mark.matrix.tolist()
        canvas.saveState()
        canvas.setFillColorRGB(*_rgb(mark.colour))
        canvas.transform(a, b, c, d, e, f)
        canvas.doForm(forms[id(mark.outline)])
        canvas.restoreState()
    for line in _lines(page):
        _write_unseen(canvas, line)


def _lines(page: Page) -> list[list[tuple[str, Mark]]]:
    """The text's characters by line, in reading order: lines that follow closely are one."""
    lines: list[list[tuple[str, Mark]]] = []
    for char, mark in page.chars():
        if not lines or _jumps(lines[-1][-1][1], mark):
            lines.append([])
        lines[-1].append((char, mark))
    return lines


def _jumps(last: Mark, mark: Mark) -> bool:
    """Whether a line begins that is not close to the end of the one before."""
    if mark.lead != LINE_BREAK:  # within a line, Latin in leftward rows jumps too
        return False
    jump_mm = float(np.hypot(*(mark.matrix[:, 2] - last.matrix[:, 2])))
    return jump_mm > _JUMP_EM * mark.size_mm or mark.size_mm != last.size_mm


def _write_unseen(canvas: "Canvas", line: list[tuple[str, Mark]]) -> None:
    """Invisible text: each character at the place of its outline, upright, of the same size.

    Readers order characters from left to right and from top to bottom. So the line's text is given
    as a whole too (ActualText, ISO 32000-1, 14.9.4): columns, and lines that run to the left.
    """
    text = "".join(char for char, _ in line)
    canvas.addLiteral(f"/Span <</ActualText <FEFF{text.encode('utf-16-be').hex()}>>> BDC")
    for char, mark in line:
        unseen = canvas.beginText()
        unseen.setTextRenderMode(_UNSEEN)
        unseen.setFont(_FONT, mark.size_mm)
        unseen.setTextTransform(1, 0, 0, -1, *mark.matrix[:, 2].tolist())
        unseen.textOut(char)
        canvas.drawText(unseen)
    canvas.addLiteral("EMC")


def _unseen_font(text: str) -> BytesIO:
    """A font with a box for each character of a text: PDF viewers skip text without extent."""
    glyphs = [
        FontGlyph(glyph_name(ord(char)), (ord(char),), UPEM, NotdefBox())
        for char in sorted({" ", *text})
    ]
    file = BytesIO()
    build_font(glyphs, Naming(_FONT, _FONT, "", "", "1.0"), "ttf").save(file)
    file.seek(0)
    return file


def _fill(canvas: "Canvas", mark: Mark) -> None:
    path = canvas.beginPath()
    mark.outline.draw(_PathPen(path))
    canvas.drawPath(path, stroke=0, fill=1, fillMode=1)  # non-zero winding


def _bounds(mark: Mark) -> tuple[float, float, float, float]:
    points = mark.outline.controls.reshape(-1, 2)
    if not len(points):
        return 0, 0, 1, 1
    return (*(points.min(axis=0) - 1).tolist(), *(points.max(axis=0) + 1).tolist())


def _rgb(colour: str) -> list[float]:
    return [value / 255 for value in ImageColor.getrgb(colour)[:3]]


class _PathPen(BasePen):  # type: ignore[misc]  # fontTools has no types
    """From fontTools' pen calls to reportlab's path."""

    def __init__(self, path: "PDFPathObject"):
        super().__init__(None)
        self._path = path

    def _moveTo(self, pt: Point) -> None:
        self._path.moveTo(*pt)

    def _lineTo(self, pt: Point) -> None:
        self._path.lineTo(*pt)

    def _curveToOne(self, pt1: Point, pt2: Point, pt3: Point) -> None:
        self._path.curveTo(*pt1, *pt2, *pt3)

    def _closePath(self) -> None:
        self._path.close()
