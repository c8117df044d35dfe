"""What a predictor makes of styles and batches, and what model files tell, by numbers."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from calligan.errors import ModelError
from calligan.limits import MAX_MODEL_BYTES
from calligan.models import file as model_file
from calligan.models.base import GeneratorBase
from calligan.models.device import BATCH_SIZES
from calligan.models.distance import REACH, field_of_image, image_of_field, unit_px
from calligan.models.file import kind_of, read_metadata, read_weights, write_weights
from calligan.models.pixels import to_uint8
from calligan.models.predictor import Predictor

STYLES = torch.tensor([[1.0, 2.0], [3.0, 8.0], [5.0, -1.0]])


class Stub(GeneratorBase):
    """A field that can be worked out: content, plus the style's first number, plus the noise."""

    size_px = 8

    def __init__(self, distance: bool = False, cell_px: float = 0.0):
        super().__init__()
        self.outputs_distance, self.cell_px = distance, cell_px
        self.embedding = torch.nn.Embedding.from_pretrained(STYLES)
        self.batches: list[int] = []

    def encode(self, source: Tensor) -> list[Tensor]:
        self.batches.append(len(source))
        return [source]

    def decode(self, levels: list[Tensor], style: Tensor) -> Tensor:
        return levels[0] + style[:, 0].view(-1, 1, 1, 1)

    def field(self, content: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        drawn = super().field(content, style)
        return drawn if noise is None else drawn + noise[:, :1, None, None]


def test_strength_is_the_distance_from_the_mean_style():
    predictor = Predictor(Stub())
    assert predictor.size_px == 8
    assert torch.equal(predictor.style(1), STYLES[1])
    for strength, wanted in ((0.0, [3, 3]), (0.5, [3, 5.5]), (2.0, [3, 13]), (-1.0, [3, -2])):
        assert predictor.style(1, strength).tolist() == pytest.approx(wanted)


SOURCES = np.random.default_rng(0).integers(0, 256, (5, 8, 8)).astype(np.uint8)


def test_bolder_moves_both_edges_by_half():
    """In a field of 64 units a canvas, 0.02 of it is 1.28 units, and 0.64 at either edge."""
    predictor = Predictor(Stub(distance=True))
    style = torch.tensor([-1.0, 0.0])
    content = torch.tensor(SOURCES).float()[:, None] / 127.5 - 1
    for bolder in (0.0, 0.02, -0.01):
        wanted = to_uint8(image_of_field(content - 1 + bolder * 32))
        assert np.array_equal(predictor.draw(SOURCES, style, bolder), wanted)
    assert not np.array_equal(predictor.draw(SOURCES, style, 0.02), predictor.draw(SOURCES, style))
    ink = Predictor(Stub())
    assert ink.draw(SOURCES, style).shape == (5, 8, 8)
    with pytest.raises(ModelError, match="bolder or lighter"):
        ink.draw(SOURCES, style, 0.01)
    assert predictor.draw(SOURCES[:0], style).shape == (0, 8, 8)


def test_images_take_the_style_and_the_noise_of_their_row():
    predictor = Predictor(Stub(distance=True))
    predictor._batch_size = 2
    content = torch.zeros(5, 1, 8, 8)
    style = torch.arange(5.0)[:, None] / 8
    noise = torch.tensor([[0.1], [-0.1], [0.2], [0.0], [-0.3]])
    plain = predictor.images(content, style)
    assert torch.allclose(plain, image_of_field(content + style.view(5, 1, 1, 1)))
    noisy = predictor.images(content, style, noise)
    assert torch.allclose(noisy, image_of_field(content + (style + noise).view(5, 1, 1, 1)))
    assert predictor.generator.batches == [2, 2, 1] * 2


def test_frames_encode_once():
    predictor = Predictor(Stub(distance=True))
    frames = list(predictor.frames(SOURCES, [(style, 0.0) for style in STYLES]))
    assert predictor.generator.batches == [5] and len(frames) == 3
    for frame, style in zip(frames, STYLES, strict=True):
        assert np.array_equal(frame, predictor.draw(SOURCES, style))


def test_fine_spins_only_what_has_a_grid(monkeypatch):
    monkeypatch.setattr("calligan.models.predictor.cycle_spin", lambda g, c, s: c * 0 - 9)
    style = torch.zeros(2)
    for cell_px, fine, spun in ((4.0, True, True), (4.0, False, False), (0.0, True, False)):
        drawn = Predictor(Stub(cell_px=cell_px), fine=fine).draw(SOURCES, style)
        assert (drawn.std() == 0) == spun


class Full(Stub):
    """A device without memory for more than so many glyphs."""

    room = 0

    def encode(self, source: Tensor) -> list[Tensor]:
        if len(source) > self.room:
            raise RuntimeError("out of memory")
        return super().encode(source)


def test_a_batch_is_halved_down_to_one_glyph():
    full, told = Full(), []
    predictor = Predictor(full, note=told.append)
    assert predictor._batch_size == BATCH_SIZES["cpu"]
    predictor._batch_size = 4
    with pytest.raises(RuntimeError, match="memory"):
        predictor.draw(SOURCES, torch.zeros(2))
    assert [line.split()[-4] for line in told] == ["2", "1"]
    full.room, predictor._batch_size = 3, 4
    assert len(predictor.draw(SOURCES, torch.zeros(2))) == 5
    assert full.batches == [2, 2, 1]
    assert told[-1] == "out of memory on cpu: continuing with 2 glyphs at once"


def edge_image(x_px: float, size: int = 64) -> Tensor:
    """Ink to the left of an upright edge at `x_px`."""
    ink = (x_px - torch.arange(float(size))).clamp(0, 1)
    return (1 - 2 * ink).expand(1, 1, size, size)


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75])
def test_distance_from_an_upright_edge_is_exact(size, share):
    """In any size, in both directions, to the last unit and no further."""
    x_px = size // 2 + share
    image = edge_image(x_px, size)
    # Half ink lies between the centres of pixels, where their grey says.
    ink = ((1 - image) / 2)[0, 0, 0].numpy()
    last = int(np.flatnonzero(ink >= 0.5)[-1])
    crossing = last + 0.5 + (ink[last] - 0.5) / (ink[last] - ink[last + 1])
    true = crossing - (np.arange(size) + 0.5)
    sign = np.where(ink >= 0.5, 1, -1)
    wanted = sign * np.maximum(np.abs(true), 0.5)
    grey = (ink > 0) & (ink < 1)
    wanted[grey] = ink[grey] - 0.5
    wanted = np.clip(wanted / unit_px(size), -REACH, REACH)
    field = field_of_image(image)
    assert np.allclose(field[0, 0, size // 3].numpy(), wanted, atol=1e-5)
    lying = field_of_image(image.transpose(2, 3))
    assert torch.allclose(lying, field.transpose(2, 3), atol=1e-6)
    assert (unit_px(64), unit_px(256)) == (1, 4)


def test_distance_across_rows_and_columns_is_euclidean():
    """Of a single inked pixel, the centre of whose side is the nearest crossing."""
    image = torch.ones(1, 1, 256, 256)
    image[..., 100, 100] = -1
    field = field_of_image(image)[0, 0] * unit_px(256)
    for down, right in ((0, 4), (3, 4), (5, 5), (-6, 3), (2, -9), (0, 1)):
        near = min(
            np.hypot(down - y, right - x) for y, x in ((0, 0.5), (0, -0.5), (0.5, 0), (-0.5, 0))
        )
        assert float(field[100 + down, 100 + right]) == pytest.approx(-near, abs=1e-4)
    assert float(field[100, 100]) == 0.5 and float(field[100, 120]) == -12


def test_a_file_says_its_kind_and_is_kept_in_half_precision(tmp_path):
    path, cure = tmp_path / "m.safetensors", "get another"
    state = {"a": torch.tensor([1.0 / 3], requires_grad=True), "n": torch.tensor([70_000])}
    write_weights(path, state, "reader", "told")
    read, told = read_weights(path, "reader", "network", cure)
    assert (told, read_metadata(path, "reader", "network", cure)) == ("told", "told")
    assert read["a"].dtype == torch.float16 and read["n"].tolist() == [70_000]
    assert kind_of(path) == "reader" and kind_of(tmp_path / "none") == ""
    for read_any in (read_weights, read_metadata):
        with pytest.raises(ModelError, match="not a calligan network, or is of another version"):
            read_any(path, "upscaler", "network", cure)
        with pytest.raises(ModelError, match=r"no network .*none; get another"):
            read_any(tmp_path / "none", "reader", "network", cure)
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other, {"format": "0", "reader": "told"})
    with pytest.raises(ModelError, match="another version"):
        read_metadata(other, "reader", "network", cure)
    save_file({"a": torch.zeros(1)}, other, {"format": "1", "reader": "told"})
    with pytest.raises(ModelError, match="damaged \\(checksum\\)"):
        read_weights(other, "reader", "network", cure)
    save_file({"a": torch.zeros(1)}, other)
    assert kind_of(other) == ""
    for data, says in (
        (b"no model", "header is larger"),
        (b"\x01" + bytes(7) + b"?", "or is damaged"),
    ):
        other.write_bytes(data)
        assert kind_of(other) == ""
        with pytest.raises(ModelError, match=f"is not a network.*{says}"):
            read_metadata(other, "reader", "network", cure)


def test_a_file_beyond_the_limit_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    write_weights(path, {"a": torch.zeros(1)}, "reader", "told")
    size = path.stat().st_size
    monkeypatch.setattr(model_file, "MAX_MODEL_BYTES", size)
    assert read_metadata(path, "reader", "network", "") == "told"
    monkeypatch.setattr(model_file, "MAX_MODEL_BYTES", size - 1)
    with pytest.raises(ModelError, match="larger than 0 kB"):
        read_metadata(path, "reader", "network", "")
    assert MAX_MODEL_BYTES >> 20 == 1024
