"""Choose the letters, digits, marks and kana that the bundle draws well in each hand.

    python weights/legible.py                 # rewrites weights/non-han.safetensors
    python weights/legible.py --sheets DIR    # and pictures of what was chosen, to be looked at

It needs calligan[eval]. A glyph that the hand's font has is chosen if it hardly differs from the
font's own, which the decoder has learned: the same pieces and counters, and nearly the same ink.
Other kana are chosen if the recogniser of `calligan evaluate` reads them, or reads them as it reads
the source font's, and neither the inspector nor the detectors in SURE doubt them (the others are
often wrong about kana). Where a font has no kana, those of the model's own decoder are used if more
of them are legible. Those in ACCEPTED and REJECTED were seen to be right or wrong. Of letters, of
digits and of marks that go in pairs, a hand has all or none.
"""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from string import ascii_letters, digits

import numpy as np
from non_han import CHARS, all_characters, opened, write_card
from PIL import Image
from tqdm import tqdm

import calligan
from calligan.evaluation.recogniser import Recogniser
from calligan.glyphs.charset import is_kana, load_charset
from calligan.glyphs.letter_placement import letter_placement
from calligan.inference.drawer import Drawer
from calligan.inference.non_han import CURE, KIND, NOUN, NonHan, NonHanCard
from calligan.inference.writer import Writer
from calligan.models.file import read_weights
from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.reader.faults import Shape, detect, measured
from calligan.reader.limits import shipped
from calligan.resources import non_han_weights

SOURCE, ACROSS = "lxgw-wenkai", 16
MAX_DIFFERENCE = 0.5  # ink that differs, as a share of the font's
MAX_OFF = 0.04  # ink that lies far from the other's, as a share
SURE = {"speck", "stray", "missing", "broken", "blob"}
# Of these a hand has all or none: a word, a number or a pair of marks in two hands looks wrong.
PAIRS = ("()", "[]", "{}", "<>", "“”", "‘’", "「」", "『』", "（）", "〈〉", "《》", "【】", "〔〕")
GROUPS = (ascii_letters, digits, *PAIRS)
# By hand, what looks right to the eye though the limits refuse it (some of it is blank in the
# font), and what looks wrong.
ACCEPTED = {
    "ma-shan-zheng": "$",
    "zhi-mang-xing": "$6{",
    "liu-jian-mao-cao": "$)28？！",
    "yuji-syuku": "&9・",
    "kouzan-mouhitsu": "%@DIQm。—·",
    "kouzan-gyosho": "&DQ{。—·",
    "kouzan-sosho": "@DIQ{}。．：！（）—～·",
    "aoyagi-soseki": "DQx。—·",
    "aoyagi-kouzan-t": "%@DQm{。．：？！（）—～·",
    "zcool-xiaowei": "3",
    "potta-one": "!？",
    "reggae-one": "。",
    "kaisei-tokumin": "8JQXkm}』",
    "yusei-magic": "7@",
    "hachi-maru-pop": "789?@？",
    "yomogi": "147",
}
REJECTED = {"kouzan-gyosho": "の", "kaisei-tokumin": "ag"}
# Hands of which only kana that their font has are chosen: others cannot be inferred from 草, and
# are mostly wrong in the last.
NO_KANA = ("liu-jian-mao-cao", "kouzan-sosho", "zcool-qingke-huangyou")
ALL_KANA = load_charset("kana")
# Kana that one glyph alone does not tell apart: small from large, へ ヘ and so on, ー 一.
_ALIKE = str.maketrans(
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶヘベペリゝヽ",
    "あいうえおつやゆよわアイウエオツヤユヨワカケへべぺりくく",
)


