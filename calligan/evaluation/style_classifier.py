"""A small style classifier, trained on real glyphs of training characters."""

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
_MAX_STEPS = 800
_STOP_BATCHES = 40  # stop early when the mean accuracy of this many batches
_STOP_ACCURACY = 0.999  # reaches this
_BATCH_SIZE = 128
_LEARNING_RATE = 2e-3


class StyleClassifier(nn.Module):
    """Glyphs (N, 1, 64, 64) in [-1, 1] to style logits (N, styles).

    Features are pooled over the image, so that it depends on strokes rather than characters.
    """

    def __init__(self, styles: int):
        super().__init__()
        self.fold = Fold(1, 32, 2)
        self.conv1 = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(64, 128, 3, stride=2, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in (32, 64, 128))
        self.linear = nn.Linear(256, styles)

    def forward(self, glyph: Tensor) -> Tensor:
        """Style logits; the input is ink, so that paper is 0."""
        h = F.relu(self.norms[0](self.fold(ink(glyph))))
        h = F.relu(self.norms[1](self.conv1(h)))
        h = F.relu(self.norms[2](self.conv2(h)))
        logits: Tensor = self.linear(torch.cat([h.mean(dim=(2, 3)), h.amax(dim=(2, 3))], dim=1))
        return logits


def train_style_classifier(
    training: Pairs, seed: int = 0, progress: Callable[[int, int], None] = lambda done, of: None
) -> StyleClassifier:
    """Train on random glyphs of the styles of `training`; about a minute on two cores."""
    torch.manual_seed(seed)
    network = StyleClassifier(len(training.styles))
    optimizer = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _MAX_STEPS)
    accuracies: deque[float] = deque(maxlen=_STOP_BATCHES)
    for step in range(_MAX_STEPS):
        batch = training.random(_BATCH_SIZE, 1, seed, step)
        logits = network(to_tensor(batch.target, SIZE_PX))
        labels = torch.from_numpy(batch.style_index)
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        progress(step + 1, _MAX_STEPS)
        accuracies.append(float((logits.argmax(dim=1) == labels).float().mean()))
        if len(accuracies) == _STOP_BATCHES and sum(accuracies) >= _STOP_ACCURACY * _STOP_BATCHES:
            break
    return network.eval()


def classify(network: StyleClassifier, images: np.ndarray) -> np.ndarray:
    """The style index of each image; uint8 (N, H, W) to int64 (N,)."""
    with torch.inference_mode():
        parts = (
            to_tensor(images[i : i + _BATCH_SIZE], SIZE_PX)
            for i in range(0, len(images), _BATCH_SIZE)
        )
        return torch.cat([network(part).argmax(dim=1) for part in parts]).numpy()
