"""Edges that waver are made straight, for hands whose real edges are; curves stay."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from calligan.config import EDGES, TraceConfig
from calligan.errors import ConfigError
from calligan.glyphs.placement import Placement
from calligan.library.hands import finish_learning
from calligan.models.weights import load_model, read_card
from calligan.pairs.store import PairStore
from calligan.project.run import Run
from calligan.training.before_after import _traced
from calligan.vector.contour import extract_chains
from calligan.vector.straight_edges import KINDS, _is_arc, edges_of, straighten
from calligan.vector.trace import trace

SIZE = 256
CANVAS = Placement(SIZE, float(SIZE), 0.0, float(SIZE))  # one unit a pixel, at SIZE units an em
Y, X = np.mgrid[0:SIZE, 0:SIZE] + 0.5


def image_of(inside_px: np.ndarray) -> np.ndarray:
    """A glyph of a signed distance, positive in the ink."""
    return np.round(255 * (1 - np.clip(inside_px + 0.5, 0, 1))).astype(np.uint8)


def bar(
    half=(80.0, 14.0), tilt_deg=0.0, waver_px=0.0, round_px=0.0, centre=(128.0, 128.0)
) -> np.ndarray:
    """A rectangle whose edges waver, with rounded corners: its signed distance."""
    angle = np.radians(tilt_deg)
    x, y = X - centre[0], Y - centre[1]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    u, v = u + waver_px * np.sin(v / 11), v + waver_px * np.sin(u / 13)
    du, dv = np.abs(u) - half[0] + round_px, np.abs(v) - half[1] + round_px
    outside = np.hypot(np.maximum(du, 0), np.maximum(dv, 0))
    return round_px - outside - np.minimum(np.maximum(du, dv), 0)


def disc(radius_px: float) -> np.ndarray:
    return radius_px - np.hypot(X - 128, Y - 128)


def ends(image: np.ndarray, edges: str) -> np.ndarray:
    """Where the curves of a traced glyph begin, in pixels, y down."""
    outline = trace(image, CANVAS, SIZE * 10, TraceConfig(edges=edges))
    return outline.controls[:, 0] / 10 * (1, -1) + (0, SIZE)


@pytest.mark.parametrize("edges", ["sharp", "polygon"])
def test_a_bar_that_wavers_is_a_rectangle_again(edges):
    image = image_of(bar(waver_px=0.8, round_px=3))
    assert len(ends(image, "")) > 8
    corners = ends(image, edges)
    assert len(corners) == 4
    wanted = np.array([(48, 114), (208, 114), (48, 142), (208, 142)])
    off = np.hypot(*(corners[:, None] - wanted).transpose(2, 0, 1))
    assert (off.min(axis=0) < 1.5).all() and (off.min(axis=1) < 1.5).all()


def test_neighbouring_edges_meet_where_their_lines_cross():
    corners = ends(image_of(bar(half=(80, 50), waver_px=0.6)), "sharp").round(2)
    assert len(corners) == 4
    assert len({x for x, _ in corners}) == 2 == len({y for _, y in corners})


def test_a_long_edge_may_stray_farther_than_a_short_one():
    found = []
    for half_px in (110, 40):
        sagging = Y - 128 - 3.2 * np.cos(np.pi * (X - 128) / (2 * half_px))
        inside = np.minimum(half_px - np.abs(X - 128), 14 - np.abs(sagging))
        found.append([len(ends(image_of(each), "polygon")) for each in (inside, inside.T)])
    assert found[0] == [4, 4]
    assert min(found[1]) > 4


def test_edges_that_hardly_tilt_become_level_and_others_keep_their_angle():
    level = ends(image_of(bar(tilt_deg=1.5, round_px=3)), "sharp")
    assert {round(y * 4) for _, y in level} == {round(y * 4) for _, y in level[:2]} | {
        round(y * 4) for _, y in level[2:]
    }
    assert len({y for _, y in level.round(1)}) == 2
    tilted = ends(image_of(bar(tilt_deg=5, round_px=3)), "sharp")
    sides = np.diff(np.concatenate([tilted, tilted[:1]]), axis=0)
    long = sides[np.hypot(*sides.T) > 60]
    assert np.degrees(np.arctan(long[:, 1] / long[:, 0])) == pytest.approx(5, abs=0.3)


def test_only_polygons_have_straight_edges_in_any_direction():
    image = image_of(bar(tilt_deg=35, waver_px=0.8, round_px=3))
    assert len(ends(image, "polygon")) == 4
    assert np.array_equal(ends(image, "sharp"), ends(image, ""))


def test_round_corners_stay_round():
    image = image_of(bar(half=(80, 40), waver_px=1.0, round_px=12))
    chain = straighten(extract_chains(image, TraceConfig())[0], KINDS["round"], SIZE, 0.5)
    x, y = chain.points.T
    assert np.hypot(x - 208, y - 168).min() > 3  # a corner of the rectangle; 5 px if exact
    edge = (np.abs(x - 128) < 50) & (y > 128)
    assert np.ptp(y[edge]) < 1e-9
    wavering = extract_chains(image, TraceConfig())[0].points
    assert np.ptp(wavering[(np.abs(wavering[:, 0] - 128) < 50) & (wavering[:, 1] > 128), 1]) > 1


def test_small_roundings_are_left_in_hands_with_round_corners():
    chain = extract_chains(image_of(bar(half=(80, 40), waver_px=0.6, round_px=5)), TraceConfig())[0]
    points = straighten(chain, KINDS["round"], SIZE, 0.5).points
    beyond = [np.hypot(*(each - (208, 168)).T).min() for each in (points, chain.points)]
    assert beyond[0] == pytest.approx(beyond[1], abs=0.5)


@pytest.mark.parametrize(("edges", "small_px", "large_px"), [("sharp", 4, 10), ("polygon", 6, 14)])
def test_only_small_roundings_are_cut_away(edges, small_px, large_px):
    for round_px, cut in ((small_px, True), (large_px, False)):
        chain = extract_chains(image_of(bar(half=(80, 40), round_px=round_px)), TraceConfig())[0]
        points = straighten(chain, KINDS[edges], SIZE, 0.5).points
        assert (np.hypot(*(points - (208, 168)).T).min() < 1) == cut


@pytest.mark.parametrize("edges", ["sharp", "round"])
@pytest.mark.parametrize("radius_px", [30, 60, 110])
def test_a_circle_stays_a_circle(edges, radius_px):
    image = image_of(disc(radius_px))
    assert np.array_equal(ends(image, edges), ends(image, ""))


def test_a_line_meets_a_curve_without_a_step():
    image = image_of(np.maximum(bar(half=(70, 10), waver_px=1.0), disc(30)))
    for chain in extract_chains(image, TraceConfig()):
        points = straighten(chain, KINDS["sharp"], SIZE, 0.5).points
        step = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
        assert step.max() < 1.0
        moved = np.hypot(*(points[:, None] - chain.points[None]).transpose(2, 0, 1)).min(axis=1)
        assert moved.max() < 4
        curve = np.abs(np.hypot(*(points - 128).T) - 30) < 3
        assert np.median(moved[curve]) > 0.2  # it is moved as a whole


def test_a_corner_within_a_curve_is_kept():
    """The top of a pointed arch: two arcs between the upright edges."""
    arcs = np.minimum(120 - np.hypot(X - 68, Y - 128), 120 - np.hypot(X - 188, Y - 128))
    chain = extract_chains(image_of(np.where(Y < 128, arcs, bar((60, 90)))), TraceConfig())[0]
    top = np.array([128, 128 - 60 * np.sqrt(3)])
    straight = straighten(chain, KINDS["sharp"], SIZE, 0.5)
    assert len(straight.points) != len(chain.points)
    for each in (chain, straight):
        assert np.hypot(*(each.points[each.corners] - top).T).min() < 2


@pytest.mark.parametrize("turn", [0.05, 0.2, -0.2])
@pytest.mark.parametrize(("share", "is_arc"), [(0.6, True), (0.4, False), (-1, False), (0, False)])
def test_an_edge_that_bows_half_as_much_as_a_regular_arc_is_part_of_a_curve(turn, share, is_arc):
    x = np.linspace(-50, 50, 21)
    bow_px = share * 100 * abs(turn) / 8  # of an arc of that turn: sagitta = chord * angle / 8
    points = np.stack([x, bow_px * np.sign(turn) * (x / 50) ** 2], axis=1)
    assert _is_arc(points, np.full(2, np.degrees(turn))) == is_arc


def test_a_hole_keeps_its_winding_and_small_marks_stay_as_they_are():
    ring = np.minimum(bar(half=(80, 60), waver_px=1), -bar(half=(50, 30), waver_px=1))
    outer, inner = sorted(
        (
            straighten(chain, KINDS["sharp"], SIZE, 0.5)
            for chain in extract_chains(image_of(ring), TraceConfig())
        ),
        key=lambda chain: -abs(chain.area_px),
    )
    assert outer.area_px == pytest.approx(160 * 120, rel=0.02)
    assert inner.area_px == pytest.approx(-100 * 60, rel=0.03)
    mark = image_of(bar(half=(5, 4), round_px=2))
    assert np.array_equal(ends(mark, "sharp"), ends(mark, ""))


def test_a_blank_glyph_and_a_line_from_edge_to_edge():
    assert not len(ends(np.full((SIZE, SIZE), 255, np.uint8), "sharp"))
    assert len(ends(image_of(bar(half=(127, 9))), "sharp")) == 4


STRAIGHT = {
    "sharp": [bar(), bar(half=(10, 90)), np.maximum(bar(half=(60, 10)), disc(32))],
    "round": [bar(half=(80, 30), round_px=9), bar(half=(20, 90), round_px=9)],
    "polygon": [bar(tilt_deg=20), bar(half=(50, 40), tilt_deg=-33), bar(tilt_deg=70)],
    " ": [disc(60), bar(half=(14, 3)), disc(60), disc(60)],
    "": [disc(60), np.maximum(disc(30), bar(half=(60, 5), tilt_deg=20, waver_px=2)), disc(20)],
}


@pytest.mark.parametrize("edges", STRAIGHT)
@pytest.mark.parametrize("shrunk", [1, 2])
def test_the_edges_of_real_glyphs_say_how_a_hand_is_drawn(edges, shrunk):
    size = SIZE // shrunk
    images = [
        image_of(each).reshape(size, shrunk, size, shrunk).mean(axis=(1, 3)).astype(np.uint8)
        for each in STRAIGHT[edges]
    ]
    assert edges_of(images, float(size)) == edges.strip()


def test_nothing_is_said_of_no_glyphs():
    assert edges_of([], 100.0) == "" == edges_of([np.full((64, 64), 255, np.uint8)], 60.0)


@pytest.mark.parametrize(("even", "edges"), [(True, "sharp"), (False, "")])
def test_a_learned_hand_gets_the_edges_of_its_glyphs(
    run_folder, data_folder, tmp_path, monkeypatch, even, edges
):
    run = Run.open(shutil.copytree(run_folder, tmp_path / "0001"))
    selection = PairStore.open(data_folder).select(["bold", "slanted"])
    notes, asked = [], []
    monkeypatch.setattr("calligan.library.hands.pen_of", lambda images: "")
    monkeypatch.setattr(
        "calligan.library.hands.edges_of", lambda images, em_px: asked.append(em_px) or "sharp"
    )
    monkeypatch.setattr("calligan.library.hands.before_after", lambda *a: Image.new("L", (8, 8)))
    counters = SimpleNamespace(counters=SimpleNamespace(step=500))
    session = SimpleNamespace(run=run, selection=selection, note=notes.append, state=counters)
    finish_learning(session, even)
    card = read_card(run.best)
    assert [style.edges for style in card.styles] == [edges, ""]
    assert card.styles[0].tracing.edges == edges
    assert card.styles[0].tolerance_em == (0.004 if even else None)  # not that of where it began
    if even:
        assert asked == [selection.styles[0].placement.em_px] and "straight edges" in notes[-1]


def test_the_sheet_of_a_learned_hand_shows_straight_edges():
    image = image_of(bar(waver_px=0.8, round_px=3))
    shown = _traced(image, CANVAS, TraceConfig(edges="sharp"))
    rows = [np.flatnonzero(each[:, 60:190].min(axis=1) < 128) for each in (image, shown)]
    whole = [np.flatnonzero(each[:, 60:190].max(axis=1) < 128) for each in (image, shown)]
    assert len(rows[0]) > len(whole[0]) and np.array_equal(rows[1], whole[1])
    assert abs(int((shown < 128).sum()) - int((image < 128).sum())) < 150
    assert (_traced(np.full_like(image, 255), CANVAS, TraceConfig(edges="sharp")) == 255).all()


def test_the_card_names_edges_that_there_are(inked_model):
    assert {*EDGES} == {"", *KINDS}
    card = load_model(inked_model)[1]
    style = replace(card.styles[0], edges="wavy")
    with pytest.raises(ConfigError, match="wavy"):
        replace(card, styles=(style, *card.styles[1:])).validate()
    assert replace(style, edges="sharp", pen="round").tracing == TraceConfig()
