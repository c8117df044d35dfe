"""The inspector network: a drawn glyph and its source, to where the hand's own would differ."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIZE_PX = 128
CELLS = 16  # a side
KINDS = ("ink missing", "ink too much", "paper missing", "paper too much")
_FOLD_PX = 2
_WIDTHS = (16, 40, 96)  # channels at 64, 32 and 16 cells a side


class Inspection(nn.Module):
    """Ink of glyphs and of sources (N, 2, 128, 128), 0 to 1, to logits (N, 4, 16, 16).

    A logit is that of the share of a cell's pixels that differ in one of KINDS.
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, third = _WIDTHS
        self.stem = _Convolution(2 * _FOLD_PX**2, first)
        self.fine = nn.Sequential(_Residual(first, second, 2), _Residual(second, second))
        self.coarse = nn.Sequential(
            _Residual(second, third, 2), _Residual(third, third), _Residual(third, third)
        )
        self.whole = nn.Linear(third, third)  # what the whole glyph tells every cell
        self.last = nn.Sequential(_Residual(third, third), _Residual(third, third))
        self.out = nn.Conv2d(third, len(KINDS), 1)
        nn.init.constant_(self.out.bias, -4.0)  # type: ignore[arg-type]

    def forward(self, ink: Tensor) -> Tensor:
        """Logits (N, 4, 16, 16), float32."""
        h = F.relu(self.stem(F.pixel_unshuffle(ink, _FOLD_PX)))
        h = self.coarse(self.fine(h))
        h = h + self.whole(h.mean(dim=(2, 3)))[:, :, None, None]
        logits: Tensor = self.out(self.last(h))
        return logits.float()


class _Convolution(nn.Module):
    """A 3x3 convolution with batch norm, which `fused` removes."""

    def __init__(self, width_in: int, width_out: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(width_in, width_out, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width_out)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(x))
        return out


class _Residual(nn.Module):
    """Residual block, (N, A, g, g) to (N, B, g / stride, g / stride)."""

    def __init__(self, width_in: int, width_out: int, stride: int = 1):
        super().__init__()
        self.first = _Convolution(width_in, width_out, stride)
        self.second = _Convolution(width_out, width_out)
        self.stride = stride
        self.skip = nn.Conv2d(width_in, width_out, 1) if width_in != width_out else nn.Identity()
        nn.init.zeros_(self.second.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(F.relu(self.first(x)))
        x = F.avg_pool2d(x, self.stride) if self.stride > 1 else x
        return F.relu(self.skip(x) + h)


def to_ink(images: Tensor) -> Tensor:
    """Images (N, 1, S, S) in [-1, 1], 1 = paper, as ink (N, 1, 128, 128), 0 to 1."""
    size = images.shape[-1]
    ink = (1 - images) / 2
    if size == SIZE_PX:
        return ink
    if size % SIZE_PX == 0:
        return F.avg_pool2d(ink, size // SIZE_PX)
    return torch.clamp(
        F.interpolate(ink, (SIZE_PX, SIZE_PX), mode="bilinear", antialias=True), 0, 1
    )
