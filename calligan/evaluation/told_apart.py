"""A classifier two-sample test: can a network distinguish drawn glyphs from real ones?

After Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests": a small network is trained
to distinguish two sets, and tested on glyphs it was not trained on. It is cross-fitted: the
characters are divided into folds, with both glyphs of a character in the same fold, and each fold
is classified by a network that was trained on the others. The figure is the area under the ROC
curve (AUC): the probability that a drawn glyph gets a higher score for "drawn" than a real one. 0.5
is chance, 1 is perfect.

The inputs are outlines, rasterized in the same way, cropped to their ink and scaled to the same
size, so that grey edges, position and size carry no information. A second channel is the curvature
of edges (of iso-lines), which the network learns too slowly from a few hundred glyphs by itself.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.evaluation.interval import Estimate, bootstrap_weights, estimate_from_resamples
from calligan.models.layers import to_device
from calligan.vector.fill import fill
from calligan.vector.outline import Outline

SIZE_PX = 128
FOLDS = 3
_MARGIN_PX = 6
_LAYERS = ((16, 5, 2), (32, 3, 2), (48, 3, 2), (64, 3, 2))  # channels, kernel, stride
_EPOCHS = 12
_CURVATURE_SIGMA_PX = 1.5  # standard deviation of the Gaussian before the curvature
_MIN_SLOPE = 0.05  # ink per pixel; below this there is no edge
_CURVATURE_GAIN = 3.0  # scales curvature (clamped to 1 per pixel) to the range of ink
_BATCH_SIZE = 32
_LEARNING_RATE = 1e-2
_WEIGHT_DECAY = 0.05
_MAX_SHIFT_PX = 3  # random shift in training, against memorising


class TwoSampleClassifier(nn.Module):
    """Glyphs (N, 2, 128, 128) of `classifier_input`, to logits of being drawn (N,)."""

    def __init__(self) -> None:
        super().__init__()
        widths = [2, *(width for width, _, _ in _LAYERS)]
        self.convs = nn.ModuleList(
            nn.Conv2d(width, *layer, padding=(layer[1] - 1) // 2, bias=False)
            for width, layer in zip(widths[:-1], _LAYERS, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.linear = nn.Linear(2 * widths[-1], 1)

    def forward(self, glyph: Tensor) -> Tensor:
        """Mean and maximum pooling, so that it depends on strokes rather than characters."""
        h = glyph
        for conv, norm in zip(self.convs, self.norms, strict=True):
            h = F.relu(norm(conv(h)))
        logits: Tensor = self.linear(torch.cat([h.mean(dim=(2, 3)), h.amax(dim=(2, 3))], dim=1))
        return logits[:, 0]


def rasterize(outline: Outline, upward: bool = True) -> np.ndarray:
    """Rasterize an outline to uint8 (128, 128), 255 = ink, with its ink box in the centre.

    The longer side of the box leaves 6 px on either side. `upward`: y points upward.
    """
    canvas = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    if not len(outline.contour):
        return canvas
    curves = outline.controls
    # The box of the control points, which is close to that of the curve.
    low, high = curves.min(axis=(0, 1)), curves.max(axis=(0, 1))
    k = (SIZE_PX - 2 * _MARGIN_PX) / max(1e-6, *(high - low).tolist())
    flip = np.array([k, -k if upward else k])
    shift = SIZE_PX / 2 - flip * (low + high) / 2
    bitmap = fill(outline.transform(np.column_stack([np.diag(flip), shift])))
    if bitmap is not None:
        height, width = bitmap.ink.shape
        canvas[bitmap.top_px :, bitmap.left_px :][:height, :width] = bitmap.ink
    return canvas


def classifier_input(glyphs: np.ndarray) -> Tensor:
    """Ink and curvature of uint8 (N, 128, 128), 255 = ink: float (N, 2, 128, 128).

    The curvature of iso-lines of smoothed ink u is (u_xx u_y^2 - 2 u_xy u_x u_y + u_yy u_x^2)
    / |grad u|^3 per pixel; it is set to 0 away from edges.
    """
    ink = torch.from_numpy(glyphs)[:, None].float() / 255
    reach = round(2 * _CURVATURE_SIGMA_PX)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * _CURVATURE_SIGMA_PX**2))
    kernel /= kernel.sum()
    across = F.conv2d(ink, kernel.view(1, 1, 1, -1), padding=(0, reach))
    u = F.pad(F.conv2d(across, kernel.view(1, 1, -1, 1), padding=(reach, 0)), (1, 1, 1, 1))
    here, up, down = u[..., 1:-1, 1:-1], u[..., :-2, :], u[..., 2:, :]
    left, right = u[..., 1:-1, :-2], u[..., 1:-1, 2:]
    x, y = (right - left) / 2, (down - up)[..., 1:-1] / 2
    xx, yy = left + right - 2 * here, (up + down)[..., 1:-1] - 2 * here
    xy = (down[..., 2:] - down[..., :-2] - up[..., 2:] + up[..., :-2]) / 4
    slope = torch.hypot(x, y)
    curvature = (xx * y**2 - 2 * xy * x * y + yy * x**2) / slope.clamp(min=_MIN_SLOPE) ** 3
    edge = (slope > _MIN_SLOPE).float()
    return torch.cat([ink, _CURVATURE_GAIN * edge * curvature.clamp(-1, 1)], dim=1)


def two_sample_auc(
    drawn: np.ndarray,
    real: np.ndarray,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Estimate:
    """The AUC of a cross-fitted classifier, and its bootstrap interval over characters.

    `drawn` and `real` are uint8 (N, 128, 128) of `rasterize`. Row i of both shows the same
    character, if they share characters. At least two rows per fold.
    """
    if len(drawn) != len(real) or len(drawn) < 2 * FOLDS:
        raise ValueError(f"{len(drawn)} drawn and {len(real)} real glyphs")
    fold = np.random.default_rng(seed).permutation(len(drawn)) % FOLDS
    wins = np.zeros((len(drawn), len(drawn)))  # 1 where drawn i scores above real j, 0.5 for ties
    for number in range(FOLDS):
        learned, asked = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        network = _train(drawn[learned], real[learned], seed + number)
        a, b = _predict(network, drawn[asked]), _predict(network, real[asked])
        wins[np.ix_(asked, asked)] = (a[:, None] > b) + 0.5 * (a[:, None] == b)
        progress(number + 1, FOLDS)
    return _auc(wins, fold[:, None] == fold, seed)


def _auc(wins: np.ndarray, together: np.ndarray, seed: int) -> Estimate:
    """The share of wins among pairs scored by the same network; bootstrap over characters."""
    weights = bootstrap_weights(len(wins), seed)
    won = ((wins @ weights) * weights).sum(axis=0)
    pairs = ((together.astype(np.float64) @ weights) * weights).sum(axis=0)
    return estimate_from_resamples(wins.sum() / together.sum(), won / pairs, len(wins))


def _train(drawn: np.ndarray, real: np.ndarray, seed: int) -> TwoSampleClassifier:
    """Train a classifier for `_EPOCHS` epochs, with both glyphs of a character in one batch.

    The loss is cross-entropy, plus a ranking loss between the two glyphs of a row.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = to_device(TwoSampleClassifier())
    both = torch.stack([classifier_input(drawn), classifier_input(real)])
    steps = max(1, len(drawn) * 2 // _BATCH_SIZE)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _LEARNING_RATE, total_steps=steps * _EPOCHS
    )
    for _ in range(_EPOCHS):
        order = torch.randperm(len(drawn), generator=generator)
        for part in order.tensor_split(steps):
            glyphs = both[:, part].flatten(0, 1)
            shift = torch.randint(
                -_MAX_SHIFT_PX, _MAX_SHIFT_PX + 1, (2,), generator=generator
            ).tolist()
            logits = network(glyphs.roll(shift, (2, 3)))
            labels = torch.cat([torch.ones(len(part)), torch.zeros(len(part))])
            a, b = logits.split(len(part))
            loss = F.binary_cross_entropy_with_logits(logits, labels) + F.softplus(b - a).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def _predict(network: TwoSampleClassifier, glyphs: np.ndarray) -> np.ndarray:
    """Logits of uint8 (N, 128, 128): float (N,)."""
    with torch.inference_mode():
        return torch.cat(
            [network(part) for part in classifier_input(glyphs).split(_BATCH_SIZE)]
        ).numpy()
