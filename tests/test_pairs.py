"""The data folder: added to, never changed silently, split by character."""

import json

import numpy as np
import pytest
from conftest import HAN, build_font

from calligan.config import SplitConfig
from calligan.errors import DataError
from calligan.pairs.batches import Pairs
from calligan.pairs.split import held_out, part_of
from calligan.pairs.store import PairStore


def snapshot(folder):
    return {
        p.relative_to(folder): (p.stat().st_mtime_ns, p.stat().st_size)
        for p in folder.rglob("*")
        if p.is_file()
    }


def render(calligan, folder, *fonts, charset=HAN, size=32):
    return calligan("render-pairs", *fonts, "--data", folder, "--charset", charset, "--size", size)


def test_same_call_changes_nothing_and_a_later_call_adds(tmp_path, font_folder, calligan):
    source, bold = font_folder / "source.ttf", font_folder / "bold.ttf"
    assert render(calligan, tmp_path / "d", source, bold).returncode == 0
    before = snapshot(tmp_path / "d")
    assert render(calligan, tmp_path / "d", source, bold).returncode == 0
    assert snapshot(tmp_path / "d") == before
    again = render(calligan, tmp_path / "d", source, font_folder / "slanted.ttf")
    assert again.returncode == 0, again.stderr
    manifest = PairStore.open(tmp_path / "d").manifest
    assert [font.name for font in manifest.of_role("target")] == ["bold", "slanted"]
    assert (tmp_path / "d" / "glyphs" / "bold.npy").stat().st_mtime_ns == before[
        (tmp_path / "d" / "glyphs" / "bold.npy").relative_to(tmp_path / "d")
    ][0]


def test_other_settings_and_taken_names_are_refused(tmp_path, font_folder, calligan):
    source, bold = font_folder / "source.ttf", font_folder / "bold.ttf"
    folder = tmp_path / "d"
    assert render(calligan, folder, source, bold).returncode == 0
    before = snapshot(folder)
    other = build_font(tmp_path / "bold.ttf", weight=20)
    for done in (
        render(calligan, folder, source, bold, charset=HAN[:30]),
        render(calligan, folder, source, bold, size=64),
        render(calligan, folder, source, other),
    ):
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert str(folder) in done.stderr
    assert snapshot(folder) == before


def test_split_is_by_character_and_stable():
    config = SplitConfig(seed=3, validation=0.1, test=0.2)
    chars = [chr(0x4E00 + i) for i in range(5000)]
    parts = [part_of(char, config) for char in chars]
    assert abs(parts.count("test") / 5000 - 0.2) < 0.03
    assert abs(parts.count("validation") / 5000 - 0.1) < 0.02
    assert [part_of(char, config) for char in reversed(chars)] == parts[::-1]
    assert parts != [part_of(char, SplitConfig(seed=4, validation=0.1, test=0.2)) for char in chars]


def test_held_out_characters_never_reach_a_training_batch(data_folder):
    store = PairStore.open(data_folder)
    held = set("".join(store.manifest.held_out.values()))
    assert held, "the small charset should hold something out"
    pairs = Pairs(store.select(["bold", "slanted"]), "train")
    drawn = {char for step in range(50) for char in pairs.random(16, 2, 0, step).chars}
    assert drawn and not drawn & held
    for part in ("validation", "test"):
        chars = set(held_out(store.manifest.chars, part, store.manifest.split))
        assert {
            c for style in Pairs(store.select(["bold", "slanted"]), part).chars for c in style
        } <= chars


def test_batches_are_a_function_of_seed_and_step(data_folder):
    store = PairStore.open(data_folder)
    first, again = (
        Pairs(store.select(["bold", "slanted"]), "train").random(8, 2, 5, 7) for _ in range(2)
    )
    assert first.chars == again.chars and np.array_equal(first.target, again.target)
    assert first.chars != Pairs(store.select(["bold", "slanted"]), "train").random(8, 2, 5, 8).chars


def test_pairs_show_the_same_character(data_folder):
    store = PairStore.open(data_folder)
    styles = store.manifest.of_role("target")
    batch = Pairs(store.select(["bold", "slanted"]), "train").random(8, 2, 0, 0)
    source = store.manifest.of_role("source")[0]
    for i, char in enumerate(batch.chars):
        style = styles[batch.style_index[i]]
        assert np.array_equal(batch.source[i // 2], store.images(source)[source.chars.index(char)])
        assert np.array_equal(batch.target[i], store.images(style)[style.chars.index(char)])


def test_arrays_are_memory_mapped(data_folder):
    store = PairStore.open(data_folder)
    assert isinstance(store.images(store.manifest.fonts[0]), np.memmap)


@pytest.mark.parametrize("damage", ["truncate", "garbage", "remove", "flip"])
def test_damaged_data_is_noticed(tmp_path, font_folder, calligan, damage):
    folder = tmp_path / "d"
    render(calligan, folder, font_folder / "source.ttf", font_folder / "bold.ttf")
    path = folder / "glyphs" / "bold.npy"
    data = bytearray(path.read_bytes())
    data[-7] ^= 1
    changed = {"truncate": data[:200], "garbage": b"x" * 50, "remove": None, "flip": data}[damage]
    if changed is None:
        path.unlink()
    else:
        path.write_bytes(changed)
    with pytest.raises(DataError, match=r"bold\.npy.*render the pairs again"):
        PairStore.open(folder).verify()
    done = render(calligan, folder, font_folder / "source.ttf", font_folder / "bold.ttf")
    assert done.returncode == 0, done.stderr
    PairStore.open(folder).verify()
    assert len(PairStore.open(folder).manifest.fonts) == 2


def test_manifest_tells_versions_and_what_was_left_out(tmp_path, calligan, font_folder):
    font = build_font(tmp_path / "holes.ttf", HAN[:60], blank=HAN[60:62])
    render(calligan, tmp_path / "d", font_folder / "source.ttf", font)
    told = json.loads((tmp_path / "d" / "manifest.json").read_text())
    holes = told["fonts"][1]
    assert holes["left_out"]["blank"] == HAN[60:62]
    assert holes["left_out"]["absent"] == "".join(dict.fromkeys(HAN))[62:]
    assert {"calligan", "freetype"} <= set(holes["versions"])
    assert set(holes["placement"]) == {"size_px", "em_px", "origin_x_px", "baseline_y_px"}
