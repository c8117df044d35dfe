"""Geometry of a template page in millimetres, and the contents of its QR code.

A page has a marker in each corner, by which a photograph is straightened, and a QR code with its
paper size, cell size and characters. Nothing but the page is needed to read it.
"""

import re
from dataclasses import dataclass

from calligan.errors import DataError
from calligan.glyphs.charset import is_label

PAPERS_MM = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
MARKER_MM, EDGE_MM = 11.0, 8.0  # side of a corner marker; its distance from the paper's edges
QR_MM = 34.0  # side of the QR code with its quiet zone
STRIP_MM = 5.0  # height of the strip above each row, for the model characters
GAP_MM = 1.6  # between cells
_MIN_CELL_MM, _MAX_CELL_MM = 12, 60
_MAX_QR_CHARS = 88  # more make the modules of a code of QR_MM too small to photograph
_TOP_MM = 23.0  # top of the first row's strip
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CHAR_DIGITS = 4  # digits of a code point in base 36
_CODE = re.compile(
    rf"C1:(?P<paper>[A-Z0-9]+):(?P<cell>\d+):(?P<chars>(?:[0-9A-Z]{{{_CHAR_DIGITS}}})+)"
)


@dataclass(frozen=True)
class TemplateSheet:
    """One page of a template: `chars` fill its cells row by row."""

    paper: str
    cell_mm: int
    chars: str

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the paper."""
        return PAPERS_MM[self.paper]

    @property
    def columns(self) -> int:
        """Cells per row."""
        return int((self.size_mm[0] - 2 * EDGE_MM + GAP_MM) / (self.cell_mm + GAP_MM))

    @property
    def rows(self) -> int:
        """Rows per page."""
        height_mm = self.size_mm[1] - _TOP_MM - EDGE_MM - QR_MM
        return int(height_mm / (self.cell_mm + STRIP_MM))

    def cell_origin_mm(self, index: int) -> tuple[float, float]:
        """The top left corner of a cell's square."""
        width_mm = self.columns * (self.cell_mm + GAP_MM) - GAP_MM
        left = (self.size_mm[0] - width_mm) / 2
        row, column = divmod(index, self.columns)
        y = _TOP_MM + STRIP_MM + row * (self.cell_mm + STRIP_MM)
        return left + column * (self.cell_mm + GAP_MM), y

    @property
    def cells_span_mm(self) -> tuple[float, float]:
        """Top of the first and bottom of the last cell, from the top of the paper."""
        last = len(self.chars) - 1
        return self.cell_origin_mm(0)[1], self.cell_origin_mm(last)[1] + self.cell_mm

    def marker_origins_mm(self) -> list[tuple[float, float]]:
        """Top left corners of the four markers, clockwise from the page's top left."""
        right = self.size_mm[0] - EDGE_MM - MARKER_MM
        low = self.size_mm[1] - EDGE_MM - MARKER_MM
        return [(EDGE_MM, EDGE_MM), (right, EDGE_MM), (right, low), (EDGE_MM, low)]

    def qr_origin_mm(self) -> tuple[float, float]:
        """The top left corner of the QR code with its quiet zone."""
        width, height = self.size_mm
        return (width - QR_MM) / 2, height - EDGE_MM - QR_MM + 4

    def code(self) -> str:
        """The contents of the QR code."""
        chars = "".join(_to_digits(ord(char)) for char in self.chars)
        return f"C1:{self.paper.upper()}:{self.cell_mm}:{chars}"

    @classmethod
    def from_code(cls, code: str) -> "TemplateSheet | None":
        """The sheet that a QR code describes, or None if `make_sheets` would not make it.

        The code is untrusted: its characters become file names.
        """
        found = _CODE.fullmatch(code)
        if not found or found["paper"].lower() not in PAPERS_MM:
            return None
        digits = found["chars"]
        points = [digits[i : i + _CHAR_DIGITS] for i in range(0, len(digits), _CHAR_DIGITS)]
        try:
            chars = "".join(chr(int(point, 36)) for point in points)
        except ValueError:
            return None
        sheet = cls(found["paper"].lower(), int(found["cell"][:4]), chars)
        return sheet if sheet._is_valid() else None

    def _is_valid(self) -> bool:
        """Whether the cells fit on the paper and every character can be a file name."""
        if not _MIN_CELL_MM <= self.cell_mm <= _MAX_CELL_MM:
            return False
        return len(self.chars) <= self.capacity and all(map(is_label, self.chars))

    @property
    def capacity(self) -> int:
        """The most characters on a page of this paper and cell size."""
        return min(self.columns * self.rows, _MAX_QR_CHARS)


def make_sheets(chars: str, paper: str, cell_mm: int) -> list[TemplateSheet]:
    """As many pages as the characters need.

    Raises DataError for an unknown paper, a cell size out of range, or characters that cannot be
    file names.
    """
    if paper not in PAPERS_MM:
        raise DataError(f"unknown paper {paper!r}; give one of {', '.join(PAPERS_MM)}")
    if not _MIN_CELL_MM <= cell_mm <= _MAX_CELL_MM:
        limits = f"{_MIN_CELL_MM} to {_MAX_CELL_MM} mm"
        raise DataError(f"--cell {cell_mm} is out of range; give {limits}")
    if odd := "".join(char for char in chars if not is_label(char)):
        raise DataError(f"glyphs are files, and {odd[:20]!r} cannot be in file names; leave it out")
    per_page = TemplateSheet(paper, cell_mm, "").capacity
    starts = range(0, len(chars), per_page)
    return [TemplateSheet(paper, cell_mm, chars[i : i + per_page]) for i in starts]


def _to_digits(number: int) -> str:
    digits = ""
    for _ in range(_CHAR_DIGITS):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
