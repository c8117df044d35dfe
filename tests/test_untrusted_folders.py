"""What fuzzing found in folders from elsewhere: formats, runs, checkpoints, the studio's lists."""

import json
import os
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import build_font
from fontTools.ttLib import TTFont
from PIL import Image
from test_pages import SETTING

from calligan.config import GeneratorConfig
from calligan.errors import ConfigError, DataError, FontError, ModelError
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.vetting import vet_font
from calligan.library.sessions import resumed_session
from calligan.models.weights import load_model, read_card, save_model
from calligan.page.formats import format_names, load_format
from calligan.page.layout import Words, lay_out
from calligan.pairs.store import PairStore
from calligan.progress import ignore, never_cancel
from calligan.project.run import Run
from calligan.storage import sha256_file
from calligan.training.animation import read_sheets, render_frames
from calligan.training.state import TrainState, newest_verified
from calligan.vector.base_font import BaseFont, read_all

FORMAT = """
title = "mine"
width_mm = 100
height_mm = 100
{page}
[[region]]
x_mm = 10
y_mm = 10
width_mm = 80
height_mm = 80
{region}
"""


@pytest.mark.parametrize(
    ("page", "region", "says"),
    [
        ('paper = "mauvish"', "", "paper"),
        ('ink = "\\"><script>"', "", "ink"),
        ("vary = 7", "", "vary"),
        ("", 'rule = "url(x)"', "rule"),
        ("", 'grid = "mi"', "cells of size_mm"),
        ("", 'grid = "mi"\nsize_mm = 90', "cells of size_mm"),
        ("", 'grid = "ba"\nsize_mm = 20', "mi, tian"),
        ("", "size_mm = 0.001", "size_mm"),
        ("", "gap = -1.0", "gap"),
        ("", "largest_mm = -2", "largest_mm"),
        ("", "short = 0", "short"),
        ("", "padding_mm = -5", "padding_mm"),
        ("", "text = -1", "text"),
        ("", "fan = {radius_mm = 5, inner_mm = 9, spread_deg = 90}", "fan"),
    ],
)
def test_a_format_is_checked_when_it_is_read(tmp_path, page, region, says):
    path = tmp_path / "mine.toml"
    path.write_text(FORMAT.format(page="", region=""))
    assert lay_out(Words("书法"), load_format(str(path)), SETTING)
    path.write_text(FORMAT.format(page=page, region=region))
    with pytest.raises(ConfigError, match=rf"mine.toml is not a format: .*{says}"):
        load_format(str(path))


def test_shipped_formats_pass():
    assert all(load_format(name).region for name in format_names())


@pytest.fixture
def run(tmp_path, run_folder) -> Path:
    return shutil.copytree(run_folder, tmp_path / "run")


def test_a_checkpoint_names_no_path(run):
    """Its list of digests could make it read any file."""
    newest = newest_verified(run / "checkpoints")
    listed = newest / "manifest.json"
    digests = json.loads(listed.read_text())
    for odd in ({**digests, "/etc/hostname": "0"}, {"state.json": digests["state.json"]}, [], 3):
        listed.write_text(json.dumps(odd))
        assert newest_verified(run / "checkpoints") != newest


def test_a_checkpoint_takes_no_more_memory_than_its_networks(run, monkeypatch):
    """Its checksum may be right, and it is found without memory."""
    newest = newest_verified(run / "checkpoints")
    state = TrainState(Run.open(run).config, 2)
    state.load(newest)
    monkeypatch.setattr("calligan.training.state.read_bytes", lambda *_: pytest.fail("read"))
    assert newest_verified(run / "checkpoints") == newest
    monkeypatch.undo()
    monkeypatch.setattr("calligan.training.state.MAX_MODEL_HEADER_BYTES", 100_000)
    state.load(newest)  # these networks are small
    tensors, listed = newest / "state.safetensors", newest / "manifest.json"
    tensors.write_bytes(tensors.read_bytes() + bytes(3 * 10**6))
    digests = {**json.loads(listed.read_text()), tensors.name: sha256_file(tensors)}
    listed.write_text(json.dumps(digests))
    assert newest_verified(run / "checkpoints") == newest
    with pytest.raises(ModelError, match=r"checkpoint .*0000008 is damaged"):
        state.load(newest)


