"""Glyphs redrawn with a pen of even width, and the skeleton and lines behind it."""

import itertools
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from calligan.config import TraceConfig
from calligan.inference.writer import Writer
from calligan.library.hands import finish_learning
from calligan.models.card import PENS
from calligan.models.weights import load_model, read_card, save_model
from calligan.pairs.store import PairStore
from calligan.project.run import Run
from calligan.vector.centre_lines import ROUND, SHARP, centre_lines, find_corners
from calligan.vector.pen import CORNERS, pen_of, redraw
from calligan.vector.skeleton import skeleton_of

SIZE = 256
Y, X = np.mgrid[0:SIZE, 0:SIZE] + 0.5


def drawn(lines, half_width_px=5.0, wobble_px=0.0) -> np.ndarray:
    """Strokes with round ends along lines of points; `wobble_px` bends and swells them."""
    inside = np.full((SIZE, SIZE), -9.0)
    x, y = X + wobble_px * np.sin(Y / 9), Y + wobble_px * np.sin(X / 9)
    for line in lines:
        for (ax, ay), (bx, by) in itertools.pairwise(line):
            dx, dy = bx - ax, by - ay
            share = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
            width = half_width_px + 0.5 * wobble_px * np.sin((x + y) / 11)
            inside = np.maximum(inside, width - np.hypot(x - ax - share * dx, y - ay - share * dy))
    return np.round(255 * (1 - np.clip(inside + 0.5, 0, 1))).astype(np.uint8)


BOX = [(60, 60), (190, 60), (190, 200), (60, 200), (60, 60)]
GLYPHS = {
    "bar": [[(40, 128), (210, 128)]],
    "slope": [[(40, 60), (210, 190)]],
    "cross": [[(40, 128), (210, 128)], [(128, 40), (128, 210)]],
    "tee": [[(40, 60), (210, 60)], [(128, 60), (128, 210)]],
    "box": [BOX],
    "field": [BOX, [(60, 130), (190, 130)], [(125, 60), (125, 200)]],
    "apart": [[(40, 60), (210, 60)], [(40, 120), (210, 120)], [(90, 180), (160, 180)]],
    "hook": [[(128, 40), (128, 200), (90, 170)]],
}


@pytest.mark.parametrize("name", [name for name in GLYPHS if name != "hook"])
def test_a_straight_pen_draws_straight_again(name):
    wanted = drawn(GLYPHS[name])
    bent = drawn(GLYPHS[name], wobble_px=1.0)
    off = [np.abs(each.astype(float) - wanted).mean() for each in (bent, redraw(bent, "sharp"))]
    assert off[1] < 0.6 * off[0]


@pytest.mark.parametrize("pen", ["sharp", "round"])
@pytest.mark.parametrize("name", GLYPHS)
def test_what_a_pen_drew_stays_as_it_is(name, pen):
    if (name, pen) == ("hook", "round"):
        pytest.skip("a round pen rounds a hook")
    wanted = drawn(GLYPHS[name])
    again = redraw(wanted, pen)
    ink = [(255 - image.astype(float)).sum() for image in (wanted, again)]
    assert ink[1] == pytest.approx(ink[0], rel=0.01)
    both = ((wanted < 128) & (again < 128)).sum() / ((wanted < 128) | (again < 128)).sum()
    assert both > 0.93


def test_a_circle_stays_round():
    circle = np.round(255 * (1 - np.clip(5.5 - np.abs(np.hypot(X - 128, Y - 128) - 70), 0, 1)))
    circle = circle.astype(np.uint8)
    again = redraw(circle, "round")
    assert not np.array_equal(again, circle)
    assert np.abs(again.astype(float) - circle).mean() < 1.5


def test_corners_that_are_rounded_get_sharp():
    arc = [(178 + 12 * np.sin(t), 72 - 12 * np.cos(t)) for t in np.linspace(0, np.pi / 2, 9)]
    rounded = drawn([[(60, 60), *arc, (190, 200)]])
    corner = (slice(54, 62), slice(186, 194))
    assert (redraw(rounded, "sharp")[corner] < 128).mean() > (rounded[corner] < 128).mean() + 0.3
    assert (redraw(rounded, "round")[corner] < 128).mean() < 0.3


def test_strokes_that_are_apart_stay_apart():
    close = drawn([[(40, y), (210, y)] for y in (60, 76, 92)], wobble_px=0.8)
    again = redraw(close, "sharp")
    columns = (again[:, 100:150] < 128).astype(int)
    assert (np.abs(np.diff(columns, axis=0)).sum(axis=0) == 6).all()


def test_what_no_pen_drew_is_left_alone():
    wedge = np.where((X > 40) & (X < 220) & (np.abs(Y - 128) < (X - 40) / 4), 0, 255)
    blank = np.full((SIZE, SIZE), 255, np.uint8)
    small = drawn(GLYPHS["cross"])[::4, ::4]
    for image in (wedge.astype(np.uint8), blank, small):
        assert redraw(image, "sharp") is image


