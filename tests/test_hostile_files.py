"""Fonts, pictures and texts made to exhaust memory or time end in one line, in a child process."""

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import HAN, build_font
from fontTools.ttLib import TTFont, woff2
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphComponent
from PIL import Image
from safetensors.torch import save_file

from calligan import apart, limits
from calligan.errors import ConfigError, DataError, FontError, ModelError
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import load_text
from calligan.glyphs.face import Face, FontSpec
from calligan.models.card import KIND, read_card
from calligan.models.file import kind_of, read_weights
from calligan.page.formats import load_format
from calligan.pictures import read_picture
from calligan.reading import parse_toml, read_bytes
from calligan.scan.folder import read_hand
from calligan.scan.photo import is_pdf, open_photo
from calligan.settings import load_toml

LIMITED = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits need /proc")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CALLIGAN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def font(tmp_path) -> Path:
    return build_font(tmp_path / "good.ttf")


# What a child does in these tests; it finds this module by PYTHONPATH.


def answer(value):
    return value, [np.arange(6, dtype=np.uint8).reshape(2, 3), np.float32([0.5])]


def refuse():
    raise FontError("a.ttf is odd; give another")


def break_off():
    os.kill(os.getpid(), signal.SIGSEGV)


def take_memory():
    return None, [np.ones(2 * limits.MAX_READER_BYTES, np.uint8)]


def never_end():
    while True:
        pass


def fail():
    raise KeyError("glyf")


def shout():
    os.write(1, b"a decoder's warning")
    return "quiet", []


def odd_array():
    return None, [np.array(["a", "b"])]


@pytest.fixture
def child(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, [Path(__file__).parent, *sys.path])))
    with apart.ChildReader() as reader:
        yield lambda name, *given, **options: reader.call(
            f"test_hostile_files:{name}", *given, what="x.png", **options
        )


def test_a_child_answers_again_and_again(child):
    for value in ("书", [1, None], {"a": 0.5}):
        told, (numbers, half) = child("answer", value)
        assert told == value and numbers.tolist() == [[0, 1, 2], [3, 4, 5]] and half == [0.5]
    assert child("shout") == ("quiet", [])


def test_a_childs_own_errors_are_raised_here(child):
    with pytest.raises(FontError, match=r"^a.ttf is odd; give another$"):
        child("refuse")
    with pytest.raises(DataError, match=r"cannot read x.png: KeyError: 'glyf'; it is damaged"):
        child("fail")


@LIMITED
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("break_off", "SIGSEGV"),
        ("take_memory", "more than 1024 MB of memory"),
        ("odd_array", "ended the reader"),
    ],
)
def test_what_ends_a_child_is_one_line(child, name, says):
    with pytest.raises(DataError, match=rf"^cannot read x.png: .*{says}.*leave it out$"):
        child(name)
    assert child("answer", 1)[0] == 1  # the next one goes on


@LIMITED
def test_a_child_that_never_ends_is_stopped(child):
    with pytest.raises(DataError, match="more than 20 seconds of processor time"):
        child("never_end", seconds=1 - limits.MAX_READER_S)


def nested_composites(path: Path, depth: int) -> Path:
    """A font of which a glyph is twice a glyph that is twice a glyph …: 2 to the depth."""
    font = TTFont(path, recalcBBoxes=False)
    glyf, before = font["glyf"], "space"
    glyf.glyphs["space"] = Glyph()
    for char in HAN[:depth]:
        glyph = Glyph()
        glyph.numberOfContours, glyph.components = -1, []
        glyph.xMin = glyph.yMin = glyph.xMax = glyph.yMax = 0
        for _ in range(2):
            part = GlyphComponent()
            part.glyphName, part.x, part.y, part.flags = before, 0, 0, 4
            glyph.components.append(part)
        before = f"u{ord(char):04X}"
        glyf.glyphs[before] = glyph
    font["maxp"].recalc = lambda font: None
    font["maxp"].maxComponentDepth = font["maxp"].maxComponentElements = 60
    font.save(path)
    return path


@LIMITED
def test_a_font_that_takes_hours_is_refused(font, monkeypatch):
    assert resolve_font(str(nested_composites(font, 8))).name == "good"
    monkeypatch.setattr(apart, "MAX_READER_S", 1.0)
    with pytest.raises(FontError, match=r"good.ttf: reading it takes more than 1 seconds of"):
        resolve_font(str(nested_composites(font, 40)))


def test_a_font_is_looked_at_once(font, monkeypatch):
    resolve_font(str(font))
    monkeypatch.setattr(apart, "call", lambda *args, **kwargs: pytest.fail("looked at again"))
    resolve_font(str(font))
    font.write_bytes(font.read_bytes() + b"\0")
    with pytest.raises(pytest.fail.Exception):
        resolve_font(str(font))


