"""Grey glyphs to outlines: precise, sharp at corners, turned the right way, few points."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import HAN, build_font
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.recordingPen import RecordingPen
from PIL import Image, ImageDraw

from calligan.config import RasterConfig, TraceConfig
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement, measure_placement
from calligan.vector import contour
from calligan.vector.contour import Chain, extract_chains, resample
from calligan.vector.fit import (
    Pieces,
    _ChainPoints,
    _least_squares,
    _newton_step,
    _point,
    _polynomial,
    _split_at_joints,
    _split_at_worst,
    _tangents,
    fit,
)
from calligan.vector.font import FontGlyph
from calligan.vector.font import build_font as assemble
from calligan.vector.name_table import Naming
from calligan.vector.outline import Outline, OutlinePen
from calligan.vector.trace import trace

CONFIG = TraceConfig()
PLAIN = Placement(128, 100.0, 0.0, 128.0)  # ten units a pixel


def picture(draw, size=128, over=8) -> np.ndarray:
    """An anti-aliased picture: drawn large, 1 = ink, and averaged."""
    canvas = Image.new("1", (size * over, size * over))
    draw(ImageDraw.Draw(canvas), over)
    ink = np.asarray(canvas).reshape(size, over, size, over).mean(axis=(1, 3))
    return np.rint(255 * (1 - ink)).astype(np.uint8)


def disc(draw, k):
    draw.ellipse((24 * k, 24 * k, 104 * k - 1, 104 * k - 1), fill=1)


def ring(draw, k):
    disc(draw, k)
    draw.ellipse((44 * k, 44 * k, 84 * k - 1, 84 * k - 1), fill=0)


def square(draw, k):
    draw.rectangle((30 * k, 30 * k, 90 * k - 1, 90 * k - 1), fill=1)


def test_a_disc_is_a_few_cubics_within_the_tolerance():
    curves = fit(extract_chains(picture(disc), CONFIG), 0.25)
    assert 4 <= len(curves.controls) <= 8
    t = np.linspace(0, 1, 50)[:, None, None]
    p = np.moveaxis(curves.controls, 1, 0)
    points = (
        (1 - t) ** 3 * p[0] + 3 * t * (1 - t) ** 2 * p[1] + 3 * t**2 * (1 - t) * p[2] + t**3 * p[3]
    )
    radius = np.hypot(*(points.reshape(-1, 2) - 64).T)
    assert np.abs(radius - 40).max() < 0.3


def test_a_square_keeps_its_four_corners():
    (chain,) = extract_chains(picture(square), CONFIG)
    assert len(chain.corners) == 4
    found = {tuple(np.rint(4 * point) / 4) for point in chain.points[chain.corners]}
    assert found == {(30, 30), (30, 90), (90, 30), (90, 90)}
    outline = trace(picture(square), PLAIN, 1000, CONFIG)
    assert outline.straight.all() and len(outline.straight) == 4
    corners = {tuple(piece[0]) for piece in outline.controls.tolist()}
    assert corners == {(300.0, 980.0), (300.0, 380.0), (900.0, 980.0), (900.0, 380.0)}


def test_ink_is_to_the_right_and_holes_turn_the_other_way():
    area = AreaPen()
    trace(picture(ring), PLAIN, 1000, CONFIG).draw(area)
    true = -np.pi * (400**2 - 200**2)  # clockwise with y upward is negative
    assert area.value == pytest.approx(true, rel=0.01)


def test_curves_have_points_at_their_extremes():
    outline = trace(picture(ring), PLAIN, 1000, CONFIG)
    for piece in outline.controls[~outline.straight]:
        for axis in (0, 1):
            low, high = sorted((piece[0, axis], piece[3, axis]))
            assert low - 8 <= piece[:, axis].min() and piece[:, axis].max() <= high + 8


def test_specks_and_pinholes_are_left_out():
    def speckled(draw, k):
        square(draw, k)
        draw.rectangle((10 * k, 10 * k, 11 * k - 1, 11 * k - 1), fill=1)
        draw.rectangle((60 * k, 60 * k, 61 * k - 1, 61 * k - 1), fill=0)

    assert len(extract_chains(picture(speckled), CONFIG)) == 1


def test_blank_paper_draws_nothing():
    recorded = RecordingPen()
    trace(np.full((64, 64), 255, np.uint8), PLAIN, 1000, CONFIG).draw(recorded)
    assert recorded.value == []


@pytest.mark.parametrize("kind", ["ttf", "otf"])
def test_a_font_survives_being_drawn_traced_and_drawn_again(tmp_path, kind):
    face = Face(FontSpec(build_font(tmp_path / "a.ttf", slant=0.1)))
    placement = measure_placement(face, HAN, RasterConfig())
    glyphs = [
        FontGlyph("space", (32,), 250, trace(np.full((8, 8), 255, np.uint8), PLAIN, 1000, CONFIG))
    ]
    for char in HAN[:8]:
        image = placement.draw(face, face.glyph_index(char))
        glyphs.append(
            FontGlyph(
                f"uni{ord(char):04X}", (ord(char),), 1000, trace(image, placement, 1000, CONFIG)
            )
        )
    path = tmp_path / f"b.{kind}"
    assemble(glyphs, Naming("Traced", "描", "a test", "none", "0.1"), kind).save(path)
    again, large = Face(FontSpec(path)), placement.scaled(512)
    for char in HAN[:8]:
        a, b = (large.draw(f, f.glyph_index(char)) < 128 for f in (face, again))
        assert (a & b).sum() / (a | b).sum() > 0.95


def test_an_outline_is_moved_and_scaled_as_the_matrix_says():
    square = trace(
        picture(lambda draw, k: draw.rectangle([32 * k, 32 * k, 96 * k, 96 * k], 1)),
        PLAIN,
        1000,
        CONFIG,
    )
    moved = square.transform(np.array([[2.0, 0, 30.0], [0, -1.0, 7.0]]))
    assert np.allclose(moved.controls, square.controls * [2, -1] + [30, 7])
    assert (moved.contour == square.contour).all()


ARCH = np.array([(0, 0), (0, 20), (60, 20), (60, 0)], float)  # both handles are 20 long
BEND = np.array([(0, 0), (5, 30), (40, 50), (70, 10)], float)


def bernstein(controls: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Points (2, S, 1) of a cubic (4, 2)."""
    weights = np.stack([(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u**2 * (1 - u), u**3])
    return (controls.T @ weights)[:, :, None]


def slope(controls: np.ndarray, u: np.ndarray) -> np.ndarray:
    a, b, c = 3 * np.diff(controls, axis=0)[:, :, None]
    return (1 - u) ** 2 * a + 2 * u * (1 - u) * b + u**2 * c


def unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.hypot(*vector))[:, None]


