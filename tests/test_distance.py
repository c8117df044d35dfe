"""Signed distance: its numbers, what is drawn by it, and training on it."""

import json
from dataclasses import replace

import pytest
import torch
from conftest import save_inked

from calligan.config import (
    AugmentConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    StageConfig,
    TrainConfig,
)
from calligan.errors import ConfigError
from calligan.inference.writer import Writer
from calligan.models.discriminator import MultiScale, crop
from calligan.models.distance import REACH, field_of_image, image_of_field, unit_px
from calligan.models.generator import Generator
from calligan.models.weights import load_model, save_model
from calligan.pairs.store import PairStore
from calligan.training.augment import augment_fields
from calligan.training.losses import distance_reconstruction
from calligan.training.new_run import create_run, model_card

SIZE = 64


def disc(radius: float, size: int = SIZE) -> tuple[torch.Tensor, torch.Tensor]:
    """A disc of ink as an image (1, 1, S, S), and the true signed distance in pixels."""
    at = torch.arange(size) + 0.5 - size / 2
    true = radius - torch.hypot(at[:, None], at[None])
    return (1 - 2 * (true + 0.5).clamp(0, 1))[None, None], true


def test_distance_of_a_disc_is_right_to_a_fraction_of_a_pixel():
    image, true = disc(60.3, 256)
    drawn = field_of_image(image)[0, 0] * unit_px(256)
    near = true.abs() < REACH * unit_px(256)
    assert (drawn - true)[near].abs().mean() < 0.05
    assert (drawn - true)[near].abs().max() < 0.25
    assert drawn[128, 128] == REACH * unit_px(256)  # ink is positive, and clamped
    assert drawn[0, 0] == -REACH * unit_px(256)


def test_a_field_holds_the_image_it_was_made_of():
    image = 1 - 2 * torch.rand(2, 1, SIZE, SIZE)
    assert torch.allclose(image_of_field(field_of_image(image)), image, atol=1e-5)
    blank = torch.ones(1, 1, SIZE, SIZE)
    assert (field_of_image(blank) == -REACH).all() and (field_of_image(-blank) == REACH).all()


def test_distance_does_not_depend_on_which_way_the_glyph_lies():
    image = disc(10)[0].roll((3, 7), (2, 3))
    turned = field_of_image(image.transpose(2, 3)).transpose(2, 3)
    assert torch.allclose(field_of_image(image), turned)
    assert torch.allclose(field_of_image(image.flip(2)).flip(2), field_of_image(image), atol=1e-4)


def test_a_field_is_as_high_and_as_wide_as_its_image():
    image = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0)).round() * 2 - 1
    image[..., :24, :] = 1  # nothing near the upper half's top
    whole, part = field_of_image(image), field_of_image(image[..., 20:, :])
    assert part.shape == (1, 1, 28, 48)
    assert torch.equal(part[..., 14:, :], whole[..., 34:, :])
    assert whole[0, 0].abs().min() * unit_px(48) >= 0.5 - 1e-6  # half a pixel: none is grey


def test_distance_loss_weighs_a_narrow_gap():
    wide, narrow = disc(20)[0], disc(20)[0].clone()
    narrow[..., 31:33] = 1  # two white pixels through the middle
    config = LossConfig()
    fields = field_of_image(wide), field_of_image(narrow)
    assert distance_reconstruction(fields[0], fields[0], config) == 0
    assert distance_reconstruction(fields[0], fields[1], config) > 0.01


def test_augmented_fields_move_together_and_reweigh_the_source():
    fields = field_of_image(disc(12)[0])
    still = AugmentConfig(weight=0.0, amount=0.0)
    source, target = augment_fields(fields, fields.repeat(2, 1, 1, 1), still, seed=1)
    assert torch.equal(source, image_of_field(fields)) and torch.equal(target[0], fields[0])
    moving = replace(still, amount=1.0)
    source, target = augment_fields(fields, fields.repeat(2, 1, 1, 1), moving, seed=1)
    assert torch.equal(target[0], target[1]) and not torch.equal(target[0], fields[0])
    assert torch.allclose(source, image_of_field(target[:1]))
    for seed in range(4):
        heavier, same = augment_fields(fields, fields, AugmentConfig(weight=1.0), seed)
        ink = ((1 - heavier) / 2).sum().sqrt() - ((1 - source) / 2).sum().sqrt()
        assert torch.equal(same, fields) and 0.01 < abs(ink) < 4


def test_a_generator_of_distance_draws_its_zero_line():
    torch.manual_seed(0)
    shape = GeneratorConfig(grid=8, widths=(8, 16), style_dim=8, output="distance")
    generator = Generator(shape, styles=2, size_px=SIZE)
    field = generator.field(torch.zeros(1, 1, SIZE, SIZE), generator.style(torch.tensor([0])))
    image = generator.image(field)
    assert (image[field * unit_px(SIZE) < -0.5] == 1).all() and (image[field == 0] == 0).all()
    assert torch.allclose(generator.critic_input(field), -torch.tanh(field))
    assert generator.clamp_field(torch.tensor(9.0)) == REACH


def test_windows_cut_each_part_of_a_batch_at_its_own_place():
    images = torch.arange(4 * 8 * 8.0).view(4, 1, 8, 8)
    seen = crop(images, torch.tensor([[0, 0], [3, 4]]), 4)
    assert torch.equal(seen[:2], images[:2, :, :4, :4])
    assert torch.equal(seen[2:], images[2:, :, 3:7, 4:8])