def as_woff2(font: Path) -> bytes:
    woff2.compress(str(font), str(font.with_suffix(".woff2")))
    return font.with_suffix(".woff2").read_bytes()


def test_woff2_is_unpacked_as_it_states(font):
    data = as_woff2(font)
    path = font.with_suffix(".woff2")
    assert Face(FontSpec(path)).family == "Tiny"
    lying = bytearray(data)
    lying[20:24] = struct.pack(">L", 400)  # the packed bytes: cut off
    path.write_bytes(lying)
    with pytest.raises(FontError, match="damaged WOFF2"):
        Face(FontSpec(path))


def test_woff2_that_unpacks_without_end(font):
    import brotli

    data, path = as_woff2(font), font.with_suffix(".woff2")
    packed = brotli.compress(bytes(600 * 2**20), quality=1)
    (size,) = struct.unpack(">L", data[20:24])
    at = next(at for at in range(48, 300) if unpacks(data[at : at + size]))
    bomb = bytearray(data[:at] + packed)
    bomb[8:12], bomb[20:24] = struct.pack(">L", len(bomb)), struct.pack(">L", len(packed))
    path.write_bytes(bomb)
    assert len(bomb) < 2**20
    done = peak_mb("from calligan.glyphs.face import Face, FontSpec; Face(FontSpec(path))", path)
    assert "FontError" in done[0] and "unpacks to more than it states" in done[0]
    assert done[1] < 100


def unpacks(data: bytes) -> bool:
    import brotli

    try:
        return bool(brotli.decompress(data))
    except brotli.error:
        return False


def test_woff_that_states_two_gigabytes(font):
    data = TTFont(font)
    data.flavor = "woff"
    path = font.with_suffix(".woff")
    data.save(path)
    assert Face(FontSpec(path)).family == "Tiny"
    lying = bytearray(path.read_bytes())
    lying[16:20] = struct.pack(">L", 2**31 - 4)
    path.write_bytes(lying)
    with pytest.raises(FontError, match="more than 256 MB"):
        Face(FontSpec(path))


