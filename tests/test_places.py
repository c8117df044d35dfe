"""Where lines and signatures stand, by numbers."""

from dataclasses import replace

import pytest

from calligan.page.arrangement import Fit
from calligan.page.columns import Columns
from calligan.page.formats import Region
from calligan.page.rows import Rows

REGION = Region(10, 20, 100, 60, padding_mm=5, line_gap=0.5)  # inside: 15 to 105, 25 to 75
FIT = Fit(8.0, ["一", "二"])


@pytest.mark.parametrize(
    ("rightward", "length_mm", "place"),
    [
        (True, 20, (102, 55)),  # it ends in the last corner
        (True, 50, (102, 25)),
        (True, 51, (102, 25)),  # what is too long begins at the top
        (False, 20, (18, 55)),
        (False, 99, (18, 25)),
    ],
)
def test_a_signature_of_rows_ends_in_their_last_corner(rightward, length_mm, place):
    rows = Rows(replace(REGION, direction="horizontal", rightward=rightward), reserve_em=1.5)
    assert rows.place_of_signature(2, FIT, 3.0, length_mm)[:2] == place


@pytest.mark.parametrize(("length_mm", "y_mm"), [(20, 55), (50, 25), (50.5, 25), (80, 25)])
def test_a_signature_of_ruled_columns_ends_below_or_begins_above(length_mm, y_mm):
    columns = Columns(replace(REGION, rule="red"))
    place = columns.place_of_signature(2, FIT, 3.0, length_mm)
    assert (place.x_mm, place.y_mm) == (pytest.approx(105 - 4 - 2 * 12), y_mm)
