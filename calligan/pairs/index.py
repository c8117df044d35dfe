"""An index from characters to rows of the fonts' arrays; four bytes per glyph."""

from collections.abc import Sequence

import numpy as np

from calligan.pairs.manifest import FontEntry

ABSENT = -1


class GlyphIndex:
    """`first_row[column[char], font]` is the first row that shows a character, or ABSENT.

    int32 (characters, fonts): 120 MB for 1,000 fonts of 30,000 characters. Characters that a font
    has more than once, as handwriting may, are listed separately.
    """

    def __init__(self, fonts: Sequence[FontEntry]):
        codes = [_codes(font.chars) for font in fonts]
        every = np.unique(np.concatenate(codes))
        self.column = {chr(code): at for at, code in enumerate(every.tolist())}
        self.first_row = np.full((len(every), len(fonts)), ABSENT, np.int32)
        self._repeated: dict[tuple[int, int], np.ndarray] = {}
        for number, of_font in enumerate(codes):
            columns = np.searchsorted(every, of_font)
            rows = np.arange(len(columns), dtype=np.int32)
            # Reversed: of the rows of one character, the first is written last and stays.
            self.first_row[columns[::-1], number] = rows[::-1]
            times = np.bincount(columns, minlength=1)
            for column in np.flatnonzero(times > 1).tolist():
                self._repeated[column, number] = np.flatnonzero(columns == column)

    def having(self, char: str, fonts: slice | np.ndarray) -> np.ndarray:
        """The fonts that have a character, as indices into `fonts`, int64."""
        return np.flatnonzero(self.first_row[self.column[char], fonts] != ABSENT)

    def rows(self, char: str, font: int) -> np.ndarray:
        """All rows of a font that show a character; the font must have it."""
        column = self.column[char]
        repeated = self._repeated.get((column, font))
        return self.first_row[column, font : font + 1] if repeated is None else repeated


def _codes(chars: str) -> np.ndarray:
    return np.frombuffer(chars.encode("utf-32-le", "surrogatepass"), np.uint32)
