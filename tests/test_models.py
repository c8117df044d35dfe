"""Networks and the model file."""

import numpy as np
import pytest
import torch

from calligan.config import DiscriminatorConfig, GeneratorConfig
from calligan.errors import ModelError
from calligan.models.card import FontCard, ModelCard
from calligan.models.cycle_spinning import cycle_spin
from calligan.models.discriminator import Discriminator
from calligan.models.generator import Generator
from calligan.models.layers import grow_state
from calligan.models.networks import make_discriminator, make_generator
from calligan.models.pixels import image_of_logits, ink, to_tensor, to_uint8
from calligan.models.upscaler import (
    Upscaler,
    UpscalerConfig,
    load_upscaler,
    save_upscaler,
    upscale,
)
from calligan.models.weights import load_model, read_card, save_model

SMALL = GeneratorConfig(grid=8, widths=(8, 16, 24), style_dim=8)


class Wavering:
    """A generator whose ink is its source's, and a pattern of its cells' period."""

    def __init__(self, cell_px):
        self.cell_px = cell_px
        self.pattern = torch.zeros(cell_px, cell_px)
        for number, place in enumerate({(0, 0), (1, 2), (2, 1), (3, 3)}):
            self.pattern[place[0] % cell_px, place[1] % cell_px] += 1.0 + number

    def clamp_field(self, field):
        return field.clamp(-8, 8)

    def field(self, source, style):
        times = source.shape[-1] // self.cell_px
        return source + self.pattern.repeat(times, times)


def test_what_wavers_with_the_cells_runs_straight_on_average():
    source = torch.randn(2, 1, 8, 8)
    wavering = Wavering(2)
    drawn = cycle_spin(wavering, source, torch.zeros(2, 4)) - source
    assert (drawn - wavering.pattern.mean()).abs().max() < 1e-5
    assert (wavering.field(source, None) - source).std() > 0.5
    four = Wavering(4)  # of sixteen places four: no row or column of cells stays as it is
    drawn = cycle_spin(four, source, torch.zeros(2, 4)) - source
    rows, columns = drawn.mean(dim=(0, 1, 3)), drawn.mean(dim=(0, 1, 2))
    assert rows.std() < 1e-5 and columns.std() < 1e-5 and four.pattern.sum(1).std() > 0.5


def test_a_generator_that_does_not_waver_draws_the_same():
    still = Wavering(4)
    still.pattern.zero_()
    source = torch.randn(1, 1, 8, 8)
    assert torch.allclose(cycle_spin(still, source, torch.zeros(1, 4)), source)


def random_generator(size_px=16):
    torch.manual_seed(0)
    generator = Generator(SMALL, styles=3, size_px=size_px)
    for parameter in generator.parameters():  # zero-initialised layers would hide mistakes
        torch.nn.init.normal_(parameter, std=0.2)
    return generator.eval()


def card(generator):
    font = FontCard("a", "甲", "楷", "OFL-1.1", "A", "0" * 64, "/nowhere/a.ttf", "0", None, {})
    return ModelCard(SMALL, generator.size_px, (font, font, font), (font,), "一二", {"test": "三"})


def test_pixels_round_trip_and_signs():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    tensor = to_tensor(images, 16)
    assert tensor.shape == (1, 1, 16, 16)
    assert np.array_equal(to_uint8(tensor), images)
    assert ink(tensor)[0, 0, 0, 0] == 1 and ink(tensor)[0, 0, -1, -1] == 0
    assert image_of_logits(torch.tensor(30.0)) == -1  # much ink is black


def test_smaller_tensors_average_whole_pixels():
    images = np.zeros((1, 4, 4), np.uint8)
    images[0, :2, :2] = [[255, 0], [255, 0]]
    assert torch.allclose(to_tensor(images, 2)[0, 0], torch.tensor([[0.0, -1.0], [-1.0, -1.0]]))


def test_generator_keeps_shape_and_listens_to_style():
    generator = random_generator()
    source = torch.rand(3, 1, 16, 16) * 2 - 1
    drawn = generator(source, torch.tensor([0, 1, 2]))
    assert drawn.shape == source.shape and drawn.abs().max() <= 1
    assert not torch.allclose(drawn, generator(source, torch.tensor([1, 2, 0])))


def test_growing_keeps_the_function():
    """At twice the size the grown network draws the old drawing of the averaged source."""
    small = random_generator(16)
    large = Generator(SMALL, styles=3, size_px=32).eval()
    large.load_state_dict(grow_state(small.state_dict(), small.fold.cell_px))
    source, style = torch.rand(2, 1, 32, 32), torch.tensor([0, 2])
    averaged = torch.nn.functional.avg_pool2d(source, 2)
    expected = torch.nn.functional.interpolate(small(averaged, style), scale_factor=2)
    assert torch.allclose(large(source, style), expected, atol=1e-5)


