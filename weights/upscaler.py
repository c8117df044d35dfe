"""Train the upscaler that ships with calligan, and measure it on characters unseen.

    calligan render-pairs lxgw-wenkai yomogi … --charset components-500 --size 512 --data d512
    python weights/upscaler.py train d512 upscaler.safetensors --minutes 15
    python weights/upscaler.py measure d512 upscaler.safetensors

It learns both from 256 to 512 px and from 128 to 256. Small glyphs are means over 2 x 2 pixels,
a little blurred or sharpened, and their edges waver by a fraction of a pixel, as generators draw
them. Content loss (L1) first, then a discriminator joins in (SRGAN, Ledig et al. 2017).
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from calligan.config import DiscriminatorConfig
from calligan.evaluation.metrics import edge_slope, ink_l1, ssim
from calligan.models.discriminator import Discriminator
from calligan.models.pixels import ink, to_tensor, to_uint8
from calligan.models.upscaler import (
    Upscaler,
    UpscalerConfig,
    bicubic,
    load_upscaler,
    save_upscaler,
    upscale,
)
from calligan.pairs.split import part_of
from calligan.pairs.store import PairStore

BATCH, CROP_PX, RATE, SAVE_EVERY_STEPS = 16, 128, 2e-3, 100
CONTENT = 0.6  # share of the time before the discriminator joins
ADVERSARIAL = 0.01
WAVER_PX = 0.6  # at most, how far edges waver


class Glyphs:
    """Large glyphs of one part of the split, of every font of a data folder."""

    def __init__(self, store: PairStore, part: str):
        split = store.manifest.split
        self.fonts = [
            (store.images(font), [i for i, c in enumerate(font.chars) if part_of(c, split) == part])
            for font in store.manifest.fonts
        ]

    def random(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """So many, of any font."""
        found = []
        for _ in range(count):
            images, rows = self.fonts[int(rng.integers(len(self.fonts)))]
            found.append(images[rows[int(rng.integers(len(rows)))]])
        return np.stack(found)


def halved(large: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Half the size, as softly or as sharply and with such edges as a generator may draw."""
    small = wavered(F.avg_pool2d(large, 2), float(rng.uniform(0, WAVER_PX)))
    soft = F.avg_pool2d(F.pad(small, (1, 1, 1, 1), value=1.0), 3, 1)
    share = float(rng.uniform(-0.3, 0.6))
    return (small + share * (soft - small)).clamp(-1, 1)


def wavered(small: torch.Tensor, most_px: float) -> torch.Tensor:
    """Every place shifted by so much, at random from one 2 x 2 pixels to the next."""
    count, _, height, width = small.shape
    shift = F.interpolate(torch.randn(count, 2, height // 2, width // 2), (height, width))
    shift = (shift * most_px / 2).clamp(-most_px, most_px) * 2 / width
    still = F.affine_grid(torch.eye(2, 3).expand(count, 2, 3), list(small.shape), False)
    grid = still + shift.permute(0, 2, 3, 1)
    return F.grid_sample(small, grid, padding_mode="border", align_corners=False)


def cropped(large: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """A square of CROP_PX, at an even place."""
    room = (large.shape[-1] - CROP_PX) // 2
    y, x = (2 * int(v) for v in rng.integers(0, room + 1, 2))
    return large[..., y : y + CROP_PX, x : x + CROP_PX]


def train(options: argparse.Namespace) -> None:
    """Train for so many minutes."""
    torch.manual_seed(0)
    glyphs = Glyphs(PairStore.open(options.data), "train")
    network = Upscaler(UpscalerConfig())
    critic = Discriminator(
        DiscriminatorConfig(widths=(32, 64, 96), spectral_norm=False), 1, CROP_PX
    )
    mine = torch.optim.AdamW(network.parameters(), RATE, betas=(0.9, 0.99))
    theirs = torch.optim.AdamW(critic.parameters(), RATE / 4, betas=(0.5, 0.99))
    begun, total_s, step = time.monotonic(), options.minutes * 60, 0
    bar = tqdm(total=round(total_s), unit="s")
    while (done := (time.monotonic() - begun) / total_s) < 1:
        for group in mine.param_groups:
            group["lr"] = RATE * (0.02 + 0.98 * np.cos(done * np.pi / 2) ** 2)
        rng = np.random.default_rng([0, step])
        full_px = glyphs.fonts[0][0].shape[-1]
        large = cropped(to_tensor(glyphs.random(BATCH, rng), full_px >> int(rng.integers(2))), rng)
        small = halved(large, rng)
        with torch.autocast("cpu", torch.bfloat16):
            drawn = network(small)
            loss = F.l1_loss(ink(drawn), ink(large))
            if done > CONTENT:
                loss = loss + ADVERSARIAL * play(critic, theirs, bicubic(small), large, drawn)
        mine.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        mine.step()
        step += 1
        bar.n = min(bar.total, round(time.monotonic() - begun))
        bar.set_postfix(step=step, loss=f"{loss.item():.4f}")
        if step % SAVE_EVERY_STEPS == 0:
            save_upscaler(options.model, network)
    save_upscaler(options.model, network)


def play(critic, optimizer, shown: torch.Tensor, real: torch.Tensor, drawn: torch.Tensor):
    """One move of the discriminator (hinge); what the upscaler should lower."""
    style = torch.zeros(len(real), dtype=torch.long)
    told = F.relu(1 - critic(shown, real, style)).mean()
    told = told + F.relu(1 + critic(shown, drawn.detach(), style)).mean()
    optimizer.zero_grad(set_to_none=True)
    told.backward()
    optimizer.step()
    critic.requires_grad_(False)
    fooled = -critic(shown, drawn, style).mean()
    critic.requires_grad_(True)
    return fooled


def measure(options: argparse.Namespace) -> None:
    """SSIM, L1 and edge slope against true renders, beside bicubic enlargement: from a quarter of
    their size to half of it and to all, from still edges and from such as waver.
    """
    glyphs = Glyphs(PairStore.open(options.data), "test")
    network = load_upscaler(options.model)
    large = glyphs.random(options.count, np.random.default_rng(1))
    full = to_tensor(large, large.shape[-1])
    for waver_px in (0.0, WAVER_PX):
        torch.manual_seed(0)
        small = to_uint8(wavered(F.avg_pool2d(full, 4), waver_px))
        ours, theirs = small, small
        for shrunk in (2, 1):
            true = to_uint8(F.avg_pool2d(full, shrunk))
            ours = upscale(network, ours)
            theirs = to_uint8(bicubic(to_tensor(theirs, theirs.shape[-1])))
            print(f"{small.shape[-1]} to {true.shape[-1]} px, edges waver {waver_px:g} px")
            told({"upscaler": ours, "bicubic": theirs, "true": true}, true)


def told(systems: dict[str, np.ndarray], true: np.ndarray) -> None:
    """A row a system."""
    print("".ljust(10), *(name.rjust(10) for name in ("SSIM", "L1", "edge slope")))
    for name, images in systems.items():
        figures = (ssim(images, true).mean(), ink_l1(images, true).mean())
        slope = np.nanmean(edge_slope(images))
        print(name.ljust(10), *(f"{value:10.4f}" for value in (*figures, slope)))


def main() -> None:
    """Train or measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("train", "measure"))
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--count", type=int, default=200, help="glyphs to measure")
    options = parser.parse_args()
    (train if options.what == "train" else measure)(options)


if __name__ == "__main__":
    main()