@pytest.mark.parametrize("power", [1, 3])  # samples spread evenly, or crowded at the start
@pytest.mark.parametrize("controls", [ARCH, BEND])
def test_a_cubic_is_found_again_from_its_points(controls, power):
    u = np.linspace(0, 1, 24) ** power
    start, end = unit(controls[1] - controls[0]), unit(controls[2] - controls[3])
    found = _least_squares(bernstein(controls, u), u[:, None], start, end, np.array([110.0]))
    assert np.allclose(found[:, :, 0], controls, atol=1e-9)


@pytest.mark.parametrize(("length", "kept"), [(19, False), (21, True), (390, True), (410, False)])
def test_handles_of_an_odd_length_become_a_third_of_the_piece(length, kept):
    """Of 20 px: longer than the piece, or shorter than a twentieth of it."""
    u = np.linspace(0, 1, 24)
    up = np.array([[0.0], [1.0]])
    found = _least_squares(bernstein(ARCH, u), u[:, None], up, up, np.array([float(length)]))
    handle = 20 if kept else length / 3
    assert np.allclose(found[:, :, 0], [(0, 0), (0, handle), (60, handle), (60, 0)], atol=1e-9)


def test_tangents_along_one_line_make_handles_of_a_third():
    """A straight piece whose ends lie together: the equations have no one solution."""
    q, along = np.zeros((2, 24, 1)), np.array([[1.0], [0.0]])
    flat = np.zeros((24, 1))
    found = _least_squares(q, flat, along, along, np.array([9.0]))
    assert np.allclose(found[:, :, 0], [(0, 0), (3, 0), (3, 0), (0, 0)])