def test_discriminator_scores_patches_under_a_style():
    torch.manual_seed(0)
    critic = Discriminator(DiscriminatorConfig(grid=8, widths=(8, 16)), styles=3, size_px=32)
    source, glyph = torch.rand(2, 1, 32, 32), torch.rand(2, 1, 32, 32)
    logits = critic(source, glyph, torch.tensor([0, 1]))
    assert logits.shape == (2, 1, 4, 4)
    assert not torch.allclose(logits, critic(source, glyph, torch.tensor([1, 0])))
    assert not torch.allclose(logits, critic(glyph, source, torch.tensor([0, 1])))


def test_model_file_round_trips(tmp_path):
    generator = random_generator()
    path = tmp_path / "m.safetensors"
    save_model(path, generator, card(generator))
    loaded, told = load_model(path)
    assert told == read_card(path) == card(generator)
    source, style = torch.rand(1, 1, 16, 16), torch.tensor([1])
    assert torch.allclose(loaded(source, style), generator(source, style), atol=2e-2)


def test_every_flipped_bit_of_a_model_is_noticed(tmp_path):
    generator = random_generator()
    path = tmp_path / "m.safetensors"
    save_model(path, generator, card(generator))
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for at in [*rng.integers(len(data), size=40), len(data) - 1]:
        broken = bytearray(data)
        broken[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(broken)
        with pytest.raises(ModelError, match=r"m\.safetensors"):
            load_model(path)


def test_style_by_number_name_and_chinese_name():
    told = card(random_generator())
    assert told.style_index("2") == 1 and told.style_index("a") == 0 and told.style_index("甲") == 0
    for wrong in ("0", "4", "b", "-1", ""):
        with pytest.raises(ModelError, match="it has 1 to 3: 1 a"):
            told.style_index(wrong)


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"scales": 2}, (2, 2, 4, 4)),
        ({"heads": "apart"}, (2, 2, 4, 4)),
        ({"heads": "apart", "scales": 2}, (2, 4, 4, 4)),
    ],
)
def test_discriminators_of_more_scales_and_heads(settings, shape):
    torch.manual_seed(0)
    config = DiscriminatorConfig(grid=8, widths=(8, 16), spectral_norm=False, **settings)
    config.validate()
    critic = make_discriminator(config, 3, 32)
    source, glyph = torch.rand(2, 1, 32, 32), torch.rand(2, 1, 32, 32)
    one, other = (critic(source, glyph, torch.tensor(s)) for s in ([0, 1], [1, 0]))
    assert one.shape == shape
    if "heads" in settings:  # a style changes whether it fits, not whether it is real
        assert torch.equal(one[:, 0], other[:, 0])
        assert not torch.equal(critic.matching_scores(one), critic.matching_scores(other))
        assert critic.matching_scores(one).shape[1] == shape[1] // 2
    else:
        assert critic.matching_scores(one) is one


def test_a_gaussian_style_is_drawn_in_training_and_is_its_mean_otherwise():
    torch.manual_seed(0)
    config = GeneratorConfig(grid=8, widths=(8, 16), style_dim=8, embedding="gaussian")
    generator = make_generator(config, 2, 16)
    index = torch.tensor([0, 1])
    assert not torch.equal(generator.style(index), generator.style(index))
    generator.eval()
    assert torch.equal(generator.style(index), generator.embedding.weight)
    with torch.no_grad():
        generator.embedding.weight.zero_()
        generator.log_variance.weight.zero_()
    assert generator.divergence(index) == 0
    with torch.no_grad():
        generator.embedding.weight.fill_(2.0)
    assert float(generator.divergence(index).detach()) == pytest.approx(2.0)  # mean² / 2


def test_a_fixed_embedding_is_not_learned():
    config = GeneratorConfig(grid=8, widths=(8, 16), style_dim=8, embedding="fixed")
    assert not make_generator(config, 2, 16).embedding.weight.requires_grad


def test_an_untrained_upscaler_enlarges_like_its_start(tmp_path):
    torch.manual_seed(0)
    network = Upscaler(UpscalerConfig(width=8, blocks=1))
    images = np.full((3, 32, 32), 255, np.uint8)
    images[:, 8:24, 12:20] = 0
    large = upscale(network, images)
    assert large.shape == (3, 64, 64) and large[0, 32, 32] < 40 and large[0, 4, 4] > 215
    path = tmp_path / "u.safetensors"
    save_upscaler(path, network)
    again = load_upscaler(path)
    assert np.abs(upscale(again, images).astype(int) - large.astype(int)).max() <= 2
    assert upscale(network, images[:0]).shape == (0, 64, 64)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="checksum"):
        load_upscaler(path)