@pytest.mark.parametrize(
    "metrics", [{}, {"validation_l1": 1}, {"copy_source_l1": "x"}, {"validation_l1": None}]
)
def test_a_finished_run_whose_figures_are_odd(run, metrics):
    newest = newest_verified(run / "checkpoints")
    numbers, listed = newest / "state.json", newest / "manifest.json"
    numbers.write_text(json.dumps({**json.loads(numbers.read_text()), "metrics": metrics}))
    digests = {**json.loads(listed.read_text()), numbers.name: sha256_file(numbers)}
    listed.write_text(json.dumps(digests))
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**about, "data": about["data_was"]}))
    if {"x", None} & set(metrics.values()):
        with pytest.raises(ModelError, match="does not fit this run"), resumed_session(run):
            pass
        return
    with resumed_session(run) as session:
        session.train_or_cancel(ignore, never_cancel)


def test_a_run_without_styles_is_none(run):
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**about, "styles": []}))
    with pytest.raises(ModelError, match="run is not a training run"):
        Run.open(run)


def test_samples_of_another_run_are_refused(run):
    path = next((run / "samples").glob("*.png"))
    (run / "samples" / "notes.png").write_bytes(b"")  # not a sample
    assert len(list(render_frames(Run.open(run), [0], 1))) >= 1
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(path)
    with pytest.raises(ModelError, match="not of this run"):
        list(read_sheets(Run.open(run)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ModelError, match=rf"{path.name} is unusable"):
        list(read_sheets(Run.open(run)))


def test_a_log_that_is_no_text_is_refused(run):
    (run / "log.jsonl").write_bytes(b"\xff\xfe\0")
    with pytest.raises(ModelError, match=r"log.jsonl: .*remove it"):
        Run.open(run).log_lines()


@pytest.mark.parametrize("change", [{"blocks": 10**9}, {"widths": (8, 8 * 10**8)}, {"grid": 2**30}])
def test_a_card_may_not_ask_for_a_huge_network(tmp_path, run_folder, change):
    generator, card = load_model(run_folder / "best.safetensors")
    with pytest.raises(ConfigError, match=r"generator\.\w+ .* or less"):
        GeneratorConfig(**{"widths": (8, 16), "grid": 8, **change}).validate()
    large = GeneratorConfig(grid=8, widths=(4096, 8192), style_dim=8)
    object.__setattr__(card, "generator", large)  # valid, and gigabytes
    save_model(tmp_path / "m.safetensors", generator, card)
    built = []
    real_init = torch.nn.Conv2d.__init__

    def init(self, *args, **kwargs):
        real_init(self, *args, **kwargs)
        built.append(self.weight.device.type)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Conv2d, "__init__", init)
        with pytest.raises(ModelError, match="do not match"):
            load_model(tmp_path / "m.safetensors")
    assert set(built) == {"meta"}


@pytest.mark.parametrize("size_px", [33, 48 + 4, 1023])
def test_a_card_with_a_size_that_its_network_cannot_draw(tmp_path, run_folder, size_px):
    generator, card = load_model(run_folder / "best.safetensors")
    save_model(tmp_path / "m.safetensors", generator, replace(card, size_px=size_px))
    with pytest.raises(ModelError, match=r"m.safetensors is damaged"):
        read_card(tmp_path / "m.safetensors")


def test_weights_of_another_kind_are_refused(tmp_path, run_folder, recwarn):
    """torch reads complex and whole numbers as others, with a warning or without."""
    generator, card = load_model(run_folder / "best.safetensors")
    for kind in (torch.complex64, torch.int16):
        vars(generator)["state_dict"] = lambda kind=kind: {
            name: value.to(kind) for name, value in torch.nn.Module.state_dict(generator).items()
        }
        save_model(tmp_path / "m.safetensors", generator, card)
        with pytest.raises(ModelError, match=r"m.safetensors holds weights that do not match"):
            load_model(tmp_path / "m.safetensors")
    assert not [each for each in recwarn.list if "complex" in str(each.message)]


