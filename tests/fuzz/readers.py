"""What is fuzzed: each reader, the good files that it reads, how they are damaged, and its use.

A use does what the commands do next with what was read: it may raise CalliganError only.
"""

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import damage
import numpy as np
from conftest import HAN
from hypothesis import strategies as st

from calligan.config import RasterConfig, TrainConfig
from calligan.errors import CalliganError, FontError

Damage = Callable[[bytes], st.SearchStrategy[bytes]]
_TEXT = HAN[:6] + "，\nA"
_VERSE = "一丁七万丈三\n上下不与丐丑\n且世"
OUT = "out"  # the only folder, below the root, that a use may write into


@dataclass(frozen=True)
class Reader:
    """`use(root, path)` reads one damaged file at `path` in a copy of the corpus at `root`."""

    files: str  # a glob in the corpus
    damage: Damage
    use: Callable[[Path, Path], object]


def _font(root: Path, path: Path) -> None:
    from fontTools.pens.recordingPen import RecordingPen

    from calligan.glyphs.face import Face, FontSpec
    from calligan.glyphs.placement import measure_placement
    from calligan.glyphs.raster import Renderer

    spec = FontSpec(path, "1") if path.suffix == ".ttc" else FontSpec(path)
    if path.stem == "variable":
        spec = FontSpec(path, "0", "650")
    face = Face(spec)
    assert face.family.isprintable() and len(face.name_entry(13)) < 20_001
    place = measure_placement(face, HAN[:24], RasterConfig(size_px=64))
    renderer = Renderer(face, place, 0.001)
    for char in _TEXT:
        renderer.render(char, np.full((64, 64), 255, np.uint8))
        glyph = face.glyph_index(char)
        face.advance_em(glyph)
        face.draw_outline(glyph, RecordingPen())
    assert len(face.vertical_forms) >= 0


def _completed(root: Path, path: Path) -> None:
    from calligan.glyphs.face import Face, FontSpec
    from calligan.inference.fontmaker import save_completed
    from calligan.vector.base_font import BaseFont, read_all
    from calligan.vector.font import NotdefBox
    from calligan.vector.name_table import Naming
    from calligan.vector.outline import Outline

    try:
        read_all(str(path), "0", None)
    except Exception as error:  # it is read in a child process, which refuses these
        raise FontError(str(error)) from error
    base = BaseFont.open(path, Face(FontSpec(path)).index)
    assert base.codepoints is not None and isinstance(base.reserved, bool) and base.family
    naming = Naming("Made", "造", "a model", "OFL-1.1", "1.0")
    drawn = {"龘": Outline.from_drawing(NotdefBox())}
    save_completed(root / OUT / f"a{base.suffix}", drawn, base, naming)


def _picture(root: Path, path: Path) -> None:
    from calligan.scan.photo import flatten_page, open_photo

    photo = open_photo(path)
    assert photo.dtype == np.uint8 and photo.ndim == 3
    flatten_page(photo)


def _hand(root: Path, path: Path) -> None:
    from calligan.pairs.handwriting import from_pictures
    from calligan.scan.folder import ScannedGlyph, labels, read_hand, relabel, save_hand

    folder = path.parent
    made = from_pictures("hand", folder, list(read_hand(folder)), RasterConfig(size_px=32))
    assert made.images.shape[1:] == (32, 32)
    out = root / OUT / "hand"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folder, out)
    glyph = ScannedGlyph("书", np.full((32, 32), 255, np.uint8), "page")
    save_hand(out, [glyph], lambda char: None)
    for label in labels(out):
        relabel(out, label.file, "永")


def _page_code(root: Path, path: Path) -> None:
    from calligan.scan.cells import cut_cells
    from calligan.scan.folder import ScannedGlyph, save_hand
    from calligan.scan.template_sheet import TemplateSheet

    sheet = TemplateSheet.from_code(path.read_bytes().decode("utf-8", "replace"))
    if sheet is None:
        return
    cells = cut_cells(np.zeros((3400, 2600), np.float32), sheet, 32)
    glyphs = [ScannedGlyph(cell.char, cell.image, "page") for cell in cells]
    shutil.rmtree(root / OUT, ignore_errors=True)
    save_hand(root / OUT / "code", glyphs, lambda char: None)


def _manifest(root: Path, path: Path) -> None:
    from calligan.pairs.batches import Pairs
    from calligan.pairs.store import PairStore

    store = PairStore.open(root / "data")
    if path.suffix != ".npy":  # training looks at checksums, other commands at shapes
        store.verify()
    names = [font.name for font in store.manifest.of_role("target")]
    selection = store.select(names)
    assert selection.data_hash
    for part in ("train", "validation"):
        pairs = Pairs(selection, part)
        assert pairs.random(2, 2, 0, 0).target.dtype == np.uint8
        pairs.spread(0, 2)


def _run(root: Path, path: Path) -> None:
    from calligan.training.animation import read_curves, read_sheets

    run = _opened_run(root)
    assert run.finished in (True, False)
    read_curves(run)
    run.trim_log(4)
    list(read_sheets(run))
    assert run.selection().data_hash


def _opened_run(root: Path):
    from calligan.project.run import Run

    return Run.open(root / "runs" / "0001")


def _samples(root: Path, path: Path) -> None:
    from calligan.training.animation import render_frames

    frames = list(render_frames(_opened_run(root), [0], 2))
    assert frames[0].dtype == np.uint8


