"""Good folders (data, hand, runs, hands), the ways in which each may be wrong, and its commands."""

import io
import json
import os
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from conftest import HAN, TINY, build_font, save_inked
from corpus import _calligan as calligan
from PIL import Image

Damage = Callable[[Path, Path], object]  # takes the folder, and one of files of others
SIZE_PX = 32
SET = " ".join(f"--set {setting.replace(' ', '')}" for setting in TINY)
_LEARN = f"--model model.safetensors --source source.ttf --steps 2 {SET}"
_SCAN = f"scan page.png --text {HAN[:3]} --columns rows --font source.ttf --size 64"
_DRAW = "--source source.ttf --no-cache"
RUN, MINE = "0001", "mine/0001"
COMMANDS = {
    "data": (
        f"render-pairs source.ttf bold.ttf --charset {HAN} --size 32 --data data",
        f"render-pairs source.ttf other.ttf --charset {HAN} --size 32 --data data",
        f"train --data data --steps 2 --styles 1 --runs out {SET}",
        "evaluate model.safetensors --data data --styles bold --count 2 --json out.json",
        "train --resume runs/0001",
    ),
    "hand": (
        f"learn new --from hand --hands out {_LEARN}",
        f"{_SCAN} -o hand",
        "check hand --font source.ttf --json out.json --sheet out.png",
        "restyle hand --model model.safetensors -o out",
    ),
    "runs": (
        "train --resume runs/0001",
        f"infer {HAN[:2]} --model runs/0001 {_DRAW} -o out.png",
        "evaluate runs/0001 --styles bold --count 2 --json out.json",
        "animate runs/0001 -o out.gif",
        "animate runs/0001 -o out.png",
        f"train --data data --from runs/0001 --steps 2 --styles 1 --runs out {SET}",
    ),
    "hands": (
        f"infer {HAN[:2]} --style mine {_DRAW} -o out.png",
        f"export --charset {HAN[:3]} --style mine {_DRAW} -o out.ttf",
        "learn mine --plan 5 --source source.ttf -o out.pdf",
        f"learn mine --from hand --hands hands {_LEARN}",
        f"morph {HAN[:2]} --styles mine,bold --model model.safetensors --steps 2 -o out.gif",
        "styles --model mine --json out.json",
    ),
}


@dataclass(frozen=True)
class Wrong:
    """One way in which a folder is wrong."""

    kind: str
    name: str
    damage: Damage


def make_good(folder: Path, run: Callable[..., object] = calligan) -> Path:
    """Make the good folders, with what commands need beside them, unless they are there.

    `run` runs a command of calligan, in the folder that this process is in, that must succeed.
    """
    if (folder / "source.txt").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "hand").mkdir(parents=True)
    for name, weight in (("source", 60), ("bold", 110), ("other", 90)):
        build_font(folder / f"{name}.ttf", weight=weight)
    for number, char in enumerate(HAN[:8]):
        _glyph(number).save(folder / "hand" / f"{char}.png")
    rows = [f"{char}.png,{char},page.jpg,{'faint' * (char == HAN[1])}" for char in HAN[:8]]
    labels = "\n".join(["file,char,page,note", *rows, ""])
    (folder / "hand" / "labels.csv").write_text(labels, encoding="utf-8")
    page = np.full((300, 700), 255, np.uint8)
    for left in (60, 280, 500):
        page[80:220, left : left + 60] = page[120:150, left : left + 140] = 0
    Image.fromarray(page).save(folder / "page.png")
    here = Path.cwd()
    os.chdir(folder)
    try:
        _run_commands(run)
    finally:
        os.chdir(here)
    (folder / "source.txt").write_text(HAN, encoding="utf-8")
    return folder


def _run_commands(calligan: Callable[..., object]) -> None:
    calligan(*COMMANDS["data"][0].split())
    calligan(*f"train --data data --steps 6 --styles 1 --runs runs {SET}".split())
    save_inked(Path("runs/0001/best.safetensors"), Path("model.safetensors"))
    shutil.copy("model.safetensors", "runs/0001/best.safetensors")
    calligan(*f"learn mine --from hand --hands hands {_LEARN}".split())
    save_inked(Path("hands/mine/0001/best.safetensors"), Path("inked.safetensors"))
    Path("inked.safetensors").replace("hands/mine/0001/best.safetensors")


def _glyph(number: int) -> Image.Image:
    image = np.full((48, 48), 255, np.uint8)
    image[10 + number : 30, 12:36] = image[4:44, 20 : 24 + number] = 0
    return Image.fromarray(image)


# Files that are something else, in any folder.


def _missing(path: Path, others: Path) -> None:
    path.unlink()


