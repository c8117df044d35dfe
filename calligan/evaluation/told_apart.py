"""Can drawn glyphs be told from real ones: a two-sample test by a classifier.

After Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests": a small network learns to
tell two sets apart and is asked about glyphs it has not seen. It is cross-fitted: the characters
are dealt into folds, both glyphs of a character into the same, and each fold is judged by a network
that learned from the others. The figure is the area under the ROC curve (AUC): how often a drawn
glyph looks more drawn to it than a real one. 0.5: it cannot tell; 1: always.

What it is shown is outlines, rasterized alike, cropped to their ink and scaled to the same size: it
cannot judge by grey edges, by place or by size. Beside the ink it is shown how edges bend (the
curvature of iso-lines), which it learns too slowly by itself from a few hundred glyphs.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.evaluation.interval import Estimate, resampled, within
from calligan.models.layers import to_device
from calligan.vector.fill import fill
from calligan.vector.outline import Outline

SIZE_PX = 128
FOLDS = 3
_MARGIN_PX = 6
_LAYERS = ((16, 5, 2), (32, 3, 2), (48, 3, 2), (64, 3, 2))  # channels, kernel, stride
_EPOCHS = 12
_CURVE_PX = 1.5  # standard deviation of the Gaussian before curvature is taken
_LEAST_SLOPE = 0.05  # of ink a pixel: where there is less, there is no edge
_CURVE_GAIN = 3.0  # curvature, clamped to 1 a pixel, is as large a signal as ink
_BATCH = 32
_RATE = 1e-2
_DECAY = 0.05
_SHIFT_PX = 3  # training glyphs are moved by up to so much: they are to be judged, not remembered


class Judge(nn.Module):
    """Glyphs (N, 2, 128, 128) of `seen`, to logits of being drawn (N,)."""

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
        """Features are averaged over the image and maximal in it: strokes, not characters."""
        h = glyph
        for conv, norm in zip(self.convs, self.norms, strict=True):
            h = F.relu(norm(conv(h)))
        logits: Tensor = self.linear(torch.cat([h.mean(dim=(2, 3)), h.amax(dim=(2, 3))], dim=1))
        return logits[:, 0]


def shown(outline: Outline, upward: bool = True) -> np.ndarray:
    """An outline as the judge sees it: uint8 (128, 128), 255 = ink, its ink's box in the middle.

    The longer side of the box takes all but 6 px on either side. `upward`: y points upward.
    """
    canvas = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    if not len(outline.contour):
        return canvas
    curves = outline.controls
    low, high = curves.min(axis=(0, 1)), curves.max(axis=(0, 1))  # of control points: near enough
    k = (SIZE_PX - 2 * _MARGIN_PX) / max(1e-6, *(high - low).tolist())
    flip = np.array([k, -k if upward else k])
    shift = SIZE_PX / 2 - flip * (low + high) / 2
    bitmap = fill(outline.moved(np.column_stack([np.diag(flip), shift])))
    if bitmap is not None:
        height, width = bitmap.ink.shape
        canvas[bitmap.top_px :, bitmap.left_px :][:height, :width] = bitmap.ink
    return canvas


def seen(glyphs: np.ndarray) -> Tensor:
    """Ink and curvature of uint8 (N, 128, 128), 255 = ink: float (N, 2, 128, 128).

    Of smoothed ink u, the curvature of its iso-lines is (u_xx u_y^2 - 2 u_xy u_x u_y + u_yy u_x^2)
    / |grad u|^3 a pixel; 0 off the edges.
    """
    ink = torch.from_numpy(glyphs)[:, None].float() / 255
    reach = round(2 * _CURVE_PX)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * _CURVE_PX**2))
    kernel /= kernel.sum()
    across = F.conv2d(ink, kernel.view(1, 1, 1, -1), padding=(0, reach))
    u = F.pad(F.conv2d(across, kernel.view(1, 1, -1, 1), padding=(reach, 0)), (1, 1, 1, 1))
    here, up, down = u[..., 1:-1, 1:-1], u[..., :-2, :], u[..., 2:, :]
    left, right = u[..., 1:-1, :-2], u[..., 1:-1, 2:]
    x, y = (right - left) / 2, (down - up)[..., 1:-1] / 2
    xx, yy = left + right - 2 * here, (up + down)[..., 1:-1] - 2 * here
    xy = (down[..., 2:] - down[..., :-2] - up[..., 2:] + up[..., :-2]) / 4
    slope = torch.hypot(x, y)
    bent = (xx * y**2 - 2 * xy * x * y + yy * x**2) / slope.clamp(min=_LEAST_SLOPE) ** 3
    edge = (slope > _LEAST_SLOPE).float()
    return torch.cat([ink, _CURVE_GAIN * edge * bent.clamp(-1, 1)], dim=1)


def told_apart(
    drawn: np.ndarray,
    real: np.ndarray,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Estimate:
    """The AUC of a cross-fitted judge, and its bootstrap interval over characters.

    `drawn` and `real` are uint8 (N, 128, 128) of `shown`, row i of both of one character (or not
    of one, where characters are not shared); at least two a fold.
    """
    if len(drawn) != len(real) or len(drawn) < 2 * FOLDS:
        raise ValueError(f"{len(drawn)} drawn and {len(real)} real glyphs")
    fold = np.random.default_rng(seed).permutation(len(drawn)) % FOLDS
    wins = np.zeros((len(drawn), len(drawn)))  # of drawn i over real j; ties by half
    for number in range(FOLDS):
        learned, asked = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        network = _trained(drawn[learned], real[learned], seed + number)
        a, b = _judged(network, drawn[asked]), _judged(network, real[asked])
        wins[np.ix_(asked, asked)] = (a[:, None] > b) + 0.5 * (a[:, None] == b)
        progress(number + 1, FOLDS)
    return _area(wins, fold[:, None] == fold, seed)


def _area(wins: np.ndarray, together: np.ndarray, seed: int) -> Estimate:
    """The share of wins among the pairs that one network judged; characters resampled."""
    weights = resampled(len(wins), seed)
    won = ((wins @ weights) * weights).sum(axis=0)
    pairs = ((together.astype(np.float64) @ weights) * weights).sum(axis=0)
    return within(wins.sum() / together.sum(), won / pairs, len(wins))


def _trained(drawn: np.ndarray, real: np.ndarray, seed: int) -> Judge:
    """A judge that has seen every glyph `_EPOCHS` times, both of a character in one batch.

    Besides which is drawn, it learns which of the two of a row looks more drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = to_device(Judge())
    both = torch.stack([seen(drawn), seen(real)])
    steps = max(1, len(drawn) * 2 // _BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps * _EPOCHS)
    for _ in range(_EPOCHS):
        order = torch.randperm(len(drawn), generator=generator)
        for part in order.tensor_split(steps):
            glyphs = both[:, part].flatten(0, 1)
            shift = torch.randint(-_SHIFT_PX, _SHIFT_PX + 1, (2,), generator=generator).tolist()
            logits = network(glyphs.roll(shift, (2, 3)))
            wanted = torch.cat([torch.ones(len(part)), torch.zeros(len(part))])
            a, b = logits.split(len(part))
            loss = F.binary_cross_entropy_with_logits(logits, wanted) + F.softplus(b - a).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def _judged(network: Judge, glyphs: np.ndarray) -> np.ndarray:
    """Logits of uint8 (N, 128, 128): float (N,)."""
    with torch.inference_mode():
        return torch.cat([network(part) for part in seen(glyphs).split(_BATCH)]).numpy()
