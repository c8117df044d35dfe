"""Drawing on any device: what can be run without a GPU."""

import numpy as np
import pytest
import torch

from calligan.config import GeneratorConfig
from calligan.models.generator import Generator
from calligan.models.predictor import Predictor

SMALL = GeneratorConfig(grid=8, widths=(8, 16), style_dim=8, output="distance")
SOURCES = np.random.default_rng(0).integers(0, 256, (70, 16, 16)).astype(np.uint8)


def generator() -> Generator:
    torch.manual_seed(0)
    made = Generator(SMALL, styles=2, size_px=16).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made


class Small(Generator):
    """Has memory for four glyphs at once."""

    def field(self, content, style, noise=None):
        if len(content) > 4:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GB")
        return super().field(content, style, noise)


def test_a_batch_is_halved_where_memory_does_not_suffice():
    small = Small(SMALL, styles=2, size_px=16).eval()
    small.load_state_dict(generator().state_dict())
    told = []
    predictor = Predictor(small, note=told.append)
    drawn = predictor.draw(SOURCES, predictor.style(1))
    plain = Predictor(generator())
    # Convolutions of other batches round otherwise.
    assert np.abs(drawn.astype(int) - plain.draw(SOURCES, plain.style(1))).max() <= 1
    predictor.draw(SOURCES, predictor.style(0))  # the size that fits is remembered
    assert [line.split()[-4:] for line in told] == [
        [str(size), "glyphs", "at", "once"] for size in (16, 8, 4)
    ]


def test_another_error_is_not_taken_for_want_of_memory():
    class Broken(Generator):
        def field(self, content, style, noise=None):
            raise RuntimeError("shapes cannot be multiplied")

    predictor = Predictor(Broken(SMALL, styles=2, size_px=16))
    with pytest.raises(RuntimeError, match="multiplied"):
        predictor.draw(SOURCES, predictor.style(0))


def test_the_network_runs_where_nothing_is_computed():
    """`meta` tensors have shapes and a device: whatever is made on the CPU by mistake fails."""
    on_meta = generator().to("meta")
    style = on_meta.style(torch.zeros(3, dtype=torch.int64, device="meta"))
    image = on_meta.image(on_meta.field(torch.empty(3, 1, 16, 16, device="meta"), style))
    assert image.shape == (3, 1, 16, 16) and image.device.type == "meta"


def test_bf16_draws_nearly_the_same():
    made = generator()
    fp32 = Predictor(made, precision=lambda: torch.autocast("cpu", enabled=False))
    bf16 = Predictor(made, precision=lambda: torch.autocast("cpu", torch.bfloat16))
    a, b = (each.draw(SOURCES, each.style(0)).astype(int) for each in (fp32, bf16))
    assert 0 < np.abs(a - b).mean() < 255 * 0.02


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
@pytest.mark.parametrize("command", ["infer", "export", "check", "restyle", "evaluate"])
def test_a_device_that_is_not_there_is_named(calligan, inked_model, font_folder, tmp_path, command):
    model = ("--model", inked_model, "--device", "cuda")
    arguments = {
        "infer": ("一丁", *model),
        "export": ("-o", tmp_path / "a.ttf", "--charset", "一丁", *model),
        "check": (font_folder / "bold.ttf", "--device", "cuda"),
        "restyle": (font_folder / "bold.ttf", *model),
        "evaluate": (inked_model, "--device", "cuda"),
    }
    done = calligan(command, *arguments[command], cwd=tmp_path)
    assert done.returncode == 2 and "no cuda device" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("\n") <= 2
