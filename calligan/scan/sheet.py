"""What a template's page looks like, in millimetres, and the code on it that says so.

A page carries a marker in each corner, by which a photograph is straightened, and a QR code with
its paper, its cells and its characters, so that a page alone is enough to read it.
"""

import re
from dataclasses import dataclass

from calligan.errors import DataError
from calligan.glyphs.charset import is_label

PAPERS_MM = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
MARKER_MM, EDGE_MM = 11.0, 8.0  # a corner marker, and its distance from the paper's edges
QR_MM = 34.0  # with its quiet zone
STRIP_MM = 5.0  # above each row, for the small models
GAP_MM = 1.6  # between cells
_LEAST_CELL_MM, _MOST_CELL_MM = 12, 60
_TOP_MM = 23.0  # of the first row's strip
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CHAR_DIGITS = 4  # of a codepoint, to the base 36
_CODE = re.compile(
    rf"C1:(?P<paper>[A-Z0-9]+):(?P<cell>\d+):(?P<chars>(?:[0-9A-Z]{{{_CHAR_DIGITS}}})+)"
)


@dataclass(frozen=True)
class Sheet:
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
        """Cells in a row."""
        return int((self.size_mm[0] - 2 * EDGE_MM + GAP_MM) / (self.cell_mm + GAP_MM))

    @property
    def rows(self) -> int:
        """Rows on a page."""
        room = self.size_mm[1] - _TOP_MM - EDGE_MM - QR_MM
        return int(room / (self.cell_mm + STRIP_MM))

    def cell(self, index: int) -> tuple[float, float]:
        """The top left corner of a cell's square."""
        across = self.columns * (self.cell_mm + GAP_MM) - GAP_MM
        left = (self.size_mm[0] - across) / 2
        row, column = divmod(index, self.columns)
        y = _TOP_MM + STRIP_MM + row * (self.cell_mm + STRIP_MM)
        return left + column * (self.cell_mm + GAP_MM), y

    @property
    def rows_mm(self) -> tuple[float, float]:
        """Where the cells begin and end, from the top of the paper."""
        return self.cell(0)[1], self.cell(len(self.chars) - 1)[1] + self.cell_mm

    def markers(self) -> list[tuple[float, float]]:
        """Top left corners of the markers: of the page's corners, clockwise from its top left."""
        right = self.size_mm[0] - EDGE_MM - MARKER_MM
        low = self.size_mm[1] - EDGE_MM - MARKER_MM
        return [(EDGE_MM, EDGE_MM), (right, EDGE_MM), (right, low), (EDGE_MM, low)]

    def qr(self) -> tuple[float, float]:
        """The top left corner of the code, quiet zone included."""
        width, height = self.size_mm
        return (width - QR_MM) / 2, height - EDGE_MM - QR_MM + 4

    def code(self) -> str:
        """What the QR code says."""
        chars = "".join(_to_digits(ord(char)) for char in self.chars)
        return f"C1:{self.paper.upper()}:{self.cell_mm}:{chars}"

    @classmethod
    def of_code(cls, code: str) -> "Sheet | None":
        """The sheet that a code describes, or None where it is none that `sheets` makes.

        Anybody can print a code: its characters become names of files.
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
        return sheet if sheet._can_be_printed() else None

    def _can_be_printed(self) -> bool:
        """Whether the cells fit on the paper, and each is for a character that labels a glyph."""
        if not _LEAST_CELL_MM <= self.cell_mm <= _MOST_CELL_MM:
            return False
        fits = len(self.chars) <= min(self.columns * self.rows, _most_chars())
        return fits and all(map(is_label, self.chars))


def sheets(chars: str, paper: str, cell_mm: int) -> list[Sheet]:
    """As many pages as the characters need. Raises DataError for a paper or cell out of reach."""
    if paper not in PAPERS_MM:
        raise DataError(f"no paper {paper!r}; there are: {', '.join(PAPERS_MM)}")
    if not _LEAST_CELL_MM <= cell_mm <= _MOST_CELL_MM:
        reach = f"{_LEAST_CELL_MM} to {_MOST_CELL_MM} mm"
        raise DataError(f"--cell {cell_mm} is out of reach; give {reach}")
    if odd := "".join(char for char in chars if not is_label(char)):
        raise DataError(
            f"{odd[:20]!r} cannot be names of files, as glyphs are kept; leave them out"
        )
    empty = Sheet(paper, cell_mm, "")
    a_page = min(empty.columns * empty.rows, _most_chars())
    return [Sheet(paper, cell_mm, chars[i : i + a_page]) for i in range(0, len(chars), a_page)]


def _most_chars() -> int:
    """What a QR code of QR_MM can say and still be photographed."""
    return 88


def _to_digits(number: int) -> str:
    digits = ""
    for _ in range(_CHAR_DIGITS):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
