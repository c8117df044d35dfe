"""Train the reader that ships with calligan. `benchmarks/verdict.py` measures it.

    python weights/reader.py DATA reader.safetensors --minutes 40

DATA is a folder of `calligan render-pairs` with every font of the catalog. The fonts of UNSEEN and
the test characters are not used in training. An interrupted run continues from its saved state.
"""

import argparse
import copy
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from examples import Examples, ReaderBatch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from calligan.config import OptimizerConfig
from calligan.models.layers import to_device
from calligan.models.pixels import to_tensor
from calligan.pairs.manifest import FontEntry
from calligan.pairs.store import PairStore
from calligan.reader.judge import Judge, ReaderCard, least_of, save_reader
from calligan.reader.network import SIZE_PX, Reader
from calligan.training.optimizer import generator_optimizers

CALIBRATION_GLYPHS = 150  # real glyphs per font, for its script's minimum score
SCRIPT_PASS_SHARE = 0.99  # of the training fonts' glyphs that pass; other fonts score lower
UNSEEN = ("kouzan-gyosho", "long-cang", "zcool-kuaile", "kouzan-sosho")
UNSEEN_REFERENCES = ("tw-kai", "arphic-uming", "arphic-ukai")
# Sampling weights: scripts that are hard to read have few fonts.
SCRIPT_SHARES = {"草": 4.0, "行": 2.0, "行楷": 2.0}
BATCH, RATE, SAVE_EVERY_STEPS = 128, 2e-3, 500
OPTIMIZER = OptimizerConfig(muon_rate=10.0, weight_decay=0.02, betas=(0.9, 0.98))
CONTRASTIVE_WEIGHT = 0.3  # of the loss on embeddings
Optimizers = dict[str, torch.optim.Optimizer]


def choose_fonts(store: PairStore) -> tuple[list[FontEntry], list[FontEntry]]:
    """Fonts to train on, and reference fonts."""
    targets = [f for f in store.manifest.of_role("target") if f.name not in UNSEEN]
    sources = store.manifest.of_role("source")
    references = [f for f in sources if f.name not in UNSEEN_REFERENCES]
    return [*targets, *references], references


@dataclass(frozen=True)
class Steps(Dataset):
    """The batch of each step, for a worker process."""

    examples: Examples
    first: int

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, number: int) -> ReaderBatch:
        return self.examples.random(BATCH, 0, self.first + number)


def train(options: argparse.Namespace) -> None:
    """Train for `minutes` in total, over all calls."""
    store = PairStore.open(options.data)
    read, references = choose_fonts(store)
    shares = [SCRIPT_SHARES.get(font.script, 1.0) for font in read]
    examples = Examples(store, read, references, "train", shares)
    reader, step, spent_s = to_device(Reader()), 0, 0.0
    optimizers = generator_optimizers(reader, OPTIMIZER, fused=True)
    average = copy.deepcopy(reader)
    state = options.model.with_suffix(".state.safetensors")
    if state.exists():
        step, spent_s = restore(state, reader, average, optimizers)
    start_time, total_s = time.monotonic() - spent_s, options.minutes * 60
    bar = tqdm(total=round(total_s), initial=round(spent_s), unit="s")
    examples.prepare()
    for batch in DataLoader(Steps(examples, step), batch_size=None, num_workers=1):
        if (elapsed := time.monotonic() - start_time) >= total_s:
            break
        warm, done = min(1.0, (step + 1) / 100), elapsed / total_s
        rate = RATE * warm * (0.02 + 0.98 * np.cos(done * np.pi / 2) ** 2)
        loss = compute_loss(reader, batch)
        update(reader, optimizers, loss, rate)
        step += 1
        update_average(average, reader, min(0.999, step / (step + 10)))
        bar.n = round(elapsed)
        bar.set_postfix(step=step, loss=f"{loss.item():.3f}")
        if step % SAVE_EVERY_STEPS == 0:
            save_state(state, reader, average, optimizers, (step, elapsed))
    least = calibrate(Judge(lambda: average, ReaderCard({}, {})), store)
    about = {
        "steps": str(step),
        "minutes": f"{elapsed / 60:.0f}",
        "unseen": " ".join((*UNSEEN, *UNSEEN_REFERENCES)),
    }
    save_reader(options.model, average.state_dict(), ReaderCard(least, about))
    print(least)


