"""Whose hand is it: a small classifier trained on real glyphs of training characters."""

from collections import deque
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.models.layers import Fold
from calligan.models.pixels import ink, to_tensor
from calligan.pairs.batches import Pairs

SIZE_PX = 64
_STEPS = 800  # at most
_SURE_STEPS = 40  # or as soon as so many batches in a row
_SURE = 0.999  # are right to this share
_BATCH = 128
_RATE = 2e-3


class StyleClassifier(nn.Module):
    """Glyphs (N, 1, 64, 64) in [-1, 1] to style logits (N, styles).

    Features are averaged over the image, so that it judges strokes rather than characters.
    """

    def __init__(self, styles: int):
        super().__init__()
        self.fold = Fold(1, 32, 2)
        self.conv1 = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(64, 128, 3, stride=2, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in (32, 64, 128))
        self.linear = nn.Linear(256, styles)

    def forward(self, glyph: Tensor) -> Tensor:
        """Logits; ink is what speaks, so paper is 0."""
        h = F.relu(self.norms[0](self.fold(ink(glyph))))
        h = F.relu(self.norms[1](self.conv1(h)))
        h = F.relu(self.norms[2](self.conv2(h)))
        logits: Tensor = self.linear(torch.cat([h.mean(dim=(2, 3)), h.amax(dim=(2, 3))], dim=1))
        return logits


def train_style_classifier(
    training: Pairs, seed: int = 0, progress: Callable[[int, int], None] = lambda done, of: None
) -> StyleClassifier:
    """Learn the hands of `training` from random glyphs; about a minute on two cores."""
    torch.manual_seed(seed)
    network = StyleClassifier(len(training.styles))
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    right: deque[float] = deque(maxlen=_SURE_STEPS)
    for step in range(_STEPS):
        batch = training.random(_BATCH, 1, seed, step)
        logits = network(to_tensor(batch.target, SIZE_PX))
        wanted = torch.from_numpy(batch.style_index)
        loss = F.cross_entropy(logits, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        progress(step + 1, _STEPS)
        right.append(float((logits.argmax(dim=1) == wanted).float().mean()))
        if len(right) == _SURE_STEPS and sum(right) >= _SURE * _SURE_STEPS:
            break
    return network.eval()


def classified(network: StyleClassifier, images: np.ndarray) -> np.ndarray:
    """The style index of each image; uint8 (N, H, W) to int64 (N,)."""
    with torch.inference_mode():
        parts = (to_tensor(images[i : i + _BATCH], SIZE_PX) for i in range(0, len(images), _BATCH))
        return torch.cat([network(part).argmax(dim=1) for part in parts]).numpy()
