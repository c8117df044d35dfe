"""Cells and columns by numbers: what is ink, what is dirt or crossed out, where a column is cut."""

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the extra calligan[scan] is not installed")

from calligan.errors import DataError
from calligan.page.flow import Letter
from calligan.scan import copybook, photo
from calligan.scan.cells import _classify, _diagonal_ink, remove_specks, to_image
from calligan.scan.copybook import CharacterBox, crop, find_characters, find_columns, find_doubts
from calligan.scan.opencv import opencv
from calligan.scan.template_sheet import TemplateSheet
from calligan.vector.outline import Outline


def blank(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def test_ink_is_whole_where_it_is_dark_and_half_between_ink_and_paper():
    page = np.full((320, 320, 3), 200, np.uint8)
    page[100:140, 100:220] = 30
    page[160:180, 100:220] = 115
    ink = photo.extract_ink(page)
    assert (ink.min(), ink.max()) == (0, 1) and (ink[100:140, 100:220] == 1).all()
    assert ink[160:180, 100:220] == pytest.approx(0.5, abs=0.03)


def test_a_code_at_which_opencv_fails_is_tried_in_other_sizes(monkeypatch):
    sheet, tried = TemplateSheet("a4", 20, "永和"), []

    class Detector:
        def detectAndDecode(self, picture):
            tried.append(picture.shape)
            if len(tried) < 3:
                raise opencv().error("as for some damaged codes")
            return sheet.code(), None, None

    monkeypatch.setattr(opencv(), "QRCodeDetector", Detector)
    assert photo._read_code(np.full((500, 500, 3), 255, np.uint8)) == sheet
    assert tried == [(100, 300), (60, 180), (160, 480)]  # the middle of the page's foot


def test_ink_becomes_grey_by_its_area():
    ink = blank(4, 4)
    ink[:2, :2], ink[2, 2] = 1, 0.5
    assert to_image(ink, 2).tolist() == [[0, 255], [255, 224]]


def test_dirt_and_remains_of_the_frame_are_removed_and_strokes_stay():
    """Of 200 x 200: dirt has less than 24 pixels; the frame is within 6 of an edge."""
    boxes = {  # top, left, bottom, right, and whether it stays
        "stroke": (50, 50, 60, 90, True),
        "just enough": (100, 20, 104, 26, True),
        "dirt": (100, 40, 103, 47, False),
        "frame above": (0, 30, 6, 170, False),
        "frame below": (195, 30, 200, 170, False),
        "frame left": (40, 1, 160, 6, False),
        "frame right": (40, 194, 160, 199, False),
        "thin, but inside": (120, 20, 124, 150, True),
        "reaching in": (0, 100, 7, 108, True),
    }
    for name, (top, left, bottom, right, stays) in boxes.items():
        ink = blank(200, 200)
        ink[top:bottom, left:right] = 0.9
        kept = remove_specks(ink)
        assert np.array_equal(kept, ink if stays else 0 * ink), name
    faint = blank(200, 200)
    faint[50:60, 50:90] = 0.9
    faint[48:50, 50:90], faint[45:48, 50:90] = 0.3, 0.2
    kept = remove_specks(faint)  # a soft edge stays for two pixels
    assert kept[49, 60] == np.float32(0.3) and kept[47, 60] == 0


def crossed(size: int, *ways: int, start: int = 0) -> np.ndarray:
    ink = blank(size, size)
    for at in range(start, size - start):
        for way in ways:
            ink[at, max(0, at - 3) : at + 4] = np.maximum(ink[at, max(0, at - 3) : at + 4], way > 0)
            if way < 0:
                right = size - 1 - at
                ink[at, max(0, right - 3) : right + 4] = 1
    return ink


def test_cells_are_told_apart():
    size = 200
    assert _classify(blank(size, size)) == "empty"
    for pixels, told in ((159, "empty"), (161, "written")):  # 0.4 % of 40,000
        ink = blank(size, size)
        ink[100, 20:181].flat[:pixels] = 1
        assert _classify(ink) == told
    assert _classify(crossed(size, 1, -1)) == "crossed out"
    assert _classify(crossed(size, 1, -1, start=15)) == "crossed out"
    assert _classify(crossed(size, 1, -1, start=30)) == "written"  # not into the corners
    assert _classify(crossed(size, 1)) == "written" and _classify(crossed(size, -1)) == "written"
    for start in (15, 20):
        gap = crossed(size, 1, -1, start=start)
        gap[79:121] = 0
        assert _classify(gap) == "crossed out"  # four fifths of the way
        gap[68:132] = 0
        assert _classify(gap) == "written"
    for side in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        for length, told in ((23, "written"), (26, "over the edge")):  # 3 % of the border
            edge = blank(size, size)
            edge[90:110, 90:110] = 1
            edge[side][80 : 80 + length] = 1
            assert _classify(edge) == told


def test_ink_on_a_diagonal_is_counted_nearby():
    ink = blank(90, 90)
    ink[30, 33] = 1
    rows = np.array([30, 30, 30, 27, 26, 60])
    columns = np.array([30, 36, 29, 33, 33, 60])
    assert _diagonal_ink(ink, rows, columns) == pytest.approx(3 / 6)
    assert _diagonal_ink(blank(90, 90) + 0.5, rows, columns) == 0


def column_of(lengths: list[int], gap: int = 4) -> np.ndarray:
    """A profile: runs of half ink, with gaps between."""
    parts = [np.full(length, 0.5) for length in lengths]
    return np.concatenate([p for part in parts for p in (part, np.zeros(gap))][:-1])


def test_a_column_is_cut_in_its_gaps():
    profile = column_of([30, 30, 30])
    cost, cuts = copybook._best_cuts(profile, np.ones(3))
    assert cuts[0] == 0 and cuts[-1] == 98
    assert 30 <= cuts[1] <= 34 and 64 <= cuts[2] <= 68 and cost < 0.1
    uneven = column_of([20, 60])
    assert 20 <= copybook._best_cuts(uneven, np.array([1.0, 3.0]))[1][1] <= 24
    # A bar without gaps: two cuts in half ink cost 14 times it each.
    solid = np.full(90, 0.5)
    cost, cuts = copybook._best_cuts(solid, np.ones(3))
    assert cuts == [0, 30, 60, 90] and cost == pytest.approx(2 * 7)
    # Of another height than expected: the squared log ratio, six times.
    cost, cuts = copybook._best_cuts(np.full(40, 0.5), np.ones(1), pitch=20.0)
    assert cuts == [0, 40] and cost == pytest.approx(6 * np.log(2) ** 2)
    half_empty = np.concatenate([np.full(30, 0.5), np.zeros(30)])
    assert copybook._best_cuts(half_empty, np.array([1.0, 1.0]))[0] > 6 * np.log(1.5) ** 2


def test_characters_are_shared_out_among_columns():
    profiles = [(0, column_of([30] * n)) for n in (3, 1, 4)]
    columns = [copybook.Column(*ends) for ends in ((0, 34), (50, 84), (100, 134))]
    assert copybook._choose_counts(profiles, columns, 8) == [3, 1, 4]
    with pytest.raises(DataError, match="the text's 90 characters do not fit the page's 3 columns"):
        copybook._choose_counts(profiles, columns, 90)


def page(columns: list[list[int]], width: int = 30, gap: int = 25) -> np.ndarray:
    """Ink of boxes in columns from the left, 30 from the edges."""
    ink = blank(400, 60 + len(columns) * (width + gap) - gap)
    for number, heights in enumerate(columns):
        left, top = 30 + number * (width + gap), 30
        for height in heights:
            ink[top : top + height, left : left + width] = 1
            top += height + 5
    return ink


def test_columns_are_runs_of_ink():
    found = np.array(find_columns(page([[30, 30], [30], [30, 30, 30]]), "rtl"))
    assert np.abs(found - [(30, 60), (85, 115), (140, 170)]).max() <= 2
    rows = np.array(find_columns(page([[30, 30], [30]]).T, "rows"))
    assert np.abs(rows - [(30, 60), (85, 115)]).max() <= 2
    assert find_columns(blank(300, 300), "rtl") == []
    halves = page([[30] * 4] * 4)
    halves[:, 44:47] = 0  # a character of two parts is one column ...
    halves[30:200, 240:243] = 1  # ... and a thin line is none
    found = np.array(find_columns(halves, "ltr"))
    assert np.abs(found - [(30, 60), (85, 115), (140, 170), (195, 225)]).max() <= 2


def letter(char: str, wide: float = 862, high: float = 862) -> Letter:
    controls = np.array([[[0, 0], [0, 0], [wide, high], [wide, high]]], float)
    return Letter(char, Outline(controls, np.array([0]), np.array([True])), 1.0)


LETTERS = {c: letter(c) for c in "永和九年岁"}


def test_many_narrow_marks_do_not_make_columns_narrow():
    """The typical width is that of the wide runs: remains of rules are no columns."""
    page = blank(400, 400)
    for left in (40, 160, 280):
        page[20:380, left : left + 60] = 1
    for left in (2, 14, 120, 132, 240, 252, 360, 372):
        page[20:380, left : left + 4] = 1
    found = copybook._find_columns(page)
    assert [round((a + b) / 2, -1) for a, b in found] == [70, 190, 310]


def test_characters_are_found_in_the_order_of_reading():
    ink = page([[30, 30, 30], [30, 30]])
    for reading, text in (("rtl", "永和九年岁"), ("ltr", "九年岁永和")):
        boxes = find_characters(ink, text, reading, LETTERS)
        assert "".join(box.char for box in boxes) == text
        by_char = {box.char: box for box in boxes}
        for char, left, top in (("永", 85, 30), ("和", 85, 65), ("岁", 30, 100)):
            box = by_char[char]
            assert abs(box.left - left) <= 2 and abs(box.right - left - 30) <= 2
            assert -5 <= box.top - top <= 0 and 0 <= box.bottom - top - 30 <= 5
    rows = find_characters(ink.T, "九年岁\n永和", "rows", LETTERS)
    assert abs(rows[2].left - 97) <= 5 and abs(rows[2].top - 30) <= 2
    assert copybook._expected_pitch(LETTERS["永"], 0) == pytest.approx(0.25 + 0.87 * 0.862)
    with pytest.raises(DataError, match="no writing was found"):
        find_characters(blank(300, 300), "永", "rtl", LETTERS)


def test_a_character_takes_its_length_along_the_line():
    """一 is low, and its line of solid ink is cut where its height says; so it is with 丨 in rows."""
    flat = {"永": letter("永"), "一": letter("一", high=0), "丨": letter("丨", wide=0)}
    ink = page([[120]])
    for reading, text in (("rtl", "一永"), ("rtl", "永一"), ("rows", "丨永"), ("rows", "永丨")):
        boxes = find_characters(ink.T if reading == "rows" else ink, text, reading, flat)
        ends = [(b.left, b.right) if reading == "rows" else (b.top, b.bottom) for b in boxes]
        cut = 54 if text[0] != "永" else 126  # lengths of .25 and 1: a fifth and four
        assert np.abs(np.array(ends) - [(30, cut), (cut, 150)]).max() <= 2


@pytest.mark.parametrize(
    ("columns", "number"),
    [
        ([(30, 60), (55, 115)], 2),  # overlap
        ([(30, 32), (85, 115)], 1),  # narrow
        ([(62, 80), (85, 115)], 1),  # no ink
        ([(85, 115), (30, 500)], 1),
    ],
)
def test_columns_that_cannot_be_are_named(columns, number):
    ink = page([[30, 30], [30]])
    with pytest.raises(DataError, match=f"column {number} from the left"):
        find_characters(ink, "永和九", "rtl", LETTERS, [copybook.Column(*c) for c in columns])
    given = [copybook.Column(85, 115), copybook.Column(28, 60)]
    good = find_characters(ink, "永和九", "rtl", LETTERS, given)
    assert [(box.left, box.right) for box in good] == [(85, 115), (28, 60), (28, 60)]


@pytest.mark.parametrize("reading", ["rtl", "rows"])
def test_the_characters_of_a_page_are_counted_unless_the_cuts_were_given(reading):
    letters = {c: letter(c) for c in "一二三四五六七八九"}
    ink = page([[30] * 8])
    ink = ink.T if reading == "rows" else ink
    for text in ("一二三四五六七", "一二三四五六七八", "一二三四五六七八九"):
        boxes = find_characters(ink, text, reading, letters)
        assert copybook.count_cells(ink, boxes, reading) == 8
        given = copybook.given_columns(boxes, reading)
        boxes = find_characters(ink, text, reading, letters, given)
        assert copybook.count_cells(ink, boxes, reading) == len(text)


def test_boxes_that_are_odd_or_in_bad_columns_are_doubtful():
    boxes = [
        CharacterBox("永", 0, 0, 30, h, c) for h, c in ((30, 0.1),) * 5 + ((64, 0.1), (63, 0.1))
    ]
    boxes += [
        CharacterBox("永", 0, 0, 30, h, c) for h, c in ((14, 0.1), (15, 0.1), (30, 0.7), (14, 0.59))
    ]
    doubts = ["", "", "", "", "", "odd size", "", "odd size", "", "column fits badly", "odd size"]
    assert find_doubts(boxes) == doubts


def test_a_character_is_cut_out_in_the_middle_without_its_neighbours():
    ink = blank(200, 200)
    ink[60:100, 50:70] = 1
    ink[40:42, 50:70] = 1  # the foot of the one above
    ink[80, 30] = 1
    made = crop(ink, CharacterBox("永", 20, 40, 100, 140, 0.0), 100)
    rows, columns = np.flatnonzero((made < 128).any(1)), np.flatnonzero((made < 128).any(0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (20, 59, 40, 59)


def test_rules_are_removed_where_they_cross_half_of_the_page():
    ink = blank(300, 400)
    ink[50, 30:370] = ink[20:280, 385] = 1
    ink[200, 30:200] = 1  # long beside the height, but not half as wide as the page
    left = copybook.remove_rules(ink)
    assert left[50].sum() == 0 and left[40:180, 385].sum() == 0
    assert left[200, 30:200].sum() > 160


def test_a_character_without_outline_takes_a_usual_length():
    none = Outline(np.zeros((0, 4, 2)), np.zeros(0, int), np.zeros(0, bool))
    nothing = Letter("　", none, 1.0)
    assert copybook._expected_pitch(nothing, 0) == pytest.approx(0.25 + 0.87 * 0.8)


def test_a_picture_below_a_file_cannot_be_read(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot read .*file/page\.jpg"):
        photo.open_photo(tmp_path / "file" / "page.jpg")
