"""Good inputs for the fuzzer, all made here: fonts, pictures, a hand, a data folder and a run."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from conftest import HAN, TINY, build_font
from damage import to_toml
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTCollection, TTFont, woff2
from PIL import Image

from calligan.config import TrainConfig
from calligan.settings import to_dict

_CHARS = HAN[:24]
_PICTURES = {"png": {}, "jpg": {}, "tif": {"compression": "tiff_lzw"}, "webp": {}, "bmp": {}}


def make_corpus(folder: Path, run: Callable[..., object] | None = None) -> Path:
    """Make it, unless it is there; `run` runs a command of calligan that must succeed."""
    if not (folder / "done").exists():
        for part in ("fonts", "pictures", "hand", "texts", "settings"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        _fonts(folder / "fonts")
        _pictures(folder / "pictures")
        _hand(folder / "hand")
        _texts(folder / "texts")
        _run(folder, run or _calligan)
        (folder / "done").touch()
    return folder


def _fonts(folder: Path) -> None:
    plain = build_font(folder / "plain.ttf", _CHARS + "Ab，")
    font = TTFont(plain)
    comma, one = (f"u{ord(c):04X}" for c in ("，", _CHARS[0]))
    features = f"feature vert {{ sub {comma} by {one}; }} vert;"
    addOpenTypeFeaturesFromString(font, features)
    font.save(folder / "vertical.ttf")
    font.flavor = "woff"
    font.save(folder / "vertical.woff")
    woff2.compress(str(plain), str(folder / "plain.woff2"))
    _cff(folder / "plain.otf")
    both = TTCollection()
    both.fonts = [TTFont(plain), TTFont(folder / "vertical.ttf")]
    both.save(folder / "both.ttc")
    _variable(folder / "variable.ttf")


def _builder(is_ttf: bool) -> tuple[FontBuilder, list[str]]:
    builder = FontBuilder(1000, isTTF=is_ttf)
    names = [".notdef", *(f"u{ord(char):04X}" for char in _CHARS)]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(char): f"u{ord(char):04X}" for char in _CHARS})
    return builder, names


def _finish(builder: FontBuilder, names: list[str], path: Path) -> None:
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120)
    builder.setupPost()
    builder.save(path)


def _cff(path: Path) -> None:
    builder, names = _builder(is_ttf=False)
    strings = {}
    for number, name in enumerate(names):
        pen = T2CharStringPen(1000, None)
        pen.moveTo((100, 100 + 10 * number))
        pen.curveTo((300, 700), (600, 700), (800, 100))
        pen.lineTo((500, 50))
        pen.closePath()
        strings[name] = pen.getCharString()
    builder.setupNameTable({"familyName": "Curves", "styleName": "Regular"})
    builder.setupCFF("Curves", {"FullName": "Curves"}, strings, {})
    _finish(builder, names, path)


def _variable(path: Path) -> None:
    source = TTFont(path.with_name("plain.ttf"))
    builder, names = _builder(is_ttf=True)
    builder.setupGlyf({name: source["glyf"][name] for name in names})
    builder.setupNameTable({"familyName": "Variable", "styleName": "Regular"})
    builder.setupFvar([("wght", 100, 400, 900, "Weight")], [])
    from fontTools.ttLib.tables.TupleVariation import TupleVariation

    def wider(name: str) -> TupleVariation:
        count = len(source["glyf"][name].getCoordinates(source["glyf"])[0]) + 4
        return TupleVariation({"wght": (0.0, 1.0, 1.0)}, [(9, 9)] * count)

    builder.setupGvar({name: [wider(name)] for name in names})
    _finish(builder, names, path)


def _pictures(folder: Path) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (96, 80, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind, options in _PICTURES.items():
        image.save(folder / f"a.{kind}", **options)
    image.save(folder / "turned.jpg", exif=exif)
    for mode in ("1", "L", "P", "RGBA", "I;16"):
        image.convert("L" if mode == "I;16" else mode).convert(mode).save(
            folder / f"{mode.replace(';', '')}.png"
        )
    image.convert("CMYK").save(folder / "cmyk.jpg")


def _hand(folder: Path) -> None:
    rows = ["file,char,page,note"]
    for number, char in enumerate(_CHARS[:4]):
        glyph = np.full((48, 48), 255, np.uint8)
        glyph[10 + number : 30, 12:36] = 0
        Image.fromarray(glyph).save(folder / f"{char}.png")
        rows.append(f"{char}.png,{char},page1.jpg,{'reads badly' if number else ''}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _texts(folder: Path) -> None:
    root = Path(__file__).parents[2]
    for path in (root / "formats").glob("*.toml"):
        (folder / path.name).write_bytes(path.read_bytes())
    config = folder.parent / "settings" / "config.toml"
    config.write_text(to_toml(to_dict(TrainConfig())), encoding="utf-8")
    (folder / "charset.txt").write_text(f"# a comment\n{_CHARS}\n𠀀々〇\n", encoding="utf-8")


def _run(folder: Path, run: Callable[..., object]) -> None:
    """A data folder of two fonts and a run of eight steps."""
    data, runs = folder / "data", folder / "runs"
    fonts = (build_font(folder / "fonts" / f"{n}.ttf", weight=w) for n, w in _WEIGHTS.items())
    run("render-pairs", *fonts, "--data", data, "--charset", HAN, "--size", 32)
    settings = [part for setting in TINY for part in ("--set", setting)]
    run(*("train", "--styles", 1, "--steps", 6, "--data", data, "--runs", runs), *settings)


_WEIGHTS = {"source": 60, "bold": 110}


def _calligan(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "calligan", *map(str, arguments)], check=True)
