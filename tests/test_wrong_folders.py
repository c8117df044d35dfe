"""Folders from elsewhere that lead writes out of them, or hold more than anyone wrote."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import HAN
from PIL import Image

from calligan.errors import Cancelled, DataError, ModelError
from calligan.folder_update import complete_update, folder_update
from calligan.inference.export import Parts
from calligan.library.pairs import _render_lock
from calligan.library.restyling import restyle, save_restyled
from calligan.project.hand_folder import being_learned
from calligan.project.models import style_spaces
from calligan.project.run import Run
from calligan.requests.sheets import RestyleRequest
from calligan.scan.folder import ScannedGlyph, labels, read_hand, relabel, remove_page, save_hand
from calligan.storage import check_own
from calligan.training.animation import read_curves, save_curves

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def others(tmp_path) -> Path:
    """A folder that no command has been told of."""
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "mine.txt").write_text("not yours")
    return folder


@pytest.fixture
def run(tmp_path, run_folder) -> Run:
    return Run.open(shutil.copytree(run_folder, tmp_path / "run"))


def _locked_run(folder: Path):
    return Run(folder, None, folder, "", (), ()).lock()


@pytest.mark.parametrize(
    "written",
    [_locked_run, being_learned, lambda folder: _render_lock(folder, lambda: None)],
    ids=["a run", "a hand", "data"],
)
@pytest.mark.parametrize(
    "name", ["log.jsonl", "best.safetensors", "glyphs/a.npy", "glyphs", ".lock"]
)
def test_a_folder_whose_files_lead_elsewhere_is_not_written(tmp_path, others, written, name):
    folder = tmp_path / "folder"
    path = folder / name
    path.parent.mkdir(parents=True)
    with written(folder):
        pass
    path.unlink(missing_ok=True)
    for make in (
        lambda: path.symlink_to(others / "mine.txt"),
        lambda: path.symlink_to(others),
        lambda: path.symlink_to("../../others/new" if "/" in name else "../others/new"),
        lambda: os.mkfifo(path),
    ):
        path.parent.mkdir(exist_ok=True)  # a hand that is not begun is removed
        make()
        with (
            pytest.raises(DataError, match=rf"{path} is a link, a pipe or a device"),
            written(folder),
        ):
            pytest.fail("held")
        path.unlink()
    assert names(others) == ["mine.txt"] and (others / "mine.txt").read_text() == "not yours"


def test_links_within_a_folder_and_to_it_are_followed(tmp_path):
    (tmp_path / "real" / "0001").mkdir(parents=True)
    (tmp_path / "real" / "newest").symlink_to("0001")
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    check_own(tmp_path / "folder")
    check_own(tmp_path / "nowhere")


def test_an_update_that_is_a_link_is_none(tmp_path, others):
    """Its files would be moved, whosever they are."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in (".ready", ".new"):
        (folder / name).symlink_to(others)
        complete_update(folder)
        with pytest.raises(DataError, match="cannot write"), folder_update(folder) as new:
            (new / "a").write_text("")
        (folder / name).unlink()
        assert names(others) == ["mine.txt"]
    (folder / ".lock").unlink()
    (folder / ".lock").symlink_to(others / "mine.txt")
    with pytest.raises(DataError, match=r"\.lock is a link"), folder_update(folder):
        pytest.fail("held")
    assert (others / "mine.txt").read_text() == "not yours"


def _glyph(char: str, px: int = 32) -> ScannedGlyph:
    image = np.full((px, px), 255, np.uint8)
    image[8:20, 5:25] = 0
    return ScannedGlyph(char, image, "page")


def test_labels_are_corrected_in_place_of_a_link(tmp_path, others):
    hand = tmp_path / "hand"
    for change in (lambda: relabel(hand, "书.png", "永"), lambda: remove_page(hand, "page")):
        save_hand(hand, [_glyph("书")], lambda char: None)
        shutil.move(hand / "labels.csv", others / "labels.csv")
        (hand / "labels.csv").symlink_to(others / "labels.csv")
        before = (others / "labels.csv").read_bytes()
        change()
        assert not (hand / "labels.csv").is_symlink()
        assert (others / "labels.csv").read_bytes() == before
        shutil.rmtree(hand)


@pytest.mark.parametrize("label", ["two", "/", "\x1b", ""])
def test_glyphs_are_added_to_a_folder_whose_labels_are_odd(tmp_path, label):
    """What is wrong with them is said by who reads them; what they say is kept."""
    hand = tmp_path / "hand"
    save_hand(hand, [_glyph("书"), _glyph("永")], lambda char: None)
    shutil.copy(hand / "书.png", hand / "notes.png")
    text = (hand / "labels.csv").read_text("utf-8").replace("书.png,书", f"书.png,{label}")
    (hand / "labels.csv").write_text(text, "utf-8")
    asked = []
    save_hand(hand, [_glyph("和")], asked.append)
    assert asked == ["?", "永", "?", "和"]
    assert {each.file: each.char for each in labels(hand)}["书.png"] == label