@pytest.mark.parametrize("odd", [float("nan"), float("-inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path, run_folder, odd):
    """Nothing but blank glyphs is drawn with them, and a training that starts there diverges."""
    generator, card = load_model(run_folder / "best.safetensors")
    with torch.no_grad():
        generator.embedding.weight[1, 3] = odd
    save_model(tmp_path / "m.safetensors", generator, card)
    with pytest.raises(ModelError, match=r"m.safetensors holds weights that are not finite; copy"):
        load_model(tmp_path / "m.safetensors")


def test_a_font_to_complete_is_tried_before_it_is_drawn_for(tmp_path):
    """Its tables may be readable and not writable."""
    path = build_font(tmp_path / "a.ttf", "一丁𠀀A")
    assert read_all(str(path), "0", None) == (4, [])
    data, group = bytearray(path.read_bytes()), struct.pack(">LL", 0x4E00, 0x4E01)
    at = data.index(group) + len(group)
    data[at : at + 4] = struct.pack(">L", 20_001)  # a glyph that there is not
    path.write_bytes(data)
    assert BaseFont.open(path).family == "Tiny"
    with pytest.raises(FontError, match=r"a.ttf: KeyError: 'glyph20001'; it is damaged"):
        vet_font(FontSpec(path), "calligan.vector.base_font:read_all")


def test_a_variable_font_with_broken_tables_is_damaged(tmp_path):
    from fontTools.fontBuilder import FontBuilder

    font = TTFont(build_font(tmp_path / "a.ttf"))
    builder = FontBuilder(font=font)
    builder.setupFvar([("wght", 100, 400, 900, "Weight")], [])
    builder.setupGvar({})
    font.save(tmp_path / "v.ttf")
    assert Face(FontSpec(tmp_path / "v.ttf", "0", "650")).family == "Tiny"
    data = bytearray((tmp_path / "v.ttf").read_bytes())
    gvar = next(12 + 16 * n for n in range(20) if data[12 + 16 * n :][:4] == b"gvar")
    start = int.from_bytes(data[gvar + 8 : gvar + 12])
    data[start + 4 : start + 6] = b"\0\x09"  # its count of axes
    (tmp_path / "v.ttf").write_bytes(data)
    with pytest.raises(FontError, match="damaged"):
        Face(FontSpec(tmp_path / "v.ttf", "0", "650"))


@pytest.mark.parametrize("header", ["{'descr': (", "{'shape': (9,)}", "[" * 999, "\0", "{1: 2}"])
def test_arrays_with_odd_headers_are_damaged(tmp_path, data_folder, header):
    """NumPy reads a header as Python, and raises what its parser does."""
    data = shutil.copytree(data_folder, tmp_path / "data")
    store = PairStore.open(data)
    np.savez(tmp_path / "zip.npz", a=np.zeros(3, np.uint8))  # np.load would open this too
    shutil.copy(tmp_path / "zip.npz", data / "glyphs" / "source.npy")
    with pytest.raises(DataError, match=r"source.npy is missing or damaged"):
        store.images(store.manifest.named("source"))
    text = header.encode() + b"\n"
    whole = b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text
    (data / "glyphs" / "bold.npy").write_bytes(whole)
    with pytest.raises(DataError, match=r"bold.npy is missing or damaged"):
        store.images(store.manifest.named("bold"))


def test_an_array_is_not_opened_unless_it_is_a_file_of_its_size(tmp_path, data_folder, monkeypatch):
    """NumPy reads a header of 4 GB, and waits for a pipe."""
    data = shutil.copytree(data_folder, tmp_path / "data")
    store = PairStore.open(data)
    font = store.manifest.named("bold")
    path = data / "glyphs" / "bold.npy"
    monkeypatch.setattr(np.lib.format, "open_memmap", lambda *_, **__: pytest.fail("opened"))
    monkeypatch.setattr("calligan.pairs.store.sha256_file", lambda path: font.array_sha256)
    with path.open("r+b") as file:
        file.truncate(2**30)
    for _ in range(2):
        with pytest.raises(DataError, match=r"bold.npy is missing or damaged"):
            store.images(font)
        assert not store._is_whole(font)
        path.unlink()
        os.mkfifo(path)
    assert store._write_array(font, np.zeros((1, 32, 32), np.uint8)) and path.is_file()


def test_the_studios_list_of_photographs_names_no_path(tmp_path, monkeypatch):
    photos = pytest.importorskip("calligan.studio.photos")
    monkeypatch.chdir(tmp_path)
    good = {"file": "0001.jpg", "name": "a"}
    listed = tmp_path / "studio" / "hands" / "mine" / "pages.json"
    listed.parent.mkdir(parents=True)
    odd = [{"file": "../../../x.jpg"}, {"file": 3}, {}, 7, {"file": "0001.jpg/../../x"}]
    listed.write_text(json.dumps([*odd, good]))
    assert photos.pages("mine") == [good]