def test_a_discriminator_with_windows_scores_them_beside_the_whole():
    config = DiscriminatorConfig(grid=32, widths=(8, 8, 8), scales=2, scale_step=4, crop_px=16)
    critic = MultiScale(config, styles=2, size_px=32)
    pair = torch.randn(2, 4, 1, 32, 32).unbind()
    features = critic.features(*pair, torch.tensor([[0, 0], [16, 16]]))
    assert features[0].shape[-1] == 16 and features[4].shape[-1] == 8
    scores = critic.score(features, torch.zeros(4, dtype=torch.long))
    assert scores.shape == (4, 2, 4, 4)
    elsewhere = critic.features(*pair, torch.tensor([[0, 0], [0, 0]]))
    assert torch.equal(features[0][:2], elsewhere[0][:2])
    assert not torch.equal(features[0][2:], elsewhere[0][2:])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"loss": LossConfig(bce=0.1)}, "loss.bce"),
        ({"generator": GeneratorConfig(output="vectors")}, "generator.output"),
        ({"generator": GeneratorConfig(kind="zi2zi", output="distance")}, "generator.output"),
        ({"discriminator": DiscriminatorConfig(crop_px=500)}, "discriminator.crop_px"),
        ({"discriminator": DiscriminatorConfig(crop_px=9)}, "discriminator.crop_px"),
        ({"discriminator": DiscriminatorConfig(scales=2, scale_step=3)}, "scale_step"),
    ],
)
def test_settings_that_make_no_sense_are_named(change, named):
    distance = GeneratorConfig(output="distance")
    stages = (StageConfig(1.0, 128, True, 1e-3, 1e-4),)
    config = replace(TrainConfig(), generator=distance, stages=stages)
    config.validate()
    with pytest.raises(ConfigError, match=named):
        replace(config, **change).validate()


def test_distance_is_trained_resumed_and_written(calligan, data_folder, tiny_settings, tmp_path):
    settings = [*tiny_settings, "--set", "generator.output=distance"]
    settings += ["--set", "discriminator.scales=2", "--set", "discriminator.crop_px=16"]
    runs, common = tmp_path / "runs", ("train", "--data", data_folder, "--steps", 8, *settings)
    done = calligan(*common, "--runs", runs)
    assert done.returncode == 0, done.stderr
    generator, card = load_model(runs / "0001" / "best.safetensors")
    assert card.generator.output == "distance" and generator.outputs_distance
    rows = [json.loads(line) for line in (runs / "0001" / "log.jsonl").read_text().splitlines()]
    assert any("adversarial" in row for row in rows)
    again = calligan(*common, "--runs", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    files = [folder / "0001" / "last.safetensors" for folder in (runs, tmp_path / "again")]
    assert files[0].read_bytes()[-4096:] == files[1].read_bytes()[-4096:]
    picture = tmp_path / "out.png"
    model = save_inked(runs / "0001" / "best.safetensors", tmp_path / "inked.safetensors")
    done = calligan("infer", "一丁", "--model", model, "--no-verdict", "-o", picture)
    assert done.returncode == 0, done.stderr


def test_a_hand_says_how_closely_its_curves_follow(inked_model, font_folder, tmp_path):
    pieces = {}
    for tolerance in (None, 0.0025, 0.05):
        generator, card = load_model(inked_model)
        styles = tuple(replace(style, tolerance_em=tolerance) for style in card.styles)
        path = tmp_path / f"{tolerance}.safetensors"
        save_model(path, generator, replace(card, styles=styles))
        writer = Writer.open(path, str(font_folder / "source.ttf"), fine=False)
        letters = writer.letters(writer.read("一丁七"), 0)
        pieces[tolerance] = sum(len(letter.outline.contour) for letter in letters.values())
    assert pieces[None] == pieces[0.0025] > pieces[0.05]


def test_a_learned_hand_follows_as_the_style_it_began_at(data_folder, inked_model, tmp_path):
    generator, card = load_model(inked_model)
    styles = tuple(
        replace(s, tolerance_em=0.003 + i / 1000, edges="sharp", pen="round" if i else "")
        for i, s in enumerate(card.styles)
    )
    save_model(tmp_path / "start.safetensors", generator, replace(card, styles=styles))
    selection = PairStore.open(data_folder).select(["slanted", "bold"])
    stages = (StageConfig(1.0, 32, False, 1e-3, 1e-4),)
    config = replace(TrainConfig(), generator=card.generator, stages=stages)
    run = create_run(tmp_path / "runs", config, selection, tmp_path / "start.safetensors")
    first = card.styles[0].name
    told = model_card(run, selection, 32, {}, {}, {})
    kept = [
        {s.name: (s.tolerance_em, s.edges, s.pen) for s in each} for each in (styles, told.styles)
    ]
    assert kept[0] == kept[1]
    renamed = replace(card, styles=(replace(styles[0], name="other"), *styles[1:]))
    save_model(tmp_path / "start.safetensors", generator, renamed)
    run = create_run(tmp_path / "runs", config, selection, tmp_path / "start.safetensors")
    told = model_card(run, selection, 32, {}, {}, {first: "other"})
    new = next(style for style in told.styles if style.name == first)
    assert (new.tolerance_em, new.edges, new.pen) == (0.003, "", "")
