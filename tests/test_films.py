"""Morphs between styles, films and curves of training."""

import shutil
from collections.abc import Iterator
from types import SimpleNamespace
from weakref import finalize

import numpy as np
import pytest
import torch
from conftest import HAN
from PIL import Image, ImageDraw

from calligan.config import GeneratorConfig
from calligan.errors import ModelError, Unmeasured
from calligan.inference.morph import Stop, morphed, path_through
from calligan.models.networks import make_generator
from calligan.page.film import save_film
from calligan.project.run import Run
from calligan.training.animation import read_curves, read_sheets, save_curves
from calligan.training.tensorboard import check_tensorboard


def route(styles, steps, way, loop):
    generator = make_generator(GeneratorConfig(widths=(8, 8)), 2, 32)
    stops = [Stop(generator, style) for style in styles]
    return torch.stack([stop.style for stop in path_through(stops, steps, way, loop)])


def test_a_path_begins_and_ends_at_styles():
    styles = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
    there = route(styles, 4, "lerp", loop=False)
    assert there.shape == (9, 2)
    assert all(torch.allclose(there[4 * i], styles[i]) for i in range(3))
    back = route(styles, 4, "lerp", loop=True)
    assert back.shape == (12, 2) and torch.allclose(back[0], styles[0])
    assert torch.allclose(there[2], torch.tensor([0.5, 1.0]))


def test_slerp_keeps_to_the_sphere():
    styles = torch.tensor([[3.0, 0.0], [0.0, 3.0]])
    path = route(styles, 10, "slerp", loop=False)
    assert torch.allclose(path.norm(dim=1), torch.full((11,), 3.0), atol=1e-5)
    same = route(torch.ones(2, 2), 4, "slerp", loop=False)
    assert torch.allclose(same, torch.ones(5, 2))


def test_between_two_styles_their_stroke_weight_is_mixed():
    generator = make_generator(GeneratorConfig(widths=(8, 8)), 2, 32)
    stops = [Stop(generator, torch.ones(2), 0.02), Stop(generator, torch.ones(2), -0.02)]
    weights = [stop.bolder_em for stop in path_through(stops, 4, "lerp", loop=False)]
    assert weights == pytest.approx([0.02, 0.01, 0, -0.01, -0.02])


def test_between_two_models_their_weights_are_mixed():
    torch.manual_seed(0)
    config = GeneratorConfig(widths=(8, 8))
    one, other = make_generator(config, 2, 32), make_generator(config, 1, 32)
    stops = [Stop(one, torch.zeros(1)), Stop(other, torch.zeros(1))]
    start, middle, end = path_through(stops, 2, "lerp", loop=False)
    assert start.generator is one and end.generator is other
    for name, tensor in middle.generator.named_parameters():
        if "embedding" not in name:
            mean = (one.get_parameter(name) + other.get_parameter(name)) / 2
            assert torch.allclose(tensor, mean)
    wider = make_generator(GeneratorConfig(widths=(16, 16)), 1, 32)
    with pytest.raises(ModelError, match="differ in shape"):
        list(path_through([stops[0], Stop(wider, torch.zeros(1))], 2, "lerp", loop=False))


