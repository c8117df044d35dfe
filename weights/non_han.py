"""Train a decoder that draws letters, digits, marks and kana in the hands of the bundle.

    python weights/non_han.py DATA OUT --minutes 60 [--from FILE --rate 6e-4 --repeat 6]

It goes on from the bundle's decoder, and learns what the bundle's fonts have of these. It is a
closed set, so none is held out. The encoder and the coarsest level stay as they are. DATA is
rendered first. OUT, a .safetensors file, is written every five minutes; `weights/legible.py` then
chooses which characters are used. From a FILE of `legible.py --for-training` on, those that are not
drawn well come more often.
"""

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from calligan.config import RasterConfig, SplitConfig, TrainConfig
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face
from calligan.glyphs.letter_placement import letter_advance_em, letter_placement
from calligan.glyphs.placement import Placement
from calligan.glyphs.raster import Renderer
from calligan.inference.non_han import CURE, KIND, NOUN, NonHanCard
from calligan.models.card import FontCard, read_card
from calligan.models.device import pick_device
from calligan.models.file import read_metadata, read_weights, write_weights
from calligan.models.weights import load_model, replace_weights
from calligan.pairs.batches import Pairs
from calligan.pairs.manifest import FontEntry, Manifest
from calligan.pairs.store import PairStore, Selection
from calligan.project.source import file_digest
from calligan.settings import from_dict, load_toml, merged
from calligan.storage import parse_json
from calligan.training.cuda_graph import StepRunner
from calligan.training.example import step_seed
from calligan.training.feed import Feed
from calligan.training.schedule import learning_rate, progress_of
from calligan.training.state import TrainState

HERE = Path(__file__).resolve().parent
MODEL = HERE / "calligan.safetensors"
# Without "|", which looks like "I" to the network: hands whose "I" has serifs lose them for it.
ASCII = "".join(map(chr, range(0x21, 0x7F))).replace("|", "")
MARKS = "、。，．・：；？！「」『』（）〈〉《》【】〔〕—…～·“”‘’"
CHARS = load_charset("kana") + ASCII + MARKS
# All characters are learned, so the split holds out none (a share must be above 0).
SPLIT = SplitConfig(validation=1e-12, test=0.0)
_FROZEN = ("fold", "encoder", "middle")
_SAVED_EVERY_S, _LOGGED_STEPS = 300.0, 50
_MIN_INK = 3e-4  # a full stop is small
_MARKS_REPEATED = 3  # there are few, and little ink in each, so they are learned slowly


@dataclass(frozen=True)
class Start:
    """Weights to go on from; what their card does not list is repeated so many times more."""

    path: Path
    repeat: int = 6


def main() -> None:
    """Render the data where it is missing, and train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--from", dest="start", type=Path, help="an earlier OUT, to go on from")
    parser.add_argument("--rate", type=float, help="the first learning rate")
    parser.add_argument("--repeat", type=int, default=6, help="what --from FILE lacks, so often")
    options = parser.parse_args()
    config, start = config_of(options.minutes, options.rate), None
    if options.start:
        start = Start(options.start, options.repeat)
    train(selection_of(options.data), options.out, config, start, all_characters())


def selection_of(folder: Path, model: Path = MODEL) -> Selection:
    """The data of a model's first source and its styles, rendered if they are missing."""
    card = read_card(model)
    raster = RasterConfig(size_px=card.size_px)
    store = PairStore(folder, Manifest(raster, SPLIT, CHARS, CHARS, {"validation": "", "test": ""}))
    if (folder / "manifest.json").exists():
        store = PairStore.open(folder)
    for role, fonts in (("source", card.sources[:1]), ("target", card.styles)):
        for font in fonts:
            if store.manifest.named(font.name) is None:
                render(store, role, font)
    return store.select([style.name for style in card.styles])


def render(store: PairStore, role: str, font: FontCard) -> None:
    """Add the characters that a font has, placed as a model draws them."""
    face, han = opened(font, store.manifest.raster.size_px)
    chars, images = "", []
    for char in filter(face.glyph_index, CHARS):
        canvas = np.full((han.size_px, han.size_px), 255, np.uint8)
        place = letter_placement(face, char, han)
        if Renderer(face, place, _MIN_INK).render(char, canvas) is None:
            times = _MARKS_REPEATED if char in MARKS else 1
            chars += char * times
            images += [canvas] * times
    told = {key: value for key, value in asdict(font).items() if key in _ENTRY_FIELDS}
    entry = FontEntry(**{**told, "role": role, "placement": han, "chars": chars})
    store.add_images(entry, np.stack(images))