PEAK = """
import resource, sys
from pathlib import Path
from PIL import Image
from calligan.scan.photo import open_photo
from calligan.glyphs.face import Face
path = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    {code}
except Exception as error:
    print(type(error).__name__, error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def peak_mb(code: str, path: Path) -> tuple[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", PEAK.format(code=code), path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    *said, kb = done.stdout.splitlines()
    return "".join(said), int(kb) / 1024


@LIMITED
@pytest.mark.parametrize(
    ("mode", "kind", "most_mb"), [("RGB", "png", 650), ("RGBA", "png", 650), ("RGB", "jpg", 500)]
)
def test_a_photograph_of_120_megapixels_takes_less_than_a_gigabyte(tmp_path, mode, kind, most_mb):
    path = tmp_path / f"large.{kind}"
    Image.new(mode, (12_000, 10_000), "white").save(path)
    said, mb = peak_mb("print(open_photo(path).shape)", path)
    assert said == "(3750, 4500, 3)" and mb < most_mb


def test_pictures_are_turned_and_set_on_white(tmp_path):
    clear = Image.new("RGBA", (300, 100), (0, 0, 0, 0))
    clear.putpixel((299, 0), (255, 0, 0, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter clockwise
    clear.save(tmp_path / "a.png", exif=exif)
    for side_px in (0, 400, 160):
        shown = np.asarray(read_picture(tmp_path / "a.png", 10**6, side_px=side_px))
        assert shown.shape[0] > shown.shape[1] and shown[0, 0].tolist() == [255, 255, 255]
        assert shown[-1, -1, 1] < 255 and (shown[:-3, :-3] == 255).all()


def test_large_pictures_are_not_decoded(tmp_path):
    Image.new("L", (5000, 5000)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="more than 1 megapixels"):
        read_picture(tmp_path / "a.png", 10**6)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_devices_are_not_read(tmp_path):
    with pytest.raises(ValueError, match="not a regular file"):
        read_bytes(Path("/dev/zero"), 10)
    with pytest.raises(FontError, match="not a regular file"):
        resolve_font("/dev/zero")
    os.mkfifo(tmp_path / "pipe.ttf")
    with pytest.raises(FontError, match="not a regular file"):
        resolve_font(str(tmp_path / "pipe.ttf"))


def test_texts_have_a_limit(tmp_path):
    path = tmp_path / "long.txt"
    with path.open("wb") as file:
        file.truncate(limits.MAX_TEXT_BYTES + 1)
    with pytest.raises(DataError, match=r"long.txt: it is larger than 16 MB"):
        load_text(str(path))
    with pytest.raises(ConfigError, match=r"long.txt is not TOML: it is larger"):
        load_toml(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = " + "[" * 5000 + "]" * 5000, "nested"),
        ("a = " + "[" * 40 + "]" * 40, "nested"),
        (f"a = {2**64}", "number"),
        ("a.b.c = 1\na.b = 2", "Cannot"),
    ],
)
def test_toml_that_makes_no_sense(text, says):
    with pytest.raises(ValueError, match=says):
        parse_toml(text)
    assert parse_toml('a = 1\nb = [0.5, "书", inf]')["a"] == 1


def test_check_of_a_crashing_font_ends_in_one_line(calligan, font, tmp_path):
    """The command itself, end to end: the font is read in a child first."""
    environment = {"CALLIGAN_CACHE": str(tmp_path / "cache")}
    font.write_bytes(font.read_bytes()[:900])
    done = calligan("check", font, env=environment)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "good.ttf" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").rglob("vetted/*"))


@pytest.fixture
def pipe(tmp_path) -> Iterator[Path]:
    """A pipe that never gives anything; who reads it fails after a second."""
    os.mkfifo(tmp_path / "pipe")
    held = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)  # or `open` waits, without signals
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits for a pipe"))
    signal.alarm(1)
    yield tmp_path / "pipe"
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    os.close(held)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_are_not_opened(pipe):
    for read, kind in (
        (lambda path: read_picture(path, 10**6), ValueError),
        (open_photo, DataError),
        (read_card, ModelError),
    ):
        with pytest.raises(kind, match="it is not a regular file"):
            read(pipe)
    assert not is_pdf(pipe) and not kind_of(pipe)
    with pytest.raises(ConfigError, match=r"a.toml is not a format: it is not a regular file"):
        load_format(str(pipe.rename(pipe.with_name("a.toml"))))


def test_a_broken_link_is_not_a_list_that_is_not_there(tmp_path):
    Image.new("L", (40, 25)).save(tmp_path / "书.png")
    for target in ("labels.csv", "nowhere"):
        (tmp_path / "labels.csv").symlink_to(target)
        with pytest.raises(DataError, match=r"cannot read .*labels.csv"):
            list(read_hand(tmp_path))
        (tmp_path / "labels.csv").unlink()


def test_a_models_header_has_a_limit(tmp_path):
    """Its entries become dictionaries, which take twenty times as much."""
    path = tmp_path / "m.safetensors"
    names = b'{"__metadata__":{%s}}' % b",".join(b'"%d":""' % number for number in range(1_700_000))
    path.write_bytes(len(names).to_bytes(8, "little") + names)
    with pytest.raises(ModelError, match=r"m.safetensors is not a model: its header is larger"):
        read_card(path)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float8_e5m2, torch.complex64, torch.bool])
def test_a_models_numbers_may_be_of_any_type(tmp_path, kind):
    """NumPy lacks some; a checksum is computed first."""
    path = tmp_path / "m.safetensors"
    data = {"a": torch.zeros(2, 3, dtype=kind), "b": torch.zeros(0), "c": torch.tensor(1.5)}
    save_file(data, path, {"format": "1", "calligan": "{}", "sha256": "0"})
    with pytest.raises(ModelError, match="damaged"):
        read_weights(path, KIND, "model", "copy it")


def test_toml_has_a_limit_of_its_own(tmp_path):
    """Its parser takes minutes for a key of a million parts."""
    path = tmp_path / "a.toml"
    path.write_text("a" + ".a" * 40_000 + " = 1")
    with pytest.raises(ConfigError, match=r"a.toml is not TOML: it is larger than 64 kB"):
        load_toml(path)
    with pytest.raises(ConfigError, match=r"a.toml is not a format: it is larger than 64 kB"):
        load_format(str(path))
    with pytest.raises(ValueError, match="larger than 64 kB"):
        parse_toml(path.read_text())


def test_the_pictures_of_a_folder_have_a_limit_together(tmp_path, monkeypatch):
    for name in ("书", "法", "春"):
        Image.new("L", (40, 25)).save(tmp_path / f"{name}.png")
    assert len(list(read_hand(tmp_path))) == 3
    monkeypatch.setattr("calligan.scan.folder.MAX_HAND_PX", 2000)
    with pytest.raises(DataError, match=rf"{tmp_path.name} have more than 0 megapixels; reduce"):
        list(read_hand(tmp_path))
