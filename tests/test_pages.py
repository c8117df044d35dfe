"""Pages: lines broken as they should be, formats filled, PNG, SVG, PDF and GIF that others read."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from io import BytesIO

import numpy as np
import pypdfium2
import pytest
from conftest import HAN
from PIL import Image

from calligan.errors import Cancelled, ConfigError, DataError
from calligan.inference.pages import layout_notes, without_marks
from calligan.inference.writer import Text
from calligan.library.pages import Pages
from calligan.page.arrangement import Fit
from calligan.page.brush import dried
from calligan.page.columns import Columns
from calligan.page.drawing import (
    Mark,
    Page,
    dashes,
    frame,
    joined,
    placed,
    rectangle,
    rounded_rectangle,
)
from calligan.page.fan import FanColumns
from calligan.page.fitting import fit_text
from calligan.page.flow import Letter, Variation, broken, set_line
from calligan.page.formats import Fan, Format, Region, format_names, load_format
from calligan.page.gif import write_gif
from calligan.page.layout import Setting, Words, lay_out
from calligan.page.output import Look, save_pages
from calligan.page.png import to_image
from calligan.page.rows import Rows
from calligan.page.seal import seal
from calligan.page.svg import to_svg
from calligan.requests.pages import PageRequest
from calligan.vector.fill import fill
from calligan.vector.font import NotdefBox
from calligan.vector.outline import Outline

BOX = Outline.from_drawing(NotdefBox())
NO_CHANGE = np.repeat(np.eye(2, 3)[None], 5000, axis=0)


class Letters(dict):
    """Every character is a box; letters are narrow."""

    def __missing__(self, char):
        return Letter(char, BOX, 0.5 if char.isascii() else 1.0)


SETTING = Setting(Letters(), "black")


def test_lines_neither_begin_with_a_closing_mark_nor_end_with_an_opening_one():
    for text in ("永和九年，岁在《癸丑》。", "一二三“四五”六七八", "一二三四（五六）。七八"):
        for width in range(2, 9):
            lines = broken(text, width, len)
            assert "".join(lines) == text
            for line in lines:
                assert line[0] not in "，。》”）" and line[-1] not in "《“（", (width, lines)
                assert len(line) <= width + 2


def test_words_of_letters_stay_whole_and_paragraphs_part():
    assert broken("写 calligan 字", 8, len) == ["写", "calligan", "字"]
    assert broken("一二\n三四五", 2, len) == ["一二", "三四", "五"]
    assert broken("甲乙，丙丁。\n戊", 2, len) == ["甲乙，", "丙丁。", "戊"]


def test_every_second_line_may_be_short():
    assert broken("一二三四五六七八九", 4, len, short=0.5) == ["一二三四", "五六", "七八九"]


def size_of(text, form):
    (page,) = lay_out(Words(text), load_format(form), SETTING)
    return next(mark.size_mm for mark in page.marks if mark.text)


def test_line_breaks_are_given_up_only_where_the_text_gets_larger_for_it():
    verse = "\n".join(HAN[i : i + 5] for i in range(0, 20, 5))
    assert size_of(verse, "scroll") == pytest.approx(size_of(HAN[:20], "scroll"))
    assert size_of(verse, "square") < 1.15 * size_of(HAN[:20], "square")
    (page,) = lay_out(Words(verse), load_format("square"), SETTING)
    columns = {round(mark.matrix[0, 2]) for mark in page.marks if mark.text}
    assert len(columns) == 4


def test_a_fans_columns_do_not_meet():
    (page,) = lay_out(Words(HAN[:30]), load_format("fan"), SETTING)
    marks = [mark for mark in page.marks if mark.text]
    middles = np.array([mark.matrix @ (500, 380, 1) for mark in marks])
    apart = np.linalg.norm(middles[:, None] - middles[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > marks[0].size_mm


def test_a_column_sets_letters_on_their_side():
    marks, length = set_line("永A", Letters(), "vertical", 10, 0, "black", NO_CHANGE)
    assert length == pytest.approx(15)
    assert np.allclose(marks[0].matrix[:, :2], [[0.01, 0], [0, -0.01]])
    assert np.allclose(marks[1].matrix[:, :2], [[0, 0.01], [0.01, 0]])


def test_variation_is_small_seeded_and_off_at_nought():
    assert np.allclose(Variation(0, 1).matrices(3), np.eye(2, 3))
    first, again = (Variation(1, 7).matrices(50) for _ in range(2))
    assert np.array_equal(first, again) and not np.array_equal(first, Variation(1, 8).matrices(50))
    assert np.abs(first - np.eye(2, 3)).max() < 0.15


def area(outline):
    return fill(outline).ink.sum() / 255


def test_shapes_cover_what_they_should():
    assert area(rectangle(1, 2, 10.5, 4)) == pytest.approx(42, abs=0.1)
    assert area(frame(0, 0, 10, 10, 1)) == pytest.approx(36, abs=0.1)
    assert area(rounded_rectangle(0, 0, 20, 20, 5)) == pytest.approx(
        400 - (4 - np.pi) * 25, abs=2.5
    )
    assert area(joined(dashes((0, 0), (9, 0), 1, 1))) == pytest.approx(5, abs=0.1)
    assert fill(Outline(np.empty((0, 4, 2)), np.empty(0, int), np.empty(0, bool))) is None


def test_a_white_seal_is_cut_out_of_red():
    for count in (1, 2, 3, 4):
        white, red = (seal([BOX] * count, 20, (0, 0), kind, "red") for kind in ("white", "red"))
        assert 0.3 < area(white.outline) / 400 < 0.95 and 0.1 < area(red.outline) / 400 < 0.8
    with pytest.raises(DataError, match="1 to 4"):
        seal([BOX] * 5, 20, (0, 0), "white", "red")


def inside(page: Page, slack=1.0):
    for mark in page.marks:
        points = mark.outline.transform(mark.matrix).controls.reshape(-1, 2)
        assert points.min() >= -slack
        assert (
            points[:, 0].max() <= page.width_mm + slack
            and points[:, 1].max() <= page.height_mm + slack
        )


@pytest.mark.parametrize("name", format_names())
def test_every_format_keeps_its_text_on_the_page(name):
    form = load_format(name)
    for count in (2, 5, 12, 40):
        text = HAN[:count]
        if name == "couplet":
            text = f"{HAN[:count]}\n{HAN[count : 2 * count]}\n{HAN[:4]}"
        words = Words(text, signature="某人书", seal=[BOX, BOX])
        pages = lay_out(words, form, Setting(Letters(), "black", vary=form.vary))
        shown = [mark.text for page in pages for mark in page.marks if mark.text]
        assert set(text.replace("\n", "")) <= set(shown)
        for page in pages:
            inside(page)


def test_ten_thousand_characters_run_over_many_pages():
    text = "".join(np.random.default_rng(0).choice(list(HAN), 10_000))
    pages = lay_out(Words(text), load_format("letter"), SETTING)
    assert len(pages) > 30
    assert "".join(page.text for page in pages) == text


def test_many_pages_without_rules_keep_their_text_too():
    region = Region(25, 30, 250, 340, size_mm=22, line_gap=0.25)
    form = Format("copybook", 300, 400, (region,), many=True)
    pages = lay_out(Words(HAN * 4), form, SETTING)
    assert len(pages) > 1
    for page in pages:
        inside(page)


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match="too many"):
        lay_out(Words(HAN * 500), load_format("fan"), SETTING)
    with pytest.raises(DataError, match="more lines"):
        lay_out(Words("一\n二\n三\n四"), load_format("couplet"), SETTING)
    with pytest.raises(DataError, match="did you mean scroll"):
        load_format("scrol")


def test_users_formats_are_checked(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'title="m"\nwidth_mm=50\nheight_mm=50\n[[region]]\nx_mm=5\ny_mm=5\nwidth_mm=40\nheight_mm=40\n'
    )
    assert lay_out(Words("书法"), load_format(str(mine)), SETTING)[0].text == "书法"
    mine.write_text(mine.read_text() + 'directoin="vertical"\n')
    with pytest.raises(ConfigError, match="direction"):
        load_format(str(mine))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"direction": "horizontal", "rule": "red"}, "has columns"),
        ({"direction": "horizontal", "fan": Fan(40, 20, 90)}, "has columns"),
        ({"rule": "red", "fan": Fan(40, 20, 90)}, "no rule"),
        ({"padding_mm": 20}, "padding_mm"),
    ],
)
def test_a_region_s_settings_go_together(settings, says):
    with pytest.raises(ConfigError, match=says):
        Format("mine", 50, 50, (Region(5, 5, 40, 40, **settings),)).validate()


REGION = Region(10, 20, 300, 200, line_gap=0.3, padding_mm=5)
ARRANGEMENTS = {
    "columns": Columns(REGION),
    "rows": Rows(replace(REGION, direction="horizontal")),
    "fan": FanColumns(replace(REGION, fan=Fan(280, 120, 148), short=0.5)),
}


@pytest.mark.parametrize("arrangement", ARRANGEMENTS.values(), ids=ARRANGEMENTS)
def test_as_many_lines_fit_as_their_extent_says(arrangement):
    for size in (5.0, 11.0, 17.0):
        count = arrangement.capacity(size)
        room = arrangement.room_across_mm(size)
        assert arrangement.extent_mm(count, size) <= room < arrangement.extent_mm(count + 1, size)


def test_where_lines_begin():
    fit = Fit(10, ["一"] * 3)
    # Three columns of 10 mm with gaps of 3 leave 254 of 290 mm: half of it is on the right.
    assert ARRANGEMENTS["columns"].place(0, 4, fit) == pytest.approx((305 - 127 - 5, 25 + 4, 0))
    assert ARRANGEMENTS["columns"].place(13, 0, fit).x_mm == pytest.approx(305 - 127 - 5 - 13)
    assert ARRANGEMENTS["rows"].place(13, 4, fit) == pytest.approx((15 + 4, 25 + 77 + 13, 0))
    fan = ARRANGEMENTS["fan"]
    x, y, turn = fan.place(20, 30, fit)
    assert np.hypot(x - 160, y - 300) == pytest.approx(280 - 5 - 30)
    assert np.arctan2(x - 160, 300 - y) == pytest.approx(turn)
    assert fan.place(0, 30, fit).turn_rad - turn == pytest.approx(20 / 125)


def test_a_text_that_does_not_fit_has_no_size():
    columns = Columns(Region(0, 0, 30, 30))
    assert fit_text(HAN * 9, columns, Letters(), many=False) is None
    fixed = Columns(Region(0, 0, 30, 30, size_mm=12))
    assert fit_text(HAN, fixed, Letters(), many=False) is None
    assert len(fit_text(HAN, fixed, Letters(), many=True).lines) == -(-len(HAN) // 2)
    one_line = Columns(Region(0, 0, 30, 30, text=1))
    assert fit_text(HAN[:30], one_line, Letters(), many=False) is None
    fit = fit_text(HAN[:6], one_line, Letters(), many=False)
    assert fit.lines == [HAN[:6]] and fit.size_mm == pytest.approx(30 / (6 + 5 * 0.08))


def test_pixels_have_the_resolution_asked_for():
    page = Page(25.4, 50.8, None)
    page.add(rectangle(5, 5, 10, 10), "#ff0000")
    image = to_image(page, 100)
    assert image.size == (100, 200) and image.mode == "RGBA"
    assert image.getpixel((40, 40)) == (255, 0, 0, 255) and image.getpixel((1, 1))[3] == 0
    with pytest.raises(DataError, match="pixels"):
        to_image(Page(10_000, 10_000), 2400)


def test_a_film_is_of_a_bounded_size_and_stops_when_it_is_cancelled(tmp_path):
    letter = rectangle(0, 0, 1, 1)
    page = Page(400, 600)
    page.marks = [Mark(letter, placed(9, 10 * i, 300, 1), "black", "一") for i in range(30)]
    file, called = BytesIO(), []
    write_gif(page, 2400, 100, file)
    film = Image.open(file)
    assert film.n_frames == 32 and 1_990_000 < film.width * film.height < 2_010_000
    assert abs(film.width / film.height - 2 / 3) < 0.001
    with pytest.raises(Cancelled):
        write_gif(page, 96, 100, BytesIO(), lambda: called.append(1) or len(called) > 3)
    assert len(called) == 4


@pytest.fixture(scope="module")
def write(inked_model, font_folder, calligan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")

    def run(name, text, *options):
        common = (
            "--model",
            inked_model,
            "--source",
            font_folder / "source.ttf",
            "-o",
            folder / name,
        )
        return folder / name, calligan("infer", text, *common, *options)

    return run


def test_commands_write_every_kind(write):
    svg, done = write("a.svg", HAN[:3], "--format", "scroll", "--seal", HAN[:2])
    assert done.returncode == 0, done.stderr
    root = ET.parse(svg).getroot()
    assert root.find("{*}title").text == HAN[:3] and len(root.findall("{*}use")) >= 4
    pdf, done = write("a.pdf", HAN[:30], "--format", "practice")
    assert done.returncode == 0, done.stderr
    opened = pypdfium2.PdfDocument(pdf)
    assert len(opened) == 3 and HAN[0] in opened[0].get_textpage().get_text_range()
    assert np.asarray(opened[0].render().to_pil().convert("L")).min() < 100
    gif, done = write("a.gif", HAN[:3], "--size", "32")
    assert done.returncode == 0 and Image.open(gif).n_frames == 5
    assert np.asarray(Image.open(gif).convert("L")).min() < 100  # the finished page comes first
    gif, done = write("b.gif", HAN[:3], "--size", "32", "--transparent")
    clear = Image.open(gif)
    inked = []
    for number in range(clear.n_frames):
        clear.seek(number)
        inked.append(int((np.asarray(clear.convert("RGBA"))[..., 3] > 0).sum()))
    assert done.returncode == 0 and 0 == inked[1] < inked[2] < inked[3] < inked[4] == inked[0]
    png, done = write("a.png", HAN[:3], "--format", "square", "--grain", "--dpi", "20")
    assert done.returncode == 0 and Image.open(png).size == (394, 394)
    assert len(np.unique(np.asarray(Image.open(png).convert("L")))) > 10


def test_many_pages_are_numbered(write):
    path, done = write("p.png", HAN[:20], "--format", "practice", "--dpi", "20")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(path.with_name(f"p-{n}.png")) for n in (1, 2)]


def test_brushed_pages_go_without_punctuation(write):
    assert without_marks("床前明月光，疑是,地上霜。don't stop") == "床前明月光疑是地上霜don't stop"
    svg, done = write("m.svg", f"{HAN[:2]}。", "--format", "square")
    assert done.returncode == 0 and "punctuation is left out" in done.stderr, done.stderr
    assert ET.parse(svg).getroot().find("{*}title").text == HAN[:2]
    svg, done = write("n.svg", f"{HAN[:2]}。", "--format", "square", "--marks")
    assert done.returncode == 2 and "lacks: 。" in done.stderr  # the source font has no 。


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--marks"], "need a --format"),
        (["--format", "scrol"], "scroll"),
        (["--seal", "一"], "--format"),
        (["--format", "scroll", "--seal", HAN[:5]], "1 to 4"),
        (["--format", "scroll", "--seal-kind", "blue"], "white, red"),
        (["--format", "scroll", "--wrap", "3"], "plain pages"),
        (["--vary", "3"], "--vary"),
        (["--dpi", "1"], "--dpi"),
        (["--pick", "鹭=1"], "--pick names 鹭"),
    ],
)
def test_bad_requests_end_in_one_line(write, options, says):
    path, done = write("bad.png", HAN[:3], *options)
    assert done.returncode == 2 and says in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not path.exists()


def test_a_dry_brush_takes_ink_away_along_the_stroke():
    bar = np.zeros((200, 200), np.uint8)
    bar[70:130, 10:190] = 255
    dry = dried(bar, 1.0, seed=3)
    assert (dry <= bar).all() and 0.3 * bar.sum() < dry.sum() < 0.98 * bar.sum()
    inside = dry[75:125, 30:170].astype(float)
    along, across = np.abs(np.diff(inside, axis=1)).mean(), np.abs(np.diff(inside, axis=0)).mean()
    assert across > 2 * along
    upright = dried(np.ascontiguousarray(bar.T), 1.0, seed=3)[30:170, 75:125].astype(float)
    assert np.abs(np.diff(upright, axis=1)).mean() > 2 * np.abs(np.diff(upright, axis=0)).mean()
    assert np.array_equal(dry, dried(bar, 1.0, seed=3))
    assert not np.array_equal(dry, dried(bar, 1.0, seed=4))
    assert dried(bar, 0.5, seed=3).sum() > dry.sum()
    assert dried(bar, 0.0, seed=3) is bar


def test_infer_writes_with_a_dry_brush(write):
    wet, done = write("a.png", HAN[:3], "--size", "96")
    assert done.returncode == 0, done.stderr
    dry, done = write("b.png", HAN[:3], "--size", "96", "--dry", "1")
    assert done.returncode == 0, done.stderr
    wet, dry = (np.asarray(Image.open(p).convert("L")).astype(int) for p in (wet, dry))
    assert (dry >= wet - 1).all() and dry.sum() > wet.sum()
    _, done = write("c.png", HAN[:3], "--dry", "2")
    assert done.returncode == 2 and "--dry 2" in done.stderr


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        ("banner", ["厚德载物"]),  # to the left
        ("scroll", ["厚德载物"]),
        ("couplet", ["春回大地百花艳", "日照山河万里红", "万象更新"]),
        ("fan", ["厚德载物"]),
    ],
)
def test_text_is_read_out_in_its_order_in_every_direction(form, lines, tmp_path):
    pages = lay_out(Words("\n".join(lines)), load_format(form), SETTING)
    pages[0].about = {"Source": "<a> & b"}
    save_pages(tmp_path / "a.pdf", pages, Look())
    (page,) = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    read = page.get_textpage().get_text_range()
    assert [line for line in lines if line in read] == lines, read
    svg = ET.fromstring(to_svg(pages[0]))
    (title, text) = (svg.find(f"{{*}}{name}") for name in ("title", "text"))
    assert title.text == text.text == "".join(lines)
    assert len(text.get("x").split()) == len(text.text)
    assert svg.find("{*}desc").text == "Source: <a> & b"


def test_a_couplet_needs_two_lines():
    with pytest.raises(DataError, match=r"needs 2 lines or more: right strip, left strip"):
        lay_out(Words("春回大地"), load_format("couplet"), SETTING)


def test_a_couplet_without_a_board_is_not_empty_above():
    form = load_format("couplet")
    (whole,) = lay_out(Words("春回大地\n日照山河\n万象"), form, SETTING)
    (bare,) = lay_out(Words("春回大地\n日照山河"), form, SETTING)
    assert whole.height_mm == form.height_mm and bare.height_mm == form.height_mm - 220
    strip = bare.marks[0].outline.controls.reshape(-1, 2)
    assert strip[:, 1].min() == 20 and strip[:, 1].max() == bare.height_mm - 20


def test_lines_of_a_couplet_that_differ_in_length_are_named():
    said = [*layout_notes(PageRequest("春回大地，\n日照山河万里红\n万象", form="couplet"))]
    assert "these have 4 and 7 characters" in said[-1]
    assert not [*layout_notes(PageRequest("春回大地\n日照山河\n万象更新了", form="couplet"))]
    (note,) = layout_notes(PageRequest("永，和。", form="practice"))
    assert note.startswith("punctuation is left out, as is usual for practice; --marks")


def test_a_scroll_of_one_short_column_is_shorter_and_the_text_in_its_middle():
    form = load_format("scroll")
    for text, least in (("书", 680), ("书法", 680), ("厚德载物", 1360), ("永" * 40, 1360)):
        (page,) = lay_out(Words(text), form, SETTING)
        assert least <= page.height_mm <= max(least, 900)
        ends = [mark.matrix[1, 2] for mark in page.marks]
        size = page.marks[0].size_mm
        if least < 1360:
            above, below = min(ends) - 0.88 * size, page.height_mm - max(ends) - 0.12 * size
            assert above == pytest.approx(below, abs=0.02 * size) and above >= 89
    (signed,) = lay_out(Words("书法", signature="丙午秋月", seal=[BOX] * 2), form, SETTING)
    stamp = signed.marks[-1].outline.transform(signed.marks[-1].matrix).controls.reshape(-1, 2)
    assert signed.height_mm == 680 and stamp[:, 1].max() <= 680 - 89


VERSE = "\n".join(["永" * 5] * 4)


def lengths(words, form):
    """How many characters of the text each line of its page has, and the page."""
    (page,) = lay_out(words, form, SETTING)
    axis = 0 if form.region[0].direction == "vertical" else 1
    count = len(words.title) + len(words.text.replace("\n", ""))
    marks = [mark for mark in page.marks if mark.text][:count]
    places = [round(mark.matrix[axis, 2]) for mark in marks]
    return [places.count(place) for place in dict.fromkeys(places)], page


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("scroll", Words("永" * 10), [10]),  # hardly smaller in one column
        ("scroll", Words("永" * 13), [7, 6]),
        ("scroll", Words("永" * 31), [11, 10, 10]),
        ("scroll", Words("永" * 16, signature="某"), [8, 8]),
        # The signature has a column of its own: it makes the text's columns no less even.
        ("scroll", Words("永" * 20, signature="某"), [10, 10]),
        ("scroll", Words(VERSE, signature="某", seal=[BOX]), [10, 10]),
        ("scroll", Words(VERSE, seal=[BOX]), [10, 10]),
        ("hall", Words(VERSE, signature="某", seal=[BOX]), [7, 7, 6]),
        ("hall", Words("永" * 10, signature="某"), [5, 5]),
        ("square", Words("永" * 16, signature="某"), [4, 4, 4, 4]),
        ("scroll", Words("永" * 9 + "\n永"), [9, 1]),
        ("hall", Words("永" * 11, title="某某"), [2, 7, 4]),
        ("square", Words("永" * 3), [2, 1]),
        ("square", Words("永" * 13), [4, 3, 3, 3]),
        ("banner", Words("永" * 13), [7, 6]),
    ],
)
def test_a_short_text_without_line_breaks_is_in_one_line_or_in_even_ones(name, words, expected):
    found, _ = lengths(words, load_format(name))
    assert found == expected


@pytest.mark.parametrize(("count", "height_mm"), [(13, 1040), (16, 1360)])
def test_even_columns_are_in_the_middle_of_a_scroll_that_may_be_shorter(count, height_mm):
    _, page = lengths(Words("永" * count), load_format("scroll"))
    places = np.array([mark.matrix[1, 2] for mark in page.marks])
    size = page.marks[0].size_mm
    above, below = places.min() - 0.88 * size, page.height_mm - places.max() - 0.12 * size
    assert above == pytest.approx(below, abs=0.02 * size)
    assert page.height_mm == pytest.approx(height_mm, abs=5)


def test_lines_that_have_their_places_are_not_evened():
    scroll = load_format("scroll")
    (region,) = scroll.region
    for more in ({}, {"rule": "red"}, {"size_mm": 60}, {"short": 0.5}):
        form = replace(scroll, region=(replace(region, **more),))
        found = [lengths(Words("永" * count), form)[0] for count in range(9, 24)]
        assert (max(each[0] - each[-1] for each in found) > 1) == bool(more), more


def test_even_lines_begin_as_all_lines_do():
    form = replace(load_format("square"), marks=True)
    (page,) = lay_out(Words("永永永，永永永"), form, SETTING)
    written = "".join(mark.text for mark in page.marks)
    assert written == "永永永，永永永"
    tops = {}
    for mark in page.marks:
        tops.setdefault(round(mark.matrix[0, 2] / 20), mark.text)
    assert "，" not in tops.values()


def test_a_fan_has_as_much_room_below_as_above():
    (page,) = lay_out(Words("书法"), load_format("fan"), SETTING)
    sheet = page.marks[0].outline.controls.reshape(-1, 2)
    assert sheet[:, 1].min() == pytest.approx(page.height_mm - sheet[:, 1].max(), abs=0.5)


def test_signature_and_seal_of_a_letter_stand_between_the_rules():
    form = load_format("letter")
    words = Words("永和九年", signature="某", seal=[BOX] * 2)
    (page,) = lay_out(words, form, SETTING)
    pitch = 12 * 1.625
    column = page.marks[-2].matrix[0, 2] + page.marks[-2].size_mm / 2
    first = 17 + 156 - 6
    assert column == pytest.approx(first - pitch, abs=0.01)
    stamp = page.marks[-1].outline.transform(page.marks[-1].matrix).controls.reshape(-1, 2)
    assert stamp[:, 0].mean() == pytest.approx(column, abs=0.3)
    assert np.ptp(stamp[:, 0]) < pitch - 4


def test_text_beside_a_seal_alone_is_in_the_middle_of_a_square():
    form, seal = load_format("square"), [BOX] * 2
    for text, columns in (("上善若水", 2), ("床前明月光\n疑是地上霜\n举头望明月\n低头思故乡", 4)):
        (page,) = lay_out(Words(text, seal=seal), form, SETTING)
        places = np.array([mark.matrix[:, 2] for mark in page.marks if mark.text])
        size_mm = page.marks[0].size_mm
        middle = (places[:, 0].min() + places[:, 0].max() + size_mm) / 2
        assert middle == pytest.approx(form.width_mm / 2, abs=0.5)
        assert len({round(x) for x in places[:, 0]}) == columns
        stamp = page.marks[-1].outline.transform(page.marks[-1].matrix).controls.reshape(-1, 2)
        width, height = np.ptp(stamp, axis=0)
        assert height > 1.5 * width  # upright, for two characters
        assert stamp[:, 0].max() < places[:, 0].min()


def test_cells_side_by_side_share_their_border():
    (page,) = lay_out(Words("永"), load_format("practice"), SETTING)
    image = np.asarray(to_image(page, 300).convert("L"))
    row = image[round(20 * 300 / 25.4)] < 230  # crosses the first row of cells off their guides
    starts = np.flatnonzero(np.diff(row.astype(int)) == 1) * 25.4 / 300
    at_border = [np.abs(starts - (15 + 22 * number)).min() < 0.5 for number in range(1, 8)]
    assert all(at_border)
    near = [(np.abs(starts - (15 + 22 * number)) < 1).sum() for number in range(1, 8)]
    assert near == [1] * 7


def test_a_character_without_ink_is_named_with_its_hand():
    text = Text("一二", "一二", "", "", {"ma-shan-zheng": "一"})
    notes = list(Pages([], text, ["ma-shan-zheng", "yomogi"]).notes(PageRequest("一二")))
    assert "drawn blank in ma-shan-zheng: 一" in notes
