"""Pack what training on a machine without network access needs: `pack.py OUT`.

OUT/fonts has every font of the bundle, reduced to its charset; OUT/wheels has packages that are
usually not installed with PyTorch; OUT/letters.tar.xz has what `weights/non_han.py` learns from,
rendered; OUT/pack.json lists the contents. A large pack is split into
OUT/1 and OUT/2. The fonts must be fetched (`calligan fonts fetch`); sample glyphs of each are
compared.
"""

import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from fontfile import squeeze, unsqueeze
from fontTools import subset
from fontTools.ttLib import TTFont

from calligan.config import RasterConfig, SplitConfig
from calligan.glyphs.catalog import catalog_font, resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import measure_placement
from calligan.pairs.split import held_out
from calligan.storage import sha256_bytes

BUNDLE = tomllib.loads((Path(__file__).parent.parent / "bundle.toml").read_text("utf-8"))
CHARSET = BUNDLE["charset"]
TABLES = {"head", "hhea", "maxp", "hmtx", "cmap", "name", "OS/2", "post", "glyf", "loca", "CFF "}
LETTERS = "letters.tar.xz"
WHEELS = ("freetype-py", "platformdirs")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
MAX_SINGLE_BYTES, MAX_HALF_BYTES = 38 * 2**20, 36 * 2**20  # of a pack in one folder, or two
FIRST_FOLDER_SOURCES = ("lxgw-wenkai", "arphic-gkai", "noto-serif-sc")
COMPARED_CHARS = 50  # per font


def bundle_fonts() -> dict[str, str]:
    """Names of the bundle's fonts to their roles, in the order of weights/bundle.toml."""
    sources, hands = BUNDLE["sources"], BUNDLE["styles"]
    return dict.fromkeys(sources, "source") | dict.fromkeys(hands, "target")


def subset_font(spec: FontSpec, chars: str) -> bytes:
    """Reduce a font to the outlines of `chars`, without hints, layout and glyph names."""
    options = subset.Options(
        hinting=False,
        desubroutinize=True,  # xz compresses repetitions better than subroutines do
        layout_closure=False,
        layout_features=[],
        glyph_names=False,
        notdef_outline=True,
        name_IDs=[0, 1, 13, 14],  # copyright, family, licence and its address
        name_legacy=True,
        name_languages=["*"],
        ignore_missing_unicodes=True,
    )
    options.recalc_bounds = False
    number = int(spec.face)
    font = TTFont(spec.path, fontNumber=number, recalcBBoxes=False, recalcTimestamp=False)
    for tag in set(font.keys()) - TABLES - {"GlyphOrder"}:
        del font[tag]
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=chars)
    subsetter.subset(font)
    font.flavor = None
    output = io.BytesIO()
    font.save(output)
    return output.getvalue()


def pack_font(name: str, role: str, folder: Path) -> dict[str, Any]:
    """Write one font, check that its glyphs equal the original's, and return its entry."""
    info, chars = resolve_font(name), load_charset(CHARSET)
    data = squeeze(subset_font(info.spec, chars))
    path = folder / f"{name}.font.xz"
    path.write_bytes(data)
    original = Face(info.spec)
    with tempfile.TemporaryDirectory() as place:
        plain = Path(place, name)
        plain.write_bytes(unsqueeze(data))
        packed = Face(FontSpec(plain))
    raster = RasterConfig()
    placements = [
        measure_placement(face, held_out(chars, "train", SplitConfig()), raster)
        for face in (original, packed)
    ]
    if placements[0] != placements[1]:
        raise SystemExit(f"{name}: placed at {placements[1]} instead of {placements[0]}")
    inked = [c for c in chars if (g := original.glyph_index(c)) and original.ink_box_em(g)]
    for char in random.Random(0).sample(inked, COMPARED_CHARS):
        drawn = [placements[0].draw(face, face.glyph_index(char)) for face in (original, packed)]
        if drawn[0] is None or drawn[1] is None or not np.array_equal(*drawn):
            raise SystemExit(f"{name}: {char} is drawn differently")
    notdefs = [placements[0].draw(face, 0) for face in (original, packed)]
    if not np.array_equal(*notdefs):
        raise SystemExit(f"{name}: the glyph of missing characters is drawn differently")
    print(f"{name:24}{len(data):10,} bytes, {len(inked)} characters", flush=True)
    return {
        "name": name,
        "role": role,
        "file": f"fonts/{path.name}",
        "face": 0,
        "sha256": sha256_bytes(data),
        "catalog_sha256": original.sha256,
        "catalog_face": catalog_font(name).packages[0].face,
        "inked_chars": len(inked),
        "bytes": len(data),
    }


def download_wheels(folder: Path) -> int:
    """Download the wheels for Python 3.12 on Linux; returns their size in bytes."""
    folder.mkdir(parents=True)
    options = ["--no-deps", "--only-binary=:all:", "--python-version=3.12", "--implementation=cp"]
    options += [f"--platform={platform}" for platform in PLATFORMS]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "-d", str(folder)]
    subprocess.run([*command, *WHEELS], check=True)
    return sum(path.stat().st_size for path in folder.iterdir())


def pack_letters(path: Path) -> int:
    """Render letters, digits, marks and kana of the bundle's fonts; returns the size in bytes."""
    sys.path.append(str(Path(__file__).parent.parent))
    from non_han import selection_of

    with tempfile.TemporaryDirectory() as folder:
        selection_of(Path(folder, "letters"))
        with tarfile.open(path, "w:xz") as tar:
            tar.add(Path(folder, "letters"), ".")
    return path.stat().st_size


def main(out: Path) -> None:
    """Pack the bundle into a new folder, or replace an existing pack."""
    if out.exists():
        if not any(out.glob("**/pack.json")):
            raise SystemExit(f"{out} exists and is not a pack; give another folder")
        shutil.rmtree(out)
    (out / "fonts").mkdir(parents=True)
    fonts = bundle_fonts()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        folders = [out / "fonts"] * len(fonts)
        entries = list(pool.map(pack_font, fonts, fonts.values(), folders))
    letters = pack_letters(out / LETTERS)
    wheels = download_wheels(out / "wheels")
    total = wheels + letters + sum(entry["bytes"] for entry in entries)
    parts = [(out, entries)]
    if total + 2**16 > MAX_SINGLE_BYTES:
        parts = split(out, entries, wheels + letters)
    for folder, included in parts:
        listing = json.dumps({"charset": CHARSET, "fonts": included}, indent=1)
        (folder / "pack.json").write_text(listing + "\n", encoding="utf-8")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {len(included)} fonts, {size / 2**20:.2f} MiB")


def split(out: Path, entries: list[dict[str, Any]], other: int) -> list[tuple[Path, list]]:
    """Move fonts and the rest, of `other` bytes, to OUT/1, which is usable alone, and OUT/2."""
    ranked = sorted(
        entries, key=lambda e: (e["name"] not in FIRST_FOLDER_SOURCES, e["role"] == "source")
    )
    used, parts = other + 2**16, ([], [])
    for entry in ranked:
        used += entry["bytes"]
        parts[used > MAX_HALF_BYTES].append(entry)
    for number, included in enumerate(parts, 1):
        (out / str(number) / "fonts").mkdir(parents=True)
        for entry in included:
            (out / entry["file"]).rename(out / str(number) / entry["file"])
    for name in ("wheels", LETTERS):
        (out / name).rename(out / "1" / name)
    (out / "fonts").rmdir()
    return [(out / str(number), included) for number, included in enumerate(parts, 1)]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python weights/gpu/pack.py OUT_FOLDER")
    main(Path(sys.argv[1]))
