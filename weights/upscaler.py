"""Train the upscaler that ships with calligan, and measure it on unseen characters.

    calligan render-pairs lxgw-wenkai yomogi … --charset components-500 --size 512 --data d512
    python weights/upscaler.py train d512 upscaler.safetensors --minutes 15
    python weights/upscaler.py measure d512 upscaler.safetensors

It is trained both from 256 to 512 px and from 128 to 256. Small glyphs are means over 2 x 2 pixels,
slightly blurred or sharpened, with edges distorted by a fraction of a pixel, like those of
generators. The loss is L1 at first, later with a discriminator (SRGAN, Ledig et al. 2017).
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
CONTENT_SHARE = 0.6  # of the time, with the L1 loss only
ADVERSARIAL_WEIGHT = 0.01
MAX_DISTORTION_PX = 0.6  # of edges, in training


class Glyphs:
    """Large glyphs of one part of the split, from all fonts of a data folder."""

    def __init__(self, store: PairStore, part: str):
        split = store.manifest.split
        self.fonts = [
            (store.images(font), [i for i, c in enumerate(font.chars) if part_of(c, split) == part])
            for font in store.manifest.fonts
        ]

    def random(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """`count` random glyphs: uint8 (count, H, W)."""
        found = []
        for _ in range(count):
            images, rows = self.fonts[int(rng.integers(len(self.fonts)))]
            found.append(images[rows[int(rng.integers(len(rows)))]])
        return np.stack(found)


def downscale(large: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Reduce to half the size, with random sharpness and edge distortion, like a generator's."""
    small = distort_edges(F.avg_pool2d(large, 2), float(rng.uniform(0, MAX_DISTORTION_PX)))
    soft = F.avg_pool2d(F.pad(small, (1, 1, 1, 1), value=1.0), 3, 1)
    share = float(rng.uniform(-0.3, 0.6))
    return (small + share * (soft - small)).clamp(-1, 1)


def distort_edges(small: torch.Tensor, max_px: float) -> torch.Tensor:
    """Displace pixels by up to `max_px`, at random for each block of 2 x 2 pixels."""
    count, _, height, width = small.shape
    shift = F.interpolate(torch.randn(count, 2, height // 2, width // 2), (height, width))
    shift = (shift * max_px / 2).clamp(-max_px, max_px) * 2 / width
    still = F.affine_grid(torch.eye(2, 3).expand(count, 2, 3), list(small.shape), False)
    grid = still + shift.permute(0, 2, 3, 1)
    return F.grid_sample(small, grid, padding_mode="border", align_corners=False)


def random_crop(large: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """A random square of CROP_PX, at even coordinates."""
    room = (large.shape[-1] - CROP_PX) // 2
    y, x = (2 * int(v) for v in rng.integers(0, room + 1, 2))
    return large[..., y : y + CROP_PX, x : x + CROP_PX]


def train(options: argparse.Namespace) -> None:
    """Train for `minutes`."""
    torch.manual_seed(0)
    glyphs = Glyphs(PairStore.open(options.data), "train")
    network = Upscaler(UpscalerConfig())
    critic = Discriminator(
        DiscriminatorConfig(widths=(32, 64, 96), spectral_norm=False), 1, CROP_PX
    )
    optimizer = torch.optim.AdamW(network.parameters(), RATE, betas=(0.9, 0.99))
    critic_optimizer = torch.optim.AdamW(critic.parameters(), RATE / 4, betas=(0.5, 0.99))
    start_time, total_s, step = time.monotonic(), options.minutes * 60, 0
    bar = tqdm(total=round(total_s), unit="s")
    while (done := (time.monotonic() - start_time) / total_s) < 1:
        for group in optimizer.param_groups:
            group["lr"] = RATE * (0.02 + 0.98 * np.cos(done * np.pi / 2) ** 2)
        rng = np.random.default_rng([0, step])
        full_px = glyphs.fonts[0][0].shape[-1]
        large = random_crop(
            to_tensor(glyphs.random(BATCH, rng), full_px >> int(rng.integers(2))), rng
        )
        small = downscale(large, rng)
        with torch.autocast("cpu", torch.bfloat16):
            drawn = network(small)
            loss = F.l1_loss(ink(drawn), ink(large))
            if done > CONTENT_SHARE:
                loss = loss + ADVERSARIAL_WEIGHT * update_critic(
                    critic, critic_optimizer, bicubic(small), large, drawn
                )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        bar.n = min(bar.total, round(time.monotonic() - start_time))
        bar.set_postfix(step=step, loss=f"{loss.item():.4f}")
        if step % SAVE_EVERY_STEPS == 0:
            save_upscaler(options.model, network)
    save_upscaler(options.model, network)


def update_critic(critic, optimizer, shown: torch.Tensor, real: torch.Tensor, drawn: torch.Tensor):
    """Update the discriminator (hinge loss); returns the upscaler's adversarial loss."""
    style = torch.zeros(len(real), dtype=torch.long)
    loss = F.relu(1 - critic(shown, real, style)).mean()
    loss = loss + F.relu(1 + critic(shown, drawn.detach(), style)).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    critic.requires_grad_(False)
    generator_loss = -critic(shown, drawn, style).mean()
    critic.requires_grad_(True)
    return generator_loss


def measure(options: argparse.Namespace) -> None:
    """SSIM, L1 and edge slope against true renders, for the upscaler and bicubic interpolation.

    From a quarter of the size to half and to full size, with and without distorted edges.
    """
    glyphs = Glyphs(PairStore.open(options.data), "test")
    network = load_upscaler(options.model)
    large = glyphs.random(options.count, np.random.default_rng(1))
    full = to_tensor(large, large.shape[-1])
    for distortion_px in (0.0, MAX_DISTORTION_PX):
        torch.manual_seed(0)
        small = to_uint8(distort_edges(F.avg_pool2d(full, 4), distortion_px))
        ours, baseline = small, small
        for shrunk in (2, 1):
            true = to_uint8(F.avg_pool2d(full, shrunk))
            ours = upscale(network, ours)
            baseline = to_uint8(bicubic(to_tensor(baseline, baseline.shape[-1])))
            print(
                f"{small.shape[-1]} to {true.shape[-1]} px, edges distorted by {distortion_px:g} px"
            )
            print_table({"upscaler": ours, "bicubic": baseline, "true": true}, true)


def print_table(systems: dict[str, np.ndarray], true: np.ndarray) -> None:
    """Print one row per system."""
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