def test_the_skeleton_of_a_cross_has_four_branches_and_one_junction():
    graph = skeleton_of(drawn(GLYPHS["cross"]) < 128)
    assert len(graph.branches) == 4 and sorted(graph.degrees) == [1, 1, 1, 1, 4]
    middle = graph.places[graph.degrees.index(4)]
    assert middle == pytest.approx([128, 128], abs=1)


def test_spurs_of_corners_are_no_strokes():
    square = np.full((SIZE, SIZE), 255, np.uint8)
    square[60:70, 60:200] = square[60:200, 190:200] = 0  # square ends and a square corner
    graph = skeleton_of(square < 128)
    assert len(graph.branches) == 1 and graph.degrees == [1, 1]


def test_strokes_go_straight_on_through_a_junction():
    graph = skeleton_of(drawn(GLYPHS["cross"]) < 128)
    ink = 1 - drawn(GLYPHS["cross"]).astype(float) / 255
    lines = centre_lines(graph, ink, 1.6)
    assert len(lines) == 2
    for line in lines:
        assert len(line) == 2  # straight
        assert np.abs(line[1] - line[0]).max() == pytest.approx(170, abs=3)


@pytest.mark.parametrize(("kinds", "count"), [(SHARP, 1), (ROUND, 0)])
def test_a_slow_bend_is_a_corner_for_a_sharp_pen_only(kinds, count):
    turn = np.linspace(0, np.pi / 2, 24)
    arc = np.stack([80 + 15 * np.sin(turn), 45 - 15 * np.cos(turn)], axis=1)
    before = np.stack([np.arange(20.0, 80), np.full(60, 30.0)], axis=1)
    after = np.stack([np.full(60, 95.0), np.arange(46.0, 106)], axis=1)
    assert len(find_corners(np.concatenate([before, arc, after]), 5.0, kinds)) == count


def test_a_style_with_a_pen_is_drawn_with_it(inked_model, font_folder, tmp_path, monkeypatch):
    generator, card = load_model(inked_model)
    card = replace(card, styles=(replace(card.styles[0], pen="round"), *card.styles[1:]))
    save_model(tmp_path / "pen.safetensors", generator, card)
    asked = []

    def note(image, pen):
        asked.append(pen)
        return 255 - image

    monkeypatch.setattr("calligan.inference.drawer.redraw", note)
    font = str(font_folder / "source.ttf")
    with_pen = Writer.open(tmp_path / "pen.safetensors", font).drawer
    plain = Writer.open(inked_model, font).drawer
    assert np.array_equal(with_pen.draw("一丁", 0), 255 - plain.draw("一丁", 0))
    assert asked == ["round", "round"]
    assert np.array_equal(with_pen.draw("一丁", 1), plain.draw("一丁", 1))
    with pytest.raises(ValueError, match="pen"):
        replace(card, styles=(replace(card.styles[0], pen="quill"),)).validate()


def test_real_glyphs_say_whether_a_pen_wrote_them():
    written = [drawn(lines) for name, lines in GLYPHS.items() if name != "hook"]
    assert pen_of(written) in ("sharp", "round")
    brush = [
        np.where((X > 40) & (X < 220) & (np.abs(Y - 128) < (X - 40) / k), 0, 255) for k in (4, 6)
    ]
    assert pen_of([each.astype(np.uint8) for each in brush]) == ""
    assert pen_of([drawn(GLYPHS["cross"])[::4, ::4]]) == "" and pen_of([]) == ""


@pytest.mark.parametrize(("even", "pen"), [(True, "round"), (False, "")])
def test_a_learned_hand_is_drawn_with_its_pen(
    run_folder, data_folder, tmp_path, monkeypatch, even, pen
):
    hand = shutil.copytree(run_folder, tmp_path / "0001")
    run = Run.open(hand)
    selection = PairStore.open(data_folder).select(["bold", "slanted"])
    notes = []
    monkeypatch.setattr("calligan.library.hands.pen_of", lambda images: "round")
    monkeypatch.setattr("calligan.library.hands.before_after", lambda *a: Image.new("L", (8, 8)))
    session = SimpleNamespace(run=run, selection=selection, note=notes.append, state=None)
    session.state = SimpleNamespace(counters=SimpleNamespace(step=500))
    finish_learning(session, even)
    assert read_card(run.best).styles[0].pen == pen
    assert bool(notes) == even


def test_the_card_knows_the_pens_and_traces_them_closely(inked_model):
    assert set(PENS) == {"", *CORNERS}
    style = replace(load_model(inked_model)[1].styles[0], tolerance_em=0.008)
    assert style.tracing.tolerance_em == 0.008
    assert replace(style, pen="sharp").tracing == TraceConfig()
