"""Grey glyphs to outlines: precise, sharp at corners, turned the right way, few points."""

import numpy as np
import pytest
from conftest import HAN, build_font
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.recordingPen import RecordingPen
from PIL import Image, ImageDraw

from calligan.config import RasterConfig, TraceConfig
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement, measure_placement
from calligan.vector.contour import extract_chains
from calligan.vector.fit import fit
from calligan.vector.font import FontGlyph
from calligan.vector.font import build_font as assemble
from calligan.vector.name_table import Naming
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
