"""Train the inspector that ships with calligan (calligan/reader/inspector.py).

    python weights/inspector.py draw DRAWN                                 # 10 minutes on two cores
    python weights/inspector.py train DRAWN inspector.safetensors --minutes 20     # of one core
    python weights/inspector.py calibrate inspector.safetensors                     # limits anew

`draw` draws glyphs with the bundle, in each hand, beside the hand's own: characters that the bundle
was trained on and others. Those of benchmarks/marked.csv and the test characters are left out.
`train` learns to predict where both differ. `calibrate` measures the limits: what 95 in 100 drawn
glyphs of learned characters stay below, by script; characters that the inspector did not see.
Needs all fonts of bundle.toml.
"""

import argparse
import copy
import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

import calligan
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.placement import Placement
from calligan.glyphs.raster import render_glyphs
from calligan.inference.writer import Writer
from calligan.models.file import read_weights
from calligan.reader.inspection import CELLS, SIZE_PX, Inspection
from calligan.reader.inspector import (
    Inspector,
    InspectorCard,
    save_inspector,
)
from calligan.reader.judge import four_digits
from calligan.scan.opencv import opencv
from calligan.storage import atomic_file

MARKED = Path(__file__).resolve().parent.parent / "benchmarks" / "marked.csv"
ROUNDS, UNLEARNED, LEARNED = 15, 43, 21  # glyphs of a hand in a round
HELD_OUT = 12  # one character in so many is not trained on
INK_PX, PAPER_PX = 3.0, 1.5  # distances on the 128 px canvas that count as the same place
REACH_PX = 8  # of distances
FLOW_SMOOTHING_PX = (12, 5)  # the real glyph is warped to the drawn one, ever less smoothly
BATCH, RATE, REAL_SHARE = 64, 2e-3, 0.12
CALIBRATED, DOUBTED = 60, 0.05  # glyphs of a hand; share of them above the limit


def draw(folder: Path) -> None:
    """Draw round by round; finished files are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = calligan.load("bundle", check=False).writer
    plans = [plan_of(writer, index) for index in range(len(writer.card.styles))]
    for number in tqdm(range(ROUNDS), unit="round"):
        for index, (unlearned, learned) in enumerate(plans):
            path = folder / f"{number:03}-{index:02}.npz"
            chars = [
                *unlearned[number * UNLEARNED : (number + 1) * UNLEARNED],
                *learned[number * LEARNED : (number + 1) * LEARNED],
            ]
            if chars and not path.exists():
                save_drawn(path, writer, index, chars)


def plan_of(writer: Writer, index: int) -> tuple[list[str], list[str]]:
    """Characters that a hand's font has: not trained on, and trained on; shuffled by hand."""
    with MARKED.open(encoding="utf-8", newline="") as file:
        left_out = {row["char"] for row in csv.DictReader(file)}
    left_out |= set(writer.card.held_out["test"])
    face = resolve_font(writer.card.styles[index].name).spec
    has = set(render_glyphs(face, all_han(), Placement.full_width(16), 0.001).chars)
    chars = [c for c in all_han() if c in has - left_out and not writer.source.lacks(c)]
    known, rng = set(writer.card.trained_chars), np.random.default_rng(100 + index)
    parts = ([c for c in chars if c not in known], [c for c in chars if c in known])
    return [*rng.permutation(parts[0])], [*rng.permutation(parts[1])]


def all_han() -> str:
    """The characters of the block of common ones."""
    return "".join(map(chr, range(0x4E00, 0xA000)))


def save_drawn(path: Path, writer: Writer, index: int, chars: Sequence[str]) -> None:
    """Draw, source and real glyphs, uint8 (N, 128, 128)."""
    style = writer.card.styles[index]
    real = render_glyphs(
        resolve_font(style.name).spec, "".join(chars), Placement(**style.placement), 0.001
    )
    drawn = np.stack([glyph.image for glyph in writer.draw("".join(real.chars), index)])
    known = set(writer.card.trained_chars)
    with atomic_file(path) as file:
        np.savez_compressed(
            file,
            chars=np.array(list(real.chars)),
            learned=np.array([char in known for char in real.chars]),
            drawn=reduced(drawn),
            real=reduced(real.images),
            source=reduced(writer.source.images("".join(real.chars))),
        )


def reduced(images: np.ndarray) -> np.ndarray:
    """uint8 (N, S, S) to (N, 128, 128)."""
    k = images.shape[1] // SIZE_PX
    cells = images.reshape(len(images), SIZE_PX, k, SIZE_PX, k)
    return cells.mean(axis=(2, 4)).round().astype(np.uint8)


