"""Choose the kana that the bundle draws legibly in each hand, though it learned Han alone.

    python weights/kana.py                 # writes weights/kana.json; needs calligan[eval]
    python weights/kana.py --sheets DIR    # and pictures of what was chosen, to be looked at

A kana is chosen if the recogniser of `calligan evaluate` reads it, or reads it as it reads the
source font's, and neither the inspector nor the detectors in SURE doubt it (the others are often
wrong about kana). Otherwise it is drawn in the other ways of the
verdict (weaker style, smaller ...), and the first that is read is taken. Those in REJECTED, and all
of the hands in NONE, were seen to be wrong. Hands of the cursive script have none: their forms
cannot be inferred.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

import calligan
from calligan.evaluation.recogniser import Recogniser
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import is_kana, load_charset
from calligan.glyphs.placement import Placement
from calligan.glyphs.raster import render_glyphs
from calligan.inference.content import PLAIN, WAYS
from calligan.inference.kana import LegibleKana, kana_path
from calligan.inference.writer import Writer
from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.project.source import file_digest
from calligan.reader.faults import Shape, detect
from calligan.reader.limits import shipped
from calligan.reader.reach import CURSIVE
from calligan.storage import write_json

SOURCE, ACROSS = "lxgw-wenkai", 16
SURE = {"speck", "stray", "missing", "broken", "blob"}
# By hand, what looks wrong to the eye.
REJECTED = {"zhi-mang-xing": "とどら", "zcool-xiaowei": "づ"}
NONE = ("zcool-qingke-huangyou", "kouzan-gyosho")  # hands whose kana are mostly so
# Kana that one glyph alone does not tell apart: small from large, へ ヘ and so on, ー 一.
_ALIKE = str.maketrans(
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶヘベペリゝヽ",
    "あいうえおつやゆよわアイウエオツヤユヨワカケへべぺりくく",
)


def alike(read: str, char: str) -> bool:
    """Whether what was read is the character, or one that looks the same by itself."""
    return read.translate(_ALIKE) == char.translate(_ALIKE)


def is_read(seen: str, char: str, printed: Mapping[str, str]) -> bool:
    """Whether a glyph is read as its character, or as the source font's glyph is read."""
    return alike(seen, char) or seen == printed[char]


def chosen(
    writer: Writer, index: int, printed: Mapping[str, str], recogniser: Recogniser
) -> Iterator[tuple[str, str, np.ndarray]]:
    """The legible kana of a hand: name of the way, character, image.

    `printed` says how the source font's glyph of each is read.
    """
    assert writer.proofreader is not None and writer.proofreader.inspector is not None
    inspector, style = writer.proofreader.inspector, writer.card.styles[index]
    calibration = shipped()
    assert calibration is not None
    limits = calibration.limits_of(style.script, style.name)
    drawer = replace(writer.drawer, kana=LegibleKana)  # without the list that is shipped now
    left = "".join(char for char in printed if char not in REJECTED.get(style.name, ""))
    for way in (PLAIN, *(way for way in WAYS if way.source == 0)):
        if not left:
            return
        images = drawer.draw(left, index, way)
        sources = writer.source.images(left)
        sound = inspector.differences(images, sources) <= inspector.limit_of(style.script)
        (read, _), rest = recogniser.read(images), ""
        for char, seen, image, source, whole in zip(
            left, read, images, sources, sound, strict=True
        ):
            faults = detect(image, Shape.of(source), limits).faults
            if is_read(seen, char, printed) and whole and SURE.isdisjoint(faults):
                yield way.name, char, image
            else:
                rest += char
        left = rest


def main() -> None:
    """Write the list, and print how many kana each hand has and how its own are read."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sheets", type=Path)
    sheets = parser.parse_args().sheets
    model = calligan.load("bundle", source=SOURCE, cache=False)
    writer, recogniser = model.writer, Recogniser(is_kana)
    chars = load_charset("kana")
    read, _ = recogniser.read(writer.source.images(chars))
    printed = dict(zip(chars, read, strict=True))
    hands: dict[str, dict[str, str]] = {}
    for index, style in enumerate(tqdm(writer.card.styles, unit="hand")):
        if style.script == CURSIVE or style.name in NONE:
            continue
        found = list(chosen(writer, index, printed, recogniser))
        hands[style.name] = {}
        for way, char, _ in found:
            hands[style.name][way] = hands[style.name].get(way, "") + char
        plain = len(hands[style.name].get(PLAIN.name, ""))
        own = own_rate(style.name, Placement(**style.placement), printed, recogniser)
        tqdm.write(f"{style.name}: {len(found)} of {len(chars)}, {plain} as they are; {own}")
        if sheets:
            sheets.mkdir(parents=True, exist_ok=True)
            save_sheet(sheet_of(found, writer), sheets / f"{style.name}.png")
    digests = {"model": file_digest(model.path), "source": writer.source.digest}
    write_json(kana_path(), {**digests, "hands": hands})


def sheet_of(found: list[tuple[str, str, np.ndarray]], writer: Writer) -> Image.Image:
    """The chosen kana, each below the source font's."""
    rows = []
    for start in range(0, len(found), ACROSS):
        part = found[start : start + ACROSS]
        printed = writer.source.images("".join(char for _, char, _ in part))
        rows += [Row("", list(printed)), Row("", [image for *_, image in part])]
    return contact_sheet(rows, writer.card.size_px)


def own_rate(
    hand: str, placement: Placement, printed: Mapping[str, str], recogniser: Recogniser
) -> str:
    """How many of a font's own kana are read, in words."""
    real = render_glyphs(resolve_font(hand).spec, "".join(printed), placement, 0.001)
    if not len(real.chars):
        return "the font has none"
    read, _ = recogniser.read(real.images)
    right = sum(is_read(seen, c, printed) for seen, c in zip(read, real.chars, strict=True))
    return f"of the font's own {right} of {len(real.chars)} are read"


if __name__ == "__main__":
    main()
