"""Train the reader that ships with calligan. `benchmarks/verdict.py` measures it.

    python weights/reader.py DATA reader.safetensors --minutes 40

DATA is a folder of `calligan render-pairs` with every font of the catalog. The fonts of UNSEEN and
the test characters are kept out of training. A run stopped half-way goes on from what it saved.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from tqdm import tqdm

from calligan.models.pixels import to_tensor
from calligan.pairs.manifest import FontEntry
from calligan.pairs.store import PairStore
from calligan.reader.examples import Examples, ReaderBatch
from calligan.reader.network import SIZE_PX, Reader
from calligan.reader.verdict import Judge, ReaderCard, least_of, save_reader

CALIBRATED = 150  # real glyphs of a font that its script's least score is taken from
UNSEEN = ("kouzan-gyosho", "long-cang", "zcool-kuaile", "kouzan-sosho")
UNSEEN_REFERENCES = ("tw-kai", "arphic-uming", "arphic-ukai")
BATCH, RATE, SAVE_EVERY_STEPS = 128, 2e-3, 200


def fonts_of(store: PairStore) -> tuple[list[FontEntry], list[FontEntry]]:
    """Fonts to read and fonts to compare with."""
    targets = [f for f in store.manifest.of_role("target") if f.name not in UNSEEN]
    sources = store.manifest.of_role("source")
    references = [f for f in sources if f.name not in UNSEEN_REFERENCES]
    return [*targets, *references], references


def train(options: argparse.Namespace) -> None:
    """Train for so many minutes, in all calls together."""
    store = PairStore.open(options.data)
    examples = Examples(store, *fonts_of(store), "train")
    reader, step, spent_s = Reader(), 0, 0.0
    optimizer = torch.optim.AdamW(reader.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.02)
    state = options.model.with_suffix(".state.safetensors")
    if state.exists():
        step, spent_s = restore(state, reader, optimizer)
    average = {name: tensor.clone() for name, tensor in reader.state_dict().items()}
    begun, total_s = time.monotonic() - spent_s, options.minutes * 60
    bar = tqdm(total=round(total_s), initial=round(spent_s), unit="s")
    elapsed = spent_s
    while (elapsed := time.monotonic() - begun) < total_s:
        warm, done = min(1.0, (step + 1) / 100), elapsed / total_s
        optimizer.param_groups[0]["lr"] = (
            RATE * warm * (0.02 + 0.98 * np.cos(done * np.pi / 2) ** 2)
        )
        loss = loss_of(reader, examples.random(BATCH, 0, step))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            for name, tensor in reader.state_dict().items():
                average[name].lerp_(tensor, 1 - min(0.999, step / (step + 10)))
        bar.n = round(elapsed)
        bar.set_postfix(step=step, loss=f"{loss.item():.3f}")
        if step % SAVE_EVERY_STEPS == 0:
            keep(state, reader, optimizer, step, elapsed)
    finished = Reader()
    finished.load_state_dict(average)
    least = calibrated(Judge(finished, ReaderCard({}, {})), store)
    about = {
        "steps": str(step),
        "minutes": f"{elapsed / 60:.0f}",
        "unseen": " ".join((*UNSEEN, *UNSEEN_REFERENCES)),
    }
    save_reader(options.model, average, ReaderCard(least, about))
    print(least)


def loss_of(reader: Reader, batch: ReaderBatch) -> torch.Tensor:
    """Cross-entropy of the labels that are told."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = reader(to_tensor(batch.glyph, SIZE_PX), to_tensor(batch.reference, SIZE_PX))
    labels = torch.from_numpy(batch.labels)
    told = labels >= 0
    return F.binary_cross_entropy_with_logits(logits[told], labels[told])


def calibrated(judge: Judge, store: PairStore) -> dict[str, float]:
    """By script, what 95 in 100 real glyphs of validation characters score; "" for any script."""
    fonts, references = fonts_of(store)
    reference, by_script = references[0], {}
    asked = set(reference.chars) & set(store.manifest.held_out["validation"])
    for font in fonts:
        if font.name == reference.name:
            continue
        both = [char for char in font.chars if char in asked][:CALIBRATED]
        glyphs, shown = (
            store.images(f)[[f.chars.index(char) for char in both]] for f in (font, reference)
        )
        by_script.setdefault(font.script, []).append(judge.scores(glyphs, shown))
    found = {script: least_of(np.concatenate(scores)) for script, scores in by_script.items()}
    found[""] = least_of(np.concatenate([s for scores in by_script.values() for s in scores]))
    return found


def keep(path: Path, reader: Reader, optimizer, step: int, spent_s: float) -> None:
    """What training needs to go on."""
    tensors = {f"net.{name}": tensor for name, tensor in reader.state_dict().items()}
    for number, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"opt.{number}.{name}": value for name, value in moments.items()}
    meta = {"at": json.dumps([step, spent_s])}
    save_file(tensors, path.with_suffix(".tmp"), meta)
    path.with_suffix(".tmp").replace(path)


def restore(path: Path, reader: Reader, optimizer) -> tuple[int, float]:
    """The counterpart of `keep`."""
    tensors = load_file(path)
    reader.load_state_dict({n[4:]: t for n, t in tensors.items() if n.startswith("net.")})
    state = optimizer.state_dict()
    for name, tensor in tensors.items():
        if name.startswith("opt."):
            _, number, part = name.split(".", 2)
            state["state"].setdefault(int(number), {})[part] = tensor
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