def test_a_newton_step_comes_to_the_nearest_points():
    """Of points 3 px beside a cubic; from 0.01 away an exact step leaves about its square."""
    true = np.linspace(0, 1, 24)
    direction = slope(BEND, true)
    normal = np.stack([-direction[1], direction[0]]) / np.hypot(*direction)
    terms = _polynomial(BEND[:, :, None])
    assert np.allclose(_point(terms, true[:, None]), bernstein(BEND, true))
    for side in (-3, 0, 3):
        q = bernstein(BEND, true) + side * normal[:, :, None]
        for shift in (0.01, -0.01):
            started = np.clip(true + shift, 0, 1)
            started[[0, -1]] = 0, 1
            found = _newton_step(terms, q, started[:, None])
            assert np.abs(found[:, 0] - true).max() < 4e-4, (side, shift)


def circle(count: int = 200) -> Chain:
    turn = 2 * np.pi * np.arange(count) / count
    return Chain(
        np.column_stack([64 + 40 * np.cos(turn), 64 + 40 * np.sin(turn)]), np.array([], int)
    )


def one(start: int, length: int, sharp_start: bool, sharp_end: bool) -> Pieces:
    values = (0, start, length, sharp_start, sharp_end)
    return Pieces(*(np.array([value]) for value in values))


@pytest.mark.parametrize(
    ("length", "sharp", "at_start", "at_end"),
    [
        (50, False, 10, 60),  # chords from 3 points behind to 3 ahead
        (50, True, 11.5, 58.5),  # of a corner, only to its own side
        (6, True, 11, 15),  # of a short piece, a third of it
        (2, True, 10.5, 11.5),  # but one point
    ],
)
def test_tangents_are_chords_about_the_ends(length, sharp, at_start, at_end):
    line = _ChainPoints([circle()])
    start, end = _tangents(line, one(10, length, sharp, sharp))
    turns = 2 * np.pi * np.array([at_start, at_end]) / 200
    wanted = np.stack([-np.sin(turns), np.cos(turns)])
    assert np.allclose(start[:, 0], wanted[:, 0]) and np.allclose(end[:, 0], -wanted[:, 1])


def test_points_of_a_chain_are_read_between_and_beyond_its_ends():
    chains = [Chain(np.arange(8.0).reshape(4, 2), np.array([], int)), circle(10)]
    line = _ChainPoints(chains)
    index = np.array([[-2.5, 0.25], [1.5, 9.5], [6.75, 11.0], [10.0, 22.0]])
    found = line.at(np.array([0, 1]), index)
    assert np.allclose(found[:, :, 0], [[3, 3, 5.5, 4], [4, 4, 6.5, 5]])
    points = chains[1].points
    wanted = [
        0.75 * points[0] + 0.25 * points[1],
        (points[9] + points[0]) / 2,
        points[1],
        points[2],
    ]
    assert np.allclose(found[:, :, 1].T, wanted)


def test_chains_begin_as_pieces_between_corners_or_extremes():
    chain, ring_ = circle(), circle()
    two = Chain(chain.points, np.array([30, 90]))
    single = Chain(chain.points, np.array([30]))
    found = _split_at_joints([two, single, ring_])
    assert found.chain.tolist() == [0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2]
    assert found.start.tolist() == [30, 90, 0, 30, 50, 100, 150, 0, 50, 100, 150]
    assert found.length.tolist() == [60, 140, 30, 20, 50, 50, 50, 50, 50, 50, 50]
    corner = np.isin(np.arange(11), [0, 1, 3])
    assert np.array_equal(found.sharp_start, corner)
    assert np.array_equal(found.sharp_end, np.isin(np.arange(11), [0, 1, 2]))


@pytest.mark.parametrize(("worst", "first"), [(0, 10), (10, 17), (12, 21), (23, 30)])
def test_a_piece_is_split_at_its_worst_sample_but_not_near_its_ends(worst, first):
    found = _split_at_worst(one(7, 40, True, True), np.array([worst]))
    assert (found.start.tolist(), found.length.tolist()) == ([7, 7 + first], [first, 40 - first])
    assert (found.sharp_start.tolist(), found.sharp_end.tolist()) == ([True, False], [False, True])
    assert found.chain.tolist() == [0, 0]


