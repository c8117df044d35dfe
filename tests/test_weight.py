"""Bolder and lighter strokes: `--weight`, for what is drawn and what is borrowed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import HAN, build_font
from fontTools.pens.boundsPen import BoundsPen

from calligan.errors import ConfigError, ModelError
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement
from calligan.inference.drawer import Drawer
from calligan.inference.export import Job
from calligan.inference.invent import with_blend
from calligan.inference.proofread import Attempt, Proofreader
from calligan.inference.writer import Looks, Writer
from calligan.library.model import load
from calligan.models.distance import field_of_image
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model, save_model
from calligan.reader.faults import counters_filled

SIZE = 256


class Bar(torch.nn.Module):
    """Stands in for a generator: draws a bar 40 px high whatever is asked for."""

    size_px, outputs_distance, has_grid_artefacts = SIZE, True, False

    def field(self, content, style, noise=None):
        image = torch.ones(len(content), 1, SIZE, SIZE)
        image[:, :, 100:140, 50:200] = -1
        return field_of_image(image)

    def image(self, field):
        from calligan.models.distance import image_of_field

        return image_of_field(field)


@pytest.mark.parametrize("bolder_px", [-20, -5.5, 0, 4, 12])
def test_strokes_get_as_much_bolder_as_is_asked_for(bolder_px):
    sources = np.zeros((1, SIZE, SIZE), np.uint8)
    drawn = Predictor(Bar()).draw(sources, torch.zeros(1), bolder_px / SIZE)
    ink = 1 - drawn[0].astype(float) / 255
    assert ink[:, 125].sum() == pytest.approx(40 + bolder_px, abs=0.05)
    assert ink[120].sum() == pytest.approx(150 + bolder_px, abs=0.05)
    assert ink[:, 125] @ np.arange(SIZE) / ink[:, 125].sum() == pytest.approx(119.5, abs=0.05)


def test_frames_get_as_much_bolder():
    sources, bar = np.zeros((1, SIZE, SIZE), np.uint8), Bar()
    bar.encode, bar.decode = (lambda content: content), bar.field
    wanted = (0, 6, -10)
    frames = Predictor(bar).frames(sources, [(torch.zeros(1), px / SIZE) for px in wanted])
    thick = [(1 - frame[0].astype(float) / 255)[:, 125].sum() for frame in frames]
    assert thick == pytest.approx([40 + px for px in wanted], abs=0.05)


@pytest.fixture(scope="module")
def distance_model(inked_model, tmp_path_factory):
    """The tiny model, its output taken as a distance."""
    generator, card = load_model(inked_model)
    card = replace(card, generator=replace(card.generator, output="distance"))
    path = tmp_path_factory.mktemp("distance") / "distance.safetensors"
    save_model(path, generator, card)
    return path


@pytest.mark.parametrize("bolder_em", [-0.03, 0.05])
def test_borrowed_marks_get_as_much_bolder(distance_model, font_folder, bolder_em):
    font = str(font_folder / "source.ttf")
    plain, bold = (Writer.open(distance_model, font, bolder_em=each) for each in (0.0, bolder_em))
    boxes = []
    for writer in (plain, bold):
        pen = BoundsPen(None)
        next(writer.lettering(writer.source.lettering).glyph("A")).drawing.draw(pen)
        boxes.append(np.array(pen.bounds))
    moved = (boxes[1] - boxes[0]) * [-1, -1, 1, 1]
    assert moved == pytest.approx([bolder_em * 500] * 4, abs=2)
    assert bold.borrowed_letter("A").advance_em == plain.borrowed_letter("A").advance_em


def test_the_font_keeps_its_own_outline(font_folder):
    face, boxes = Face(FontSpec(font_folder / "source.ttf")), []
    for bolder in (0, 60, 0):
        pen = BoundsPen(None)
        face.draw_outline(face.glyph_index("A"), pen, bolder)
        boxes.append(pen.bounds)
    assert boxes[0] == boxes[2] != boxes[1]


def test_another_weight_is_another_export(distance_model, font_folder):
    keys = set()
    for bolder_em in (0.0, 0.01):
        writer = Writer.open(
            distance_model, str(font_folder / "source.ttf"), fine=False, bolder_em=bolder_em
        )
        keys.add(Job(distance_model, 0, "一丁", Placement.full_width(32), 1000).key(writer))
    assert len(keys) == 2


def test_a_mixture_keeps_the_weight(distance_model, font_folder):
    writer = Writer.open(distance_model, str(font_folder / "source.ttf"), bolder_em=0.02)
    mixed = with_blend(writer.drawer, {0: 1, 1: 1}, "mixed")
    assert mixed.bolder_em == pytest.approx(0.02)


def test_a_bold_text_has_more_ink(calligan, distance_model, font_folder, tmp_path):
    ink = []
    for weight in (-20, 0, 40):
        model = load(
            distance_model, source=str(font_folder / "source.ttf"), check=False, weight=weight
        )
        ink.append(float(np.mean([255 - g.image.astype(int) for g in model.glyphs("一丁七")])))
    assert ink[0] < ink[1] < ink[2]
    files = []
    for weight in (0, 40):
        path = tmp_path / f"{weight}.ttf"
        done = calligan(
            *("export", "--charset", "一丁七A", "--model", distance_model, "-o", path),
            *("--source", font_folder / "source.ttf", "--weight", weight, "--no-verdict"),
        )
        assert done.returncode == 0, done.stderr
        files.append(Face(FontSpec(path)))
    widths = []
    for face in files:
        left, _, right, _ = face.ink_box_em(face.glyph_index("A"))
        widths.append(right - left)
    assert widths[1] == pytest.approx(widths[0] + 0.04, abs=0.004)


def test_too_much_is_refused_before_torch_is_imported(calligan, tmp_path):
    with pytest.raises(ConfigError, match="between"):
        load(weight=61)
    for command in (("infer", "一"), ("export", "-o", "a.ttf")):
        done = calligan(*command, "--weight", -61, cwd=tmp_path)
        assert done.returncode == 2 and "--weight -61" in done.stderr
        assert not list(tmp_path.iterdir())


def test_a_model_that_draws_ink_says_so(calligan, inked_model, font_folder, tmp_path):
    sources = np.zeros((1, 32, 32), np.uint8)
    predictor = Predictor(load_model(inked_model)[0])
    with pytest.raises(ModelError, match="bolder"):
        predictor.draw(sources, predictor.style(0), bolder=0.01)
    done = calligan(
        *("infer", "一", "--model", inked_model, "--weight", 10),
        *("--source", font_folder / "source.ttf", "-o", tmp_path / "out.png"),
    )
    assert done.returncode == 2 and "bolder" in done.stderr
    assert not (tmp_path / "out.png").exists()


def test_a_style_is_as_bold_as_its_card_says(distance_model, font_folder, tmp_path):
    generator, card = load_model(distance_model)
    styles = (replace(card.styles[0], bolder_em=0.03), *card.styles[1:])
    save_model(tmp_path / "bold.safetensors", generator, replace(card, styles=styles))
    font = str(font_folder / "source.ttf")
    plain, card_says, asked = (
        Writer.open(path, font, bolder_em=more).drawer.draw("一丁", 0)
        for path, more in (
            (distance_model, 0.0),
            (tmp_path / "bold.safetensors", 0.0),
            (distance_model, 0.03),
        )
    )
    assert np.array_equal(card_says, asked) and not np.array_equal(plain, asked)


@pytest.mark.parametrize("output", ["ink", "distance"])
def test_a_card_cannot_ask_for_too_much(inked_model, output):
    card = load_model(inked_model)[1]
    styles = tuple(replace(style, bolder_em=0.01) for style in card.styles)
    card = replace(card, styles=styles, generator=replace(card.generator, output=output))
    if output == "ink":
        with pytest.raises(ValueError, match="bolder"):
            card.validate()
    else:
        card.validate()
        styles = tuple(replace(style, bolder_em=0.07) for style in card.styles)
        with pytest.raises(ValueError, match="bolder"):
            replace(card, styles=styles).validate()


def test_a_completed_font_is_said_to_keep_its_own_weight(
    calligan, distance_model, font_folder, tmp_path
):
    base = build_font(tmp_path / "base.ttf", HAN[:4], family="Begun")
    given = ("--model", distance_model, "--source", font_folder / "source.ttf", "--no-verdict")
    for weight, told in ((0, False), (20, True)):
        done = calligan(
            *("export", "--complete", base, "--charset", HAN[:6], "--weight", weight, *given),
            *("-o", tmp_path / f"whole-{weight}.ttf"),
        )
        assert done.returncode == 0, done.stderr
        assert ("only new glyphs are made bolder or lighter" in done.stderr) == told


def ring(inner_px: int) -> np.ndarray:
    image = np.full((SIZE, SIZE), 255, np.uint8)
    image[60:200, 60:200] = 0
    middle = slice(130 - inner_px // 2, 130 + inner_px // 2)
    image[middle, middle] = 255
    return image


@pytest.mark.parametrize(("inner_px", "filled"), [(30, 0), (8, 0), (2, 1), (0, 1)])
def test_a_filled_counter_is_seen(inner_px, filled):
    assert counters_filled(ring(40), ring(inner_px)) == filled
    assert counters_filled(ring(0), ring(inner_px)) == 0  # it had none


@pytest.mark.parametrize(("bolder_em", "melted"), [(0.0, False), (0.02, False), (0.06, True)])
def test_a_glyph_that_loses_a_counter_to_its_weight_is_melted(
    distance_model, font_folder, monkeypatch, bolder_em, melted
):
    def draw(self, chars, style_index, way=None):
        return np.stack([ring(40 if self.bolder_em < 0.05 else 0)] * len(chars))

    monkeypatch.setattr(Drawer, "draw", draw)
    monkeypatch.setattr(
        Proofreader,
        "attempts",
        lambda self, chars, images, style, way: [Attempt(way, image, 1.0) for image in images],
    )
    looks, source = Looks({}), str(font_folder / "source.ttf")
    writer = Writer.open(distance_model, source, looks=looks, bolder_em=bolder_em)
    (verdict,) = writer.proofreader.judged("一", 0)
    assert ("melted" in verdict.best.faults) == melted
    assert len(verdict.attempts) > 1 or not melted  # it was drawn in other ways


def test_a_mixture_has_the_stroke_weight_of_its_shares(distance_model, font_folder):
    drawer = Drawer.open(distance_model, str(font_folder / "source.ttf"))
    styles = [
        replace(style, bolder_em=em)
        for style, em in zip(drawer.card.styles, (0.01, -0.03), strict=False)
    ]
    drawer = replace(drawer, card=replace(drawer.card, styles=(*styles, *drawer.card.styles[2:])))
    mixed = with_blend(drawer, {0: 3.0, 1: 1.0}, "mixed")
    assert mixed.card.styles[-1].bolder_em == pytest.approx(0.0)
    assert with_blend(drawer, {0: 1.0, 1: 3.0}, "m").card.styles[-1].bolder_em == pytest.approx(
        -0.02
    )
