"""Choose the letters, digits, marks and kana that the bundle draws well in each hand.

    python weights/legible.py                 # rewrites weights/non-han.safetensors
    python weights/legible.py --sheets DIR    # and pictures of what was chosen, to be looked at
    python weights/legible.py --for-training FILE    # and a copy for `non_han.py --from`

It needs calligan[eval]. A glyph that the hand's font has is chosen if it hardly differs from the
font's own, which the decoder has learned: the same pieces and counters, and nearly the same ink.
Other kana are chosen if the recogniser of `calligan evaluate` reads them, or reads them as it reads
the source font's, and neither the inspector nor the detectors in SURE doubt them (the others are
often wrong about kana). Where a font has no kana, those of the model's own decoder are used if more
of them are legible. Those in ACCEPTED and REJECTED were seen to be right or wrong. Of letters, of
digits and of marks that go in pairs, a hand has all or none, but for training.
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
from calligan.inference.non_han import CURE, KIND, NOUN, NonHan, NonHanCard, class_of
from calligan.inference.writer import Writer
from calligan.models.card import FontCard
from calligan.models.file import read_weights
from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.reader.faults import Shape, detect, measured
from calligan.reader.limits import shipped
from calligan.resources import non_han_weights
from calligan.vector.straight_edges import edges_of

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
    "ma-shan-zheng": "$6DEISWbkp",
    "zhi-mang-xing": "$68EFWjkpw{",
    "liu-jian-mao-cao": "$%+=?^2358ABIJPRbdeinp",
    "long-cang": "AJ《",
    "yuji-syuku": "$&9EFQakmp",
    "kouzan-mouhitsu": "%@DQm{。·』",
    "kouzan-gyosho": "DQ{}。·",
    "kouzan-sosho": "@DQm{}。．：；？（）～·",
    "aoyagi-soseki": "DQkmx。·",
    "aoyagi-kouzan-t": "#%@DQm。．：？！（）～·",
    "zcool-xiaowei": "&3I』",
    "zcool-kuaile": "Yq",
    "potta-one": "!？",
    "reggae-one": "BPep。",
    "kaisei-tokumin": "8MQRXagkm}·",
    "yusei-magic": "%7@“”",
    "hachi-maru-pop": "789!?@-BEFHMNgijpq・？}",
    "yomogi": "7@Qahlmy{·",
}
REJECTED = {
    "kouzan-gyosho": "のん",
    "long-cang": "&",
    "yomogi": "—",
    "hachi-maru-pop": ",;，；'‘’",
}
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
    """Choose, rewrite the file, and print the table of docs/verdict.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--for-training", type=Path)
    options = parser.parse_args()
    sheets = options.sheets
    path = non_han_weights()
    assert path is not None, "run weights/non_han.py"
    every, writer = all_characters(), calligan.load("bundle", source=SOURCE, cache=False).writer
    recogniser = Recogniser(is_kana)
    plain = replace(writer.drawer, non_han=NonHan)
    hands: dict[str, dict[str, float]] = {}
    single: dict[str, dict[str, float]] = {}  # the same, but groups are not kept together
    by_model: dict[str, str] = {}
    edges = {style.name: edges_by_class(style, writer.card.size_px) for style in writer.card.styles}
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
        right = {char for char, _ in found if char not in rejected}
        chosen = whole_groups(right)
        hands[style.name] = {char: advance for char, advance in hand.items() if char in chosen}
        single[style.name] = {char: advance for char, advance in hand.items() if char in right}
        cells = table_row(chosen, " by the model itself" * (style.name in by_model))
        tqdm.write(f"| {style.name} | {count} of {len(advances)} | {cells} |")
        if sheets:
            sheets.mkdir(parents=True, exist_ok=True)
            save_sheet(sheet_of(found, writer), sheets / f"{style.name}.png")
    weights, _ = read_weights(path, KIND, NOUN, CURE)
    write_card(path, weights, NonHanCard(every.model, every.source, hands, by_model, edges))
    if options.for_training:
        write_card(options.for_training, weights, replace(every, hands=single))


def edges_by_class(style: FontCard, size_px: int) -> dict[str, str]:
    """Which edges the font's own letters, marks and kana have (vector/straight_edges.py)."""
    face, han = opened(style, size_px)
    images: dict[str, list[np.ndarray]] = {}
    for char in filter(face.glyph_index, CHARS):
        drawn = letter_placement(face, char, han).draw(face, face.glyph_index(char))
        if drawn is not None:
            images.setdefault(class_of(char), []).append(drawn)
    return {name: edges_of(each, han.em_px) for name, each in images.items()}


def table_row(chosen: set[str], by_whom: str) -> str:
    """Whether a hand has letters and digits, and how many marks and kana, as cells of a table."""
    kana = sum(map(is_kana, chosen))
    marks = sum(not is_kana(char) and not (char.isascii() and char.isalnum()) for char in chosen)
    letters, numbers = ("yes" if chosen.issuperset(group) else "–" for group in GROUPS[:2])
    return f"{letters} | {numbers} | {marks} | {f'{kana}{by_whom}' if kana else '–'}"


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
