"""The judge of the line, on outlines whose figures are known."""

import numpy as np
import pytest

from calligan.evaluation import contour_walk
from calligan.evaluation import line as line_module
from calligan.evaluation.contour_walk import shape_of
from calligan.evaluation.interval import difference, ratio
from calligan.evaluation.line import COUNTS, RATIOS, Line, glyph_figures, line_figures, measure_line
from calligan.evaluation.stroke_width import half_widths
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement
from calligan.vector.outline import Outline, OutlinePen
from calligan.vector.thinning import thin
from calligan.vector.trace import trace

UPEM = 1000
PLACE = Placement.full_width(128)
EM_PX = PLACE.em_px * 4  # on the canvas of 512 px


def rings(*contours) -> Outline:
    """Closed figures of straight lines in font units; holes go the other way round."""
    pen = OutlinePen()
    for points in contours:
        pen.moveTo(tuple(points[0]))
        for point in points[1:]:
            pen.lineTo(tuple(point))
        pen.closePath()
    return pen.outline


def box(left, bottom, right, top) -> list[tuple[float, float]]:
    return [(left, bottom), (left, top), (right, top), (right, bottom)]


def circle(x, y, radius, inside=False) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False) * (1 if inside else -1)
    return np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])


def wavy(periods, amplitude, length=800) -> list[tuple[float, float]]:
    """A level bar whose upper edge is a sine."""
    x = np.linspace(0, length, 2000)
    top = 500 + amplitude * np.sin(2 * np.pi * periods * x / length)
    return [(100 + length, 400), (100, 400), *zip(100 + x, top, strict=True)]


def figures(*contours) -> dict[str, float]:
    return glyph_figures(shape_of(rings(*contours), PLACE, UPEM), 0)


BAR = box(100, 400, 900, 460)


def test_straight_and_round_outlines_do_not_bend():
    for contours in ([BAR], [circle(500, 400, 300)], [box(100, 500, 160, 700), BAR]):
        assert figures(*contours)["bends"] == 0
    slanted = [(x + 0.13 * y, y + 0.21 * x) for x, y in BAR]
    assert figures(slanted)["bends"] == 0


@pytest.mark.parametrize("periods", [3, 8])
def test_a_wavering_edge_bends_twice_a_period(periods):
    assert figures(wavy(periods, 10))["bends"] == pytest.approx(2 * periods, abs=1)


def test_what_wavers_by_less_than_six_degrees_does_not_bend():
    # Slope 2 pi periods amplitude / length: 1.35 degrees either way.
    assert figures(wavy(3, 1))["bends"] == 0


def test_roughness_finer_than_the_smoothing_does_not_bend():
    # 8 px a period: a Gaussian of 4 px leaves one part in a hundred of its 20 degrees.
    periods = round(800 / UPEM * EM_PX / 8)
    assert figures(wavy(periods, 1))["bends"] == 0


def test_turning_of_a_convex_outline_is_one_turn():
    assert figures(BAR)["turning"] == pytest.approx(2 * np.pi, rel=0.02)
    assert figures(circle(500, 400, 300))["turning"] == pytest.approx(2 * np.pi, rel=0.02)
    # A wave turns there and back by twice its steepest slope a period.
    steepest = np.arctan(2 * np.pi * 8 * 10 / 800)
    expected = 2 * np.pi + 8 * 4 * steepest
    assert figures(wavy(8, 10))["turning"] == pytest.approx(expected, rel=0.1)


def test_figures_do_not_depend_on_overlaps_in_the_outline():
    cross = [box(100, 400, 900, 460), box(450, 100, 510, 800)]
    found = figures(*cross)
    assert (found["pieces"], found["outlines"], found["bends"]) == (1, 1, 8)


def test_melted_strokes_and_closed_counters_are_counted():
    apart = [box(100, 400, 900, 460), box(100, 500, 900, 560)]
    melted = [*apart, box(480, 440, 520, 520)]
    assert figures(*apart)["pieces"] == 2 and figures(*melted)["pieces"] == 1
    ring = [circle(500, 400, 300), circle(500, 400, 240, inside=True)]
    assert (figures(*ring)["counters"], figures(ring[0])["counters"]) == (1, 0)
    assert figures(*ring)["outlines"] == 2


def test_specks_and_pinholes_are_no_pieces_and_counters():
    speck, hole = circle(200, 700, 6), circle(500, 430, 6, inside=True)
    found = figures(BAR, speck, hole)
    assert [found[name] for name in ("pieces", "counters", "specks", "pinholes")] == [1, 0, 1, 1]
    larger = figures(BAR, circle(200, 700, 20))
    assert (larger["pieces"], larger["specks"]) == (2, 0)


def test_weight_of_a_monoline_is_half_its_width():
    for contours in (
        [BAR],
        [circle(500, 400, 300), circle(500, 400, 240, inside=True)],
        [box(100, 400, 900, 460), box(200, 500, 260, 800)],
    ):
        found = figures(*contours)
        assert found["weight"] == pytest.approx(30, rel=0.01)
        assert found["spread"] < 0.01


@pytest.mark.parametrize("degrees", [0, 10, 30, 45])
def test_weight_does_not_depend_on_the_way_a_stroke_goes(degrees):
    # Where a bar lies askew on the pixels its skeleton runs out into its corners.
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = [
        (500 + x * cos - y * sin, 500 + x * sin + y * cos) for x, y in box(-300, -60, 300, 60)
    ]
    found = figures(turned)
    assert found["weight"] == pytest.approx(60, rel=0.005) and found["spread"] < 0.005