def test_chains_are_fitted_closely_each_for_itself():
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    radius = 30 + 8 * np.cos(5 * turn)
    star = Chain(
        np.column_stack([64 + radius * np.cos(turn), 64 + radius * np.sin(turn)]), np.array([], int)
    )
    both = fit([star, circle()], 0.1)
    for number, chain, pieces in ((0, star, 23), (1, circle(), 4)):
        alone = fit([chain], 0.1).controls
        assert len(alone) == pieces
        assert np.array_equal(both.controls[both.contour == number], alone)
        assert np.array_equal(alone[:, 3], np.roll(alone[:, 0], -1, axis=0))
        t = np.linspace(0, 1, 400)
        drawn = np.concatenate([bernstein(piece, t)[:, :, 0].T for piece in alone])
        far = np.hypot(*(chain.points[:, None] - drawn[None]).transpose(2, 0, 1)).min(axis=1)
        assert far.max() < 0.1


def test_points_are_taken_at_equal_distances():
    corners = np.array([(0, 0), (10, 0), (10, 10), (0, 10)], float)
    points = resample(corners, 0.5)
    assert len(points) == 80 and np.allclose(
        points[[0, 20, 25, 60]], [(0, 0), (10, 0), (10, 2.5), (0, 10)]
    )
    assert np.allclose(points[-1], (0, 0.5))
    assert len(resample(corners, 11.5)) == 4 and len(resample(corners, 100)) == 4
    assert len(resample(corners, 7)) == 6


def test_areas_have_the_sign_of_their_direction():
    area = 100 * 1600 * np.sin(2 * np.pi / 200)
    assert circle().area_px == pytest.approx(area)
    assert Chain(circle().points[::-1], np.array([], int)).area_px == pytest.approx(-area)


@pytest.mark.parametrize(("grey", "edge"), [(51, 9.875), (204, 9.125)])
def test_the_line_lies_between_pixels_as_their_grey_says(grey, edge):
    ink = np.zeros((40, 48), np.uint8)
    ink[8:30, 10:36] = 255
    ink[8:30, 9] = grey
    (chain,) = extract_chains(255 - ink, CONFIG)
    sides = chain.points[(chain.points[:, 1] > 15) & (chain.points[:, 1] < 25), 0]
    assert np.allclose(np.unique(np.round(sides, 6)), [edge, 36])
    assert (chain.points[:, 1].min(), chain.points[:, 1].max()) == (
        pytest.approx(8, abs=0.02),
        pytest.approx(30, abs=0.02),
    )
    assert chain.area_px == pytest.approx((36 - edge) * 22, rel=2e-3)


def test_ink_that_is_as_large_as_the_limit_stays():
    def small(draw, k):
        draw.rectangle((30 * k, 30 * k, 36 * k - 1, 35 * k - 1), fill=1)

    def kept(limit: float) -> int:
        return len(extract_chains(picture(small), replace(CONFIG, speck_px2=limit)))

    (chain,) = extract_chains(picture(small), replace(CONFIG, speck_px2=0))
    area = chain.area_px
    assert (kept(area * 0.99), kept(area), kept(area * 1.01)) == (1, 1, 0)


def test_a_corner_is_where_the_line_turns_most():
    step = np.array([[1.0, 0]] * 20 + [[np.cos(1.0), np.sin(1.0)]] * 20)
    for side in (1, -1):
        points = np.concatenate([[[0, 0]], np.cumsum(step * [1, side], axis=0)])
        assert np.flatnonzero(contour._are_corners(points, 4, 0.99)).tolist() == [20]
        assert not contour._are_corners(points, 4, 1.01).any()


@pytest.mark.parametrize(("wide", "high", "sharp"), [(2, 2, False), (3, 2, False), (3, 3, True)])
def test_a_mark_of_a_few_pixels_has_no_corners(wide, high, sharp):
    """A turn is measured over 2.5 px on either side, and a shorter line would meet itself."""
    mark = np.full((64, 64), 255, np.uint8)
    mark[30 : 30 + high, 30 : 30 + wide] = 0
    (chain,) = extract_chains(mark, CONFIG)
    assert bool(len(chain.corners)) == sharp