def _checkpoint(root: Path, path: Path) -> None:
    from calligan.storage import sha256_bytes
    from calligan.training.state import TrainState, newest_verified

    folder = path.parent
    if path.name != "manifest.json":  # the checksum holds
        digests = {n: sha256_bytes((folder / n).read_bytes()) for n in _CHECKPOINT_FILES}
        (folder / "manifest.json").write_text(json.dumps(digests))
    newest_verified(folder.parent)
    run = _opened_run(root)
    TrainState(run.config, len(run.styles)).load(folder)


_CHECKPOINT_FILES = ("state.safetensors", "state.json")


def _model(root: Path, path: Path) -> None:
    from calligan.models.weights import load_model, read_card
    from calligan.project.source import trained_sources

    card = read_card(path)
    for style in card.styles:
        assert card.style_index(style.name) >= 0
    card.check_unseen("")
    list(trained_sources(card))
    load_model(path)


def _critic(root: Path, path: Path) -> None:
    from calligan.models.weights import load_critic

    load_critic(path)


def _config(root: Path, path: Path) -> None:
    from calligan.settings import from_dict, load_toml, parse_setting, replaced

    config = from_dict(TrainConfig, load_toml(path))
    for line in path.read_text("utf-8", "replace").splitlines()[:3]:
        if "=" in line:
            key, value = parse_setting(line)
            config = replaced(config, {key.strip('"'): value})
    config.validate()


def _format(root: Path, path: Path) -> None:
    from test_pages import SETTING

    from calligan.page.formats import load_format
    from calligan.page.layout import Words, lay_out
    from calligan.page.svg import to_svg

    form = load_format(str(path))
    for page in lay_out(Words(_VERSE, "题", "款"), form, SETTING)[:3]:
        to_svg(page)


def _charset(root: Path, path: Path) -> None:
    from calligan.glyphs.charset import check_text, load_charset, load_text

    assert load_charset(str(path))
    check_text(load_text(str(path)))


@lru_cache(maxsize=4)
def _parts_of_model(good: bytes) -> tuple[dict, str, bytes]:
    (length,) = struct.unpack_from("<Q", good)
    header = json.loads(good[8 : 8 + length])
    about = header.pop("__metadata__")
    return header, json.dumps(about), good[8 + length :]


@st.composite
def changed_model(draw: st.DrawFn, good: bytes) -> bytes:
    """A model whose card makes no sense and whose checksum holds; else another header or bytes."""
    from safetensors.torch import load

    from calligan.models.file import _digest

    kind = draw(st.sampled_from(["card", "card", "card", "header", "bytes"]))
    if kind == "bytes":
        return draw(damage.changed_bytes(good))
    header, about_text, weights = _parts_of_model(good)
    about = json.loads(about_text)
    if kind == "card":
        key = next(key for key in about if key not in ("format", "sha256"))
        about[key] = draw(damage.changed_json(about[key].encode())).decode("utf-8", "replace")
        about["sha256"] = _digest(load(good), about[key])
    whole = {"__metadata__": about, **header}
    if kind == "header":
        whole = draw(damage.changed_values(whole))
    text = json.dumps(whole, ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")
    return struct.pack("<Q", len(text)) + text + weights


def _lines(good: bytes) -> st.SearchStrategy[bytes]:
    first = good.splitlines()[0]
    return st.lists(damage.changed_json(first) | damage.changed_bytes(first), max_size=4).map(
        lambda lines: b"\n".join([*lines, good])
    )


RUN = "runs/0001"
READERS: dict[str, Reader] = {
    "font": Reader("fonts/*", damage.changed_font, _font),
    "completed": Reader("fonts/*.?tf", damage.changed_font, _completed),
    "picture": Reader("pictures/*", damage.changed_bytes, _picture),
    "png": Reader("pictures/*.png", damage.changed_png, _picture),
    "glyph": Reader("hand/*.png", damage.changed_png, _hand),
    "labels": Reader("hand/labels.csv", damage.changed_table, _hand),
    "page-code": Reader("texts/charset.txt", damage.page_codes, _page_code),
    "manifest": Reader("data/manifest.json", damage.changed_json, _manifest),
    "array": Reader("data/glyphs/*.npy", damage.changed_bytes, _manifest),
    "run": Reader(f"{RUN}/run.json", damage.changed_json, _run),
    "config": Reader(f"{RUN}/config.json", damage.changed_json, _run),
    "log": Reader(f"{RUN}/log.jsonl", _lines, _run),
    "samples": Reader(f"{RUN}/samples/*.png", damage.changed_png, _samples),
    "checkpoint": Reader(f"{RUN}/checkpoints/0000006/*.json", damage.changed_json, _checkpoint),
    "state": Reader(f"{RUN}/checkpoints/0000006/*.safetensors", damage.changed_bytes, _checkpoint),
    "model": Reader(f"{RUN}/best.safetensors", changed_model, _model),
    "critic": Reader(f"{RUN}/best-critic.safetensors", changed_model, _critic),
    "toml": Reader("settings/config.toml", damage.changed_toml, _config),
    "format": Reader("texts/*.toml", damage.changed_toml, _format),
    "charset": Reader("texts/charset.txt", damage.changed_text, _charset),
}
EXPECTED = CalliganError