def differences(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """The share of each cell that differs, (4, 16, 16), in the order of `KINDS`.

    Glyphs uint8 (128, 128). The real one is warped smoothly to the drawn one first, since a stroke
    in another place is no fault.
    """
    ink = drawn < 128
    real_ink = warped(drawn, real) < 128 if ink.any() else real < 128
    maps = np.stack(
        [
            real_ink & (distance(ink) > INK_PX),
            ink & (distance(real_ink) > INK_PX),
            ~real_ink & (distance(~ink) > PAPER_PX),
            ~ink & (distance(~real_ink) > PAPER_PX),
        ]
    )
    return maps.reshape(4, CELLS, SIZE_PX // CELLS, CELLS, SIZE_PX // CELLS).mean(axis=(2, 4))


def warped(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """The real glyph, warped by smoothed optical flow between fields of distances."""
    cv2 = opencv()
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX].astype(np.float32)
    flow, moved = np.zeros((SIZE_PX, SIZE_PX, 2), np.float32), real
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    for sigma_px in FLOW_SMOOTHING_PX:
        step = finder.calc(field(drawn < 128), field(moved < 128), None)
        step = cv2.GaussianBlur(step, (0, 0), sigma_px)
        at = (x + step[..., 0], y + step[..., 1])
        flow = step + cv2.remap(flow, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        at = (x + flow[..., 0], y + flow[..., 1])
        edge = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": 255}
        moved = cv2.remap(real, *at, cv2.INTER_LINEAR, **edge)
    return moved


def field(ink: np.ndarray) -> np.ndarray:
    """Signed distance from the outline, as uint8 for optical flow."""
    signed = np.clip(distance(~ink) - distance(ink), -REACH_PX, REACH_PX)
    return ((signed + REACH_PX) * (255 / (2 * REACH_PX))).astype(np.uint8)


def distance(there: np.ndarray) -> np.ndarray:
    """Distance of each pixel from the nearest one that is `there`."""
    cv2 = opencv()
    if not there.any():
        return np.full(there.shape, 99, np.float32)
    return cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, 5)


def train(folder: Path, model: Path, minutes: float) -> None:
    """Train for so many minutes of processor time."""
    files = sorted(folder.glob("*.npz"))
    if not files:
        raise SystemExit(f"{folder} is empty; run `weights/inspector.py draw {folder}` first")
    parts = [dict(np.load(path)) for path in files]
    drawn, real, source, chars = (
        np.concatenate([part[name] for part in parts])
        for name in ("drawn", "real", "source", "chars")
    )
    pairs = zip(drawn, real, strict=True)
    labels = np.stack([differences(*pair) for pair in tqdm(pairs, total=len(drawn))])
    rows = np.flatnonzero([not held_out(char) for char in chars])
    network = Inspection()
    average, rng = copy.deepcopy(network), np.random.default_rng(0)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, (0.9, 0.98), weight_decay=0.02)
    step, started = 0, time.process_time()
    with tqdm(total=round(minutes * 60), unit="s") as bar:
        while (spent_s := time.process_time() - started) < minutes * 60:
            some = rng.choice(rows, BATCH)
            image, label = drawn[some].copy(), labels[some].astype(np.float32)
            sound = rng.random(BATCH) < REAL_SHARE
            image[sound], label[sound] = real[some][sound], 0
            shift = tuple(rng.integers(-1, 2, 2).tolist())  # whole cells
            inks = torch.roll(to_inks(image, source[some]), [8 * s for s in shift], (2, 3))
            wanted = torch.roll(torch.from_numpy(label), shift, (2, 3))
            warm, done = min(1.0, (step + 1) / 100), spent_s / minutes / 60
            rate = RATE * warm * (0.02 + 0.98 * np.cos(done * np.pi / 2) ** 2)
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(inks.contiguous(memory_format=torch.channels_last))
            loss = F.binary_cross_entropy_with_logits(logits, wanted)
            update(network, optimizer, loss, rate)
            step += 1
            update_average(average, network, min(0.999, step / (step + 10)))
            bar.n = round(spent_s)
            bar.set_postfix(step=step, loss=f"{loss.item():.4f}")
    about = {"steps": str(step), "glyphs": str(len(rows)), "minutes": f"{minutes:g}"}
    save_inspector(model, average.state_dict(), InspectorCard({"": 0.0}, about))
    calibrate(model)


def held_out(char: str) -> bool:
    """Whether a character is not trained on."""
    return (ord(char) * 2654435761 >> 7) % HELD_OUT == 0


def to_inks(glyphs: np.ndarray, sources: np.ndarray) -> Tensor:
    """Ink of glyphs and sources, uint8 (N, 128, 128), as (N, 2, 128, 128), 0 to 1."""
    return torch.from_numpy(np.stack([255 - glyphs, 255 - sources], axis=1)).float() / 255


def update(
    network: Inspection, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float
) -> None:
    """One step."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


def update_average(average: Inspection, network: Inspection, kept: float) -> None:
    """Update the moving average of the weights and of the batch norms' statistics."""
    with torch.no_grad():
        pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
        for mean, now in pairs:
            if mean.is_floating_point():
                mean.lerp_(now, 1 - kept)


def calibrate(model: Path) -> None:
    """Measure the limits, and write them into the inspector's file."""
    state, _ = read_weights(model, "inspector", "inspector", "train it again")
    inspector = Inspector.load(path=model)
    assert inspector is not None  # there is a path
    writer = calligan.load("bundle", check=False, cache=False).writer
    found: dict[str, list[np.ndarray]] = {}
    for index, style in enumerate(tqdm(writer.card.styles, unit="hand")):
        chars = [c for c in plan_of(writer, index)[1] if held_out(c)][:CALIBRATED]
        images = np.stack([glyph.image for glyph in writer.draw("".join(chars), index)])
        off = inspector.differences(images, writer.source.images("".join(chars)))
        for name in (style.script, ""):
            found.setdefault(name, []).append(off)
    limits = {
        name: four_digits(float(np.quantile(np.concatenate(each), 1 - DOUBTED)))
        for name, each in found.items()
    }
    save_inspector(model, state, InspectorCard(limits, inspector.card.about))
    print(limits)


def main() -> None:
    """One step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("draw").add_argument("drawn", type=Path)
    training = steps.add_parser("train")
    training.add_argument("drawn", type=Path)
    training.add_argument("model", type=Path)
    training.add_argument("--minutes", type=float, default=20)
    steps.add_parser("calibrate").add_argument("model", type=Path)
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.step == "draw":
        draw(options.drawn)
    elif options.step == "train":
        train(options.drawn, options.model, options.minutes)
    else:
        calibrate(options.model)


if __name__ == "__main__":
    sys.exit(main())
