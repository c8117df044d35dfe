"""A hand as a data folder: the glyphs somebody wrote, and the same characters in source fonts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from calligan.config import RasterConfig, SplitConfig
from calligan.errors import DataError
from calligan.glyphs.catalog import FontInfo
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement, fit_placement, measure_placement
from calligan.glyphs.raster import render_glyphs
from calligan.pairs.even import Box, evened
from calligan.pairs.manifest import FontEntry
from calligan.pairs.split import held_out
from calligan.pairs.store import PairStore, Prepared
from calligan.storage import sha256_bytes

OWN = "own"  # the licence of what somebody wrote
HAND = "hand"  # what a hand's data folder calls its characters
_INK = 128  # darker is ink, where a picture's ink is measured
_SEEDS = 64  # tried for a split of the wanted size


@dataclass(frozen=True)
class Written:
    """A hand's entry in a data folder, and its glyphs: uint8 (N, S, S), 255 = paper.

    Row i shows `entry.chars[i]`; a character may come twice.
    """

    entry: FontEntry
    images: np.ndarray


def of_pictures(
    name: str,
    folder: Path,
    glyphs: Sequence[tuple[str, np.ndarray]],
    raster: RasterConfig,
    printed: Mapping[str, Box] | None = None,
) -> Written:
    """Pictures of characters, each in its square, at one scale and offset for all.

    With the ink boxes of characters in print, uneven ones are made more even. Raises DataError
    where none of them has ink.
    """
    inked = [(char, image) for char, image in glyphs if (image < _INK).any()]
    if not inked:
        raise DataError(f"{folder} shows no ink; dark ink on light paper is wanted")
    before = [_ink_box(image) for _, image in inked]
    after = evened([char for char, _ in inked], before, printed or {})
    place = fit_placement([box for _, box in after], raster)
    places = [_moved(place, *each) for each in zip(before, after, strict=True)]
    images = np.stack([_drawn(i, p) for (_, i), p in zip(inked, places, strict=True)])
    entry = FontEntry(
        name=name,
        role="target",
        path=str(folder.resolve()),
        face="",
        instance=None,
        font_sha256=sha256_bytes(images.tobytes()),
        family=name,
        chinese=name,
        script="",
        licence=OWN,
        placement=place,
        chars="".join(char for char, _ in inked),
    )
    return Written(entry, images)


def of_font(name: str, info: FontInfo, chars: str, raster: RasterConfig) -> Written:
    """What a font draws of `chars`. Raises FontError where that is nothing."""
    face = Face(info.spec)
    place = measure_placement(face, chars, raster, least=1)
    glyphs = render_glyphs(info.spec, chars, place, raster.min_ink)
    entry = FontEntry(
        name=name,
        role="target",
        path=str(info.spec.path.resolve()),
        face=info.spec.face,
        instance=info.spec.instance,
        font_sha256=face.sha256,
        family=face.family,
        chinese=info.chinese or face.family,
        script=info.script,
        licence=info.licence,
        placement=place,
        chars=glyphs.chars,
        left_out=glyphs.left_out,
    )
    return Written(entry, glyphs.images)


def hand_store(parent: Path, written: Written, sources: Sequence[Prepared]) -> PairStore:
    """A data folder with one style, and its characters in each of the sources.

    Its name is a digest of what is in it: other glyphs, labels or sources make another folder.
    About a tenth of the written is kept for validation, one at least; none for testing.
    """
    chars = "".join(dict.fromkeys(written.entry.chars))
    raster = RasterConfig(size_px=written.entry.placement.size_px)
    known = [char for char in chars if any(each.face.glyph_index(char) for each in sources)]
    split = split_of("".join(known))
    fonts = [(each.info.name, each.face.sha256, each.placement.to_dict()) for each in sources]
    told = [written.entry.chars, written.entry.name, asdict(raster), fonts]
    key = sha256_bytes(json.dumps(told).encode() + written.images.tobytes())
    folder = parent / f"pairs-{key[:12]}"
    store = PairStore.create_or_open(folder, HAND, chars, raster, split)
    for source in sources:
        store.add(source)
    store.keep(written.entry, written.images)
    return store


def split_of(chars: str) -> SplitConfig:
    """The split by the seed that comes nearest to a tenth of these few characters."""
    splits = [SplitConfig(seed=seed, validation=0.1, test=0.0) for seed in range(_SEEDS)]
    wanted = max(1, round(len(chars) / 10))
    return min(splits, key=lambda split: abs(len(held_out(chars, "validation", split)) - wanted))


def _ink_box(image: np.ndarray) -> Box:
    """Left, bottom, right, top of the ink, in sides of the picture, y up from its lower edge."""
    height, width = image.shape
    rows, columns = np.nonzero((image < _INK).any(1))[0], np.nonzero((image < _INK).any(0))[0]
    side = max(height, width)
    bottom, top = height - rows[-1] - 1, height - rows[0]
    return columns[0] / side, bottom / side, (columns[-1] + 1) / side, top / side


def _moved(place: Placement, before: Box, after: tuple[float, Box]) -> Placement:
    """The placement of one glyph, scaled, whose ink box is to lie elsewhere."""
    scale, box = after
    left, bottom = (new - scale * old for new, old in zip(box[:2], before[:2], strict=True))
    return Placement(
        place.size_px,
        place.em_px * scale,
        place.origin_x_px + place.em_px * left,
        place.baseline_y_px - place.em_px * bottom,
    )


def _drawn(image: np.ndarray, place: Placement) -> np.ndarray:
    """A picture on the canvas, its sides as long as the placement's em."""
    height, width = image.shape
    scale = place.em_px / max(height, width)
    picture = Image.fromarray(255 - image)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    ink = picture.resize(size, Image.Resampling.LANCZOS if scale > 1 else Image.Resampling.BOX)
    canvas = Image.new("L", (place.size_px, place.size_px))
    left, top = round(place.origin_x_px), round(place.baseline_y_px) - size[1]
    canvas.paste(ink, (left, top))
    return 255 - np.asarray(canvas)
