"""Published baselines, reimplemented from their descriptions for comparison.

pix2pix: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks".
zi2zi: Tian 2017, the same with 5x5 kernels, a category embedding at the bottleneck and a
discriminator that also classifies the category.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.models.base import GeneratorBase
from calligan.models.critic import Critic, Windows

# Then 512 each, down to one pixel: eight levels at 256 px, seven at 128.
_WIDTHS = (64, 128, 256, 512)
_DROPOUT_LEVELS = 3  # decoder levels with dropout


class PublishedGenerator(GeneratorBase):
    """A U-Net that halves the image down to one pixel; interface as `Generator`.

    Its style embedding, if any, is random and fixed, as in zi2zi.
    """

    def __init__(self, styles: int, size_px: int, kernel: int, style_dim: int):
        super().__init__()
        self.size_px = size_px
        levels = size_px.bit_length() - 1
        widths = [*_WIDTHS, *[_WIDTHS[-1]] * levels][:levels]
        self.embedding = nn.Embedding(styles, style_dim)
        if style_dim:
            nn.init.normal_(self.embedding.weight, std=0.01)
        self.embedding.requires_grad_(False)
        pad = (kernel - 1) // 2
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, kernel, 2, pad) for a, b in pairwise((1, *widths))
        )
        self.down_norms = nn.ModuleList(
            nn.BatchNorm2d(w) if 0 < i < levels - 1 else nn.Identity() for i, w in enumerate(widths)
        )
        self.up = nn.ModuleList()
        self.up_norms = nn.ModuleList()
        below = widths[-1] + style_dim
        for width in (*reversed(widths[:-1]), 1):
            self.up.append(nn.ConvTranspose2d(below, width, kernel, 2, pad, kernel % 2))
            self.up_norms.append(nn.BatchNorm2d(width) if width > 1 else nn.Identity())
            below = 2 * width

    def decode(self, levels: list[Tensor], style: Tensor) -> Tensor:
        """Its tanh output as ink logits: tanh(x) is the image of -2x."""
        each = style.shape[0] // levels[0].shape[0]
        levels = [level.repeat_interleave(each, 0) for level in levels]
        h = torch.cat([levels.pop(), style[:, :, None, None]], dim=1)
        last = len(self.up) - 1
        for depth, (conv, norm) in enumerate(zip(self.up, self.up_norms, strict=True)):
            h = norm(conv(F.relu(h)))
            if depth < last:
                h = F.dropout(h, 0.5, self.training) if depth < _DROPOUT_LEVELS else h
                h = torch.cat([h, levels.pop()], dim=1)
        return -2 * h.float()

    def encode(self, source: Tensor) -> list[Tensor]:
        """Activations of the encoder; the last has one pixel."""
        levels: list[Tensor] = []
        h = source
        for depth, (conv, norm) in enumerate(zip(self.down, self.down_norms, strict=True)):
            h = norm(conv(F.leaky_relu(h, 0.2) if depth else h))
            levels.append(h)
        return levels


class PublishedDiscriminator(Critic):
    """(source, glyph) to logits: of patches (pix2pix), or of the image and its category (zi2zi)."""

    def __init__(self, styles: int, size_px: int, kernel: int, categories: bool):
        super().__init__()
        self.styles = styles
        pad = (kernel - 1) // 2
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, kernel, 1 if b == _WIDTHS[-1] else 2, pad)
            for a, b in pairwise((2, *_WIDTHS))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in _WIDTHS[1:])
        self.patches = None if categories else nn.Conv2d(_WIDTHS[-1], 1, kernel, 1, pad)
        flat = _WIDTHS[-1] * (size_px // 8) ** 2
        self.whole = nn.Linear(flat, 1) if categories else None
        self.category = nn.Linear(flat, styles) if categories else None

    def features(
        self, source: Tensor, glyph: Tensor, windows: Windows | None = None
    ) -> list[Tensor]:
        """Activations of every layer."""
        h = F.leaky_relu(self.convs[0](torch.cat([source, glyph], dim=1)), 0.2)
        found = [h]
        for conv, norm in zip(list(self.convs)[1:], self.norms, strict=True):
            h = F.leaky_relu(norm(conv(h)), 0.2)
            found.append(h)
        return found

    def score(self, features: list[Tensor], style_index: Tensor) -> Tensor:
        """Logits, higher = more real; the style is not used."""
        if self.patches is not None:
            logits: Tensor = self.patches(features[-1]).float()
            return logits
        assert self.whole is not None
        logits = self.whole(features[-1].flatten(1)).float()
        return logits

    def categories(self, features: list[Tensor]) -> Tensor | None:
        """Style logits (N, styles), or None without that head."""
        return None if self.category is None else self.category(features[-1].flatten(1)).float()