def test_glyphs_are_not_added_to_more_pictures_than_memory_holds(tmp_path, monkeypatch):
    hand = tmp_path / "hand"
    save_hand(hand, [_glyph(char) for char in "书永和"], lambda char: None)
    monkeypatch.setattr("calligan.scan.folder.MAX_HAND_PX", 2 * 32 * 32)
    before = names(hand)
    monkeypatch.setattr("calligan.scan.folder.read_grey", lambda path: pytest.fail("decoded"))
    with pytest.raises(DataError, match=rf"the pictures in {hand} have more than"):
        list(read_hand(hand))
    with pytest.raises(DataError, match=rf"the pictures in {hand} have more than"):
        save_hand(hand, [_glyph("九")], lambda char: None)
    assert names(hand) == before


def test_a_contact_sheet_shows_the_newest_glyphs(tmp_path, monkeypatch):
    monkeypatch.setattr("calligan.scan.folder._MOST_SHOWN", 12)
    asked = []
    save_hand(tmp_path, [_glyph(char) for char in HAN[:30]], asked.append)
    assert "".join(asked) == HAN[18:30]
    assert Image.open(tmp_path / "contact-sheet.png").height < 300


def test_curves_of_a_strange_log(run, tmp_path):
    """matplotlib reads a name as TeX, and makes a picture as high as there are names."""
    log = run.folder / "log.jsonl"
    before = read_curves(run)
    odd = {"step": 9, "$\\frac{$": 1, "a" * 65: 1, "a\x1b": 1, "é": 1, "": 1, "large": -1e308}
    with log.open("a") as file:
        for row in (odd, {"step": 2**63 - 1, "a": 1}, {"step": -1, "a": 1}):
            file.write(json.dumps(row) + "\n")
    assert read_curves(run) == before
    save_curves(run, tmp_path / "c.png")
    with log.open("a") as file:
        file.write(json.dumps({"step": 9} | {f"n{number}": 1 for number in range(101)}) + "\n")
    with pytest.raises(ModelError, match=rf"{log} is damaged: .*kinds of numbers; remove it"):
        read_curves(run)


def test_a_huge_model_is_not_read_for_its_digest(run):
    assert len(style_spaces(run.best)) == 1
    with (run.folder / "start.safetensors").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ModelError, match=r"start.safetensors is not a model: .*larger"):
        style_spaces(run.best)


def test_restyle_tells_how_far_it_is_and_can_be_cancelled(tmp_path, inked_model, monkeypatch):
    monkeypatch.setattr("calligan.library.restyling._PART", 2)
    save_hand(tmp_path, [_glyph(char) for char in HAN[:5]], lambda char: None)
    told = []
    done = restyle(tmp_path, model=inked_model, progress=lambda *how: told.append(how))
    assert told == [("redrawing", count, 5) for count in (0, 2, 4, 5)]
    assert done.after.shape == (5, 32, 32) and len(done.chars) == 5
    with pytest.raises(Cancelled):
        restyle(tmp_path, model=inked_model, cancel=lambda: True)


def test_restyle_refuses_what_it_cannot_write_before_it_draws(tmp_path, monkeypatch):
    monkeypatch.setattr("calligan.library.restyling.restyle", lambda *_, **__: pytest.fail("drew"))
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot write .*file.*Not a directory"):
        save_restyled(RestyleRequest("hand", output=tmp_path / "file"))


GOOD_PART = {
    "lengths": np.array([1, 2]),
    "controls": np.zeros((3, 4, 2)),
    "contour": np.zeros(3, np.int64),
    "straight": np.ones(3, bool),
    "scores": np.ones(2),
    "ways": np.array(["", "bolder"]),
    "faults": np.array(["", "speck melted"]),
    "images": np.zeros((2, 8, 8), np.uint8),
    "least_score": np.array(0.5),
}


@pytest.mark.parametrize(
    "odd",
    [
        {"lengths": np.array([1, 9])},
        {"lengths": np.array([4, -1])},
        {"lengths": np.array([3])},
        {"controls": np.zeros((3, 4, 3))},
        {"controls": np.full((3, 4, 2), np.inf)},
        {"controls": np.array(["a", "b", "c"])},
        {"contour": np.zeros((3, 2))},
        {"straight": np.zeros(2)},
        {"scores": np.array(["a", "b"])},
        {"scores": np.zeros(3)},
        {"images": np.zeros((2, 8, 8))},
        {"images": np.zeros(2, np.uint8)},
        {"faults": np.array([1, 2])},
        {"least_score": np.array("x")},
        {"ways": None},
        {"contour": None},
        {"more": np.zeros(65 * 2**20, np.uint8)},
    ],
    ids=str,
)
def test_a_part_of_an_export_that_is_odd_is_drawn_again(tmp_path, odd):
    """Its folder lies beside the font, and a small zip may be a large array."""
    parts = Parts(tmp_path, "key")
    np.savez_compressed(tmp_path / "00000.npz", **GOOD_PART)
    outlines, verdicts = parts.read(0, "书永")
    assert [len(each.contour) for each in outlines] == [1, 2]
    assert verdicts[1].best.faults == ("speck", "melted")
    assert parts.read(0, "书") is None and parts.read(1, "书永") is None
    changed = {name: value for name, value in (GOOD_PART | odd).items() if value is not None}
    np.savez_compressed(tmp_path / "00000.npz", **changed)
    assert parts.read(0, "书永") is None
