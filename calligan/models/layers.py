"""Layers shared by the networks."""

import math
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)


def to_device(network: Network, device: torch.device | str = "cpu") -> Network:
    """Move a network to a device, in channels-last format, which makes convolutions faster."""
    moved: Network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def fused(network: Network) -> Network:
    """The network for inference: batch norms `norm…` become part of the convolutions `conv…`."""
    for module in list(network.eval().modules()):
        for name, norm in list(module.named_children()):
            if isinstance(norm, nn.BatchNorm2d):
                conv = name.replace("norm", "conv")
                setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), norm))
                setattr(module, name, nn.Identity())
    return network


class Fold(nn.Module):
    """Image (N, C, H, W) to a grid of cells (N, width, grid, grid): unfold, then 3x3 convolution.

    All further layers work on the grid, so that a larger image takes little more time.
    """

    def __init__(self, channels: int, width: int, cell_px: int):
        super().__init__()
        self.cell_px = cell_px
        self.conv = nn.Conv2d(channels * cell_px**2, width, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """(N, C, H, W) to (N, width, H / cell_px, W / cell_px)."""
        cells: Tensor = self.conv(F.pixel_unshuffle(image, self.cell_px))
        return cells


class Unfold(nn.Module):
    """Grid (N, width, grid, grid) to image (N, 1, H, W): 3x3 convolution, then shuffle."""

    def __init__(self, width: int, cell_px: int):
        super().__init__()
        self.cell_px = cell_px
        self.conv = nn.Conv2d(width, cell_px**2, 3, padding=1)

    def forward(self, grid: Tensor) -> Tensor:
        """(N, width, g, g) to (N, 1, g * cell_px, g * cell_px)."""
        return F.pixel_shuffle(self.conv(grid), self.cell_px)


class GroupNorm(nn.GroupNorm):
    """Group normalization, also behind frozen layers.

    torch's CPU kernel writes the input's gradient even where none is asked for, and ends the
    process (2.13, channels last). So the input always asks for one.
    """

    def forward(self, x: Tensor) -> Tensor:
        """As nn.GroupNorm."""
        if torch.is_grad_enabled() and self.weight.requires_grad and not x.requires_grad:
            x = x.detach().requires_grad_()
        return super().forward(x)


class Block(nn.Module):
    """Pre-activation residual block; a style modulates its second norm (FiLM, Perez et al. 2018).

    With `style_dim` 0 the block has no style input.
    """

    def __init__(self, width_in: int, width_out: int, style_dim: int = 0):
        super().__init__()
        self.norm1 = GroupNorm(_groups(width_in), width_in)
        self.conv1 = nn.Conv2d(width_in, width_out, 3, padding=1)
        self.norm2 = GroupNorm(_groups(width_out), width_out)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1)
        self.film = nn.Linear(style_dim, 2 * width_out) if style_dim else None
        self.skip = nn.Conv2d(width_in, width_out, 1) if width_in != width_out else nn.Identity()
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, style: Tensor | None = None) -> Tensor:
        """(N, width_in, g, g) and (N, style_dim) to (N, width_out, g, g)."""
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.film is not None:
            scale, shift = self.film(style)[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + scale) + shift
        out: Tensor = self.skip(x) + self.conv2(F.silu(h))
        return out


def grow_fold(weight: Tensor, cell_px: int) -> Tensor:
    """Fold weights for images of twice the size; same output as the old ones on 2x2 averages."""
    width, columns, kh, kw = weight.shape
    cells = weight.view(width, columns // cell_px**2, cell_px, cell_px, kh, kw)
    grown = cells.repeat_interleave(2, 2).repeat_interleave(2, 3) / 4
    return grown.reshape(width, columns * 4, kh, kw)


def grow_unfold(tensor: Tensor, cell_px: int) -> Tensor:
    """Unfold weights or biases for images of twice the size; each old pixel becomes 2x2."""
    cells = tensor.view(cell_px, cell_px, *tensor.shape[1:])
    grown = cells.repeat_interleave(2, 0).repeat_interleave(2, 1)
    return grown.reshape(4 * cell_px**2, *tensor.shape[1:])


def grow_state(state: dict[str, Tensor], cell_px: int) -> dict[str, Tensor]:
    """A network's weights for images of twice the size: `fold.*` and `unfold.*` grow."""
    grown = {}
    for name, tensor in state.items():
        if name.startswith("fold.") and tensor.dim() == 4:
            tensor = grow_fold(tensor, cell_px)
        elif name.startswith("unfold."):
            tensor = grow_unfold(tensor, cell_px)
        grown[name] = tensor
    return grown


def count_parameters(module: nn.Module) -> tuple[int, int]:
    """The numbers of all parameters, and of those that are trained."""
    parameters = list(module.parameters())
    trained = (each.numel() for each in parameters if each.requires_grad)
    return sum(each.numel() for each in parameters), sum(trained)


def _groups(width: int) -> int:
    return math.gcd(width, 8)