def compute_loss(reader: Reader, batch: ReaderBatch) -> torch.Tensor:
    """Cross-entropy of the defined labels, plus the contrastive loss of the embeddings."""
    with torch.autocast("cpu", torch.bfloat16):
        images = (to_tensor(images, SIZE_PX) for images in (batch.glyph, batch.reference))
        logits, glyphs, references = reader.both(*images)
    labels = torch.from_numpy(batch.labels)
    labelled = labels >= 0
    judged = F.binary_cross_entropy_with_logits(logits[labelled], labels[labelled])
    return judged + CONTRASTIVE_WEIGHT * contrastive_loss(
        reader.sharpness.exp() * glyphs @ references.T, batch
    )


def contrastive_loss(similarity: torch.Tensor, batch: ReaderBatch) -> torch.Tensor:
    """Cross-entropy of finding each right glyph's reference (InfoNCE, van den Oord et al. 2018)."""
    chars = np.array(batch.chars)
    same = torch.from_numpy((chars[:, None] == chars) & ~np.eye(len(chars), dtype=bool))
    right = torch.from_numpy(batch.labels[:, 0] == 1)
    similarity = similarity.masked_fill(same, -1e4)[right]
    return F.cross_entropy(similarity, torch.arange(len(chars))[right])


def update(reader: Reader, optimizers: Optimizers, loss: torch.Tensor, rate: float) -> None:
    """Update the reader with every optimizer."""
    reader.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
    for name, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = rate * (OPTIMIZER.muon_rate if name == "muon" else 1)
        optimizer.step()


def update_average(average: Reader, reader: Reader, kept: float) -> None:
    """Update the moving average of the weights and of the batch-norm statistics."""
    with torch.no_grad():
        tensors = zip(average.state_dict().values(), reader.state_dict().values(), strict=True)
        for mean, now in tensors:
            if mean.is_floating_point():
                mean.lerp_(now, 1 - kept)


def calibrate(judge: Judge, store: PairStore) -> dict[str, float]:
    """Minimum scores of real validation glyphs, by font and by script; "" for any script.

    95 % of a font's glyphs reach its own minimum. SCRIPT_PASS_SHARE of the glyphs of training fonts
    reach that of their script; other fonts are not used for it.
    """
    read, references = choose_fonts(store)
    by_font = {f.name: real_scores(judge, store, f, references) for f in store.manifest.fonts}
    found = {f.name: least_of(by_font[f.name]) for f in store.manifest.of_role("target")}
    for script in {font.script for font in read}:
        of_script = [by_font[font.name] for font in read if font.script == script]
        found[script] = least_of(np.concatenate(of_script), SCRIPT_PASS_SHARE)
    found[""] = least_of(np.concatenate([by_font[font.name] for font in read]), SCRIPT_PASS_SHARE)
    return found


def real_scores(
    judge: Judge, store: PairStore, font: FontEntry, references: list[FontEntry]
) -> np.ndarray:
    """Scores of a font's real glyphs, against every other reference that has the character."""
    found = []
    for reference in references:
        if reference.name != font.name:
            there = set(reference.chars) & set(store.manifest.held_out["validation"])
            both = [char for char in font.chars if char in there][:CALIBRATION_GLYPHS]
            rows = ([f.chars.index(char) for char in both] for f in (font, reference))
            glyphs, shown = (
                store.images(f)[at] for f, at in zip((font, reference), rows, strict=True)
            )
            found.append(judge.scores(glyphs, shown))
    return np.concatenate(found)


def save_state(
    path: Path, reader: Reader, average: Reader, optimizers: Optimizers, at: tuple[int, float]
) -> None:
    """Save the state of training."""
    tensors = {f"net.{name}": tensor for name, tensor in reader.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in average.state_dict().items()}
    for kind, optimizer in optimizers.items():
        for number, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"{kind}.{number}.{name}": value for name, value in moments.items()}
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(tensors, path.with_suffix(".tmp"), {"at": json.dumps(at)})
    path.with_suffix(".tmp").replace(path)


def restore(
    path: Path, reader: Reader, average: Reader, optimizers: Optimizers
) -> tuple[int, float]:
    """Restore what `save_state` wrote; returns steps and seconds so far."""
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in load_file(path).items():
        kind, rest = name.split(".", 1)
        parts.setdefault(kind, {})[rest] = tensor
    reader.load_state_dict(parts["net"])
    average.load_state_dict(parts["average"])
    for kind, optimizer in optimizers.items():
        state = optimizer.state_dict()
        for name, tensor in parts[kind].items():
            number, moment = name.split(".", 1)
            state["state"].setdefault(int(number), {})[moment] = tensor
        optimizer.load_state_dict(state)
    with safe_open(path, "pt") as file:
        step, spent_s = json.loads(file.metadata()["at"])
    return step, spent_s


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--minutes", type=float, default=40)
    options = parser.parse_args()
    torch.manual_seed(0)
    train(options)


if __name__ == "__main__":
    main()
