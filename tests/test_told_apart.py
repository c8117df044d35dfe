"""Drawn glyphs told from real ones, and whole hands before the judges of outlines."""

import json

import numpy as np
import pytest

from calligan.evaluation import judge_styles
from calligan.evaluation import told_apart as judge
from calligan.evaluation.interval import Estimate
from calligan.evaluation.judge_styles import (
    DRAWN,
    OTHER_CHARS,
    TRACED_REAL,
    OutlineOptions,
    RealFont,
    StyleFigures,
    as_json,
    judge_images,
)
from calligan.evaluation.line_report import MEAN, auc_table, line_table
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement
from calligan.vector.outline import Outline, OutlinePen

PLACE = Placement.full_width(128)
CHARS = "一丁七万丈三上下不与丐丑"


def bars(seed: int, wave: float) -> Outline:
    """Three bars somewhere, with edges that waver by `wave` units."""
    rng, pen = np.random.default_rng(seed), OutlinePen()
    for _ in range(3):
        x, y, length = rng.integers(0, 300), rng.integers(0, 900), rng.integers(300, 700)
        along = np.linspace(0, length, 200)
        edge = wave * np.sin(along / 9)
        points = [*zip(x + along, y + edge, strict=True)]
        points += [*zip(x + along[::-1], y - 60 - edge[::-1], strict=True)]
        pen.moveTo(points[0])
        for point in points[1:]:
            pen.lineTo(point)
        pen.closePath()
    return pen.outline


def many(count: int, first: int, wave: float) -> np.ndarray:
    return np.stack([judge.rasterize(bars(first + i, wave)) for i in range(count)])


def test_glyphs_are_shown_by_their_ink_at_one_size():
    outline = bars(0, 0)
    moved = outline.transform(np.array([[2.5, 0, 700.0], [0, 2.5, -90.0]]))
    a, b = judge.rasterize(outline), judge.rasterize(moved)
    assert np.abs(a.astype(int) - b).max() <= 4
    rows, columns = np.nonzero(a.max(axis=1))[0], np.nonzero(a.max(axis=0))[0]
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(116, abs=1)
    assert abs(rows[0] + rows[-1] - 127) <= 1 and abs(columns[0] + columns[-1] - 127) <= 1
    # y points upward in a font: the same outline with y downward stands on its head.
    assert np.array_equal(judge.rasterize(outline, upward=False)[::-1] > 127, a > 127)
    nothing = Outline(np.empty((0, 4, 2)), np.empty(0, int), np.empty(0, bool))
    assert not judge.rasterize(nothing).any()


@pytest.mark.parametrize("radius", [10, 30])
def test_what_the_judge_sees_of_edges_is_their_curvature(radius):
    y, x = np.mgrid[:128, :128] + 0.5
    inside = radius - np.hypot(x - 64, y - 64)
    disc = np.clip(255 * (inside + 0.5), 0, 255).astype(np.uint8)
    ink, curvature = judge.classifier_input(disc[None])[0].numpy()
    assert np.allclose(ink, disc / 255)
    on_edge = curvature[np.abs(inside) < 0.5] / judge._CURVATURE_GAIN
    assert np.abs(on_edge).mean() == pytest.approx(1 / radius, rel=0.1)
    assert not curvature[np.abs(inside) > 8].any()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(judge, "_EPOCHS", 8)
    monkeypatch.setattr(judge, "_BATCH_SIZE", 16)


def test_the_same_set_is_not_told_apart_and_another_is(quick):
    real = many(24, 0, 0)
    assert judge.two_sample_auc(real[:9], real[:9]).mean == 0.5
    wavering = judge.two_sample_auc(many(24, 0, 12), real)
    assert wavering.mean > 0.9 and wavering.low <= wavering.mean <= wavering.high
    assert judge.two_sample_auc(many(9, 0, 12), real[:9]) == judge.two_sample_auc(
        many(9, 0, 12), real[:9]
    )


def test_other_characters_of_the_same_hand_are_not_told_apart(quick):
    found = judge.two_sample_auc(many(24, 100, 0), many(24, 0, 0))
    assert found.low < 0.6 and 0.25 < found.mean < 0.75