_ENTRY_FIELDS = {"name", "path", "face", "instance", "font_sha256", "family", "chinese"} | {
    "script",
    "licence",
}


def opened(font: FontCard, size_px: int) -> tuple[Face, Placement]:
    """A font of the bundle, and the placement of its Han characters."""
    face = Face(resolve_font(font.name).spec)
    assert face.sha256 == font.font_sha256, f"fetch {font.name} of the bundle's version"
    return face, Placement(**font.placement).scaled(size_px)


def config_of(minutes: float, rate: float | None = None, **more: Any) -> TrainConfig:
    """The recipe for so many minutes; `rate` is the first learning rate, if not the recipe's."""
    given = {"minutes": minutes, "device": pick_device("auto"), "precision": "bf16", **more}
    config = from_dict(TrainConfig, merged(load_toml(HERE / "non_han.toml"), given))
    (stage,) = config.stages
    stage = replace(stage, learning_rate=rate or stage.learning_rate)
    config = replace(config, generator=read_card(MODEL).generator, stages=(stage,))
    config.validate()
    return config


def train(
    selection: Selection,
    out: Path,
    config: TrainConfig,
    start: Start | None,
    drawn: NonHanCard,
    model: Path = MODEL,
) -> None:
    """Train the decoder of a model, and write it; `drawn` says which characters are to be used."""
    generator, card = load_model(model)
    if start is not None:
        replace_weights(generator, read_weights(start.path, KIND, NOUN, CURE)[0], start.path)
    state = TrainState(config, len(card.styles))
    state.start_from(generator)
    for name, parameter in state.generator.named_parameters():
        if name.split(".")[0] in _FROZEN:
            parameter.requires_grad_(False)
    pairs, (stage,) = Pairs(selection, "train"), config.stages
    if start is not None:
        repeat_hard(pairs, card_of(start.path), start.repeat)
    feed = Feed(pairs, config, card.size_px)
    run_step, began, saved, logged = StepRunner(config), monotonic(), monotonic(), 0.0
    assert config.minutes is not None
    whole_s = round(config.minutes * 60)
    bar = tqdm(total=whole_s, unit="s")
    while (done := progress_of(config, state.counters.step, monotonic() - began)) < 1:
        step = state.counters.step
        torch.manual_seed(step_seed(config.seed, step))
        rate = learning_rate(stage, done, step, config.warmup_steps)
        loss = run_step(state, feed.example(step, stage.augment), rate)["g"]
        state.counters.step += 1
        logged += float(loss) / _LOGGED_STEPS
        bar.update(round(done * whole_s) - bar.n)
        if state.counters.step % _LOGGED_STEPS == 0:
            tqdm.write(f"step {state.counters.step:,}: loss {logged:.4f}")
            logged = 0.0
        if monotonic() - saved > _SAVED_EVERY_S:
            saved = monotonic()
            save(state, out, drawn)
    save(state, out, drawn)


def card_of(path: Path) -> NonHanCard:
    """The card of a file that this script wrote."""
    return from_dict(NonHanCard, parse_json(read_metadata(path, KIND, NOUN, CURE)))


def repeat_hard(pairs: Pairs, known: NonHanCard, times: int) -> None:
    """Draw what the decoder does not draw well yet more often, by so many times."""
    for index, style in enumerate(pairs.styles):
        well = known.hands[style.name]
        hard = "".join(char for char in set(pairs.chars[index]) if char not in well)
        pairs.chars[index] += "".join(sorted(hard)) * times


def save(state: TrainState, out: Path, drawn: NonHanCard) -> None:
    """Write the trained weights."""
    weights = {
        name: value
        for name, value in state.average.state_dict().items()
        if name.split(".")[0] not in _FROZEN
    }
    write_card(out, weights, drawn)


def write_card(out: Path, weights: dict[str, torch.Tensor], card: NonHanCard) -> None:
    """Write the file."""
    write_weights(out, weights, KIND, json.dumps(asdict(card), ensure_ascii=False))


def all_characters() -> NonHanCard:
    """The characters that the fonts of the bundle have, and their advances."""
    card = read_card(MODEL)
    hands = {}
    for style in card.styles:
        face, han = opened(style, card.size_px)
        there = filter(face.glyph_index, CHARS)
        hands[style.name] = {char: letter_advance_em(face, char, han) for char in there}
    return NonHanCard(file_digest(MODEL), card.sources[0].font_sha256, hands)


if __name__ == "__main__":
    main()