def _contents(path: Path, others: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _folder(path: Path, others: Path) -> None:
    path.unlink()
    (path / "inner").mkdir(parents=True)


def _pipe(path: Path, others: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link(path: Path, others: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target if target.startswith("/") else others / target)


def _linked(path: Path, others: Path) -> None:
    """A right file of others."""
    shutil.copy(path, others / path.name)
    _link(path, others, path.name)


def _huge(path: Path, others: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2**40)


def _closed(path: Path, others: Path) -> None:
    path.chmod(0)


ANY_FILE: dict[str, Damage] = {
    "missing": _missing,
    "empty": partial(_contents, change=lambda data: b""),
    "half": partial(_contents, change=lambda data: data[: len(data) // 2]),
    "longer": partial(_contents, change=lambda data: data + bytes(99)),
    "garbage": partial(_contents, change=lambda data: b"\x00\xff\x1b[2J\xe2\x80\xae" * 99),
    "zip": partial(_contents, change=lambda data: _bomb()),
    "is a folder": _folder,
    "is a pipe": _pipe,
    "closed": _closed,
    "huge": _huge,
    "link to a right file of others": _linked,
    "link to mine.txt": partial(_link, target="mine.txt"),
    "link to nothing": partial(_link, target="nothing"),
    "link to /dev/zero": partial(_link, target="/dev/zero"),
    "link to itself": lambda path, others: _link(path, others, str(path)),
}


def _bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(20 * 2**20))
    return file.getvalue()


def _any_file(kind: str, names: list[str]) -> Iterator[Wrong]:
    for name in names:
        for how, damage in ANY_FILE.items():
            yield Wrong(kind, f"{name} {how}", partial(_at, name, damage))


def _at(name: str, damage: Damage, folder: Path, others: Path) -> None:
    damage(folder / name, others)


# JSON of the right shape and the wrong sense.

_ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**62, 1e300, "", "..", "../../others/mine.txt", "a\x1b[2J\u202e\n", "\0"),
    *("x" * 100_000, "\ud800", [], {}, [[]], ["a"] * 10_000, {"a": {"a": None}}, HAN[0], HAN * 999),
)


def _json(kind: str, name: str, paths: str) -> Iterator[Wrong]:
    """Each value at a path (`fonts.0.name`) replaced by odd ones, and removed."""
    for path in paths.split():
        for number, odd in enumerate((*_ODD, KeyError)):
            change = partial(_put, name, path.split("."), odd)
            yield Wrong(kind, f"{name} {path} {number}", change)


def _put(name: str, keys: list[str], odd: Any, folder: Path, others: Path) -> None:
    whole = json.loads((folder / name).read_text())
    part = whole
    for key in keys[:-1]:
        part = part[int(key) if isinstance(part, list) else key]
    last: Any = int(keys[-1]) if isinstance(part, list) else keys[-1]
    if odd is KeyError:
        del part[last]
    else:
        part[last] = odd
    (folder / name).write_text(json.dumps(whole))


_MANIFEST = (
    "format raster raster.size_px raster.min_ink split split.seed split.test split.validation "
    "charset chars held_out held_out.test fonts fonts.1 fonts.1.name fonts.1.role fonts.1.path "
    "fonts.1.face fonts.1.font_sha256 fonts.1.family fonts.1.placement fonts.1.placement.size_px "
    "fonts.1.placement.em_px fonts.1.chars fonts.1.left_out fonts.1.array_sha256 "
    "fonts.1.versions fonts.1.licence fonts.0.chars fonts.0.path"
)
_RECORD = "data data_was data_hash sources styles styles.0 least_scores seed"
_CONFIG = (
    "batch_size steps minutes stages stages.0 stages.0.size_px generator.widths generator.kind "
    "generator.grid device precision threads seed eval_chars sample_chars log_every_steps "
    "keep_every_steps styles_per_char loss discriminator.widths optimizer.moves"
)


# Arrays, pictures and lists.


def _array(kind: str, name: str) -> Iterator[Wrong]:
    def header(text: str, rest: bytes = b"") -> bytes:
        data = text.encode() + b"\n"
        return b"\x93NUMPY\1\0" + struct.pack("<H", len(data)) + data + rest

    shapes = ("(0,)", "()", "(-1, 32, 32)", f"({2**62}, 32, 32)", f"({2**40},)", "(1, 32)", "x")
    kinds = ("|u1", "<f8", "|O", "<U9", "<M8[s]", "|V0", "|S0", "[('a','|u1')]")
    texts = [f"{{'descr': '|u1', 'fortran_order': False, 'shape': {s}, }}" for s in shapes]
    texts += [f"{{'descr': '{k}', 'fortran_order': True, 'shape': (9, 32, 32), }}" for k in kinds]
    for number, text in enumerate(texts):
        change = partial(_contents, change=lambda data, text=text: header(text, data[128:]))
        yield Wrong(kind, f"{name} header {number}", partial(_at, name, _with_sum(change)))
    for how, change in {
        "noise": lambda data: data[:128] + np.random.default_rng(0).bytes(len(data) - 128),
        "white": lambda data: data[:128] + b"\xff" * (len(data) - 128),
        "black": lambda data: data[:128] + bytes(len(data) - 128),
    }.items():
        damage = _with_sum(partial(_contents, change=change))
        yield Wrong(kind, f"{name} {how}", partial(_at, name, damage))


def _with_sum(damage: Damage) -> Damage:
    """Damage of an array, with a checksum in the manifest that holds."""

    def run(path: Path, others: Path) -> None:
        from calligan.storage import sha256_file

        damage(path, others)
        listed = path.parent.parent / "manifest.json"
        whole = json.loads(listed.read_text())
        for font in whole["fonts"]:
            if font["name"] == path.stem:
                font["array_sha256"] = sha256_file(path)
        listed.write_text(json.dumps(whole))

    return run


def _picture(mode: str, size: tuple[int, int], path: Path, others: Path) -> None:
    Image.new(mode, size).save(path, "PNG")


def _repeated(count: int, folder: Path, others: Path) -> None:
    first = folder / f"{HAN[0]}.png"
    for number in range(2, count + 2):
        (folder / f"{HAN[0]}-{number}.png").symlink_to(first.name)


def _named(name: bytes, folder: Path, others: Path) -> None:
    source = os.fsencode(folder / f"{HAN[0]}.png")
    shutil.copy(source, os.fsencode(folder) + b"/" + name)


def _labelled(text: bytes, folder: Path, others: Path) -> None:
    (folder / "labels.csv").write_bytes(text)


_NAMES = {
    "bidi": "\u202e书.png".encode(),
    "escape": b"\x1b[2J.png",
    "line": "书\n丁.png".encode(),
    "latin": b"\xe4\xff.png",
    "dash": b"-.png",
    "two": "书丁.png".encode(),
    "dots": b"...png",
    "upper": "书.PNG".encode(),
    "space": b" .png",
    "long": "书".encode() + b"-" * 240 + b".png",
    "beyond": "\U00020000.png".encode(),
    "private": "\ue000.png".encode(),
    "null-like": "\u2400.png".encode(),
}
_HEAD = b"file,char,page,note\n"
_LABELS = {
    "head only": _HEAD,
    "other head": b"a,b\n1,2\n",
    "path": _HEAD + f"../{HAN[0]}.png,{HAN[0]},p,n\n".encode(),
    "absolute": _HEAD + b"/etc/passwd,a,p,n\n",
    "twice": _HEAD + f"{HAN[0]}.png,{HAN[0]},p,n\n".encode() * 999,
    "word": _HEAD + f"{HAN[0]}.png,two,p,n\n".encode(),
    "control": _HEAD + f"{HAN[0]}.png,\x1b,p\x1b[2J,\u202e\n".encode(),
    "slash": _HEAD + f"{HAN[0]}.png,/,p,n\n".encode(),
    "dot": _HEAD + f"{HAN[0]}.png,.,p,n\n".encode(),
    "page": _HEAD + f"{HAN[0]}.png,{HAN[0]},{'p' * 200_000},n\n".encode(),
    "quote": _HEAD + b'"' + b"a" * 99,
    "nul": _HEAD + b"\0,\0,\0,\0\n",
    "all left out": _HEAD + b"".join(f"{c}.png,,p,n\n".encode() for c in HAN[:8]),
    "many": _HEAD + b"a,b,c,d\n" * 400_000,
    "commas": _HEAD + b"," * 9_000_000,
    "latin-1": _HEAD + b"\xe4.png,\xe4,p,n\n",
    "utf-16": "file,char,page,note\n".encode("utf-16"),
}


def _hand() -> Iterator[Wrong]:
    first = f"{HAN[0]}.png"
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        for size in ((1, 1), (1, 5000), (48, 48), (4097, 4097)):
            yield Wrong(
                "hand", f"{mode} {size}", partial(_at, first, partial(_picture, mode, size))
            )
    for size in ((20_000, 20_000), (1, 16_000_000), (16_000_000, 1)):
        yield Wrong("hand", f"bomb {size}", partial(_at, first, partial(_picture, "1", size)))
    yield Wrong("hand", "99 large", _large)
    yield Wrong("hand", "3,000 variants", partial(_repeated, 3000))
    for how, name in _NAMES.items():
        yield Wrong("hand", f"name {how}", partial(_named, name))
    for how, text in _LABELS.items():
        yield Wrong("hand", f"labels {how}", partial(_labelled, text))


def _large(folder: Path, others: Path) -> None:
    Image.new("1", (4000, 4000)).save(folder / f"{HAN[0]}.png")
    _repeated(99, folder, others)


# Folders that are something else, and what a killed command leaves, forged.


def _outside(name: str, folder: Path, others: Path) -> None:
    """A folder that is a link to one of others."""
    path = folder / name
    shutil.copytree(path, others / "taken")
    shutil.rmtree(path)
    path.symlink_to(others / "taken")


def _forged(name: str, what: str, folder: Path, others: Path) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        path.unlink()
    match what:
        case "link to others":
            path.symlink_to(others)
        case "link to mine.txt":
            path.symlink_to(others / "mine.txt")
        case "folder":
            path.mkdir()
        case "folder of links":
            path.mkdir()
            (path / "manifest.json").symlink_to(others / "mine.txt")
            (path / "labels.csv").symlink_to(others / "labels.csv")
            os.mkfifo(path / "b.png")
        case "folder of folders":
            (path / "manifest.json" / "a").mkdir(parents=True)
            (path / "labels.csv" / "a").mkdir(parents=True)
        case "pipe":
            os.mkfifo(path)
        case "file":
            path.write_text("x")


_FORGED = (
    "link to others",
    "link to mine.txt",
    "folder",
    "folder of links",
    "folder of folders",
    "pipe",
    "file",
)


def _forgeries(kind: str, names: tuple[str, ...]) -> Iterator[Wrong]:
    for name in names:
        for what in _FORGED:
            yield Wrong(kind, f"{name} forged {what}", partial(_forged, name, what))


def _logged(text: bytes, folder: Path, others: Path) -> None:
    path = folder / RUN / "log.jsonl"
    path.write_bytes(path.read_bytes() + text)


_LOGS = {
    "many names": json.dumps({"step": 9} | {f"n{n}": n for n in range(20_000)}).encode(),
    "mathtext": b'{"step": 9, "$\\\\frac{$": 1, "a$b$c_^": 2}',
    "large": b'{"step": 9223372036854775807, "a": 1e308, "b": -1e308}',
    "long name": json.dumps({"step": 9, "x" * 100_000: 1}).encode(),
    "control": b'{"step": 9, "\\u0000\\u001b\\u202e\\n": 1}',
    "many lines": b'{"step": 9, "a": 1}\n' * 300_000,
    "odd": b'[]\n3\n"a"\n{"step": "a"}\n{"step": true}\n{"step": -5, "a": true}\n',
}


def _every() -> Iterator[Wrong]:
    yield from _any_file("data", ["manifest.json", "glyphs/bold.npy", "contact-sheet.png"])
    yield from _json("data", "manifest.json", _MANIFEST)
    yield from _array("data", "glyphs/bold.npy")
    yield from _array("data", "glyphs/source.npy")
    yield from _forgeries("data", (".ready", ".new", ".lock", ".rendering", "glyphs/other.npy"))
    yield Wrong("data", "glyphs elsewhere", partial(_outside, "glyphs"))
    yield from _any_file("hand", [f"{HAN[0]}.png", "labels.csv"])
    yield from _hand()
    yield from _forgeries("hand", (".ready", ".new", ".lock", "contact-sheet.png", f"{HAN[9]}.png"))
    point = f"{RUN}/checkpoints/0000006"
    files = ["run.json", "config.json", "log.jsonl", "best.safetensors", "last.safetensors"]
    files += ["split.json", "samples/0000006.png"]
    yield from _any_file("runs", [f"{RUN}/{name}" for name in files])
    yield from _any_file("runs", [f"{point}/{n}" for n in ("manifest.json", "state.json")])
    yield from _json("runs", f"{RUN}/run.json", _RECORD)
    yield from _json("runs", f"{RUN}/config.json", _CONFIG)
    beside = (".lock", "start.safetensors", "start-critic.safetensors", "best-critic.safetensors")
    yield from _forgeries("runs", tuple(f"{RUN}/{n}" for n in (*beside, "samples/0000007.png")))
    for name in ("checkpoints", "samples", "checkpoints/0000006"):
        yield Wrong("runs", f"{name} elsewhere", partial(_outside, f"{RUN}/{name}"))
    for how, text in _LOGS.items():
        yield Wrong("runs", f"log {how}", partial(_logged, text))
    files = ["run.json", "config.json", "best.safetensors", "last.safetensors", "start.safetensors"]
    yield from _any_file("hands", [f"{MINE}/{name}" for name in files])
    yield from _json("hands", f"{MINE}/run.json", _RECORD)
    yield from _forgeries("hands", ("mine/.learning", "mine/.lock", "mine/0002", "mine/.new.tmp"))
    yield Wrong("hands", "the run elsewhere", partial(_outside, MINE))


WRONG = list(_every())
