"""Handwriting as a data folder: written glyphs, and the same characters in source fonts."""

import json
import shutil
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
from calligan.pairs.manifest import FontEntry
from calligan.pairs.normalise import Box, normalise_boxes
from calligan.pairs.split import held_out
from calligan.pairs.store import PairStore, PreparedFont
from calligan.storage import sha256_bytes

OWN_LICENCE = "own"  # the `licence` of handwritten glyphs
HAND_CHARSET = "hand"  # the `charset` of a hand's data folder
_INK_THRESHOLD = 128  # pixels below this are ink
_MAX_SEEDS = 64  # tried, to get a split of the wanted size


@dataclass(frozen=True)
class WrittenGlyphs:
    """A hand's entry in a data folder, and its glyphs: uint8 (N, S, S), 255 = paper.

    Row i shows `entry.chars[i]`; a character may occur more than once.
    """

    entry: FontEntry
    images: np.ndarray


def from_pictures(
    name: str,
    folder: Path,
    glyphs: Sequence[tuple[str, np.ndarray]],
    raster: RasterConfig,
    printed: Mapping[str, Box] | None = None,
) -> WrittenGlyphs:
    """Glyphs from pictures of characters, with one scale and offset for all.

    With `printed`, the ink boxes of characters in print, sizes and positions are normalised. Raises
    DataError where no picture has ink.
    """
    inked = [(char, image) for char, image in glyphs if (image < _INK_THRESHOLD).any()]
    if not inked:
        raise DataError(f"{folder} shows no ink; the pictures need dark ink on light paper")
    before = [_ink_box(image) for _, image in inked]
    after = normalise_boxes([char for char, _ in inked], before, printed or {})
    place = fit_placement([box for _, box in after], raster)
    places = [_move_placement(place, *each) for each in zip(before, after, strict=True)]
    images = np.stack([_draw_on_canvas(i, p) for (_, i), p in zip(inked, places, strict=True)])
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
        licence=OWN_LICENCE,
        placement=place,
        chars="".join(char for char, _ in inked),
    )
    return WrittenGlyphs(entry, images)


def from_font(name: str, info: FontInfo, chars: str, raster: RasterConfig) -> WrittenGlyphs:
    """A font's glyphs of `chars`. Raises FontError where it has none of them."""
    face = Face(info.spec)
    place = measure_placement(face, chars, raster, least=1, option="--chars")
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
    return WrittenGlyphs(entry, glyphs.images)


def make_hand_store(
    parent: Path, written: WrittenGlyphs, sources: Sequence[PreparedFont]
) -> PairStore:
    """Make a data folder with one style, and its characters in each of the sources.

    The folder's name is a digest of glyphs, labels and sources. About a tenth of the characters, at
    least one, is held out for validation, and none for testing.
    """
    chars = "".join(dict.fromkeys(written.entry.chars))
    raster = RasterConfig(size_px=written.entry.placement.size_px)
    available = [char for char in chars if any(each.face.glyph_index(char) for each in sources)]
    split = choose_split("".join(available))
    fonts = [(each.info.name, each.face.sha256, each.placement.to_dict()) for each in sources]
    key_data = [written.entry.chars, written.entry.name, asdict(raster), fonts]
    key = sha256_bytes(json.dumps(key_data).encode() + written.images.tobytes())
    folder = parent / f"pairs-{key[:12]}"
    is_new = not folder.exists()
    try:
        store = PairStore.create_or_open(folder, HAND_CHARSET, chars, raster, split)
        for source in sources:
            store.add(source)
        store.add_images(written.entry, written.images)
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return store


def choose_split(chars: str) -> SplitConfig:
    """The split, over several seeds, whose validation part is closest to a tenth of `chars`."""
    splits = [SplitConfig(seed=seed, validation=0.1, test=0.0) for seed in range(_MAX_SEEDS)]
    wanted = max(1, round(len(chars) / 10))
    return min(splits, key=lambda split: abs(len(held_out(chars, "validation", split)) - wanted))


def _ink_box(image: np.ndarray) -> Box:
    """Left, bottom, right, top of the ink, relative to the longer side; y points up."""
    height, width = image.shape
    inked = image < _INK_THRESHOLD
    rows, columns = np.nonzero(inked.any(1))[0], np.nonzero(inked.any(0))[0]
    side = max(height, width)
    bottom, top = height - rows[-1] - 1, height - rows[0]
    return columns[0] / side, bottom / side, (columns[-1] + 1) / side, top / side


def _move_placement(place: Placement, before: Box, after: tuple[float, Box]) -> Placement:
    """The placement that scales one glyph and moves its ink box from `before` to `after`."""
    scale, box = after
    left, bottom = (new - scale * old for new, old in zip(box[:2], before[:2], strict=True))
    return Placement(
        place.size_px,
        place.em_px * scale,
        place.origin_x_px + place.em_px * left,
        place.baseline_y_px - place.em_px * bottom,
    )


def _draw_on_canvas(image: np.ndarray, place: Placement) -> np.ndarray:
    """Draw a picture on the canvas; its longer side becomes the placement's em."""
    height, width = image.shape
    scale = place.em_px / max(height, width)
    picture = Image.fromarray(255 - image)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    ink = picture.resize(size, Image.Resampling.LANCZOS if scale > 1 else Image.Resampling.BOX)
    canvas = Image.new("L", (place.size_px, place.size_px))
    left, top = round(place.origin_x_px), round(place.baseline_y_px) - size[1]
    canvas.paste(ink, (left, top))
    return 255 - np.asarray(canvas)
