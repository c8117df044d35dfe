"""Faults planted in made glyphs, each found by its detector; and what is foreseen of a model."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from conftest import HAN

from calligan.glyphs.charset import load_charset
from calligan.inference.drawer import Drawer
from calligan.inference.export import fall_back
from calligan.inference.proofread import Attempt, Proofreader, Verdict
from calligan.inference.report import Findings
from calligan.reader.check import check
from calligan.reader.faults import (
    CLASSES_PX,
    MEASURES,
    Shape,
    class_of,
    counters_filled,
    detect,
    is_simple,
    measured,
)
from calligan.reader.limits import Calibration, shipped
from calligan.reader.reach import Reach

LIMITS = {  # of a strict hand
    "speck_px2": 0,
    "pinhole_px2": 0,
    "outline_lost": 0.1,
    "counters_lost": 1,
    "pieces_more": 0,
    "ink_missing": 0.05,
    "ink_stray": 0.05,
    "ink_thick": 0.01,
}


EVERY_CLASS = [LIMITS] * (len(CLASSES_PX) + 1)


def faults(image, source, limits=LIMITS):
    """The faults that detectors of those limits find, whatever the class of the source."""
    return detect(image, source, [limits] * (len(CLASSES_PX) + 1)).faults


def lattice(size=256):
    """Two boxes of bars, each with four counters, uint8 (size, size): something like 田田."""
    image = np.full((256, 256), 255, np.uint8)
    for left in (20, 140):
        for at in (0, 40, 80):
            image[80 + at : 92 + at, left : left + 92] = 0
            image[80:172, left + at : left + at + 12] = 0
    step = 256 // size
    return (
        image[::step, ::step].copy()
        if size < 256
        else image.repeat(size // 256, 0).repeat(size // 256, 1)
    )


def speck(image, k):
    image[round(20 * k) : round(20 * k) + max(1, round(4 * k)), round(30 * k) : round(35 * k)] = 0


def pinhole(image, k):
    image[round(84 * k) : round(87 * k), round(50 * k) : round(54 * k)] = 255


def melted(image, k):
    image[round(80 * k) : round(172 * k), round(20 * k) : round(112 * k)] = 0


def severed(image, k):
    image[round(76 * k) : round(176 * k), round(56 * k) : round(66 * k)] = 255


def missing(image, k):
    image[:, : round(124 * k)] = 255


def stray(image, k):
    image[round(200 * k) : round(240 * k), round(20 * k) : round(230 * k)] = 0


def blob(image, k):
    image[round(182 * k) : round(250 * k), round(40 * k) : round(110 * k)] = 0


PLANTED = {
    "speck": speck,
    "pinhole": pinhole,
    "melted": melted,
    "broken": severed,
    "missing": missing,
    "stray": stray,
    "blob": blob,
}


@pytest.mark.parametrize("size", [128, 256, 512])
@pytest.mark.parametrize("fault", PLANTED)
def test_each_planted_fault_is_found_by_its_detector(fault, size):
    source = Shape.of(lattice(size))
    assert faults(lattice(size), source) == ()
    image = lattice(size)
    PLANTED[fault](image, size / 256)
    assert fault in faults(image, source)


def test_every_detector_has_a_limit_and_is_switched_off_by_a_high_one():
    assert set(LIMITS) == set(MEASURES) == set(measured(lattice(), Shape.of(lattice())))
    for name, fault in MEASURES.items():
        image = lattice()
        PLANTED[fault](image, 1)
        rest = {other: limit for other, limit in LIMITS.items() if MEASURES[other] != fault}
        assert fault not in faults(image, Shape.of(lattice()), rest)
        assert fault in faults(image, Shape.of(lattice())), name


def test_a_speck_is_small_and_stands_alone():
    source = Shape.of(lattice())
    image = lattice()
    image[20:40, 30:50] = 0  # a dot, as a hand sets it
    assert measured(image, source)["speck_px2"] == 0
    image = lattice()
    image[80:84, 232:236] = 0  # a spur that hangs together with a stroke
    assert measured(image, source)["speck_px2"] == 0
    image = lattice()
    image[20:24, 30:35] = image[250:254, 100:104] = 0
    assert measured(image, source)["speck_px2"] == 4 * 5 + 4 * 4
    for bottom, area in ((79, 16), (80, 0)):  # a clear pixel below it, above a stroke, and none
        image = lattice()
        image[bottom - 4 : bottom, 40:44] = 0
        assert measured(image, source)["speck_px2"] == area


def test_what_is_small_is_the_same_on_any_canvas():
    image = lattice(512)
    image[40:48, 60:70] = image[504:508, 200:204] = 0
    assert measured(image, Shape.of(lattice(512)))["speck_px2"] == 4 * 5 + 2 * 2


def test_pieces_and_counters_have_sixty_pixels():
    for value, grey in ((1, 127), (0, 128)):
        assert (Shape.of(np.full((256, 256), grey, np.uint8)).ink == value).all()
    for high, wide, count in ((8, 8, 1), (10, 6, 0)):  # 62 and 58 between the pixels' centres
        image = np.full((256, 256), 255, np.uint8)
        image[100 : 100 + high, 100 : 100 + wide] = 0
        assert (Shape.of(image).pieces, Shape.of(255 - image).counters) == (count, count)
    for high, wide, count in ((7, 9, 1), (10, 6, 0)):  # at full size 62.5 and 59.5
        image = np.zeros((256, 256), np.uint8)
        image[100 : 100 + high, 100 : 100 + wide] = 255
        assert counters_filled(image, np.zeros_like(image)) == count


def squares(*places):
    """Squares of 16 pixels, top and left given, whose outline is 31 half-size pixels each."""
    image = np.full((256, 256), 255, np.uint8)
    for top, left in places:
        image[top : top + 16, left : left + 16] = 0
    return image


CORNERS = [(32, 32), (32, 160), (160, 32), (160, 160)]


def test_shares_are_of_the_ink_and_of_the_outline_of_a_glyph():
    source = Shape.of(squares(*CORNERS))
    assert source.length == 4 * 31
    found = measured(squares(*CORNERS[:3]), source)
    assert (found["ink_missing"], found["ink_stray"]) == (1 / 4, 0)
    found = measured(squares(*CORNERS, (96, 96)), source)
    assert (found["ink_missing"], found["ink_stray"]) == (0, 1 / 5)
    image = np.full((256, 256), 255, np.uint8)
    for top in (8, 24, 40, 56):  # of 8 x 200, an outline of 207 half-size pixels each
        image[top : top + 8, 8:208] = 0
    image[100:160, 40:100] = 0  # a blob, all of whose ink is deep but 6 half-size pixels around
    assert measured(image, source)["ink_thick"] == 18**2 / (4 * 4 * 100 + 30**2)


def test_outline_is_lost_where_it_is_lost_at_one_place():
    apart = Shape.of(squares(*CORNERS))
    for left in ((0, 1), (0, 2), (0, 3)):  # two squares far apart: one of four at either place
        found = measured(squares(*(CORNERS[i] for i in left)), apart)
        assert found["outline_lost"] == 1 / 4
    near = [(32, 32), (32, 64), *CORNERS[2:]]
    assert measured(squares(*near[2:]), Shape.of(squares(*near)))["outline_lost"] == 2 / 4


def test_counters_that_bolder_strokes_fill_are_counted():
    plain = lattice()
    assert counters_filled(plain, plain) == 0
    bold = lattice()
    melted(bold, 1)
    assert counters_filled(plain, bold) == 4
    for high, wide, filled in ((3, 3, 3), (2, 4, 4)):  # 9 pixels of paper are a counter, 8 none
        bold[104 : 104 + high, 44 : 44 + wide] = 255
        assert counters_filled(plain, bold) == filled
        bold[104 : 104 + high, 44 : 44 + wide] = 0
    assert counters_filled(lattice(512), lattice(512)) == 0


@pytest.mark.parametrize("image", [np.full((256, 256), v, np.uint8) for v in (0, 255)])
def test_paper_and_ink_alone_are_measured_too(image):
    found = faults(image, Shape.of(lattice()))
    assert ("missing" in found) == (image[0, 0] == 255)


def test_the_shipped_limits_know_every_hand_and_script():
    known = shipped()
    assert known is not None
    assert known.limits_of("楷", "ma-shan-zheng") != known.limits_of("楷") != known.limits_of("pen")
    assert known.limits_of("楷", "mine") == known.limits_of("楷")
    assert known.limits_of("a script of its own") == known.limits_of("")
    for limits in known.limits.values():
        assert [set(of_class) for of_class in limits] == [set(MEASURES)] * len(EVERY_CLASS)
    assert known.is_whole("pen", "yomogi") and not known.is_whole("楷", "ma-shan-zheng")
    assert known.is_whole("pen", "mine") and not known.is_whole("a script of its own")
    assert len(known.least_scores) == 19


def test_what_is_unlike_print_has_a_floor_of_its_own():
    known = Calibration({}, {}, {"": 1e-4, "草": 1e-8, "楷": 0.01}, "this one")
    well, badly = np.full(9, 0.9), np.full(9, 0.1)
    assert known.floor_of("楷", badly) == 0.01
    assert known.floor_of("", well) == 1e-4 and known.floor_of("", badly) == 1e-8


REACH = Reach(load_charset("gb2312"))


@pytest.mark.parametrize(
    ("char", "script", "fault"),
    [
        ("书", "楷", ""),
        ("书", "草", ""),
        ("龘", "楷", "dense"),
        ("龘", "草", "unlearned"),
        ("丌", "草", ""),
        ("霽", "楷", "dense"),  # 22 strokes; not learned
        ("齉", "楷", "dense"),  # learned, and denser than nearly all that was
        ("们", "pen", ""),
    ],
)
def test_what_a_model_did_not_learn_is_foreseen(char, script, fault):
    assert REACH.fault(char, script) == fault


def test_a_model_of_few_characters_foresees_nothing():
    assert Reach(HAN[:60]).fault("龘", "草") == "" and Reach(HAN[:60]).hopeless("龘") == ""


def test_what_no_such_network_draws_is_left_out_of_fonts():
    assert REACH.hopeless("书龘法爨齉") == "龘爨齉"
    known = Reach(load_charset("gb2312")).strokes
    assert known[1] < known[0] < known[2]


class Sure:
    """A reader that finds every glyph right."""

    name = "this one"

    def scores(self, glyphs, references):
        return np.full(len(glyphs), 0.99)

    def least_score(self, script, font=""):
        return 0.5


@dataclass(frozen=True)
class Spoiling(Drawer):
    """Draws a lattice, spoiled in some ways."""

    spoiled: dict[str, list[str]] = field(default_factory=dict)  # faults of the first ways
    turns: dict[str, int] = field(default_factory=dict)

    def draw(self, chars, style_index, way):
        found = []
        for char in chars:
            found.append(lattice())
            turn = self.turns[char] = self.turns.get(char, -1) + 1
            row = self.spoiled.get(char, [])
            if turn < len(row) and row[turn]:
                PLANTED[row[turn]](found[-1], 1)
        return np.stack(found)


class Lattices:
    """A source whose every glyph is the lattice."""

    count = 1

    def images(self, chars):
        return np.stack([lattice() for _ in chars])


@pytest.fixture
def spoiling(inked_model, monkeypatch):
    def make(spoiled, whole=()):
        limits = Calibration({"": EVERY_CLASS}, {}, {}, "this one", whole)
        real = Drawer.open(inked_model)
        monkeypatch.setattr("calligan.inference.proofread._MIN_DETECTED_PX", 16)
        drawer = Spoiling(real.card, real.network, Lattices(), spoiled=spoiled)
        return Proofreader(drawer, Sure(), calibration=limits)

    return make


def test_a_glyph_with_a_fault_is_drawn_again_and_named_with_its_reason(spoiling):
    a, b, c = HAN[:3]
    reading = spoiling({b: ["speck"], c: ["melted"] * 9})
    reading.judged(a + b + c, 0)
    found = reading.verdicts[0]
    assert [len(found[char].attempts) for char in (a, b)] == [1, 2]
    assert found[b].faults == () and not found[b].doubtful and found[b].best.way != "as it is"
    assert "melted" in found[c].faults and len(found[c].attempts) > 2
    assert [verdict.char for verdict in reading.doubtful(0)] == [c]
    reasons = Findings(reading, [0]).reasons()
    assert list(reasons.values()) == [{", ".join(found[c].faults): c}]
    glyphs = Findings(reading, [0]).as_json()["bold"]["glyphs"]
    assert {each["char"]: each["faults"] for each in glyphs}[c] == list(found[c].faults)


def bars(count=3):
    """A simple glyph, uint8 (256, 256): bars from side to side, as in 三."""
    image = np.full((256, 256), 255, np.uint8)
    for bar in range(count):
        image[40 + 60 * bar : 60 + 60 * bar, 30:226] = 0
    return image


def test_each_class_of_source_has_its_own_limits():
    assert [class_of(Shape.of(bars(count))) for count in (0, 1, 2, 3, 4)] == [0, 0, 0, 1, 3]
    limits = [dict(LIMITS, speck_px2=99), LIMITS, *EVERY_CLASS[2:]]
    for count, wanted in ((2, ()), (3, ("speck",))):
        image = bars(count)
        speck(image, 1)
        assert detect(image, Shape.of(bars(count)), limits).faults == wanted


def test_classes_are_those_that_the_shipped_limits_were_measured_for():
    shape = Shape.of(bars())
    lengths = (559, 560, 699, 700, 839, 840, 999, 1000)
    sources = [replace(shape, length=length) for length in lengths]
    assert [class_of(source) for source in sources] == [0, 1, 1, 2, 2, 3, 3, 4]
    assert [is_simple(source) for source in sources] == [True] * 3 + [False] * 5


def test_a_glyph_in_more_pieces_than_strokes_is_broken():
    image = bars(2)
    image[:70, 100:108] = 255
    permitted = [dict(LIMITS, pieces_more=3)] * len(EVERY_CLASS)
    for strokes, wanted in ((None, ()), (3, ()), (2, ("broken",))):
        assert detect(image, Shape.of(bars(2)), permitted, strokes).faults == wanted


def test_a_simple_glyph_in_more_pieces_than_usual_is_drawn_again(spoiling, monkeypatch):
    """It is no fault; the attempt in the fewest pieces is kept, where the hand is seldom broken."""
    a, monkey = "看", monkeypatch.setattr
    monkey("test_faults.lattice", lambda size=256: bars())
    assert is_simple(Shape.of(bars()))
    permitted = dict(LIMITS, pieces_more=3, ink_missing=1.0, outline_lost=1.0)
    monkey("test_faults.EVERY_CLASS", [permitted] * len(EVERY_CLASS))

    def cut(image, k, places):
        for place in places:
            image[:, place : place + 8] = 255

    monkey("test_faults.PLANTED", {
        "one cut": lambda image, k: cut(image[:70], k, (100,)),
        "two cuts": lambda image, k: cut(image[:70], k, (80, 160)),
    })  # fmt: skip
    broken = {a: ["two cuts", "one cut", *["two cuts"] * 9]}
    found = spoiling(broken, whole=("",)).judged(a, 0)[0]
    assert found.best.loose == 1 and not found.doubtful and len(found.attempts) > 2
    found = spoiling({a: ["two cuts", ""]}, whole=("",)).judged(a, 0)[0]
    assert [attempt.loose for attempt in found.attempts] == [0, 2]
    found = spoiling({a: ["two cuts", ""]}).judged(a, 0)[0]
    assert [attempt.loose for attempt in found.attempts] == [0] and found.best.way == "as it is"
    for whole, wrong in ((("",), ("broken",)), ((), ())):  # three bars, for two strokes
        assert spoiling({}, whole).judged("二", 0)[0].faults == wrong


def test_the_attempt_with_the_fewest_faults_is_kept_before_the_best_read(spoiling):
    reading = spoiling({HAN[0]: ["speck", "missing", ""]})
    reading.judged(HAN[0], 0)
    assert [len(attempt.faults) for attempt in reading.verdicts[0][HAN[0]].attempts] == sorted(
        len(attempt.faults) for attempt in reading.verdicts[0][HAN[0]].attempts
    )
    assert reading.verdicts[0][HAN[0]].faults == ()


def test_what_is_foreseen_is_named_and_not_drawn_again(spoiling):
    reading = spoiling({})
    reading.reach = REACH
    reading.judged("龘书", 0)
    assert reading.verdicts[0]["龘"].faults == ("dense",)
    assert len(reading.verdicts[0]["龘"].attempts) == 1
    assert [verdict.char for verdict in reading.doubtful(0)] == ["龘"]


def test_what_was_picked_by_eye_is_not_doubted_for_its_faults():
    image = lattice()
    attempt = Attempt("as it is", image, 0.1, ("speck",))
    assert Verdict("书", (attempt,), 0.5, foreseen="dense").faults == ("speck", "dense")
    assert Verdict("书", (attempt,), 0.5).doubtful
    assert not Verdict("书", (attempt,), 0.5, picked=1).doubtful


def test_a_font_leaves_out_what_is_too_dense_by_default(inked_model, monkeypatch):
    from calligan.inference.writer import Writer

    writer = Writer(Drawer.open(inked_model))
    monkeypatch.setattr("calligan.inference.export.reach_of", lambda learned: REACH)
    found = {"书": 1, "龘": 2}
    assert fall_back(found, writer, None, "dense") == "龘" and found == {"书": 1}
    assert fall_back(found, writer, None, "keep") == ""


class Graded:
    """Scores by row, as a test gives them."""

    def __init__(self, scores):
        self.given = np.array(scores)

    def scores(self, glyphs, references):
        return self.given if len(glyphs) == len(self.given) else np.zeros(len(glyphs))

    def embeddings(self, glyphs):
        return np.ones((len(glyphs), 2))


def test_swapped_glyphs_are_all_named_and_the_cap_says_that_it_was_applied():
    chars = load_charset("gb2312-1")[:62]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (62, 64, 64)).astype(np.uint8)
    known = Calibration({}, {}, {"": 1e-4, "草": 1e-8}, "")

    def looked_at(low):
        scores = np.where(np.arange(62) < 20, low, 0.9)
        return check(
            *(chars, images, list(images), Graded(scores), 0.3),
            floor=lambda scores: known.floor_of("", scores),
        )

    swapped = looked_at(1e-5)
    assert set(swapped.wrong) == set(chars[:20]) and swapped.capped == 0
    unlike = looked_at(np.linspace(0.01, 0.19, 62))
    assert len(unlike.wrong) == 5 and unlike.capped == 15