def test_spread_of_thick_and_thin_bars():
    thick, thin = box(100, 600, 900, 680), box(100, 300, 900, 340)
    found = figures(thick, thin)
    assert found["weight"] == pytest.approx(30, rel=0.03)
    assert found["spread"] == pytest.approx(1 / 3, rel=0.02)


@pytest.mark.parametrize("amplitude", [2, 5])
def test_straying_of_a_sine_is_its_amplitude_over_root_two(amplitude):
    straight = figures(box(100, 400, 900, 500))["straying"]
    assert straight < 0.1
    # One long edge is a sine, the other straight; the mean is by their length, here alike.
    shape = shape_of(rings(wavy(10, amplitude)), PLACE, UPEM)
    assert contour_walk.measure_straying(shape) == pytest.approx(amplitude / 2**0.5 / 2, rel=0.06)


def test_no_straying_without_long_level_or_upright_edges():
    slanted = [(x, y + 0.3 * x) for x, y in BAR]
    assert np.isnan(figures(slanted)["straying"])
    assert np.isnan(figures(box(400, 400, 700, 700))["straying"])  # too short without its ends
    assert not np.isnan(figures(box(300, 300, 700, 700))["straying"])


def test_thinning_keeps_what_hangs_together():
    ink = np.zeros((60, 60), bool)
    ink[10:50, 10:50] = True
    ink[20:40, 20:40] = False
    ink[2:6, 2:6] = True  # even, square and small: must not vanish
    bones = thin(ink)
    shape_count = len(half_widths(ink, [np.array([[0.0, 0.0]])]))
    assert not (bones & ~ink).any() and shape_count
    assert bones[2:6, 2:6].any() and not bones[:, 30][22:38].any()
    assert bones[10:20, 30].sum() == 1 and bones[30, 40:50].sum() == 1


def test_ratios_are_of_sums_and_leave_out_what_is_unmeasured():
    drawn, real = np.array([1.0, 8.0, np.nan]), np.array([1.0, 2.0, 5.0])
    found = ratio(drawn, real)
    assert (found.mean, found.n) == (3, 2) and found.low < 3 < found.high
    assert difference(drawn, real).mean == 3
    assert ratio(drawn, np.zeros(3)) is None and ratio(drawn[2:], real[2:]) is None


def test_dense_characters_stand_apart():
    table = {name: np.array([1.0, 3.0]) for name in (*RATIOS, *COUNTS)}
    real = {name: np.array([1.0, 1.0]) for name in table}
    line = Line("一龍", table, real)  # 1 and 16 strokes
    assert line.figure("pieces").mean == 2 and line.figure("pieces", dense=True).mean == 3
    assert line.figure("specks", dense=True).mean == 2000
    assert Line("一", {"bends": np.ones(1)}, {"bends": np.ones(1)}).figure("bends", True) is None


def test_straying_is_not_compared_with_exact_edges():
    drawn = {"straying": np.array([0.5, 0.7, np.nan])}
    for real, ratio_ in ((0.1, 6), (1e-9, None)):
        figure = Line("一丁七", drawn, {"straying": np.array([real, real, np.nan])}).figure(
            "straying"
        )
        assert (figure and figure.mean) == (ratio_ and pytest.approx(ratio_))


def test_a_fonts_own_glyphs_are_like_themselves_at_any_size(font_folder):
    face = Face(FontSpec(font_folder / "bold.ttf"))
    chars = "一丁七万丈三上下"
    for size_px, off in ((128, 0.08), (256, 0.05)):  # a narrow gap between two bars closes
        place = PLACE.scaled(size_px)
        drawn = {char: place.draw(face, face.glyph_index(char)) for char in chars}
        found = line_figures(drawn, face, PLACE)
        for name in ("turning", "pieces", "outlines", "weight", "cubics"):
            assert found[name] == pytest.approx(1, abs=off), (size_px, name)
        assert found["specks"] == found["pinholes"] == 0
        assert found["straying drawn"] < 0.5 > found["straying real"]


@pytest.mark.parametrize(("drawn_px", "traced_px"), [(128, 256), (256, 256), (512, 512)])
def test_cubics_are_of_as_many_pixels_and_256_at_least(
    font_folder, monkeypatch, drawn_px, traced_px
):
    sizes = []

    def seen(image, *rest):
        sizes.append(image.shape[0])
        return trace(image, *rest)

    monkeypatch.setattr(line_module, "trace", seen)
    face, place = Face(FontSpec(font_folder / "bold.ttf")), PLACE.scaled(drawn_px)
    measure_line({"一": place.draw(face, face.glyph_index("一"))}, face, PLACE)
    assert sizes == [drawn_px, traced_px]


def test_blank_drawings_count_and_absent_characters_do_not(font_folder):
    face = Face(FontSpec(font_folder / "bold.ttf"))
    paper = np.full((128, 128), 255, np.uint8)
    line = measure_line({"一": paper, "龘": paper}, face, PLACE)
    assert line.chars == "一" and line.drawn["pieces"].tolist() == [0]
    assert line.figure("pieces").mean == 0 and np.isnan(line.drawn["weight"]).all()