@pytest.mark.parametrize("kind", ["gif", "webp", "mp4", "png"])
def test_morph_writes_films_and_a_sheet(calligan, inked_model, tmp_path, kind):
    if kind == "mp4":
        pytest.importorskip("cv2")
    out = tmp_path / f"m.{kind}"
    done = calligan(
        *("morph", HAN[:2], "--styles", "1,2", "--steps", 3, "--model", inked_model, "-o", out)
    )
    assert done.returncode == 0, done.stderr
    if kind == "mp4":
        assert out.stat().st_size > 500
        return
    image = Image.open(out)
    if kind == "png":
        assert 4 * 32 < image.width < 6 * 32 and image.height > 2 * 32  # 3 steps are 4 stops
    else:
        assert image.size == (64, 32) and 1 < image.n_frames <= 6  # like pictures are merged


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--styles", "1"], "two or more"),
        (["--styles", "1,9"], "no style"),
        (["-o", "m.tiff"], "name the kind of film"),
        (["--way", "zigzag"], "slerp or lerp"),
    ],
)
def test_morphs_that_cannot_be(calligan, inked_model, tmp_path, options, said):
    done = calligan("morph", HAN[:2], "--model", inked_model, *options, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr
    assert not list(tmp_path.iterdir())


def circles(count: int, size_px: int) -> Iterator[Image.Image]:
    """A dot that moves over a still corner."""
    for number in range(count):
        picture = Image.new("L", (size_px, size_px), 255)
        ImageDraw.Draw(picture).rectangle((0, 0, 20, 20), fill=0)
        middle = 40 + 3 * number
        ImageDraw.Draw(picture).circle((middle, middle + 1), 11, fill=0)
        yield picture


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_a_film_shows_each_frame_in_its_time(tmp_path, kind):
    shown = [np.asarray(picture) for picture in circles(5, 99)]
    frames = [shown[0], shown[1], shown[1], *shown[2:]]
    assert save_film(tmp_path / f"film.{kind}", frames, fps=10, hold_s=0.5) == 6
    film = Image.open(tmp_path / f"film.{kind}")
    assert film.n_frames == 5 and film.info["loop"] == 0
    for number, (wanted, ms) in enumerate(zip(shown, (100, 200, 100, 100, 600), strict=True)):
        film.seek(number)
        seen = np.asarray(film.convert("L"), float)
        assert film.info["duration"] == ms and np.abs(seen - wanted).mean() < 2, number


@pytest.mark.parametrize("kind", ["gif", "webp", "mp4"])
def test_two_films_are_written_to_one_path_at_once(tmp_path, kind):
    """Each has a temporary file of its own; the one that ends last stays."""
    if kind == "mp4":
        pytest.importorskip("cv2")
    path = tmp_path / f"film.{kind}"

    def frames():
        yield from (np.asarray(picture) for picture in circles(3, 120))
        assert save_film(path, [np.asarray(picture) for picture in circles(2, 64)], fps=6) == 2
        yield from (np.asarray(picture) for picture in circles(3, 120))

    path.symlink_to("target")
    assert save_film(path, frames(), fps=6) == 6
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "target"] and path.is_symlink()
    if kind != "mp4":
        assert Image.open(path).size == (120, 120)


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_one_frame_of_a_film_is_in_memory_at_a_time(tmp_path, kind):
    alive, most = set(), 0

    def frames():
        nonlocal most
        for number, picture in enumerate(circles(12, 120)):
            frame = np.array(picture)
            finalize(frame, alive.remove, number)
            alive.add(number)
            most = max(most, len(alive))
            yield frame

    assert save_film(tmp_path / f"film.{kind}", frames(), fps=10) == 12
    assert most <= 3


def test_a_morph_is_drawn_as_it_is_asked_for():
    generator = make_generator(GeneratorConfig(widths=(8, 8)), 2, 32)
    source = SimpleNamespace(images=lambda chars: np.zeros((len(chars), 32, 32), np.uint8))
    drawer = SimpleNamespace(
        source=source,
        card=SimpleNamespace(size_px=32),
        predictor=SimpleNamespace(device="cpu"),
    )
    asked = []

    def path():
        for number in range(5):
            asked.append(number)
            yield Stop(generator, torch.zeros(generator.embedding.weight.shape[1]))

    frames = morphed(drawer, HAN[:2], path())
    assert next(frames).shape == (2, 32, 32) and len(asked) == 1
    assert len(list(frames)) == 4


