"""The cache of drawn glyphs: the same glyphs, bounded, safe, and never in the way."""

import shutil
import sqlite3
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import HAN
from PIL import Image

import calligan
from calligan.inference import glyph_cache
from calligan.inference.glyph_cache import GlyphCache, KeptGlyph
from calligan.inference.proofread import Attempt, Verdict
from calligan.library.typecase import TypeCase
from calligan.vector.outline import Outline

CHARS = "一丁七万"


@pytest.fixture
def cached(monkeypatch, tmp_path):
    """The cache is on, in a folder of its own."""
    monkeypatch.delenv("CALLIGAN_NO_CACHE")
    monkeypatch.setenv("CALLIGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "glyphs-1.sqlite"


@pytest.fixture
def load(inked_model, font_folder, cached):
    source = str(font_folder / "source.ttf")
    return lambda **options: calligan.load(inked_model, source=source, **options)


def kept(seed=0, verdict=True):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (64, 64)).astype(np.uint8)
    controls = rng.integers(-300, 1000, (5, 4, 2)).astype(float)
    outline = Outline(controls, np.array([0, 0, 0, 1, 1]), np.arange(5) % 2 == 0)
    best = Attempt("smaller", image, 1 / 3, ("speck", "melted"))
    made = Verdict("永", (best,), 0.1, foreseen="dense", tried=3)
    return KeptGlyph(image, outline, made if verdict else None)


def same(a, b):
    for name in ("controls", "contour", "straight"):
        np.testing.assert_array_equal(getattr(a.outline, name), getattr(b.outline, name))
    np.testing.assert_array_equal(a.image, b.image)


def counting(model, monkeypatch):
    """How many characters a model draws, from now on."""
    drawn = []
    drawer = model.writer.drawer.__class__
    real = drawer.draw

    def draw(self, chars, *how):
        drawn.extend(chars)
        return real(self, chars, *how)

    monkeypatch.setattr(drawer, "draw", draw)
    return drawn


@pytest.mark.parametrize("verdict", [True, False])
def test_a_glyph_comes_back_as_it_was(tmp_path, verdict):
    path = tmp_path / "new" / "glyphs.sqlite"
    glyphs = {"永": kept(1, verdict), "和": kept(2, verdict)}
    GlyphCache("one", path).write(glyphs)
    found = GlyphCache("one", path).read("和永九")
    assert found.keys() == glyphs.keys()
    for char, glyph in glyphs.items():
        same(found[char], glyph)
    if verdict:
        (best,) = found["永"].verdict.attempts
        assert (best.way, best.score, best.faults) == ("smaller", 1 / 3, ("speck", "melted"))
        assert found["永"].verdict.faults == ("speck", "melted", "dense")
        assert found["永"].verdict.count == 3
    else:
        assert found["永"].verdict is None
    assert GlyphCache("another", path).read("永") == {}


def test_what_is_kept_is_not_drawn_again_and_is_the_same(load, monkeypatch):
    first = load()
    glyphs = first.glyphs(CHARS)
    again = load()
    drawn = counting(again, monkeypatch)
    for a, b in zip(glyphs, again.glyphs(CHARS), strict=True):
        same(a, b)
        assert (a.char, a.score, a.doubtful, a.faults, a.way) == (
            *(b.char, b.score, b.doubtful, b.faults, b.way),
        )
    page = again.write(CHARS)
    assert page.doubtful == first.write(CHARS).doubtful and not drawn
    again.glyphs(CHARS + "亭", style=1)
    assert set(drawn) == {"亭"}


def test_every_door_uses_it(load, monkeypatch, tmp_path):
    load().write("亭云", style=1)
    model = load()
    drawn = counting(model, monkeypatch)
    model.write("亭云", style=1)
    model.glyphs("亭云", style=1)
    TypeCase(model).page("亭云", 1)
    calligan.export_font(model, tmp_path / "a.ttf", charset="亭云")
    assert not drawn
    model.write("亭云", style=2)
    assert set(drawn) == {"亭", "云"}