def main() -> None:
    """Choose, rewrite the file, and print how many of which kind each hand has."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sheets", type=Path)
    sheets = parser.parse_args().sheets
    path = non_han_weights()
    assert path is not None, "run weights/non_han.py"
    every, writer = all_characters(), calligan.load("bundle", source=SOURCE, cache=False).writer
    recogniser = Recogniser(is_kana)
    plain = replace(writer.drawer, non_han=NonHan)
    hands: dict[str, dict[str, float]] = {}
    by_model: dict[str, str] = {}
    for index, style in enumerate(tqdm(writer.card.styles, unit="hand")):
        advances = every.hands[style.name]
        hand = {**dict.fromkeys(ALL_KANA, 1.0), **advances}
        card = replace(every, hands={style.name: hand})
        drawer = replace(writer.drawer, non_han=partial(NonHan, path, card))
        found = learned(drawer, index)
        count, there = len(found), "".join(char for char, _ in found)
        rest = "".join(c for c in hand if is_kana(c) and c not in there)
        if rest and style.name not in NO_KANA:
            kana = legible(writer, drawer, index, rest, recogniser)
            if len(rest) == len(ALL_KANA):  # the font has none: the model's own may be better
                own = legible(writer, plain, index, rest, recogniser)
                if len(own) > len(kana):
                    kana, by_model[style.name] = own, "".join(char for char, _ in own)
            found += kana
        found += [(c, drawer.draw(c, index)[0]) for c in ACCEPTED.get(style.name, "")]
        rejected = REJECTED.get(style.name, "")
        chosen = whole_groups({char for char, _ in found if char not in rejected})
        hands[style.name] = {char: advance for char, advance in hand.items() if char in chosen}
        number = sum(map(is_kana, chosen))
        which = " of the model's own" * (style.name in by_model)
        tqdm.write(
            f"{style.name}: {count} of its own {len(advances)} are alike; chosen "
            f"{len(chosen) - number} of {len(hand) - len(ALL_KANA)}, and {number} kana{which}"
        )
        if sheets:
            sheets.mkdir(parents=True, exist_ok=True)
            save_sheet(sheet_of(found, writer), sheets / f"{style.name}.png")
    weights, _ = read_weights(path, KIND, NOUN, CURE)
    write_card(path, weights, NonHanCard(every.model, every.source, hands, by_model))


def whole_groups(chosen: set[str]) -> set[str]:
    """Without groups of which only a part was chosen."""
    broken = [set(group) for group in GROUPS if not chosen.issuperset(group)]
    return chosen.difference(*broken)


def learned(drawer: Drawer, index: int) -> list[tuple[str, np.ndarray]]:
    """The characters that the font of a hand has, drawn as it has them; and their images."""
    style = drawer.card.styles[index]
    face, han = opened(style, drawer.card.size_px)
    chars = "".join(filter(face.glyph_index, CHARS))
    images, found = drawer.draw(chars, index), []
    for char, image in zip(chars, images, strict=True):
        glyph = face.glyph_index(char)
        real = letter_placement(face, char, han).draw(face, glyph)
        if real is not None and is_alike(image, real):
            found.append((char, image))
    return found


def is_alike(drawn: np.ndarray, real: np.ndarray) -> bool:
    """Whether a drawn glyph, uint8 (S, S), hardly differs from the font's."""
    shape, own = Shape.of(real), Shape.of(drawn)
    ink, found = 255.0 - real, measured(drawn, shape)
    differs = np.abs(255.0 - drawn - ink).sum() / ink.sum()
    same = (own.pieces, own.counters) == (shape.pieces, shape.counters)
    off = max(found["ink_missing"], found["ink_stray"])
    return same and off <= MAX_OFF and differs <= MAX_DIFFERENCE and not found["speck_px2"]


def legible(
    writer: Writer, drawer: Drawer, index: int, chars: str, recogniser: Recogniser
) -> list[tuple[str, np.ndarray]]:
    """Those of some kana that are legible, and their images."""
    assert writer.proofreader is not None and writer.proofreader.inspector is not None
    inspector, style = writer.proofreader.inspector, writer.card.styles[index]
    calibration = shipped()
    assert calibration is not None
    limits = calibration.limits_of(style.script, style.name)
    images, sources = drawer.draw(chars, index), writer.source.images(chars)
    sound = inspector.differences(images, sources) <= inspector.limit_of(style.script)
    seen, printed = (recogniser.read(each)[0] for each in (images, sources))
    found = []
    for at, char in enumerate(chars):
        faults = detect(images[at], Shape.of(sources[at]), limits).faults
        is_read = alike(seen[at], char) or seen[at] == printed[at]
        if is_read and sound[at] and SURE.isdisjoint(faults):
            found.append((char, images[at]))
    return found


def alike(seen: str, char: str) -> bool:
    """Whether what was read is the character, or one that looks the same by itself."""
    return seen.translate(_ALIKE) == char.translate(_ALIKE)


def sheet_of(found: list[tuple[str, np.ndarray]], writer: Writer) -> Image.Image:
    """The chosen characters, each below the source font's."""
    rows = []
    for start in range(0, len(found), ACROSS):
        part = found[start : start + ACROSS]
        printed = writer.source.images("".join(char for char, _ in part))
        rows += [Row("", list(printed)), Row("", [image for _, image in part])]
    return contact_sheet(rows, writer.card.size_px)


if __name__ == "__main__":
    main()
