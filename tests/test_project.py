"""Runs, hands, data and fonts are found again: moved, shared by two processes, of an older version."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import HAN, TINY, build_font
from PIL import Image, ImageDraw

import calligan
from calligan.config import RasterConfig, SplitConfig
from calligan.errors import ConfigError, DataError, ModelError
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.known_fonts import known_font, remember_font
from calligan.library import sessions, training
from calligan.library.fonts import written_glyphs
from calligan.models.weights import read_card
from calligan.pairs.store import PairStore
from calligan.project.models import hand_names, hand_path
from calligan.project.paths import found_path, public_path, stored_path
from calligan.project.run import Run, is_finished, new_run_folder
from calligan.project.source import trained_source
from calligan.storage import locked

WRITTEN = HAN[:8]


@pytest.fixture
def home(run_folder, tmp_path, monkeypatch):
    """A project in which the hand `mine` was learned from pictures, the working directory."""
    home = tmp_path / "home"
    (home / "glyphs").mkdir(parents=True)
    monkeypatch.chdir(home)
    for number, char in enumerate(WRITTEN):
        picture = Image.new("L", (48, 48), 255)
        ImageDraw.Draw(picture).line((6, 8 + 4 * number, 40, 40 - 3 * number), fill=0, width=5)
        picture.save(home / "glyphs" / f"{char}.png")
    calligan.learn("glyphs", "mine", model=run_folder, steps=2, settings=TINY)
    return home


def test_a_project_that_was_moved_keeps_what_was_written(home, tmp_path, monkeypatch):
    run = home / "hands/mine/0001"
    told = json.loads((run / "run.json").read_text())
    assert told["data"].startswith("../pairs-")
    absolute = {**told, "data": told["data_was"]}
    del absolute["data_was"]  # as older versions stored it
    shutil.copytree(run, home / "hands/old/0001")
    shutil.copytree((run / told["data"]).resolve(), home / "hands/old" / Path(told["data"]).name)
    absolute["data"] = absolute["data"].replace("/mine/", "/old/")
    (home / "hands/old/0001/run.json").write_text(json.dumps(absolute))
    moved = tmp_path / "elsewhere"
    home.rename(moved)
    monkeypatch.chdir(moved)
    for hand in ("mine", "old"):
        assert "".join(written_glyphs(calligan.load(hand))) == WRITTEN, hand


def test_a_run_that_was_taken_out_of_its_project_finds_its_data(home, tmp_path):
    shutil.copytree("hands/mine/0001", tmp_path / "alone")
    assert Run.open(tmp_path / "alone").data == Run.open(Path("hands/mine/0001")).data


def test_written_glyphs_that_are_gone_are_told(home):
    (data,) = (home / "hands/mine").glob("pairs-*")
    shutil.rmtree(data)
    told = []
    assert written_glyphs(calligan.load("mine"), told.append) == {}
    assert "your handwritten glyphs were not found" in told[0] and str(data) in told[0]
    alone = shutil.copy("hands/mine/0001/best.safetensors", home / "alone.safetensors")
    assert written_glyphs(calligan.load(alone), told.append) == {} and len(told) == 2


def test_a_model_of_fonts_has_no_written_glyphs_to_miss(run_folder):
    told = []
    assert written_glyphs(calligan.load(run_folder), told.append) == {} and not told


def test_a_hand_of_an_older_version_does_not_hide_the_others(home, calligan):
    old = home / "hands/old/0001"
    shutil.copytree(home / "hands/mine/0001", old)
    settings = json.loads((old / "config.json").read_text())
    (old / "config.json").write_text(json.dumps({**settings, "gone_since": 1}))
    with pytest.raises(ModelError, match="gone_since"):
        Run.open(old)
    assert hand_names() == ["mine", "old"] and is_finished(old)
    (old / "config.json").write_text("{")
    assert hand_path("old") is not None and not is_finished(old)
    done = calligan("styles", cwd=home)
    assert done.returncode == 0 and "mine, old" in done.stderr


def test_a_card_holds_no_private_path(home, run_folder, font_folder, monkeypatch, tmp_path):
    card = read_card(run_folder / "best.safetensors")
    assert [font.path for font in (*card.sources, *card.styles)] == [
        *("source.ttf", "bold.ttf", "slanted.ttf")
    ]
    assert read_card(hand_path("mine")).styles[0].path == "glyphs"  # below the working directory
    assert trained_source(card)[0].spec.path.name == "source.ttf"  # seen on this machine before
    monkeypatch.setenv("CALLIGAN_CACHE", str(tmp_path / "another-machine"))
    assert trained_source(card) is None
    shutil.copy(font_folder / "source.ttf", "source.ttf")
    assert trained_source(card)[0].spec.path == Path("source.ttf")
    older = replace(card.sources[0], path=str(font_folder / "source.ttf"))
    Path("source.ttf").unlink()
    assert trained_source(replace(card, sources=(older,))) is not None


def test_fonts_that_are_gone_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setenv("CALLIGAN_CACHE", str(tmp_path / "cache"))
    first, second = tmp_path / "a.ttf", tmp_path / "b.ttf"
    first.touch()
    second.touch()
    remember_font(first, "a" * 64)
    first.unlink()
    remember_font(second, "b" * 64)
    assert known_font("a" * 64) is None and known_font("b" * 64) == second
    assert known_font("../../x") is None


def test_paths_are_relative_inside_a_project_only(tmp_path, monkeypatch):
    run = tmp_path / "a/runs/0001"
    data, other = tmp_path / "a/data", tmp_path / "b/data"
    for folder in (run, data, other):
        folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "b")
    assert stored_path(data, run) == "../../data" and found_path("../../data", run) == data
    assert stored_path(other, run) == str(other) and found_path(str(other), run) == other
    monkeypatch.chdir(tmp_path)
    assert stored_path(other, run) == "../../../b/data"
    assert found_path("/gone/with/the/project/data", run) == data
    assert found_path("/gone/nowhere", run) == Path("/gone/nowhere")
    assert found_path("../gone", run, str(other)) == other
    assert public_path(data) == "a/data" and public_path(Path("/etc/hosts")) == "hosts"


def stores(folder, fonts, **raster):
    """A store for each font, all opened before any has entered something."""
    raster = RasterConfig(size_px=32, **raster)
    made = [
        PairStore.create_or_open(folder, HAN[:20], HAN[:20], raster, SplitConfig()) for _ in fonts
    ]
    prepared = [s.prepare(resolve_font(str(f)), "target") for s, f in zip(made, fonts, strict=True)]
    return list(zip(made, prepared, strict=True))


def test_two_that_render_into_one_folder_lose_no_font(tmp_path, font_folder):
    fonts = [font_folder / f"{name}.ttf" for name in ("source", "bold", "slanted")]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda each: each[0].add(each[1]), stores(tmp_path / "data", fonts)))
    store = PairStore.open(tmp_path / "data")
    assert {font.name for font in store.manifest.fonts} == {"source", "bold", "slanted"}
    store.verify()


def test_two_that_disagree_about_a_folder_are_told(tmp_path, font_folder):
    font = font_folder / "bold.ttf"
    other = build_font(tmp_path / "bold.ttf", weight=20)
    ((first, bold),) = stores(tmp_path / "data", [font])
    ((second, thin),) = stores(tmp_path / "data", [other])
    ((third, same),) = stores(tmp_path / "data", [font], min_ink=9)
    first.add(bold)
    with pytest.raises(DataError, match="already holds a target named bold"):
        second.add(thin)
    with pytest.raises(DataError, match="another size and placement"):
        third.add(same)


def test_nothing_of_a_run_is_read_before_it_is_held(run_folder, monkeypatch):
    def read(*told):
        pytest.fail("the state was read while another process trains")

    monkeypatch.setattr(sessions, "initial_state", read)
    monkeypatch.setattr(sessions, "newest_verified", read)
    held = Run.open(run_folder).lock()
    with held, pytest.raises(ConfigError, match="another process"):
        calligan.resume(run_folder)


def test_a_run_is_held_while_its_first_step_is_waited_for(tmp_path, data_folder):
    config = training.training_config(settings=TINY, steps=2)
    selection = training.selected(data_folder)
    with (
        sessions.new_session(tmp_path, config, selection) as session,
        pytest.raises(ConfigError, match="another process"),
        session.run.lock(),
    ):
        pytest.fail("two held one run")
    with session.run.lock():
        pass


def test_runs_that_begin_at_once_have_folders_of_their_own(tmp_path):
    def begin(number: int) -> str:
        with new_run_folder(tmp_path / "runs") as (staged, folder):
            (staged / "run.json").write_text(str(number))
        return folder.name

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(begin, range(24)))
    assert sorted(made) == [f"{number:04d}" for number in range(1, 25)]
    assert [(tmp_path / "runs" / name / "run.json").read_text() for name in made] == [
        str(number) for number in range(24)
    ]


def test_a_lock_waits_where_it_is_not_told_to_refuse(tmp_path):
    lock = tmp_path / ".lock"
    with locked(lock), pytest.raises(ConfigError, match="busy"), locked(lock, "busy"):
        pytest.fail("held twice")
    with locked(lock):
        waiting = ThreadPoolExecutor(1).submit(_held, lock)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
    assert waiting.result(timeout=10)


def _held(lock):
    with locked(lock):
        return True