@pytest.mark.parametrize("other", [{"check": False}, {"fine": False}, {"source": "bold.ttf"}])
def test_other_settings_are_drawn_anew(load, inked_model, font_folder, monkeypatch, other):
    load().glyphs("亭")
    options = {"source": "source.ttf", **other}
    options["source"] = str(font_folder / options["source"])
    model = calligan.load(inked_model, **options)
    drawn = counting(model, monkeypatch)
    model.glyphs("亭")
    assert drawn


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_it_can_be_switched_off(load, cached, monkeypatch, how):
    if how == "environment":
        monkeypatch.setenv("CALLIGAN_NO_CACHE", "1")
    model = load(cache=how != "flag")
    model.glyphs("亭")
    drawn = counting(model, monkeypatch)
    model.writer.proofreader.verdicts.clear()
    model.glyphs("亭")
    assert drawn and not cached.exists()


def test_variants_to_choose_from_are_not_kept(load, cached):
    model = load()
    model.pick = {"亭": 2}
    model.glyphs("亭")
    assert not cached.exists()


@pytest.mark.parametrize(
    "data", [b"", b"no zlib", zlib.compress(b"{}\n"), zlib.compress(b"[1]\n"), None]
)
def test_a_damaged_entry_is_drawn_again(load, cached, monkeypatch, data):
    before = load().glyphs("亭云")
    with sqlite3.connect(cached) as base:
        (whole,) = base.execute("SELECT data FROM glyphs WHERE char = '亭'").fetchone()
        broken = whole[: len(whole) // 2] if data is None else data
        base.execute("UPDATE glyphs SET data = ? WHERE char = '亭'", (broken,))
    base.close()
    model = load()
    drawn = counting(model, monkeypatch)
    after = model.glyphs("亭云")
    assert set(drawn) == {"亭"}
    same(before[0], after[0])
    assert len(GlyphCache(setting(model), cached).read("亭云")) == 2  # mended


def setting(model):
    return model.writer._cache(0, None)._setting


@pytest.mark.parametrize("damage", ["other", "cut", "folder", "locked"])
def test_a_damaged_or_locked_file_is_no_hindrance(load, cached, monkeypatch, damage):
    load().glyphs("亭")
    lock = None
    if damage == "other":
        cached.write_bytes(b"something else" * 1000)
    elif damage == "cut":
        cached.write_bytes(cached.read_bytes()[:5000])
    elif damage == "folder":
        cached.unlink()
        cached.mkdir()
    else:
        monkeypatch.setattr(glyph_cache, "_WAIT_S", 0.1)
        lock = sqlite3.connect(cached, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
    (glyph,) = load().glyphs("亭")
    assert len(glyph.outline.contour)
    if lock:
        lock.close()
    (again,) = load().glyphs("亭")
    same(glyph, again)


def test_the_oldest_are_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(glyph_cache, "_MAX_CACHE_BYTES", 2**20)
    path = tmp_path / "glyphs.sqlite"
    cache = GlyphCache("one", path)
    for start in range(0, 400, 20):
        cache.write({chr(0x4E00 + start + i): kept(start + i) for i in range(20)})
    assert path.stat().st_size < 1.3 * 2**20
    found = cache.read("".join(map(chr, range(0x4E00, 0x4E00 + 400))))
    assert 50 < len(found) < 400 and chr(0x4E00 + 399) in found and chr(0x4E00) not in found


def test_several_write_at_once(tmp_path):
    path = tmp_path / "glyphs.sqlite"
    glyphs = {char: kept(ord(char)) for char in HAN[:40]}

    def write(part):
        for char in part:
            GlyphCache("one", path).write({char: glyphs[char]})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [HAN[i:40:4] for i in range(4)]))
    found = GlyphCache("one", path).read(HAN[:40])
    for char, glyph in glyphs.items():
        same(found[char], glyph)


_AGAIN = """
import sys
from calligan.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
assert "torch" not in sys.modules, "torch was imported"
"""


def test_a_page_that_was_drawn_before_needs_no_torch(load, inked_model, font_folder, tmp_path):
    source = font_folder / "source.ttf"
    command = ["infer", CHARS, "--model", inked_model, "--source", source, "-o"]
    for name, run in (("a.png", ["-m", "calligan"]), ("b.png", ["-c", _AGAIN])):
        line = [sys.executable, *run, *command, tmp_path / name]
        done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=100)
        assert done.returncode == 0, done.stderr
    a, b = (Image.open(tmp_path / name).tobytes() for name in ("a.png", "b.png"))
    assert a == b
    shutil.rmtree(tmp_path / "cache")
