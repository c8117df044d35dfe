"""Models as ONNX files: what they answer beside torch, what they say, what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import calligan as library
from calligan.errors import ConfigError, ModelError, Unmeasured
from calligan.inference.drawer import draw_style
from calligan.library import converting
from calligan.models import graph
from calligan.models.pixels import ink
from calligan.models.predictor import Predictor
from calligan.models.upscaler import load_upscaler
from calligan.models.weights import load_model, save_model
from calligan.reader.judge import load_reader
from calligan.resources import reader_model, upscaler_model

for name in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(name, reason=f"{name} is not installed: pip install 'calligan[onnx]'")
import onnx
import onnxruntime

LARGEST = 1e-3  # of ink; measured on the bundle: 0.0003


def answers(path, **inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


def glyphs(count, size_px):
    """Bars of ink, float32 (N, 1, S, S)."""
    pictures = np.zeros((count, 1, size_px, size_px), np.float32)
    for number in range(count):
        pictures[number, 0, 2 + number : 5 + number, 3:-3] = 1
        pictures[number, 0, 4:-4, 6 + number] = 0.5
    return pictures


@pytest.fixture(scope="module")
def kept() -> dict[bytes, onnx.ModelProto]:
    return {}


@pytest.fixture
def exported_once(kept, monkeypatch):
    """Export a network once for several tests, which pack and compare copies: seconds less each."""
    export = graph._exported

    def exported(network, inputs, output):
        weights = (tensor.numpy().tobytes() for tensor in network.state_dict().values())
        key = b"".join(weights) + repr((inputs, output)).encode()
        if key not in kept:
            kept[key] = export(network, inputs, output)
        copy = onnx.ModelProto()
        copy.CopyFrom(kept[key])
        return copy

    monkeypatch.setattr(graph, "_exported", exported)


@pytest.fixture(scope="module")
def converted(calligan, inked_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    done = calligan("convert", inked_model, "-o", path, "--weights", "fp32")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(path)]
    assert "opset 18" in done.stderr and "farthest from torch by" in done.stderr
    return path


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_model_draws_as_torch_does_in_batches_of_any_size(converted, inked_model, count):
    generator, card = load_model(inked_model)
    sources = glyphs(count, card.size_px)
    index = torch.arange(count) % len(card.styles)
    style = generator.embedding.weight.detach()[index]
    with torch.inference_mode():
        wanted = ink(generator(1 - 2 * torch.from_numpy(sources), index)).numpy()
    got = answers(converted, source=sources, style=style.numpy())
    assert wanted.std() > 0.05  # it draws something
    assert got.dtype == np.float32 and np.abs(got - wanted).max() < LARGEST


def test_card_styles_and_opset_go_along_and_no_paths_of_this_machine(converted, inked_model):
    generator, card = load_model(inked_model)
    model = onnx.load(converted)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import if not entry.domain] == [18]
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert told["calligan.kind"] == "generator" and told["calligan.weights"] == "fp32"
    styles = json.loads(told["calligan.card"])["styles"]
    assert [style["name"] for style in styles] == [style.name for style in card.styles]
    vectors = np.array(json.loads(told["calligan.style_vectors"]))
    assert np.abs(vectors - generator.embedding.weight.detach().numpy()).max() < 1e-5
    shape = [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert shape == ["batch", 1, card.size_px, card.size_px]
    data = converted.read_bytes()
    assert b"stack_trace" not in data and b".py" not in data


def test_stroke_weight_is_part_of_the_style_vectors(inked_model, tmp_path):
    generator, card = load_model(inked_model)
    bold = replace(card.styles[1], bolder_em=0.03)
    styles = (card.styles[0], bold, *card.styles[2:])
    card = replace(card, styles=styles, generator=replace(card.generator, output="distance"))
    save_model(tmp_path / "distance.safetensors", generator, card)
    generator, card = load_model(tmp_path / "distance.safetensors")
    made = library.convert(tmp_path / "distance.safetensors", tmp_path / "d.onnx", weights="fp32")
    told = {entry.key: entry.value for entry in onnx.load(made.path).metadata_props}
    vectors = np.array(json.loads(told["calligan.style_vectors"]), np.float32)
    sources = glyphs(1, card.size_px)
    for index, style in enumerate(card.styles):
        (wanted,) = draw_style(
            Predictor(generator), style, generator.embedding.weight[index].detach(),
            np.uint8(255 - 255 * sources[:, 0]),
        )  # fmt: skip
        got = answers(made.path, source=sources, style=vectors[index : index + 1])[0, 0]
        assert np.abs(255 - 255 * got.clip(0, 1) - wanted).max() < 3
    assert vectors[1, -1] > 0 == vectors[0, -1]


@pytest.mark.usefixtures("exported_once")
@pytest.mark.parametrize("weights,kind,mean", [("fp16", 10, 1e-4), ("int8", 3, 0.02)])
def test_packed_weights_are_small_and_draw_nearly_the_same(
    inked_model, tmp_path, monkeypatch, weights, kind, mean
):
    monkeypatch.setattr(graph, "_MAX_FP32_SIZE", 64)  # the tiny network's weights count as large
    made = library.convert(inked_model, tmp_path / "small.onnx", weights=weights)
    assert made.size_bytes == made.path.stat().st_size
    stored = onnx.load(made.path).graph.initializer
    large = [t.data_type for t in stored if np.prod(t.dims) > 64]
    assert len(large) > 10 and set(large) == {kind}  # TensorProto.FLOAT16 or INT8
    assert made.mean_difference < mean and made.kind == "generator" and made.opset == 18


def test_int8_is_rounded_row_by_row():
    values = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0], [1e-3, 2e-3, -1e-3]], np.float32)
    steps, scale = graph.quantised(values)
    assert steps.dtype == np.int8 and np.abs(steps).max() <= 63
    assert np.abs(steps * scale[:, None] - values).max(axis=1) == pytest.approx(
        [0, 0, 0], abs=2.0 / 63 / 2 + 1e-9
    )
    assert (np.abs(steps * scale[:, None] - values) <= scale[:, None] / 2 + 1e-9).all()


def test_the_reader_and_the_upscaler_answer_as_torch_does(tmp_path):
    read = library.convert("reader", tmp_path / "reader.onnx", weights="fp32")
    pair = glyphs(5, 64), glyphs(5, 64)[::-1].copy()
    with torch.inference_mode():
        reader = load_reader(reader_model())[0]
        wanted = torch.sigmoid(reader(*(1 - 2 * torch.from_numpy(x) for x in pair))).numpy()
    got = answers(read.path, glyph=pair[0], reference=pair[1])
    assert got.shape == (5, 2) and np.abs(got - wanted).max() < 1e-4
    up = library.convert("upscaler", tmp_path / "up.onnx")
    with torch.inference_mode():
        large = load_upscaler(upscaler_model())(1 - 2 * torch.from_numpy(glyphs(3, 128)))
    assert np.abs(answers(up.path, glyph=glyphs(3, 128)) - ink(large).numpy()).max() < LARGEST


@pytest.mark.usefixtures("exported_once")
def test_what_answers_otherwise_than_torch_is_not_written(inked_model, tmp_path, monkeypatch):
    def spoiled(*given):
        model = onnx.load_from_string(exported(*given))
        for tensor in model.graph.initializer:
            if tensor.name.endswith("unfold.conv.bias"):
                values = onnx.numpy_helper.to_array(tensor) + 1
                tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        return model.SerializeToString()

    exported = converting.exported
    monkeypatch.setattr(converting, "exported", spoiled)
    with pytest.raises(ModelError, match="was not written: onnxruntime's output"):
        library.convert(inked_model, tmp_path / "m.onnx", weights="fp32")
    assert not list(tmp_path.iterdir())


def test_what_has_no_onnx_form_is_refused(calligan, run_folder, inked_model, tmp_path, monkeypatch):
    out = tmp_path / "m.onnx"
    critic = run_folder / "best-critic.safetensors"
    if critic.is_file():
        with pytest.raises(ModelError, match="has no ONNX form"):
            library.convert(critic, out)
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    done = calligan("convert", tmp_path / "junk.safetensors", "-o", out)
    assert done.returncode == 2 and "junk.safetensors" in done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
    assert calligan("convert", inked_model, "-o", out, "--weights", "int4").returncode == 2
    with pytest.raises(ConfigError, match="fp32, fp16"):
        library.convert(inked_model, out, weights="int4")
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(Unmeasured, match=r"pip install 'calligan\[onnx\]'"):
        library.convert(inked_model, out)
    assert not out.exists()
