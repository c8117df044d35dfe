"""Latin among Han characters: its order in leftward rows, its spaces in files, its apostrophes."""

import xml.etree.ElementTree as ET

import numpy as np
import pypdfium2
import pytest

from calligan.inference.pages import without_marks
from calligan.page.drawing import rectangle
from calligan.page.flow import Letter, broken, set_line
from calligan.page.formats import load_format
from calligan.page.latin import leftward_order
from calligan.page.layout import Setting, Words, lay_out
from calligan.page.output import Look, save_pages
from calligan.page.svg import to_svg

NO_CHANGE = np.repeat(np.eye(2, 3)[None], 99, axis=0)


class Letters(dict):
    """Every character is a box; letters are narrow, and so is ’, which turns in a column."""

    def __missing__(self, char):
        box = rectangle(100, 0, 300, 700)
        turned = rectangle(500, 600, 200, 200) if char == "’" else None
        return Letter(char, box, 0.5 if char.isascii() or char == "’" else 1.0, turned)


SETTING = Setting(Letters(), "black")


@pytest.mark.parametrize(
    ("read", "from_left"),
    [
        ("厚德载物", "物载德厚"),
        ("カナー", "ーナカ"),
        ("春展 Spring 2027", "Spring 2027 展春"),
        ("2027年12月5日", "日5月12年2027"),
        ("Ａ１年", "年Ａ１"),
        ("Spring，2027", "2027，Spring"),  # a wide mark parts them
        ("春 Spring! 夏", "夏 !Spring 春"),  # a mark at the end belongs to the line
        ("It’s 1.5 春 100% a", "100% a 春 It’s 1.5"),
        ("春 (Spring 1) 夏 a (b)", "a (b) 夏 (Spring 1) 春"),
        ("e\u0301春", "春e\u0301"),
        ("(春 a", "a 春("),
    ],
)
def test_latin_reads_to_the_right_in_a_row_that_is_read_to_the_left(read, from_left):
    assert "".join(read[index] for index in leftward_order(read)) == from_left


def page_of(text, form):
    (page,) = lay_out(Words(text), load_format(form), SETTING)
    return page


def test_a_banner_shows_latin_from_left_to_right_and_tells_its_text_as_it_is_read():
    page = page_of("春展 Spring 2027", "banner")
    marks = [mark for mark in page.marks if mark.text]
    assert "".join(mark.text for mark in marks) == "春展Spring2027"
    marks.sort(key=lambda mark: mark.matrix[0, 2])
    assert "".join(mark.text for mark in marks) == "Spring2027展春"
    assert page.text == "春展 Spring 2027"


@pytest.mark.parametrize("form", ["banner", "scroll", "hall", "letter", "fan"])
@pytest.mark.parametrize("text", ["Spring Exhibition 2027", "Spring\nExhibition 2027"])
def test_words_are_searched_with_their_spaces(form, text, tmp_path):
    page = page_of(text, form)
    save_pages(tmp_path / "a.pdf", [page], Look())
    (seen,) = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    for words in ("Spring Exhibition", "Exhibition 2027"):
        assert seen.get_textpage().search(words).get_next(), seen.get_textpage().get_text_range()
    svg = ET.fromstring(to_svg(page))
    told = svg.find("{*}text")
    assert svg.find("{*}title").text == told.text == text.replace("\n", " ")
    assert len(told.get("x").split()) == len(told.get("y").split()) == len(told.text)


def test_a_line_break_between_han_characters_is_no_space():
    assert page_of("春回大地\n日照山河", "couplet").text == "春回大地日照山河"
    assert page_of("厚德 载物", "scroll").text == "厚德 载物"


@pytest.mark.parametrize("word", ["It’s", "don’t", "l’été"])
def test_an_apostrophe_within_a_word_lies_in_a_column_as_its_word_does(word):
    straight = word.replace("’", "'")
    (curly, length), (plain, wanted) = (
        set_line(text, Letters(), "vertical", 10, 0, "black", NO_CHANGE)
        for text in (word, straight)
    )
    assert length == wanted and [mark.text for mark in curly] == [*word]
    for a, b in zip(curly, plain, strict=True):
        assert np.allclose(a.matrix, b.matrix)
        assert np.array_equal(a.outline.controls, b.outline.controls)


@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_an_apostrophe_that_fills_a_cell_is_narrow_within_a_word(direction):
    ink = rectangle(700, 500, 100, 200)
    letters = Letters({"’": Letter("’", ink, 1.0, rectangle(500, 600, 200, 200))})
    along = 1 if direction == "vertical" else 0
    (_, apostrophe, _), length = set_line("I’s", letters, direction, 1.0, 0.0, "black", NO_CHANGE)
    assert length == pytest.approx(0.5 + 0.22 + 0.5)
    points = (
        apostrophe.outline.controls.reshape(-1, 2) @ apostrophe.matrix[:, :2].T
        + apostrophe.matrix[:, 2]
    )
    assert points[:, along].min() == pytest.approx(0.5 + 0.06)
    assert points[:, along].max() == pytest.approx(0.5 + 0.16)
    _, alone = set_line("’", letters, "horizontal", 1.0, 0.0, "black", NO_CHANGE)
    assert alone == pytest.approx(1.0)


def test_a_closing_quotation_mark_stands_in_a_column_of_its_own():
    for text in ("春’", "a’春", "a’ b", "’a"):
        marks, _ = set_line(text, Letters(), "vertical", 10, 0, "black", NO_CHANGE)
        (mark,) = (mark for mark in marks if mark.text == "’")
        assert mark.matrix[0, 1] == 0 and mark.outline.controls.max() == 800, text


def test_a_line_is_not_broken_at_an_apostrophe():
    assert broken("春夏 It’s 秋", 5, len) == ["春夏", "It’s", "秋"]
    assert without_marks("It’s 春’") == "It’s 春"