def test_a_sample_sheet_is_cut_into_its_cells(run_folder):
    run = Run.open(run_folder)
    found = list(read_sheets(run))
    assert [sheet.step for sheet in found] == [4, 8]
    last = found[-1]
    assert last.drawn.shape == last.real.shape == (2, 2, 32, 32)
    assert np.array_equal(last.source[0], last.source[1])  # the same characters in both styles
    store = run.selection().store
    bold = store.manifest.named("bold")
    glyphs = {glyph.tobytes() for glyph in store.images(bold)}
    assert all(cell.tobytes() in glyphs for cell in last.real[0])


def test_a_runs_film(calligan, run_folder, tmp_path):
    out = tmp_path / "film.gif"
    done = calligan("animate", run_folder, "--styles", "bold", "--chars", 2, "-o", out)
    assert done.returncode == 0, done.stderr
    image = Image.open(out)
    assert image.n_frames == 2 and image.width == 4 * 32 and image.height > 64
    done = calligan("animate", run_folder, "--styles", "none", "-o", out)
    assert done.returncode == 2 and "no style none" in done.stderr


def test_curves_are_those_of_the_log(calligan, run_folder, tmp_path):
    found = read_curves(Run.open(run_folder))
    assert {"g", "reconstruction", "validation_l1", "learning_rate"} <= found.keys()
    assert [step for step, _ in found["validation_l1"]] == [4, 8]
    pytest.importorskip("matplotlib")
    done = calligan("animate", run_folder, "-o", tmp_path / "curves.png")
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "curves.png").width > 500


def test_training_logs_to_tensorboard_and_goes_on_there(calligan, run_folder, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    for checkpoint in sorted((run / "checkpoints").iterdir())[1:]:
        shutil.rmtree(checkpoint)
    done = calligan("train", "--resume", run, "--tensorboard")
    assert done.returncode == 0, done.stderr
    told = EventAccumulator(str(run / "tensorboard"))
    told.Reload()
    names = told.Tags()["scalars"]
    assert "reconstruction" in names and "validation_l1_by_style/bold" in names
    last = Run.open(run).config.steps
    assert told.Scalars("validation_l1")[-1].step == last


def test_tensorboard_is_asked_for_before_anything_is_made(monkeypatch):
    monkeypatch.setattr("calligan.training.tensorboard.find_spec", lambda name: None)
    with pytest.raises(Unmeasured, match="tensorboard"):
        check_tensorboard()


def test_curves_of_one_point_are_seen_and_a_film_of_one_frame_is_said(
    calligan, run_folder, tmp_path
):
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    lines = (run / "log.jsonl").read_text().splitlines()
    (run / "log.jsonl").write_text(lines[-1] + "\n")
    for sheet in sorted((run / "samples").glob("*.png"))[:-1]:
        sheet.unlink()
    save_curves(Run.open(run), tmp_path / "c.png")
    blue = np.asarray(Image.open(tmp_path / "c.png").convert("RGB")).astype(int)
    assert ((blue[..., 2] > blue[..., 0] + 60).sum()) > 20
    done = calligan("animate", run, "-o", tmp_path / "f.gif")
    assert done.returncode == 0 and "the film is a still" in done.stderr


def test_like_frames_are_one_and_only_what_changes_is_kept(tmp_path):
    frames = [np.full((40, 60), 255, np.uint8) for _ in range(4)]
    frames[2][10:20, 30:50] = 0
    frames[3][10:20, 30:55] = 0
    assert save_film(tmp_path / "a.gif", iter(frames), 10, 1.0) == 4
    film = Image.open(tmp_path / "a.gif")
    shown, times = [], []
    for number in range(film.n_frames):
        film.seek(number)
        shown.append(np.asarray(film.convert("L")))
        times.append(film.info["duration"])
    assert times == [200, 100, 1100]
    assert all(map(np.array_equal, shown, frames[1:]))
    save_film(tmp_path / "b.gif", [np.zeros((3000, 3000), np.uint8)], 10)
    assert Image.open(tmp_path / "b.gif").size == (1414, 1414)
