"""An upscaler of glyphs by a factor of 2, after SRGAN (Ledig et al. 2017).

It works on a grid with cells of 2 x 2 pixels (as sub-pixel convolution, Shi et al. 2016), and
learns the difference from bicubic interpolation.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calligan.errors import ModelError
from calligan.models.file import read_weights, write_weights
from calligan.models.layers import Block, Fold, Unfold, to_device
from calligan.models.pixels import image_of_logits, ink, to_tensor, to_uint8

_KIND = "upscaler"
_CELL_PX = 2
_LOGITS_PER_INK = 8.0  # converts bicubic ink to logits
_BATCH_SIZE = 16


@dataclass(frozen=True)
class UpscalerConfig:
    """The size of the network."""

    width: int = 32
    blocks: int = 4


class Upscaler(nn.Module):
    """Glyphs (N, 1, S, S) in [-1, 1] to (N, 1, 2S, 2S); S is even."""

    def __init__(self, config: UpscalerConfig):
        super().__init__()
        self.config = config
        self.fold = Fold(1, config.width, _CELL_PX)
        self.blocks = nn.ModuleList(Block(config.width, config.width) for _ in range(config.blocks))
        self.unfold = Unfold(config.width, 2 * _CELL_PX)
        nn.init.zeros_(self.unfold.conv.weight)

    def forward(self, glyph: Tensor) -> Tensor:
        """Upscale."""
        return image_of_logits(self.ink_logits(glyph))

    def ink_logits(self, glyph: Tensor) -> Tensor:
        """The output before the sigmoid, float32."""
        h = self.fold(ink(glyph))
        for block in self.blocks:
            h = block(h)
        logits: Tensor = (
            _LOGITS_PER_INK * (ink(bicubic(glyph)) - 0.5) + self.unfold(F.silu(h)).float()
        )
        return logits


def bicubic(glyph: Tensor) -> Tensor:
    """Bicubic interpolation to twice the size, the baseline of the upscaler."""
    up = F.interpolate(glyph.float(), scale_factor=2, mode="bicubic", align_corners=False)
    return up.clamp(-1, 1)


def upscale(network: Upscaler, images: np.ndarray) -> np.ndarray:
    """uint8 (N, S, S), 255 = paper, to uint8 (N, 2S, 2S)."""
    found = [np.empty((0, 2 * images.shape[1], 2 * images.shape[2]), np.uint8)]
    device = next(network.parameters()).device
    for start in range(0, len(images), _BATCH_SIZE):
        part = images[start : start + _BATCH_SIZE]
        with torch.inference_mode():
            found.append(to_uint8(network(to_tensor(part, part.shape[-1], device))))
    return np.concatenate(found)


def save_upscaler(path: Path, network: Upscaler) -> None:
    """Write weights and config atomically."""
    write_weights(path, network.state_dict(), _KIND, json.dumps(asdict(network.config)))


def load_upscaler(path: Path, device: str = "cpu") -> Upscaler:
    """Read what `save_upscaler` wrote. Raises ModelError naming the file and the cure."""
    state, metadata = read_weights(path, _KIND, _KIND, "install calligan again")
    try:
        network = Upscaler(UpscalerConfig(**json.loads(metadata)))
        network.load_state_dict(state)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path} is of another version of calligan; install it again") from error
    return to_device(network, device).eval()