def sides_of_corner(first: float, second: float) -> np.ndarray:
    """13 points; those of two sides in given directions, from 2 away of (7, -3), the rest astray."""
    away = np.arange(1, 7)[:, None]
    before, after = (away * [np.cos(t), np.sin(t)] + [7, -3] for t in (first, second))
    points = np.concatenate([before[::-1], [[7, -3]], after])
    points[5:8] += 0.4
    return points


@pytest.mark.parametrize(("turn", "meets"), [(1.2, True), (2.6, True), (0.21, True), (0.19, False)])
def test_the_sides_of_a_corner_meet_where_they_would(turn, meets):
    found = contour._crossings(sides_of_corner(0.4, 0.4 + turn), np.array([6]), 2, 6)
    assert np.allclose(found, [[7, -3]]) if meets else np.isnan(found).all()


@pytest.mark.parametrize("step_px", [0.5, 0.25])
def test_a_square_is_sharp_and_straight_among_other_lines(step_px):
    config = replace(CONFIG, step_px=step_px)
    (alone,) = extract_chains(picture(square), config)
    far = np.abs(np.abs(alone.points - 60).max(axis=1) - 30)
    assert far.max() < 1e-6  # every point is on one of the sides
    gaps = np.hypot(*(alone.points - np.roll(alone.points, 1, axis=0)).T)
    assert gaps.max() < 1.6 * step_px and len(alone.points) * step_px == pytest.approx(240, abs=4)

    def several(draw, k):
        draw.rectangle((4 * k, 4 * k, 14 * k - 1, 20 * k - 1), fill=1)
        square(draw, k)
        draw.ellipse((100 * k, 100 * k, 124 * k - 1, 124 * k - 1), fill=1)

    found = extract_chains(picture(several), config)
    assert [len(chain.corners) for chain in found] == [4, 4, 0]
    assert np.array_equal(found[1].points, alone.points)
    assert np.array_equal(found[1].corners, alone.corners)


PATH = OutlinePen()
PATH.moveTo((0, 0))
PATH.lineTo((0, 10))
PATH.curveTo((4, 12.4), (6, 12.6), (10, 10))
PATH.closePath()  # by a line
PATH.moveTo((2, 2))
PATH.lineTo((5, 3))
PATH.lineTo((5.3, 3.2))
PATH.lineTo((2, 2))
PATH.closePath()  # already there


def test_an_outline_draws_what_was_drawn():
    recorded = RecordingPen()
    PATH.outline.draw(recorded)
    assert recorded.value == [
        ("moveTo", ((0, 0),)),
        ("lineTo", ((0, 10),)),
        ("curveTo", ((4, 12.4), (6, 12.6), (10, 10))),
        ("lineTo", ((0, 0),)),
        ("closePath", ()),
        ("moveTo", ((2, 2),)),
        ("lineTo", ((5, 3),)),
        ("lineTo", ((5.3, 3.2),)),
        ("lineTo", ((2, 2),)),
        ("closePath", ()),
    ]
    assert Outline.from_drawing(PATH.outline).contour.tolist() == [0, 0, 0, 1, 1, 1]


def test_outlines_are_rounded_turned_and_split():
    rounded = PATH.outline.round_coordinates()
    assert rounded.contour.tolist() == [0, 0, 0, 1, 1]  # a piece has shrunk to a point
    assert rounded.controls[1].tolist() == [[0, 10], [4, 12], [6, 13], [10, 10]]
    assert rounded.straight.tolist() == [True, False, True, True, True]
    turned = PATH.outline.reverse()
    assert turned.contour.tolist() == [1, 1, 1, 0, 0, 0]
    assert turned.controls[4].tolist() == [[10, 10], [6, 12.6], [4, 12.4], [0, 10]]
    assert turned.straight.tolist() == [True, True, True, True, False, True]
    parts = PATH.outline.split([1, 0, 1])
    assert [part.contour.tolist() for part in parts] == [[0, 0, 0], [], [0, 0, 0]]
    assert np.array_equal(parts[2].controls, PATH.outline.controls[3:])
    assert parts[0].straight.tolist() == [True, False, True]
