"""The page, ready to be served: dist/web with model, runtime and all, nothing from elsewhere.

    python web/build.py [--out dist/web] [--model bundle] [--letters NAME,NAME]

onnxruntime-web comes by npm, checked by its checksum. The model is converted with int8 weights.
Letters, digits, marks and kana of the hands are drawn here, as they are few: a file for each hand.
"""

import argparse
import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import onnx
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

import calligan
from calligan.config import RasterConfig
from calligan.errors import CalliganError, FetchError
from calligan.glyphs.catalog import load_catalog
from calligan.glyphs.fetch import npm_pack
from calligan.glyphs.placement import Placement
from calligan.models.card import ModelCard
from calligan.storage import sha256_bytes, write_bytes
from calligan.vector.font import UPEM
from calligan.vector.outline import Outline

HERE = Path(__file__).parent
RUNTIME = ("onnxruntime-web", "1.30.0")
RUNTIME_FILES = {  # in the package: the name here, sha256
    "dist/ort.wasm.bundle.min.mjs": (
        "ort.js",
        "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    ),
    "dist/ort-wasm-simd-threaded.wasm": (
        "ort.wasm.gz",
        "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    ),
}
PAGE = ("index.html", "page.css", "icon.svg", "NOTICE.txt", *(p.name for p in HERE.glob("*.js")))
THUMB = "永"
LETTERS, PACKED = "letters-", ".json.gz"  # how the files of letters are named
SAMPLED = 100  # characters by which a browser places a font


def main() -> None:
    """Build the page into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("dist/web"))
    parser.add_argument("--model", default="bundle")
    parser.add_argument("--letters", help="only of these hands, separated by commas; a quick build")
    asked = parser.parse_args()
    files = {name: (HERE / name).read_bytes() for name in PAGE} | runtime()
    data = converted(asked.model)
    files["model.onnx.gz"] = packed(data)
    told = hands(asked.model, data)
    files["hands.json"] = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    files["NOTICE.txt"] += notices(told["hands"])
    files |= letters(asked.model, asked.letters and asked.letters.split(","))
    files["blank.ttf"] = blank_font()
    name_version(files, told["placement"]["size_px"])
    for name, data in files.items():
        write_bytes(asked.out / name, data)
    for name in sorted(files, key=lambda name: -len(files[name])):
        print(f"{len(files[name]) / 1e6:8.3f} MB  {name}")
    print(f"{sum(map(len, files.values())) / 1e6:8.3f} MB  in {asked.out}")


def converted(model: str) -> bytes:
    """The generator as ONNX, int8 weights."""
    with tempfile.TemporaryDirectory() as folder:
        made = calligan.convert(model, Path(folder) / "model.onnx", weights="int8")
        return made.path.read_bytes()


def runtime() -> dict[str, bytes]:
    """onnxruntime-web's files, checked, by the names that they have here."""
    found: dict[str, bytes] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        tarfile.open(npm_pack(*RUNTIME, Path(folder))) as tar,
    ):
        for member, (name, sha256) in RUNTIME_FILES.items():
            file = tar.extractfile(f"package/{member}")
            assert file is not None
            data = file.read()
            if sha256_bytes(data) != sha256:
                raise FetchError(f"{member} of {RUNTIME} has another checksum; nothing was written")
            found[name] = packed(data) if name.endswith(".gz") else data
    return found


def hands(model: str, data: bytes) -> dict[str, Any]:
    """What the page must know of a model: how to place fonts, and each hand."""
    told = {p.key: p.value for p in onnx.load_from_string(data).metadata_props}
    opened = calligan.load(model)
    card, catalog, config = opened.card, load_catalog(), RasterConfig()
    listed = []
    for number, vector in enumerate(json.loads(told["calligan.style_vectors"]), start=1):
        style = card.styles[number - 1]
        (glyph,) = opened.glyphs(THUMB, number)
        by = catalog[style.name].author if style.name in catalog else ""
        listed.append(
            {
                **{key: getattr(style, key) for key in ("name", "chinese", "script", "licence")},
                "author": by,
                "thumb": svg_path(glyph.outline, card.size_px),
                "vector": [round(x, 4) for x in vector],
            }
        )
    placement = {"size_px": card.size_px, "extent": config.extent, "reach": config.reach}
    return {"placement": placement, "sample": sample(card), "hands": listed}


def notices(listed: list[dict[str, Any]]) -> bytes:
    """Which fonts each hand was learned from, by whom and under which licence."""
    rows = [f"  {h['chinese']} ({h['name']}), {h['author'] or '?'}: {h['licence']}" for h in listed]
    return "\n".join(["", "Hands, each learned from one font:", *rows, ""]).encode()


def letters(model: str, wanted: Collection[str] | None) -> dict[str, bytes]:
    """What each hand has besides Han characters, a file a hand.

    A character's advance in ems, its path, and its path in columns where that is another.
    """
    writer, files = calligan.load(model).writer, {}
    size_px = writer.card.size_px
    for index, style in enumerate(writer.card.styles):
        chars = "".join(writer.drawer.advances(index))
        if not chars or (wanted is not None and style.name not in wanted):
            continue
        listed = {}
        for glyph, outline in writer.outlined(chars, index):
            if glyph.verdict and glyph.verdict.replaced:
                continue  # the machine's font has a better one
            letter = writer.drawn_letter(glyph.char, outline, index)
            shapes = [each for each in (letter.outline, letter.vertical) if each is not None]
            listed[glyph.char] = [letter.advance_em, *(svg_path(each, size_px) for each in shapes)]
        data = json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode()
        files[f"{LETTERS}{style.name}{PACKED}"] = packed(data)
    return files


def sample(card: ModelCard) -> str:
    """Characters by which a font is placed: some of those that the model was trained on."""
    return card.trained_chars[:: max(1, len(card.trained_chars) // SAMPLED)][:SAMPLED]


def svg_path(outline: Outline, size_px: int) -> str:
    """An outline as SVG's path data on the model's canvas."""
    place = Placement.full_width(size_px)
    scale = place.em_px / UPEM
    pen = SVGPathPen(None, ntos=lambda value: f"{value:.1f}".removesuffix(".0"))
    outline.draw(TransformPen(pen, (scale, 0, 0, -scale, place.origin_x_px, place.baseline_y_px)))
    return pen.getCommands()


def packed(data: bytes) -> bytes:
    """gzip, the same each time."""
    return gzip.compress(data, 9, mtime=0)


def blank_font() -> bytes:
    """A font in which every character is blank: after another, it ends a browser's search."""
    names, empty = [".notdef", "blank"], TTGlyphPen(None).glyph()
    builder = FontBuilder(UPEM)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({})
    table = CmapSubtable.newSubtable(13)  # many characters, one glyph: a few bytes for all
    table.platformID, table.platEncID, table.language = 3, 10, 0
    table.cmap = dict.fromkeys(range(0x20, 0x3FFFE), "blank")
    builder.font["cmap"].tables.append(table)
    builder.setupGlyf(dict.fromkeys(names, empty))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (UPEM, 0)))
    builder.setupHorizontalHeader()
    builder.setupNameTable({"familyName": "blank", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    file = io.BytesIO()
    builder.font["head"].created = builder.font["head"].modified = 0  # the same each time
    builder.font.recalcTimestamp = False
    builder.font.save(file)
    return file.getvalue()


def name_version(files: dict[str, bytes], size_px: int) -> None:
    """Add files.js, and tell the service worker what to keep, under a name of this version."""
    version = hashlib.sha256()
    for name in sorted(files):
        version.update(name.encode() + files[name])
    store = json.dumps(f"calligan-{version.hexdigest()[:12]}")
    lines = [f"export const STORE = {store};", f"export const SIZE_PX = {size_px};"]
    checked = {n: {"name": n, "sha256": sha256_bytes(files[n])} for n in files if n.endswith(".gz")}
    by_hand = {
        name.removeprefix(LETTERS).removesuffix(PACKED): told
        for name, told in checked.items()
        if name.startswith(LETTERS)
    }
    large = ("MODEL", checked["model.onnx.gz"]), ("RUNTIME", checked["ort.wasm.gz"])
    for constant, told in (*large, ("LETTERS", by_hand)):
        lines.append(f"export const {constant} = {json.dumps(told)};")
    files["files.js"] = "\n".join([*lines, ""]).encode()
    listed = json.dumps(["./", *(name for name in files if name != "offline.js")])
    script = files["offline.js"].decode().replace('"@store@"', store)
    files["offline.js"] = script.replace('["@files@"]', listed).encode()


if __name__ == "__main__":
    try:
        main()
    except CalliganError as error:
        raise SystemExit(f"web/build.py: {error}") from error