def test_the_judge_has_not_seen_the_characters_it_is_asked_about(monkeypatch):
    learned, asked = [], []

    def trained(drawn, real, seed):
        learned.append({image.tobytes() for image in (*drawn, *real)})
        return judge.TwoSampleClassifier().eval()

    def judged(network, glyphs):
        asked.append({image.tobytes() for image in glyphs})
        return glyphs.mean(axis=(1, 2))

    monkeypatch.setattr(judge, "_train", trained)
    monkeypatch.setattr(judge, "_predict", judged)
    drawn, real = many(10, 0, 12), many(10, 0, 0)
    judge.two_sample_auc(drawn, real)
    assert len(learned) == judge.FOLDS and sum(map(len, asked)) == 20
    for number, seen in enumerate(learned):
        both = asked[2 * number] | asked[2 * number + 1]
        assert not seen & both and len(seen) + len(both) == 20


def test_the_area_counts_wins_of_one_network_only_and_ties_by_half():
    wins = np.array([[1, 0.5, 1], [0, 1, 1], [1, 1, 0]])
    together = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], bool)
    found = judge._auc(np.where(together, wins, 0), together, 0)
    assert found.mean == pytest.approx(2.5 / 5) and found.n == 3


def test_too_few_glyphs_are_refused():
    with pytest.raises(ValueError, match="5 drawn"):
        judge.two_sample_auc(many(5, 0, 0), many(5, 0, 0))


@pytest.fixture(scope="module")
def hand(font_folder, request) -> StyleFigures:
    """A font's own glyphs at 128 px before the judges, every row of them."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(judge, "_EPOCHS", 2)
    request.addfinalizer(monkeypatch.undo)
    face = Face(FontSpec(font_folder / "bold.ttf"))
    drawn = {char: PLACE.draw(face, face.glyph_index(char)) for char in CHARS}
    real, heard = RealFont("bold", face, PLACE), []
    asked = OutlineOptions(told_apart=True, calibrate=True)
    found = judge_images(drawn, real, asked, lambda what, done, of: heard.append(what))
    assert "bold: measuring" in heard and f"bold: telling apart, {OTHER_CHARS}" in heard
    return found


def test_a_hand_has_every_figure_and_what_calibrates_it(hand):
    assert list(hand.aucs) == [DRAWN, *TRACED_REAL.values(), OTHER_CHARS]
    assert hand.aucs[DRAWN] == hand.aucs[TRACED_REAL[128]]  # what was drawn is just that
    assert [value.n for value in hand.aucs.values()] == [12, 12, 12, 6]
    figures = json.loads(json.dumps(as_json([hand])))["bold"]
    assert figures["line"]["weight"]["mean"] == pytest.approx(1, abs=0.05)
    assert figures["told_apart"][OTHER_CHARS]["n"] == 6 and "straying_thousandths_em" in figures


def test_other_characters_are_others(font_folder, monkeypatch):
    sets = []

    def told(drawn, real, progress):
        sets.append([{image.tobytes() for image in images} for images in (drawn, real)])

    monkeypatch.setattr(judge_styles, "two_sample_auc", told)
    face = Face(FontSpec(font_folder / "bold.ttf"))
    drawn = {char: PLACE.draw(face, face.glyph_index(char)) for char in CHARS}
    judge_styles.tell_apart(drawn, RealFont("bold", face, PLACE), True, lambda what, done, of: None)
    others = sets[-1]
    assert [len(part) for part in others] == [6, 6] and not others[0] & others[1]
    assert others[0] | others[1] == sets[0][1]  # the real ones


def test_tables_have_a_row_a_hand_and_their_mean(hand):
    other = StyleFigures("other", hand.line, {DRAWN: Estimate(1.0, 1.0, 1.0, 4)})
    table = line_table([hand, other])
    assert [row[0] for row in table.rows] == ["bold", "other", MEAN]
    assert all(len(row) == len(table.head) for row in table.rows)
    assert table.rows[0][2:-1] == table.rows[2][2:-1]  # the mean of two that are alike
    dense = line_table([hand], dense=True)
    assert dense.rows == [["bold", "0", *["–"] * (len(dense.head) - 2)]]
    told = auc_table([hand, other], intervals=False)
    assert told.rows[1][2:] == ["1.000", "–", "–", "–"]
    expected = (hand.aucs[DRAWN].mean + 1) / 2
    assert float(told.rows[2][2]) == pytest.approx(expected, abs=6e-4)
