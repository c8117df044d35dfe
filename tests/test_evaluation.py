"""The judge's own figures, against libraries and by hand."""

import numpy as np
import pytest
import torch

from calligan.errors import Unmeasured
from calligan.evaluation import metrics, perceptual
from calligan.evaluation.evaluate import Glyphs, _measure_pixels, _scale_to
from calligan.evaluation.interval import estimate
from calligan.evaluation.recogniser import Recogniser, frechet_distance
from calligan.evaluation.scores import REAL, Scores
from calligan.glyphs.strokes import stroke_count


def noise(seed: int, n: int = 3, size: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size)).astype(np.uint8)


def test_ssim_is_that_of_torchmetrics():
    library = pytest.importorskip("torchmetrics.functional.image")
    a, b = noise(0), (0.7 * noise(0) + 0.3 * noise(1)).astype(np.uint8)
    ink = [torch.from_numpy(1 - x / np.float32(255))[:, None] for x in (a, b)]
    # torchmetrics pads before it filters: only windows wholly inside are compared.
    _, full = library.structural_similarity_index_measure(
        *ink, sigma=1.5, kernel_size=11, data_range=1.0, return_full_image=True, reduction=None
    )
    inside = full[:, 0, 5:-5, 5:-5].mean(dim=(1, 2)).numpy()
    assert np.allclose(metrics.ssim(a, b), inside, atol=1e-4)
    assert np.allclose(metrics.ssim(a, a), 1)


def test_distances_of_ink():
    paper, black = np.full((1, 4, 4), 255, np.uint8), np.zeros((1, 4, 4), np.uint8)
    half = paper.copy()
    half[:, :2] = 0
    assert metrics.ink_l1(paper, black) == 1 and metrics.ink_l1(paper, half) == 0.5
    assert metrics.rmse(paper, half) == pytest.approx(0.5**0.5)


def test_blur_raises_mid_grey_and_flattens_edges():
    sharp = np.full((1, 32, 32), 255, np.uint8)
    sharp[:, 8:24, 8:24] = 0
    kernel = torch.ones(1, 1, 5, 5) / 25
    blurred = torch.conv2d(torch.from_numpy(sharp)[None].float(), kernel, padding=2)[0]
    soft = blurred.numpy().astype(np.uint8)
    assert metrics.mid_grey(sharp) == 0 < metrics.mid_grey(soft)
    assert metrics.edge_slope(sharp) == 1 > metrics.edge_slope(soft)
    assert np.isnan(metrics.edge_slope(np.full((1, 8, 8), 255, np.uint8)))


def test_interval_covers_the_mean_and_narrows_with_n():
    rng = np.random.default_rng(0)
    few, many = (estimate(rng.normal(0.5, 0.1, (2, n))) for n in (20, 2000))
    assert few.low < few.mean < few.high and few.n == 40
    assert many.high - many.low < (few.high - few.low) / 4
    assert many.low < 0.5 < many.high
    assert estimate(np.full((2, 3), np.nan)) is None


def test_a_style_counts_once_however_many_characters_it_has():
    values = np.full((2, 10), np.nan)
    values[0], values[1, :2] = 1.0, 0.0
    assert estimate(values).mean == 0.5 and estimate(values).n == 12


def test_frechet_distance_of_shifted_gaussians():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(4000, 3))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, a + np.array([3, 0, 0])) == pytest.approx(9)
    assert frechet_distance(a, 2 * a) == pytest.approx(3, rel=0.1)  # (2 - 1)^2 a dimension


def test_strokes_are_those_of_unihan():
    assert [stroke_count(c) for c in "一永书龍"] == [1, 5, 4, 16]
    assert stroke_count("A") is None


def test_scores_by_strokes_and_over_real(tmp_path):
    class Style:
        name, script = "s", "楷"

    scores = Scores((Style(),), "一永", ("model", REAL))
    scores.put("model", "content", 0, "永一", np.array([1.0, 0.0]))
    scores.put(REAL, "content", 0, "永一", np.array([1.0, 1.0]))
    assert scores.mean("model", "content", strokes=(1, 4)).mean == 0
    assert scores.mean("model", "content", strokes=(5, 9)).mean == 1
    assert scores.ratio_to_real("model", "content") == 0.5
    assert scores.groups() == {"楷": [0]}


def test_recogniser_reads_the_same_twice_and_knows_chinese():
    pytest.importorskip("onnxruntime")
    recogniser = Recogniser()
    chars, features = recogniser.read(noise(0, 2, 64))
    again, _ = recogniser.read(noise(0, 2, 64))
    assert chars == again and len(chars) == 2 and features.shape == (2, 120)
    assert set("书法永和") <= set(recogniser.chars)


def test_what_cannot_be_loaded_is_unmeasured():
    with pytest.raises(Unmeasured, match="no weights here"):
        perceptual._load_metric(lambda library: (_ for _ in ()).throw(OSError("no weights here")))


@pytest.mark.parametrize(
    ("data_px", "model_px", "large"),
    [(128, 128, False), (256, 128, False), (256, 256, True), (64, 64, False)],
)
def test_figures_are_at_128_px_and_at_256_where_model_and_data_have_it(data_px, model_px, large):
    class Style:
        name, script = "s", "楷"

    real, drawn = (np.kron(noise(seed, 2, 64), np.ones((1, 4, 4))) for seed in (0, 1))
    real, drawn = (image[:, :data_px, :data_px].astype(np.uint8) for image in (real, drawn))
    glyphs = Glyphs(
        (Style(),), ["一永"], [real], {"model": [drawn], REAL: [real]}, {"model": model_px}
    )
    scores = Scores((Style(),), "一永", ("model", REAL))
    _measure_pixels(scores, glyphs, lambda what, done, of: None)
    small_px = min(128, data_px)
    small = [metrics.ink_l1(*(_scale_to(image, small_px) for image in (drawn, real))).mean()]
    assert scores.mean("model", "l1").mean == pytest.approx(small[0])
    assert scores.mean("model", "ssim").mean < 1
    assert (("model", "ssim_256") in scores.values) == large
    if large:
        assert scores.mean("model", "l1_256").mean == pytest.approx(
            metrics.ink_l1(drawn, real).mean()
        )
