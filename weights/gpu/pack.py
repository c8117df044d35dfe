"""Make the folder that training on a machine without a network needs: `pack.py OUT`.

OUT/fonts holds every font of the bundle cut to its charset, OUT/wheels what a usual PyTorch
machine lacks, OUT/pack.json what is what. Too large for one call, it becomes OUT/1 and OUT/2.
The fonts must have been fetched (`calligan fonts fetch`); each one's drawings are compared.
"""

import io
import json
import os
import random
import shutil
import subprocess
import sys
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
WHEELS = ("freetype-py", "platformdirs")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
ONE_FOLDER, OF_TWO = 38 * 2**20, 36 * 2**20  # bytes a folder may have
FIRST = ("lxgw-wenkai", "arphic-gkai", "noto-serif-sc")  # sources of the first of two folders
COMPARED = 50  # characters a font


def bundle_fonts() -> dict[str, str]:
    """Name to role of the bundle's fonts, as weights/bundle.toml lists them."""
    sources, hands = BUNDLE["sources"], BUNDLE["styles"]
    return dict.fromkeys(sources, "source") | dict.fromkeys(hands, "target")


def cut(spec: FontSpec, chars: str) -> bytes:
    """A font with the outlines of `chars` alone: no hints, layout or glyph names."""
    options = subset.Options(
        hinting=False,
        desubroutinize=True,  # xz finds what repeats better than subroutines do
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
    """Write one font, check that it draws what the catalog's draws, and describe it."""
    info, chars = resolve_font(name), load_charset(CHARSET)
    data = squeeze(cut(info.spec, chars))
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
    for char in random.Random(0).sample(inked, COMPARED):
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


def bring_wheels(folder: Path) -> int:
    """Download the wheels for Python 3.12 on Linux; returns their bytes."""
    folder.mkdir(parents=True)
    options = ["--no-deps", "--only-binary=:all:", "--python-version=3.12", "--implementation=cp"]
    options += [f"--platform={platform}" for platform in PLATFORMS]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "-d", str(folder)]
    subprocess.run([*command, *WHEELS], check=True)
    return sum(path.stat().st_size for path in folder.iterdir())


def main(out: Path) -> None:
    """Pack the bundle into a new folder, or anew into one that holds a pack."""
    if out.exists():
        if not any(out.glob("**/pack.json")):
            raise SystemExit(f"{out} is there and holds no pack; give another folder")
        shutil.rmtree(out)
    (out / "fonts").mkdir(parents=True)
    fonts = bundle_fonts()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        folders = [out / "fonts"] * len(fonts)
        entries = list(pool.map(pack_font, fonts, fonts.values(), folders))
    wheels = bring_wheels(out / "wheels")
    total = wheels + sum(entry["bytes"] for entry in entries)
    parts = [(out, entries)]
    if total + 2**16 > ONE_FOLDER:
        parts = split(out, entries, wheels)
    for folder, held in parts:
        told = json.dumps({"charset": CHARSET, "fonts": held}, indent=1)
        (folder / "pack.json").write_text(told + "\n", encoding="utf-8")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {len(held)} fonts, {size / 2**20:.2f} MiB")


def split(out: Path, entries: list[dict[str, Any]], wheels: int) -> list[tuple[Path, list]]:
    """Move fonts and wheels to OUT/1, as full as may be and a set by itself, and OUT/2."""
    ranked = sorted(entries, key=lambda e: (e["name"] not in FIRST, e["role"] == "source"))
    used, parts = wheels + 2**16, ([], [])
    for entry in ranked:
        used += entry["bytes"]
        parts[used > OF_TWO].append(entry)
    for number, held in enumerate(parts, 1):
        (out / str(number) / "fonts").mkdir(parents=True)
        for entry in held:
            (out / entry["file"]).rename(out / str(number) / entry["file"])
    (out / "wheels").rename(out / "1" / "wheels")
    (out / "fonts").rmdir()
    return [(out / str(number), held) for number, held in enumerate(parts, 1)]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python weights/gpu/pack.py OUT_FOLDER")
    main(Path(sys.argv[1]))
