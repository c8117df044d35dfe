"""Train the upscaler that ships with calligan, and measure it on characters unseen.

    calligan render-pairs lxgw-wenkai ma-shan-zheng … --size 256 --data data256
    python weights/upscaler.py train data256 upscaler.safetensors --minutes 10
    python weights/upscaler.py measure data256 upscaler.safetensors

Half-size glyphs are means over 2 x 2 pixels, a little blurred or sharpened at random, as generators
draw them. Content loss (L1) first, then a discriminator joins in (SRGAN, Ledig et al. 2017).
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
    upscaled,
)
from calligan.pairs.split import part_of
from calligan.pairs.store import PairStore

BATCH, CROP_PX, RATE, SAVE_EVERY_STEPS = 16, 128, 2e-3, 100
CONTENT = 0.6  # share of the time before the discriminator joins
ADVERSARIAL = 0.01


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
    """Half the size, as softly or as sharply as a generator may draw."""
    small = F.avg_pool2d(large, 2)
    soft = F.avg_pool2d(F.pad(small, (1, 1, 1, 1), value=1.0), 3, 1)
    share = float(rng.uniform(-0.3, 0.6))
    return (small + share * (soft - small)).clamp(-1, 1)


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
        large = cropped(to_tensor(glyphs.random(BATCH, rng), glyphs.fonts[0][0].shape[-1]), rng)
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
    """SSIM, L1 and edge slope against true renders, beside bicubic enlargement."""
    glyphs = Glyphs(PairStore.open(options.data), "test")
    network = load_upscaler(options.model)
    large = glyphs.random(options.count, np.random.default_rng(1))
    size_px = large.shape[-1]
    small = to_uint8(F.avg_pool2d(to_tensor(large, size_px), 2))
    systems = {
        "upscaler": upscaled(network, small),
        "bicubic": to_uint8(bicubic(to_tensor(small, size_px // 2))),
        "true": large,
    }
    print(f"{size_px // 2} to {size_px} px, {options.count} glyphs")
    print("".ljust(10), *(name.rjust(10) for name in ("SSIM", "L1", "edge slope")))
    for name, images in systems.items():
        figures = (ssim(images, large).mean(), ink_l1(images, large).mean())
        slope = np.nanmean(edge_slope(images))
        print(name.ljust(10), *(f"{value:10.4f}" for value in (*figures, slope)))


def main() -> None:
    """Train or measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("train", "measure"))
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    (train if options.what == "train" else measure)(options)


if __name__ == "__main__":
    main()
