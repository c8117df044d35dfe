"""The studio's views without a browser: what they are asked, and what they answer."""

import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the studio needs pip install 'calligan[studio]'")
from conftest import HAN, TINY, build_font, build_narrow_font, save_inked
from fontTools.ttLib import TTFont
from PIL import Image
from starlette.testclient import TestClient

import calligan
from calligan.errors import ConfigError, DataError
from calligan.library.typecase import TypeCase
from calligan.project.hand_folder import being_learned
from calligan.project.models import hand_path
from calligan.scan.folder import labels
from calligan.studio import hand_names, removal, write_view
from calligan.studio.app import create_app
from calligan.studio.font_files import Choices
from calligan.studio.jobs import Jobs
from calligan.studio.locations import STUDIO, checked_name, font_folder
from calligan.studio.messages import localize
from calligan.studio.security import Key
from calligan.studio.serve import listening_socket
from calligan.studio.setting import Setting
from calligan.studio.state import StudioState

BASE = "http://127.0.0.1:8577"
CHARS = "".join(dict.fromkeys("书法永和九年岁在癸丑" + HAN))
HAND = "0001/bold"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a tiny run in it, and a tiny font in the catalog's cache."""
    folder = tmp_path_factory.mktemp("project")
    build_font(folder / "source.ttf", CHARS + "Ab1，。", family="Source")
    build_font(folder / "bold.ttf", CHARS, weight=110, family="Bold Hand")
    build_font(folder / "slanted.ttf", CHARS, slant=0.2, scale=0.8, family="Slanted Hand")
    cached = folder / "cache/fonts/lxgw-wenkai/lxgw-wenkai.ttf"
    cached.parent.mkdir(parents=True)
    shutil.copy(folder / "source.ttf", cached)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CALLIGAN_CACHE", str(folder / "cache"))
        fonts = ["bold.ttf", "slanted.ttf"]
        calligan.render_pairs("source.ttf", fonts, "data", charset=CHARS, size_px=32)
        calligan.train("data", steps=8, settings=TINY)
        save_inked(Path("runs/0001/best.safetensors"), Path("runs/0001/best.safetensors"))
        yield folder


@pytest.fixture(scope="module")
def client(project):
    key = Key()
    app = create_app(StudioState(warm=False, works=False), key)
    with TestClient(app, base_url=BASE, headers={"Origin": BASE}) as client:
        client.get(f"/?token={key.token}")
        yield client


def page(client, have=(), **setting):
    told = {"text": "书法永和", "hand": HAND, **setting}
    answer = client.post("/api/page", json={"setting": told, "have": list(have)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def whole_page(client, **setting):
    """Asked again until every glyph is drawn, as the page does."""
    for _ in range(50):
        told = page(client, **setting)
        if not told["pending"]:
            return told
    raise AssertionError("some glyphs are never drawn")


def test_the_server_is_there_before_torch_is():
    code = "import sys, calligan.studio.serve; assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---- write


def test_a_page_comes_as_outlines_and_only_those_that_are_not_there(client):
    told = whole_page(client, text="书法永书")
    marks = told["pages"][0]["marks"]
    assert "".join(mark[3] for mark in marks) == "书法永书"
    assert marks[0][0] == marks[3][0] and marks[0][1] != marks[3][1]
    again = page(client, text="书法永书", have=told["outlines"])
    assert not again["outlines"] and again["pages"] == told["pages"]
    assert (
        page(client, text="书永和", have=told["outlines"])["pages"][0]["marks"][0][0] == marks[0][0]
    )


def test_the_page_is_what_the_library_writes(client):
    told = whole_page(client, format="scroll", sign="丙", seal="书")
    written = calligan.load("runs/0001").write(
        "书法永和", style="bold", format="scroll", signature="丙", seal="书"
    )
    assert len(told["pages"]) == len(written) == 1
    assert told["pages"][0]["width_mm"] == written.pages[0].width_mm
    want = [(mark.text, mark.colour) for mark in written.pages[0].marks]
    assert [(mark[3], mark[2]) for mark in told["pages"][0]["marks"]] == want


def test_drawing_takes_its_time_but_every_answer_draws_something(client):
    seen = page(client, text=HAN[:40], hand="0001/slanted")["pending"]
    after = page(client, text=HAN[:40], hand="0001/slanted")["pending"]
    assert len(after) < len(seen) or not seen


def test_a_seal_does_not_wait(project):
    case = calligan.TypeCase(calligan.load("runs/0001"))
    proof = case.page(HAN[:20], "bold", format="scroll", seal=HAN[18], seconds=0)
    assert proof.pending and HAN[18] not in proof.pending
    assert len(case.page(HAN[:20], "bold", format="scroll", seal=HAN[18]).pages) == 1


def test_an_address_says_all_of_a_setting():
    told = {
        "text": "永和\n九年", "hand": HAND, "format": "scroll", "title": "题", "sign": "丙",
        "seal": "书", "seal-kind": "red", "ink": "#102030", "vary": "0.3", "pick": "永=2",
    }  # fmt: skip
    setting = Setting.read(told)
    from urllib.parse import parse_qsl

    assert Setting.read(dict(parse_qsl(setting.query()))) == setting
    assert setting.layout["signature"] == "丙" and setting.layout["seal_kind"] == "red"


def test_the_command_line_writes_the_same_picture(client, calligan, project, tmp_path):
    told = page(client, format="square", sign="丙", vary="0.5", seed="3")
    import shlex

    words = shlex.split(told["command"])[1:]
    words[words.index("-o") + 1] = str(tmp_path / "out.svg")
    done = calligan(*words, cwd=project)
    assert done.returncode == 0, done.stderr
    answer = client.get(f"/write.svg?{told['query']}")
    pages = [answer.content.decode(), (tmp_path / "out.svg").read_text("utf-8")]
    outlines = [re.findall(r' d="([^"]*)"', each) for each in pages]
    assert re.sub(r' d="[^"]*"', "", pages[0]) == re.sub(r' d="[^"]*"', "", pages[1])
    # Another batch may be rounded otherwise: contours begin within some thousandths of an em.
    for both in zip(*outlines, strict=True):
        one, other = (np.array(re.findall(r"M(-?\d+) (-?\d+)", each), int) for each in both)
        assert one.shape == other.shape and np.abs(one - other).max() <= 10


def test_candidates_are_what_pick_takes(client):
    told = client.get("/api/candidates", params={"hand": HAND, "char": "永"}).json()
    numbers = [way["number"] for way in told["ways"]]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 3
    scores = [way["score"] for way in told["ways"]]
    assert scores == sorted(scores, reverse=True)
    last = len(numbers)
    picked = whole_page(client, text="永", pick=f"永={last}")
    (name, *_), *_ = picked["pages"][0]["marks"]
    assert (
        told["ways"][-1]["d"]
        == {**whole_page(client, text="永")["outlines"], **picked["outlines"]}[name]
    )
    assert f"--pick '永={last}'" in picked["command"] and "永" not in picked["doubtful"]
    first = told["ways"][0]
    assert (first["faults"], first["reads"]) == (["unlike"], "less")  # the tiny model draws noise
    assert told["strokes"] == 5 and told["printed"].startswith("M")
    fresh = client.get("/api/candidates", params={"hand": HAND, "char": HAN[-1]}).json()
    assert fresh["printed"] not in ("", told["printed"])  # also of a character that is on no page


@pytest.mark.parametrize(
    ("score", "least", "reads"),
    [
        (0.9, 0.7, "well"),
        (0.6, 0.7, "less"),
        (0.02, 0.001, "far"),
        (0.9, None, ""),
        (float("nan"), 0, ""),
    ],
)
def test_how_a_form_reads_depends_on_what_the_hand_reaches(score, least, reads):
    from calligan.studio.write_view import _reading

    assert _reading(score, least) == reads


def test_nothing_is_said_of_how_kana_read():
    from calligan.studio.write_view import _least_score

    hand = SimpleNamespace(style=1, case=SimpleNamespace(least_score=lambda style: 0.5))
    assert (_least_score(hand, "永"), _least_score(hand, "あ")) == (0.5, None)


def test_a_page_says_why_its_characters_are_doubtful(client):
    told = whole_page(client, text="永和永")
    assert list(told["doubtful"]) == ["永", "和"]
    assert told["doubtful"]["和"] == {"faults": ["unlike"], "strokes": 8}


@pytest.mark.parametrize(
    ("message", "english", "chinese"),
    [
        ("the text is empty", "The text is empty", "文字为空，请输入要写的字。"),
        ("the.jpg has no name", "the.jpg has no name", "原文（英文）：the.jpg has no name"),
        ("no such thing", "No such thing", "原文（英文）：No such thing"),
        ("5 is out of range; give 10 to 600", "The number is out of range: give 10 to 600.",
         "数值超出范围，请填 10 到 600。"),
    ],
)  # fmt: skip
def test_a_message_begins_with_a_capital_letter(message, english, chinese):

    assert (localize(message, "en"), localize(message, "zh")) == (english, chinese)


@pytest.mark.parametrize("place", ["title", "sign", "seal"])
def test_a_form_is_picked_for_what_stands_beside_the_text_alone(
    client, calligan, project, tmp_path, place
):
    import shlex

    asked = {"text": "永和", "format": "scroll", place: "书"}
    plain, picked = (whole_page(client, **asked, **more) for more in ({}, {"pick": "书=3"}))
    assert plain["pages"] != picked["pages"] and "pick=" in picked["query"]
    words = shlex.split(picked["command"])[1:]
    assert words[words.index("--pick") + 1] == "书=3"
    words[words.index("-o") + 1] = str(tmp_path / "out.svg")
    done = calligan(*words, cwd=project)
    assert done.returncode == 0, done.stderr
    kept = Setting.read({"text": "永和", place: "书", "pick": "书=3"}).pick
    assert not kept  # a plain page has no such place


def test_hands_are_mixed_by_shares(client):
    one, half, other = (
        whole_page(client, text="永", hand=f"0001/bold:{a}+slanted:{b}")["outlines"]
        for a, b in ((1, 0), (0.5, 0.5), (0, 1))
    )
    assert len({*one, *half, *other}) == 3
    assert [*one] == [*whole_page(client, text="永")["outlines"]]


@pytest.mark.parametrize(
    ("kind", "starts"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("pdf", b"%PDF"), ("gif", b"GIF8")]
)
def test_downloads(client, kind, starts):
    query = {"text": "书法", "hand": HAND, "dpi": 50, "grain": 1, "dry": 0.3}
    answer = client.get(f"/write.{kind}", params=query)
    assert answer.status_code == 200 and answer.content.startswith(starts)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("text", "name"),
    [("Art 1\nand 2", "Art 1 and 2"), ("书法。书法", "书法书法"), ("a" * 11 + " b", "a" * 11)],
)
def test_a_downloads_name_has_the_spaces_of_its_text(client, text, name):
    answer = client.get("/write.svg", params={"text": text, "hand": HAND, "missing": "box"})
    told = answer.headers["content-disposition"]
    assert unquote(told.partition("''")[2]) == f"{name}.svg"


class Left:
    """A request whose browser goes after some checks."""

    def __init__(self, app, stays, **values):
        self.app, self.checks, self.stays = app, 0, stays
        self.path_params, self.query_params = {"kind": "gif"}, values

    async def is_disconnected(self):
        self.checks += 1
        return self.checks > self.stays


def test_a_download_ends_when_its_browser_has_gone(client, monkeypatch):
    import asyncio

    from calligan.errors import Cancelled
    from calligan.library.pages import Pages
    from calligan.studio import downloads

    monkeypatch.setattr(downloads, "_CHECK_S", 0.02)
    ended = []

    def gif(self, dpi, cancel):
        for _ in range(500):
            time.sleep(0.01)
            if cancel():
                ended.append(True)
                raise Cancelled("the film was cancelled")

    monkeypatch.setattr(Pages, "gif", gif)
    setting = {"text": "书法永和", "hand": HAND}
    whole_page(client, **setting)
    with pytest.raises(Cancelled, match="download"):
        asyncio.run(downloads.download(Left(client.app, 0, **setting)))
    with pytest.raises(Cancelled, match="film"):
        asyncio.run(downloads.download(Left(client.app, 3, **setting)))
    assert ended


def test_many_pages_come_as_an_archive(client):
    query = {"text": "书法永和九年\n" * 60, "hand": HAND, "format": "letter", "dpi": 20}
    with zipfile.ZipFile(io.BytesIO(client.get("/write.png", params=query).content)) as archive:
        assert len(archive.namelist()) > 1


def test_a_model_whose_file_changed_is_opened_anew(client, project):
    from calligan.studio.engine import Engine

    engine, path = Engine(), Path("runs/0001/best.safetensors")
    first = engine.chosen(HAND).case
    assert engine.chosen("0001/slanted").case is first
    told = path.stat()
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns + 10**9))
    assert engine.chosen(HAND).case is not first


def test_colours_have_names(client):
    import re

    text = client.get("/write").text
    assert not re.findall(r'(?:aria-label|title)="#', text) and 'aria-label="Cinnabar red"' in text


def test_a_couplet_of_unequal_lines_is_noted(client):
    told = whole_page(client, text="永和\n书", format="couplet")
    assert told["notes"] == ["The two strips should have as many characters; they have 1 and 2."]
    assert whole_page(client, text="永和\n书法", format="couplet")["notes"] == []


def test_a_couplet_of_one_line_says_what_to_write(client):
    asked = {"setting": {"text": "永", "hand": HAND, "format": "couplet"}}
    for language, said in (("en", "Write 2 lines or more"), ("zh-CN", "请写2行")):
        answer = client.post("/api/page", json=asked, headers={"Accept-Language": language})
        assert answer.status_code == 422 and said in answer.json()["error"]
        assert "\\n" not in answer.json()["error"]


def test_what_the_source_font_supplies_is_named_but_for_punctuation_and_picked_kana(client):
    from calligan.inference.writer import Text

    read = Text("永1A，あ。イ ー＋1", "永あイ", "1A，。 ー＋", "", replaced={"bold": "あイ"})
    assert write_view._from_print(read, {"イ": 2}) == "1Aあー＋"
    assert page(client, text="永，A1")["borrowed"] == "A1"


def test_hands_and_specimens(client):
    hands = client.get("/api/hands").json()["hands"]
    assert {"0001/bold", "0001/slanted"} <= {hand["key"] for hand in hands}
    told = client.get("/api/specimen", params={"hand": HAND, "text": "永a和"}).json()
    assert [glyph["char"] for glyph in told["glyphs"]] == ["永", "和"]


@pytest.mark.parametrize("when", ["before it is read", "before it draws"])
def test_a_hand_that_is_deleted_while_it_is_asked_for_is_told(client, project, monkeypatch, when):
    shutil.copytree(project / "runs/0001", project / "hands/leaving/0001")
    delete = lambda: shutil.rmtree(project / "hands/leaving", ignore_errors=True)  # noqa: E731

    def leaving(name, hands):
        path = hand_path(name, hands)
        if name == "leaving" and when == "before it is read":
            delete()
        return path

    class Case(TypeCase):
        def page(self, *given, **more):
            delete()
            self.model.path.stat()  # as the one that reads the networks does
            return super().page(*given, **more)

    monkeypatch.setattr("calligan.studio.engine.hand_path", leaving)
    monkeypatch.setattr("calligan.library.typecase.TypeCase", Case)
    answer = client.get("/api/specimen", params={"hand": "leaving", "text": "永"})
    assert answer.status_code == 422
    assert "There is no hand “leaving” here: it was renamed or deleted" in answer.json()["error"]


@pytest.mark.parametrize("language", ["en-GB,en;q=0.9", "zh-CN,zh;q=0.9,en;q=0.1", "fr"])
def test_every_view_in_the_browsers_language(client, language):
    for path in ("/write", "/hand", "/hand/mine", "/font", "/font/mine?new=1", "/runs"):
        answer = client.get(path, headers={"Accept-Language": language})
        assert answer.status_code == 200
        assert ("zh-Hans" if language.startswith("zh") else "en") in answer.text.split(">")[1]


def test_every_word_is_there_in_both_languages_and_every_one_is_used():
    import re

    from calligan.studio.rendering import translations

    here = Path(sys.modules["calligan.studio.rendering"].__file__).parent
    english, chinese = translations("en"), translations("zh")
    text = "".join(
        p.read_text("utf-8")
        for kind in ("static/*.js", "templates/*", "*.py")
        for p in here.glob(kind)
    )
    named = set(re.findall(r"""\bt\((?:[\w.]+ \? )?["']([\w ]+)["']""", text))
    named = {name for name in named if not name.endswith("_")}
    assert named <= set(english), named - set(english)
    stems = ("format_", "reads_", "hands_", "columns_", "show_", "set_", "state_", "work_", "doing_",
             "again_", "corner_", "cells_", "found_", "colour_", "row_", "fault_", "script_",
             "being_learned", "not_finished")  # fmt: skip
    bar = ("write", "hand", "font", "runs")
    unused = [k for k in english if k not in bar and f'"{k}"' not in text and f"'{k}'" not in text]
    assert not [key for key in unused if not key.startswith(stems)], unused
    assert all(chinese[key].strip() and english[key].strip() for key in english)


def sentences_of_the_library() -> str:
    """Every text in the package's code, a line each; values that are filled in read as 7."""
    import ast

    found = []
    for path in Path(calligan.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [v.value if isinstance(v, ast.Constant) else "7" for v in node.values]
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(line.replace("\n", " ") for line in found)


def test_every_translated_message_is_one_that_the_library_has():
    import re

    from calligan.studio.messages import patterns

    said = sentences_of_the_library()
    outside = ("could not be fetched", "out of memory", "cannot write .*[Nn]o space left")
    for pattern, texts in patterns():
        found = re.search(pattern.pattern, said, re.M)
        assert found or pattern.pattern in outside, pattern.pattern
        assert texts["zh"].strip() and set(texts) <= {"zh", "en"}


def test_errors_come_in_the_language_of_the_page(client):
    asked = {"setting": {"text": "永", "hand": "nobody"}}
    answer = client.post("/api/page", json=asked, headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 422 and "没有名为“nobody”的字体" in answer.json()["error"]
    assert "renamed or deleted" in client.post("/api/page", json=asked).json()["error"]
    unknown = client.post("/api/page", json=[], headers={"Accept-Language": "zh-CN"})
    assert unknown.json()["error"].startswith("原文（英文）：The request is not")


def test_what_the_browser_gets_is_small_and_its_own():
    here = Path(sys.modules["calligan.studio.app"].__file__).parent
    files = [path for name in ("static", "templates") for path in (here / name).iterdir()]
    assert sum(path.stat().st_size for path in files) < 300_000
    for path in files:
        text = path.read_text("utf-8").replace("http://www.w3.org/", "")
        assert "http://" not in text and "https://" not in text, path


# ---- my hand


def written_page(font: Path, chars: str, trim: int = 0) -> bytes:
    """A filled sheet as a picture."""
    pytest.importorskip("cv2", reason="the extra calligan[scan] is not installed")
    from calligan.page.flow import moved, set_line
    from calligan.page.png import to_image
    from calligan.scan.template_page import font_letters, template_page
    from calligan.scan.template_sheet import make_sheets

    letters, _ = font_letters(str(font), chars + "Ab1")
    (sheet,) = make_sheets(chars, "a4", 20)
    made = template_page(sheet, letters, "A1", "mi")
    for index, char in enumerate(chars):
        x, y = sheet.cell_origin_mm(index)
        marks, _ = set_line(char, letters, "vertical", 17, 0, "#201a18", np.eye(2, 3)[None])
        made.marks += [moved(mark, x + 10, y + 1.5) for mark in marks]
    picture, file = to_image(made, 150), io.BytesIO()
    picture.crop((0, 0, picture.width, picture.height - trim)).save(file, "JPEG", quality=90)
    return file.getvalue()


def give(client, path, data, name="page.jpg", **fields):
    return client.post(path, files={"file": (name, data)}, data=fields)


@pytest.fixture(scope="module")
def written_hand(client, project):
    """The hand `mine`: a photograph that was cut into 20 glyphs; the folder of these."""
    data = written_page(project / "bold.ttf", HAN[:20])
    answer = give(client, "/upload/hand/mine", data, name="../../../etc/passwd\0.jpg")
    assert answer.status_code == 200 and answer.json()["glyphs"] == 20, answer.text
    return project / STUDIO / "hands/mine/glyphs"


def test_photographs_become_glyphs_that_are_put_right(client, written_hand):
    told = client.get("/api/hand/mine").json()
    assert len(told["glyphs"]) == 20 and told["pages"][0]["file"] == "0001.jpg"
    assert client.get("/hand/mine/photo/0001.jpg").headers["content-type"] == "image/jpeg"
    file = told["glyphs"][3]["file"]
    assert client.get(f"/hand/mine/glyph/{file}").content.startswith(b"\x89PNG")

    before = client.post("/api/hand/mine/label", json={"file": file, "char": "永"}).json()
    assert before["char"] == HAN[3]
    assert {label.file: label.char for label in labels(STUDIO / "hands/mine/glyphs")}[file] == "永"
    for char in ("", before["char"]):  # left out, and undone
        assert (
            client.post("/api/hand/mine/label", json={"file": file, "char": char}).status_code
            == 200
        )
    for wrong in ({"file": "labels.csv", "char": "永"}, {"file": "../x.png", "char": "永"},
                  {"file": file, "char": "永和"}, {"file": file, "char": "/"}, {}):  # fmt: skip
        assert client.post("/api/hand/mine/label", json=wrong).status_code == 422


def test_a_corrected_glyph_is_judged_under_its_new_character(client, project, monkeypatch):
    """Among the other glyphs of its page; a stand-in for the reader says what it reads."""
    from calligan.library import scanning

    def read(glyphs, font):
        (char, _), *others = glyphs
        seen.append((char, "".join(each for each, _ in others)))
        wrong = {} if char == HAN[3] else {char: HAN[3]}
        return SimpleNamespace(malformed="", mislabelled=wrong, scores=np.ones(len(glyphs)))

    seen: list[tuple[str, str]] = []
    data = written_page(project / "bold.ttf", HAN[:20])
    assert give(client, "/upload/hand/judged", data).json()["glyphs"] == 20
    monkeypatch.setattr(scanning, "proofread", read)

    def labelled(char: str) -> dict[str, str]:
        asked = {"file": f"{HAN[3]}.png", "char": char}
        for what in ("label", "judge"):
            assert client.post(f"/api/hand/judged/{what}", json=asked).status_code == 200
        told = client.get("/api/hand/judged").json()["glyphs"]
        return next(glyph for glyph in told if glyph["file"] == asked["file"])

    assert labelled(HAN[5])["note"] == f"reads as {HAN[3]}"
    beside = [char for char in HAN[:20] if char not in (HAN[3], HAN[5])]
    assert [(char, sorted(others)) for char, others in seen] == [(HAN[5], sorted(beside))]
    assert labelled("")["note"] == labelled(HAN[3])["note"] == ""


def test_what_judges_glyphs_is_open_before_the_first_is_corrected(
    client, project, written_hand, monkeypatch
):
    from calligan.library import checking, scanning
    from calligan.reader import check

    asked = []
    monkeypatch.setattr(StudioState, "open_reader", lambda studio: asked.append(studio))
    client.get("/hand/nothing-yet")
    assert not asked
    for path in ("/hand/mine", "/hand"):
        client.get(path)
    assert len(asked) == 2
    checking._kept_charset.cache_clear()
    check._kept.clear()
    checking.open_reader()
    (kept,) = check._kept  # the embeddings of all characters, which take the longest
    scanning.doubt_of(written_hand, f"{HAN[2]}.png", HAN[7])
    assert list(check._kept) == [kept] and checking._kept_charset.cache_info().misses == 1


def test_a_page_that_cannot_be_read_says_which_corners(client, project):
    data = written_page(project / "bold.ttf", HAN[:20], trim=200)
    told = give(client, "/upload/hand/torn", data).json()
    assert (
        told["glyphs"] == 0 and "bottom" in told["trouble"] and str(project) not in told["trouble"]
    )
    lost = {corner for corner, place in told["corners"].items() if place is None}
    assert lost == {"bottom right", "bottom left"}
    assert client.post("/api/hand/torn/photo/0001.jpg/remove", json={}).status_code == 200
    assert client.get("/api/hand/torn").json()["pages"] == []


def test_a_removed_page_takes_its_glyphs_along(client, project):
    for chars in (HAN[:10], HAN[20:30]):
        assert give(
            client, "/upload/hand/two", written_page(project / "bold.ttf", chars)
        ).is_success
    assert client.post("/api/hand/two/photo/0001.jpg/remove", json={}).json() == {"glyphs": 10}
    there = labels(STUDIO / "hands/two/glyphs")
    assert "".join(label.char for label in there) == HAN[20:30]


def test_a_photograph_is_taken_once_and_one_that_was_not_read_again(client, project):
    data, torn = (written_page(project / "bold.ttf", HAN[:20], trim=trim) for trim in (0, 200))
    for file, name in ((data, "first.jpg"), (torn, "torn.jpg"), (torn, "torn.jpg")):
        assert give(client, "/upload/hand/once", file, name=name).is_success
    told = client.get("/api/hand/once").json()
    assert [page["name"] for page in told["pages"]] == ["first.jpg", "torn.jpg"]
    path = Path(STUDIO / "hands/once/pages.json")
    entries = json.loads(path.read_text())
    path.write_text(json.dumps([{k: v for k, v in e.items() if k != "sha256"} for e in entries]))
    again = give(client, "/upload/hand/once", data, name="again.jpg")
    assert again.status_code == 422
    assert again.json()["error"] == "This photograph is here already: first.jpg"
    assert len(client.get("/api/hand/once").json()["glyphs"]) == 20
    listed = client.get("/hand").text
    assert "20 characters" in re.search(r"/hand/once.*?</li>", listed, re.S)[0]
    client.post("/api/hand/once/label", json={"file": f"{HAN[1]}.png", "char": HAN[0]})
    assert "19 characters" in re.search(r"/hand/once.*?</li>", client.get("/hand").text, re.S)[0]


def copybook_page(font: Path, lines: list[str], gap_mm: float) -> bytes:
    """A page without template in columns from right to left, `gap_mm` apart, as a picture."""
    pytest.importorskip("cv2", reason="the extra calligan[scan] is not installed")
    from calligan.page.drawing import Page
    from calligan.page.flow import moved, set_line
    from calligan.page.png import to_image
    from calligan.scan.template_page import font_letters

    letters, _ = font_letters(str(font), "".join(lines))
    page = Page(100, 160, paper="white")
    for number, line in enumerate(lines):
        for row, char in enumerate(line):
            marks, _ = set_line(char, letters, "vertical", 15, 0, "#201a18", np.eye(2, 3)[None])
            x = 80 - number * (14 + gap_mm)
            page.marks += [moved(mark, x, 10 + 17 * row) for mark in marks]
    file = io.BytesIO()
    to_image(page, 150).save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture(scope="module")
def copybook(client, project):
    """The hand `copybook`: a page whose two columns stand so close that they are found as one."""
    lines = [HAN[:8], HAN[8:16]]
    data = copybook_page(project / "bold.ttf", lines, gap_mm=-2)
    page = give(client, "/upload/hand/copybook", data, text="\n".join(lines)).json()
    return page["file"]


def test_columns_of_a_page_are_corrected_and_that_is_undone(client, project, copybook):
    api = f"/api/hand/copybook/page/{copybook}"
    before = client.get(api).json()
    assert len(before["cut"]["edges"]) == 1 and before["text"] == f"{HAN[:8]}\n{HAN[8:16]}"
    width, height = (before["cut"][name] for name in ("width", "height"))
    picture = client.get(f"/hand/copybook/page/{copybook}")
    assert Image.open(io.BytesIO(picture.content)).size == (width, height)

    ((left, right),) = before["cut"]["edges"]
    middle = (left + right) / 2
    edges = [[left, middle], [middle, right]]
    asked = {"text": before["text"], "columns": "rtl", "edges": edges}
    assert client.post(f"{api}/cut", json=asked).json()["trouble"]  # so it was before
    first = client.get(api).json()
    boxes = first["cut"]["boxes"]
    assert "".join(box[0] for box in boxes) == HAN[:16]
    assert all(abs(box[1] - (middle if n < 8 else left)) < 0.01 for n, box in enumerate(boxes))
    there = labels(STUDIO / "hands/copybook/glyphs")
    assert sorted(label.char for label in there) == sorted(HAN[:16])

    moved = [[left, middle - 0.02], [middle - 0.02, right]]
    undo = client.post(f"{api}/cut", json={**asked, "edges": moved}).json()
    assert client.get(api).json()["cut"] != first["cut"] == undo["cut"]
    again = {"text": undo["text"], "columns": undo["columns"], "edges": undo["cut"]["edges"]}
    assert client.post(f"{api}/cut", json=again).status_code == 200
    assert client.get(api).json() == first
    assert len(labels(STUDIO / "hands/copybook/glyphs")) == len(boxes)


def cut_in_two(client, api: str) -> dict:
    """The page's two columns, found as one, are parted; what is to be asked for that."""
    before = client.get(api).json()
    edges, text = before["cut"]["edges"], before["text"]
    if len(edges) == 1:
        ((left, right),) = edges
        edges = [[left, (left + right) / 2], [(left + right) / 2, right]]
    asked = {"text": text, "columns": "rtl", "edges": edges}
    assert client.post(f"{api}/cut", json=asked).is_success
    return asked


def test_cuts_are_placed_labels_stay_corrected_and_that_is_undone(client, project, copybook):
    api, folder = f"/api/hand/copybook/page/{copybook}", STUDIO / "hands/copybook/glyphs"
    asked = cut_in_two(client, api)
    first = client.get(api).json()["cut"]
    assert [len(column) for column in first["cuts"]] == [9, 9] and first["placed"] == []
    there, made = labels(folder), client.get("/api/hand/copybook").json()["glyphs"][4]["made_ms"]
    for number, char in enumerate(("永", "", "", "永")):
        told = {"file": there[number].file, "char": char}
        assert client.post("/api/hand/copybook/label", json=told).is_success

    at = first["cuts"][1][3] + 0.03  # between the third and the fourth character that is read
    cuts = [[], [*first["cuts"][1][:3], at, *first["cuts"][1][4:]]]
    undo = client.post(f"{api}/cut", json={**asked, "cuts": cuts}).json()
    now = client.get(api).json()["cut"]
    assert now["placed"] == [1] and now["cuts"][0] == first["cuts"][0]
    assert abs(now["boxes"][2][4] - at) < 0.001 and now["boxes"][2][4] == now["boxes"][3][2]
    assert now["boxes"][:2] + now["boxes"][4:] == first["boxes"][:2] + first["boxes"][4:]
    assert client.get("/api/hand/copybook").json()["glyphs"][4]["made_ms"] > made
    # What was left out and is cut otherwise is taken back.
    assert [label.char for label in labels(folder)[:5]] == ["永", "", HAN[2], "永", HAN[4]]

    assert client.post(f"{api}/cut", json={**asked, "edges": undo["cut"]["edges"]}).is_success
    assert client.get(api).json()["cut"] == first == undo["cut"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"edges": [[0.9, 0.1]]}, "within the page"), ({"edges": "x"}, "pairs of numbers"),
        ({"edges": []}, "1 to 60 columns"), ({"edges": [[0, float("inf")]]}, "JSON"),
        ({"edges": [[0, 0.001]]}, "column 1 from the left"), ({"text": "abc"}, "text holds no"),
        ({"edges": [[0.1, 0.6], [0.5, 0.9]]}, "column 2"), ({"columns": "up"}, "is not one of"),
        ({"text": HAN * 3}, "do not fit"), ({"edges": [[0.5, 0.9], [0.1, 0.5]]}, "in order"),
        ({"edges": [[0, 1]], "cuts": [[0, 0.5], []]}, "each of 1 columns"),
        ({"edges": [[0, 1]], "cuts": [[0.5, 0.1]]}, "0 to 1, ascending"),
        ({"edges": [[0, 1]], "cuts": [[0.5]]}, "0 to 1, ascending"),
        ({"edges": [[0, 1]], "cuts": [["x"]]}, "list of numbers"),
        ({"edges": [[0, 1]], "cuts": 3}, "list of numbers"),
        ({"edges": [[0, 1]], "cuts": [[0, 0.001, 1]], "text": HAN[:2]}, "character 1 of column 1"),
        ({"edges": [[0, 1]], "cuts": [[0, 0.5, 1]]}, "make 2 characters, and its line"),
    ],
)  # fmt: skip
def test_columns_that_make_no_sense_change_nothing(client, copybook, wrong, says):
    api = f"/api/hand/copybook/page/{copybook}"
    before = client.get(api).json(), labels(STUDIO / "hands/copybook/glyphs")
    asked = {"text": HAN[:16], "columns": "rtl", "edges": None, **wrong}
    answer = client.post(
        f"{api}/cut", content=json.dumps(asked), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422 and says.lower() in answer.json()["error"].lower(), answer.text
    assert (client.get(api).json(), labels(STUDIO / "hands/copybook/glyphs")) == before


def test_a_sheet_with_cells_has_no_columns(client, written_hand):
    asked = {"text": HAN[:16], "columns": "rtl", "edges": None}
    answer = client.post("/api/hand/mine/page/0001.jpg/cut", json=asked)
    assert answer.status_code == 422 and "no columns" in answer.json()["error"]
    assert client.get("/hand/mine/page/0001.jpg").status_code == 422
    assert client.get("/api/hand/mine/page/0002.jpg").status_code == 422


def picture(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a picture"),
        (b"<svg onload=alert(1)>", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture"),
        (b"GIF89a" + b"\0" * 40, "not a picture"),
        (picture(9000, 9000), "megapixels"),
        (picture(20, 20), "too small"),
        (b"x" * (41 * 2**20), "larger than 40 MB"),
    ],
)
def test_hostile_pictures_leave_nothing(client, data, says):
    answer = give(client, "/upload/hand/hostile", data)
    assert answer.status_code == 422 and says in answer.json()["error"], answer.text
    photos = STUDIO / "hands/hostile/photos"
    assert not photos.exists() or not list(photos.iterdir())


@pytest.mark.parametrize(
    "name", ["..", ".", "a.b", "%2e%2e", "a b", "CON", "12", "-x", "a" * 41, "all", "bundle"]
)
def test_names_that_are_no_names(client, name):
    for kind in ("hand", "font"):
        answer = give(client, f"/upload/{kind}/{name}", b"x")
        assert answer.status_code in (404, 422), name
    with pytest.raises(DataError):
        checked_name(name)


def test_more_than_one_file_and_odd_forms(client):
    files = [("a", ("a.jpg", b"x")), ("b", ("b.jpg", b"x"))]
    assert client.post("/upload/hand/odd", files=files).status_code in (400, 422)
    assert client.post("/upload/hand/odd", data={"text": "永"}).status_code in (400, 422)
    fields = {f"f{i}": "x" for i in range(50)}
    assert give(client, "/upload/hand/odd", b"x", **fields).status_code in (400, 422)
    assert give(client, "/upload/hand/odd", picture(99, 99), columns="up").status_code == 422
    assert give(client, "/upload/hand/odd", picture(99, 99), text="abc").status_code == 422


def test_sheets_to_print(client):
    answer = client.get("/hand/sheets.pdf?count=12&paper=letter")
    assert answer.content.startswith(b"%PDF")
    for query in ("count=0", "count=9999", "count=x", "paper=../a4"):
        assert client.get(f"/hand/sheets.pdf?{query}").status_code == 422


REMOVABLE = (("hand", ("studio/hands/a", "hands/a")), ("font", ("studio/fonts/a",)))


@pytest.fixture(params=REMOVABLE, ids=lambda each: each[0])
def removable(request, tmp_path, monkeypatch):
    """A hand or a font with all its folders, and the queue with its ended work."""
    monkeypatch.chdir(tmp_path)
    kind, paths = request.param
    folders, jobs = [Path(path) for path in paths], Jobs(STUDIO / "work.sqlite")
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "x").write_text(folder.as_posix())
    for work in ("learn", "check"):  # the first is of a hand, the second of a font
        jobs.cancel(jobs.add(work, "a", {"minutes": 3}))
    return SimpleNamespace(kind=kind, folders=folders, jobs=jobs)


def start_anew():
    state = StudioState(warm=False, works=False)
    state.open()
    state.close()


def change_note(token, **values):
    note = removal.REMOVED / token / "removed.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), **values}))


def test_what_is_removed_comes_back_also_after_a_start(removable):
    kind, folders, jobs = removable.kind, removable.folders, removable.jobs
    rows = jobs.rows(kind, "a")
    waiting = jobs.add({"hand": "plan", "font": "match"}[kind], "a", {})  # is never lost
    token = removal.remove(jobs, kind, "a")
    assert not any(folder.exists() for folder in folders)
    assert rows and not jobs.rows(kind, "a")
    assert jobs.get(waiting).state == "waiting" and len(jobs.recent("a")) == 2
    start_anew()
    other = {"hand": "font", "font": "hand"}[kind]
    assert removal.names_of_removed(kind) == {token: "a"} and not removal.names_of_removed(other)
    assert removal.restore(jobs, token) == "a"
    assert [(each / "x").read_text() for each in folders] == [each.as_posix() for each in folders]
    assert jobs.rows(kind, "a") == rows
    assert not removal.names_of_removed(kind) and not list(removal.REMOVED.iterdir())
    with pytest.raises(DataError, match="deleted by now"):
        removal.restore(jobs, token)


def test_what_comes_back_never_takes_the_place_of_another(removable):
    token = removal.remove(removable.jobs, removable.kind, "a")
    removable.folders[-1].mkdir()
    with pytest.raises(DataError, match="another one"):
        removal.restore(removable.jobs, token)
    assert not list(removable.folders[-1].iterdir())
    assert len(removable.folders) == 1 or not removable.folders[0].exists()
    removable.folders[-1].rmdir()
    assert removal.restore(removable.jobs, token) == "a"


def test_what_was_removed_is_deleted_after_a_week_and_nothing_else(removable, tmp_path):
    kind, jobs = removable.kind, removable.jobs
    old = removal.remove(jobs, kind, "a")
    removable.folders[0].mkdir()
    new = removal.remove(jobs, kind, "a")
    for token, days in ((old, 7.1), (new, 6.9)):
        change_note(token, removed_at=time.time() - 86_400 * days)
    place, elsewhere = removal.REMOVED, tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(place / new / "removed.json", elsewhere)
    shutil.copytree(place / old, place / "mine")
    (place / ("1" * 32)).symlink_to(elsewhere, target_is_directory=True)
    (place / ("2" * 32)).mkdir()
    assert removal.names_of_removed(kind) == {new: "a"}
    removable.folders[0].mkdir()
    newest = removal.remove(jobs, kind, "a")
    assert list(removal.names_of_removed(kind)) == [newest, new]
    change_note(newest, removed_at=time.time() - 86_400 * 6.95)
    assert list(removal.names_of_removed(kind)) == [new, newest]
    start_anew()
    there = {new, newest, "mine", "1" * 32, "2" * 32}
    assert {path.name for path in place.iterdir()} == there and list(elsewhere.iterdir())
    with pytest.raises(DataError, match="deleted by now"):
        removal.restore(jobs, old)
    place.rename(elsewhere / "removed")
    place.symlink_to(elsewhere / "removed", target_is_directory=True)
    change_note(new, removed_at=0)
    start_anew()
    assert {path.name for path in place.iterdir()} == there
    removable.folders[0].mkdir()
    with pytest.raises(DataError, match="cannot write"):
        removal.remove(jobs, kind, "a")
    assert removable.folders[0].is_dir()


@pytest.mark.parametrize(
    "values",
    [
        {"name": "../../elsewhere"},
        {"name": "con"},
        {"kind": "run"},
        {"folders": ["elsewhere"]},
        {"folders": ["studio/hands/../../elsewhere"]},
        {"folders": "hands/a"},
        {"folders": []},
        {"removed_at": "now"},
        {"jobs": [1]},
    ],
)
def test_a_note_from_elsewhere_leads_nowhere(removable, values):
    token = removal.remove(removable.jobs, removable.kind, "a")
    change_note(token, **values)
    before = sorted(Path().rglob("*"))
    with pytest.raises(DataError, match="deleted by now"):
        removal.restore(removable.jobs, token)
    removal.names_of_removed(removable.kind)
    removal.forget_old()
    assert sorted(Path().rglob("*")) == before


def test_folders_are_removed_and_brought_back_all_or_none(removable, monkeypatch):
    kind, folders, jobs = removable.kind, removable.folders, removable.jobs
    rename, rows = Path.rename, jobs.rows(kind, "a")

    def full(self, to):
        if folders[-1] in (self, to):
            raise OSError(28, "No space left on device")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(DataError, match="No space"):
        removal.remove(jobs, kind, "a")
    assert all((folder / "x").is_file() for folder in folders)
    assert not list(removal.REMOVED.iterdir()) and jobs.rows(kind, "a") == rows
    monkeypatch.setattr(Path, "rename", rename)
    token = removal.remove(jobs, kind, "a")
    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(DataError, match="No space"):
        removal.restore(jobs, token)
    assert not any(folder.exists() for folder in folders) and not jobs.rows(kind, "a")
    monkeypatch.setattr(Path, "rename", rename)
    assert removal.restore(jobs, token) == "a"


def test_what_cannot_be_moved_back_after_a_failure_is_kept(removable, monkeypatch):
    """Half of a hand is in its place then, and the other half is not deleted."""
    rename, done = Path.rename, []

    def broken(self, to):
        done.append(self)
        if len(done) >= len(removable.folders):
            raise OSError(5, "Input/output error")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(DataError, match="Input/output"):
        removal.remove(removable.jobs, removable.kind, "a")
    assert len(list(Path().rglob("x"))) == len(removable.folders)
    monkeypatch.setattr(Path, "rename", rename)
    removable.folders[-1].rename("elsewhere")
    for token in removal.names_of_removed("hand"):
        removal.restore(removable.jobs, token)
    assert all((folder / "x").is_file() for folder in removable.folders[:-1])


# ---- my font


def test_a_font_is_looked_at_and_made(client, project, monkeypatch, work):
    half = build_font(project / "Half.ttf", HAN[:30] + "A", weight=90, family="Half")
    told = give(client, "/upload/font/half", half.read_bytes(), name="Half.ttf").json()
    assert told["family"] == "Half" and told["refusal"] == ""
    assert told["sets"]["gb2312"][0] == 30
    assert [job.kind for job in Jobs(STUDIO / "work.sqlite").recent("half")] == ["match"]
    again = give(client, "/upload/font/half", half.read_bytes(), name="Half.ttf")
    assert again.status_code == 422 and "already" in again.json()["error"]

    monkeypatch.setattr("calligan.studio.font_view.CHARSETS", (HAN[:40],))
    asked = {"hand": HAND, "charset": HAN[:40], "complete": True, "family": "Whole"}
    number = client.post("/api/font/half/make", json=asked).json()["job"]
    work(number)
    told = client.get("/api/font/half").json()
    assert told["made"]["drawn"] == 10 and told["kinds"] == [".ttf"]
    assert told["made"]["sets"]["gb2312"][0] == 40 and told["about"]["sets"]["gb2312"][0] == 30
    assert told["settings"]["family"] == told["made"]["order"]["family"] == "Whole"
    glyphs = client.get("/api/font/half/glyphs").json()["glyphs"]
    assert [glyph["char"] for glyph in glyphs] == list(HAN[30:40]) and all(g["d"] for g in glyphs)
    answer = client.get("/font/half/made.ttf")
    assert 'filename="half-complete.ttf"' in answer.headers["content-disposition"]
    made = TTFont(io.BytesIO(answer.content))
    assert set(map(ord, HAN[:40])) <= set(made.getBestCmap())
    assert client.get("/font/half/made.woff2").content.startswith(b"wOF2")
    assert len(client.get("/font/half/report.json").json()) == 10
    report = client.get("/font/half/report.html")
    assert report.headers["content-disposition"].startswith("attachment")
    assert told["report"] and report.text.count("<img ") == 20
    asked = {"text": f"{HAN[41]} {HAN[0]}\n{HAN[41]}龘"}
    assert client.post("/api/font/half/lacks", json=asked).json() == {"lacks": f"{HAN[41]}龘"}


def test_a_font_is_made_of_ones_own_characters(client, project, work):
    text = f"{HAN[3]}，{HAN[1]}\n{HAN[3]} A"
    asked = {"hand": HAND, "charset": "own", "chars": text, "complete": False, "family": "Own"}
    work(client.post("/api/font/own/make", json=asked).json()["job"])
    assert set(glyphs_of(client, "own")) == {HAN[3], HAN[1]}
    assert client.get("/api/font/own").json()["settings"]["chars"] == HAN[3] + HAN[1]
    for chars, said in (("abc ，", "没有可制作的汉字"), (wide_text(), "最多 10,000 字")):
        asked["chars"] = chars
        headers = {"Accept-Language": "zh"}
        answer = client.post("/api/font/own/make", json=asked, headers=headers)
        assert answer.status_code == 422 and said in answer.json()["error"]


def wide_text() -> str:
    return "".join(map(chr, range(0x4E00, 0x4E00 + 10_001)))


def test_the_nearest_hand_is_found(project, monkeypatch):
    from calligan.library.matching import _widened, nearest_to
    from calligan.studio import tasks

    model = calligan.load("runs/0001")
    assert sorted(nearest_to(project / "bold.ttf", model)) == ["bold", "slanted"]
    slim = build_font(project / "latin.ttf", "Ab", family="Latin")
    with pytest.raises(calligan.CalliganError, match="Chinese"):
        nearest_to(slim, model)
    narrow = np.full((1, 64, 64), 255, np.uint8)
    narrow[:, 8:56, 24:40] = 0
    columns = np.flatnonzero((_widened(narrow)[0] < 128).any(axis=0))
    assert abs(np.ptp(columns) + 1 - 48) <= 2 and abs(columns.mean() - 31.5) <= 1
    square = np.full((1, 64, 64), 255, np.uint8)
    square[:, 8:56, 10:54] = 0
    assert _widened(square) is square

    monkeypatch.setattr("calligan.library.model.load", lambda *a, **k: model)
    font_folder("near").mkdir(parents=True)
    shutil.copy(project / "slanted.ttf", font_folder("near") / "given.ttf")
    about = font_folder("near") / "about.json"
    about.write_text('{"family": "Near"}')

    class Job:
        note, progress = staticmethod(print), staticmethod(print)

    found = tasks.match("near", {}, Job())["hand"]
    assert json.loads(about.read_text()) == {"family": "Near", "nearest": found}


def test_glyphs_are_picked_and_left_out_the_next_time(client, project, monkeypatch, work):
    monkeypatch.setattr("calligan.studio.font_view.CHARSETS", (HAN[:6],))
    asked = {"hand": HAND, "charset": HAN[:6], "complete": False, "family": "New"}
    work(client.post("/api/font/new/make", json=asked).json()["job"])
    before = glyphs_of(client, "new")
    choose = {"hand": HAND, "char": HAN[1], "number": 5}
    assert client.post("/api/font/new/choose", json=choose).json() == {"number": None}
    client.post("/api/font/new/choose", json={"hand": HAND, "char": HAN[2], "number": 0})
    assert Choices.read("new").left_out == HAN[2]
    assert client.get("/api/font/new").json()["pending"] == HAN[1:3]
    work(client.post("/api/font/new/make", json={**asked, "kind": ".ttf"}).json()["job"])
    after = glyphs_of(client, "new")
    assert after[HAN[2]] == before[HAN[2]] and after[HAN[1]] != before[HAN[1]]
    assert after[HAN[0]] == before[HAN[0]]
    assert changed_of(client, "new") == {HAN[1]: False, HAN[2]: True}
    assert client.get("/api/font/new").json()["pending"] == ""
    shown = client.get("/api/font/new/glyphs?show=changed").json()["glyphs"]
    assert {glyph["char"]: glyph["d"] for glyph in shown}[HAN[2]] == before[HAN[2]] != ""
    client.post("/api/font/new/choose", json={"hand": HAND, "char": HAN[2], "number": None})
    assert changed_of(client, "new") == {HAN[1]: False, HAN[2]: True}
    told = client.get("/api/font/new").json()
    assert (told["changed"], told["pending"], told["picked"]) == (2, HAN[2], {HAN[1]: 5})
    again = {"hand": HAND, "char": HAN[1], "number": None}
    client.post("/api/font/new/choose", json=again)
    assert client.get("/api/font/new").json()["pending"] == HAN[1:3]
    assert set(changed_of(client, "new")) == set(HAN[1:3])
    client.post("/api/font/new/choose", json={**again, "number": 5})
    assert Choices.read("new").left_out == "" and Choices.read("new").picked == {HAN[1]: 5}


class SilentJob:
    saved, note, progress = {}, staticmethod(print), staticmethod(lambda *a: None)
    cancel = staticmethod(lambda: False)


def test_a_blank_glyph_is_in_the_grid_to_be_redrawn(client, project, monkeypatch):
    from calligan.library import fonts
    from calligan.studio import tasks

    monkeypatch.setattr("calligan.studio.font_view.CHARSETS", (HAN[:4],))
    asked = {
        "hand": HAND,
        "charset": HAN[:4],
        "complete": False,
        "family": "Blank",
        "family_chinese": "",
        "kind": ".ttf",
    }

    made = fonts.make_font

    def with_a_blank(*arguments, **more):
        return replace(made(*arguments, **more), blank=HAN[1], drawn=HAN[0] + HAN[2:4])

    monkeypatch.setattr("calligan.library.fonts.make_font", with_a_blank)
    font_folder("blank").mkdir(parents=True)
    tasks.font("blank", asked, SilentJob())
    glyphs = client.get("/api/font/blank/glyphs?show=doubtful").json()["glyphs"]
    assert HAN[1] in {glyph["char"] for glyph in glyphs}
    every = client.get("/api/font/blank/glyphs").json()["glyphs"]
    assert [glyph["char"] for glyph in every] == list(HAN[:4])


def test_characters_left_out_as_too_dense_are_told(client, project, monkeypatch):
    from calligan.studio import tasks

    half = build_font(project / "Few.ttf", HAN[:2], weight=90, family="Few")
    give(client, "/upload/font/few", half.read_bytes(), name="Few.ttf")
    hopeless = lambda self, chars: "".join(c for c in chars if c == HAN[4])  # noqa: E731
    monkeypatch.setattr("calligan.reader.reach.Reach.hopeless", hopeless)
    asked = {"hand": HAND, "charset": "own", "chars": HAN[:6], "complete": True, "kind": ".ttf"}
    made = tasks.font("few", {**asked, "family": "Less", "family_chinese": ""}, SilentJob())
    assert (made["drawn"], made["dense"], made["there"]) == (3, HAN[4], 2)
    listed = client.get("/font/few/report.json").json()
    assert [glyph["char"] for glyph in listed] == list(HAN[2:6])
    assert (listed[2]["left_out"], listed[2]["doubtful"]) == ("dense", False)
    shown = client.get("/api/font/few/glyphs").json()["glyphs"]
    assert [glyph["char"] for glyph in shown] == list(HAN[2:6]) and all(g["d"] for g in shown)
    assert all(glyph["strokes"] for glyph in shown)
    assert ["box" in glyph for glyph in shown] == [False, False, True, False]
    picked = {"hand": HAND, "char": HAN[4], "number": 2}  # by eye: then it is taken
    client.post("/api/font/few/choose", json=picked)
    made = tasks.font("few", {**asked, "family": "Less", "family_chinese": ""}, SilentJob())
    assert (made["drawn"], made["dense"]) == (4, "")


def test_every_kind_that_was_made_is_made_again(client, project, work):
    asked = {"hand": HAND, "charset": "own", "complete": False, "family": "Kinds"}

    def make(kind, chars):
        order = {**asked, "chars": chars, "kind": kind}
        work(client.post("/api/font/kinds/make", json=order).json()["job"])
        return client.get("/api/font/kinds").json()["kinds"]

    def chars_of(kind):
        path = font_folder("kinds") / f"made{kind}"
        if kind != ".ufo":
            return {char for char in HAN if ord(char) in TTFont(path).getBestCmap()}
        text = "".join(each.read_text() for each in path.rglob("*.glif"))
        return {char for char in HAN if f'hex="{ord(char):04X}"' in text}

    assert make(".otf", HAN[:3]) == [".otf"]
    assert make(".ufo", HAN[:3]) == [".otf", ".ufo"]
    leave = {"hand": HAND, "char": HAN[2], "number": 0}
    client.post("/api/font/kinds/choose", json=leave)
    kinds = [".ttf", ".otf", ".ufo"]
    assert make(".ttf", HAN[:3]) == kinds and list(map(chars_of, kinds)) == [{*HAN[:2]}] * 3
    assert make(".ufo", HAN[:4]) == kinds  # another order
    assert list(map(chars_of, kinds)) == [{HAN[0], HAN[1], HAN[3]}] * 3
    assert not (font_folder("kinds") / "new").exists()
    assert client.get("/font/kinds/made.ufo").content.startswith(b"PK")


def test_a_narrow_font_is_shown_whole_and_its_user_told(client, project, monkeypatch, work):
    from calligan.studio import tasks

    slim = build_narrow_font(project / "slim.ttf", HAN[:9], 0.5)
    give(client, "/upload/font/slim", slim.read_bytes(), name="slim.ttf")
    monkeypatch.setattr("calligan.studio.font_view.CHARSETS", (HAN[:20],))
    asked = {"hand": HAND, "charset": HAN[:20], "complete": True}
    work(client.post("/api/font/slim/make", json=asked).json()["job"])
    told = client.get("/api/font/slim", headers={"Accept-Language": "zh-CN"}).json()["made"]
    assert "字宽 500，全身 1,000" in told["narrowed"]
    assert 0.3 < told["scale"][0] < 0.7 and told["scale"][1] <= 1
    glyphs = client.get("/api/font/slim/glyphs").json()["glyphs"]
    assert len(glyphs) == 11 and {glyph["width"] for glyph in glyphs} == {500}
    assert all(glyph["faults"] for glyph in glyphs if glyph["doubtful"])

    order, scale = told["order"], told["scale"]
    monkeypatch.setattr("calligan.vector.body._needed_scale", lambda *measured: 0.3)
    picked = {"hand": HAND, "char": HAN[12], "number": 3}
    client.post("/api/font/slim/choose", json=picked)
    shown = client.get(f"/api/font/slim/glyphs?chars={HAN[12]}").json()["glyphs"]
    ways = client.get("/api/candidates", params=picked).json()["ways"]
    (fresh,) = shown  # as it will be: its ink is to be narrowed and placed, as the dialog does
    assert (fresh["d"], fresh["box"], fresh["width"]) == (ways[2]["d"], ways[2]["box"], 500)
    again = tasks.font("slim", order, SilentJob())
    assert again["scale"] == tuple(scale) and again["advance"] == 500
    after = client.get("/api/font/slim/glyphs").json()["glyphs"]
    same = [(g["d"] == before["d"]) for g, before in zip(after, glyphs, strict=True)]
    assert same == [glyph["char"] != HAN[12] for glyph in glyphs]
    assert not any("box" in glyph for glyph in after)
    own = {"charset": "own", "chars": HAN[:12]}
    assert tasks.font("slim", {**order, **own}, SilentJob())["scale"][0] == 0.3  # another font


def test_a_begun_font_is_found_again_renamed_and_removed(client, project):
    jobs = Jobs(STUDIO / "work.sqlite")

    def ask(path, language="en", **body):
        answer = client.post(path, json=body, headers={"Accept-Language": language})
        return answer.status_code, answer.json()

    assert ask("/api/font/first/settings", charset="jis-1")[0] == 422
    assert not font_folder("first").exists()
    assert ask("/api/font/first/settings", begin=True) == (200, {})
    given = {"hand": HAND, "charset": "jis-1", "family": "F" * 99, "other": "x"}
    assert ask("/api/font/first/settings", **given) == (200, {})
    kept = {"hand": HAND, "charset": "jis-1", "family": "F" * 60}
    assert client.get("/api/font/first").json()["settings"] == kept
    listed = client.get("/font", headers={"Accept-Language": "en"}).text
    assert re.search("/font/first.*?Not made yet", listed, re.S)

    font_folder("second").mkdir()
    for to, said in (("second", "请换一个名称"), ("../x", "名称"), ("", "名称"), ("12", "名称")):
        status, answer = ask("/api/font/first/rename", "zh", to=to)
        assert status == 422 and said in answer["error"], answer
    number = jobs.add("check", "first", {})
    for path, body in (("rename", {"to": "third"}), ("remove", {})):
        status, answer = ask(f"/api/font/first/{path}", **body)
        assert status == 422 and answer["error"].startswith("Work on this font is going on")
    jobs.cancel(number)
    assert ask("/api/font/first/rename", to="第三") == (200, {"name": "第三"})
    assert not font_folder("first").exists() and client.get("/font/first").status_code == 404
    assert client.get("/api/font/第三").json()["settings"] == kept
    assert [job.id for job in jobs.recent("第三")] == [number] and not jobs.recent("first")

    status, answer = ask("/api/font/第三/remove")
    assert status == 200 and not jobs.recent("第三")
    assert not font_folder("第三").exists() and answer["token"] in client.get("/font").text
    assert answer["token"] not in client.get("/hand").text
    assert ask("/api/font/第三/choose", hand=HAND, char=HAN[0], number=0)[0] == 422
    assert ask("/api/restore", token=answer["token"]) == (200, {"name": "第三"})
    assert [job.id for job in jobs.recent("第三")] == [number]
    assert client.get("/api/font/第三").json()["settings"] == kept
    assert answer["token"] not in client.get("/font").text
    for token in (answer["token"], "../fonts/第三", ""):
        assert ask("/api/restore", token=token)[0] == 422


def test_the_hand_of_a_renamed_font_stays_its_own(client, project):
    half = build_font(project / "Own.ttf", HAN[:9], weight=90, family="Own")
    give(client, "/upload/font/own-hand", half.read_bytes(), name="Own.ttf")
    jobs = Jobs(STUDIO / "work.sqlite")
    number = client.post("/api/font/own-hand/learn", json={}).json()["job"]
    for job in jobs.recent("own-hand"):
        jobs.cancel(job.id)
    client.post("/api/font/own-hand/rename", json={"to": "renamed"})
    assert client.get("/api/font/renamed").json()["own"] == "own-hand"
    assert [job.id for job in jobs.recent("own-hand")] == [number]  # it is of the hand
    assert [job.kind for job in jobs.recent("renamed")] == ["match"]
    jobs.cancel(client.post("/api/font/renamed/learn", json={}).json()["job"])
    assert client.get("/api/font/renamed").json()["own"] == "renamed"
    again = give(client, "/upload/font/renamed", half.read_bytes(), name="Own.ttf")
    assert again.status_code == 422 and "already" in again.json()["error"]


def test_hands_and_fonts_are_listed(client, project):
    font_folder("listed").mkdir(parents=True)
    (STUDIO / "hands/listed").mkdir(parents=True)
    for view in ("hand", "font"):
        answer = client.get(f"/{view}")
        assert answer.status_code == 200 and f'href="/{view}/listed"' in answer.text


def test_a_font_that_is_not_there_says_what_to_do(client):
    for language, said in (("en", "My font"), ("zh", "我的字库")):
        answer = client.get("/font/nowhere", headers={"Accept-Language": language})
        assert answer.status_code == 404 and said in answer.text and 'href="/font"' in answer.text
    assert client.get("/font/nowhere?new=1").status_code == 200
    assert not (STUDIO / "fonts/nowhere").exists()


def changed_of(client, name):
    """The changed characters, and whether the font is without them."""
    told = client.get(f"/api/font/{name}/glyphs?show=changed").json()
    return {glyph["char"]: "left_out" in glyph for glyph in told["glyphs"]}


def glyphs_of(client, name):
    told = client.get(f"/api/font/{name}/glyphs").json()
    return {glyph["char"]: glyph["d"] for glyph in told["glyphs"]}


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", b"\0\1\0\0" + b"\0" * 50, b"OTTO" + b"\xff" * 5000, b"wOF2" + b"\0" * 99],
)
def test_hostile_fonts_leave_nothing(client, data):
    answer = give(client, "/upload/font/hostile", data, name="x.ttf")
    assert answer.status_code == 422 and answer.json()["error"], answer.text
    assert not (STUDIO / "fonts/hostile").exists()
    assert "/" not in answer.json()["error"].replace("TTF/OTF", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"hand": "../x"}, {"hand": "0001/none"}, {"charset": "/etc/passwd"}, {"kind": "../x.ttf"},
        {"complete": True}, {"kind": ".exe"},
    ],
)  # fmt: skip
def test_orders_that_make_no_sense(client, wrong):
    asked = {"hand": HAND, "charset": "gb2312", "complete": False, **wrong}
    assert client.post("/api/font/nothing/make", json=asked).status_code == 422


# ---- long work


@pytest.fixture
def work(start):
    """Do a job as the server does, in a process of its own; it must end well."""

    def run(number: int) -> None:
        jobs = Jobs(STUDIO / "work.sqlite")
        while jobs.get(number).state == "waiting":
            taken = jobs.take_next() or jobs.take_next(light=True)
            assert start("calligan.studio.worker", taken).wait(200) == 0
        job = jobs.get(number)
        assert job.state == "finished", job.message

    return run


def test_the_queue_keeps_its_order_and_no_piece_twice(tmp_path):
    jobs = Jobs(tmp_path / "work.sqlite")
    first, second = jobs.add("learn", "a", {"minutes": 1}), jobs.add("learn", "b", {})
    assert jobs.add("learn", "a", {"minutes": 1}) == first
    assert jobs.take_next() == first and jobs.get(first).state == "running"
    jobs.cancel(second)
    assert jobs.get(second).state == "cancelled" and jobs.take_next() is None
    jobs.set_progress(first, "training", 3, 10)
    assert (jobs.get(first).done, jobs.get(first).total) == (3, 10)
    Jobs(
        tmp_path / "work.sqlite"
    ).requeue_interrupted()  # another server, after this one was killed
    third = jobs.add("learn", "c", {})
    assert jobs.get(first).resumed and jobs.take_next() == first
    jobs.end(first, "failed", "no room on the disk")
    assert jobs.retry(first) not in (first, third)
    with pytest.raises(DataError, match="no job 99"):
        jobs.get(99)
    with pytest.raises(DataError, match="not ended yet"):
        jobs.retry(third)


def test_light_work_goes_beside_heavy_work_and_what_waits_says_for_what(client):
    jobs = Jobs(STUDIO / "work.sqlite")
    while jobs.take_next() or jobs.take_next(light=True):
        pass
    for job in jobs.recent():
        jobs.end(job.id, "failed")
    heavy, light = jobs.add("learn", "a", {"minutes": 10}), jobs.add("check", "b", {})
    second, third = jobs.add("font", "c", {}), jobs.add("learn", "d", {})
    assert jobs.take_next() == heavy and jobs.take_next(light=True) == light
    assert jobs.take_next(light=True) is None
    told = {job["id"]: job["waits_for"] for job in client.get("/api/work").json()["jobs"]}
    assert told[heavy] is told[light] is None
    assert (told[second]["kind"], told[second]["subject"], told[second]["more"]) == (
        "learn",
        "a",
        0,
    )
    assert 590 < told[second]["left_s"] <= 600 and told[third]["more"] == 1
    for number in (heavy, light):
        jobs.end(number, "finished")
    for number in (second, third):
        jobs.cancel(number)


def test_the_time_left_is_that_of_the_whole_and_goes_down(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("calligan.studio.jobs.time.time", lambda: now[0])
    jobs = Jobs(tmp_path / "work.sqlite")
    number = jobs.add("learn", "a", {"minutes": 10})

    def left(passed_s, *progress):
        now[0] += passed_s
        if progress:
            jobs.set_progress(number, *progress)
        return jobs.get(number).left_s

    assert left(5) is None
    assert jobs.take_next() == number and left(10) == 590
    assert left(50, "trying hands", 1, 90) == 540 and left(60, "trying hands", 60, 90) == 510
    assert left(30, "training", 150, 600) == 450  # as planned: not measured yet
    assert left(20, "training", 170, 600) == pytest.approx(430)
    assert [left(15), left(15)] == pytest.approx([415, 400])
    assert left(10, "training", 210, 600) == pytest.approx(390)
    assert left(390, "training", 600, 600) is None  # evaluating, for who knows how long
    assert left(60) is None


def test_the_time_left_is_that_of_the_training_however_long_it_was_prepared(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("calligan.studio.jobs.time.time", lambda: now[0])
    jobs = Jobs(tmp_path / "work.sqlite")
    number = jobs.add("learn", "a", {"minutes": 2})
    jobs.take_next()
    now[0] += 300
    jobs.set_progress(number, "getting ready", 0, 1)
    assert jobs.get(number).left_s == pytest.approx(102)
    jobs.set_progress(number, "training", 0, 120)
    assert jobs.get(number).left_s == 120
    jobs.requeue_interrupted()
    jobs.take_next()
    jobs.set_progress(number, "training", 50, 120)
    now[0] += 5
    assert jobs.get(number).left_s == 65
    now[0] += 100
    assert jobs.get(number).left_s is None


def test_the_time_left_follows_the_recent_speed_and_does_not_jump(tmp_path, monkeypatch):
    """Ten units a second, in bursts, for five minutes, and then half as many."""
    now = [1000.0]
    monkeypatch.setattr("calligan.studio.jobs.time.time", lambda: now[0])
    jobs = Jobs(tmp_path / "work.sqlite")
    number = jobs.add("font", "a", {})
    assert jobs.take_next() == number
    done, told, total = 0, [], 9000
    jobs.set_progress(number, "drawing", 0, total)
    for second in range(4, 901, 4):
        now[0] += 4
        done += (20 if second > 300 else 40) + (10 if second % 8 else -10)
        jobs.set_progress(number, "drawing", done, total)
        told.append(jobs.get(number).left_s)
    assert told[:2] == [None, None] and None not in told[2:]
    assert told[14] == pytest.approx((total - 600) / 10, rel=0.15)  # after a minute
    assert told[149] == pytest.approx((total - 4500) / 5, rel=0.1)  # after ten, half as fast
    assert max(abs(after - before) for before, after in pairwise(told[14:])) < 60


def test_a_queue_of_an_older_version_is_read(tmp_path):
    path = tmp_path / "work.sqlite"
    number = Jobs(path).add("learn", "a", {})
    with sqlite3.connect(path) as base:
        for name in ("started_at", "progress_at", "recent_s", "recent_done"):
            base.execute(f"alter table jobs drop column {name}")
    base.close()
    assert Jobs(path).take_next() == number


def test_far_too_much_is_refused(tmp_path):
    jobs = Jobs(tmp_path / "work.sqlite")
    with pytest.raises(DataError, match="too many jobs"):
        for number in range(100):
            jobs.add("learn", "a", {"minutes": number})


class StudioProcess:
    """`calligan studio` in a process of its own, and a client that opened its address."""

    def __init__(self, start, folder: Path) -> None:
        self.process = start("calligan", "studio", folder, "--no-browser")
        self.address = self.process.stdout.readline().strip()
        import httpx2

        base = self.address.split("/?")[0]
        self.client = httpx2.Client(base_url=base, headers={"Origin": base}, follow_redirects=True)
        assert self.client.get(self.address).status_code == 200

    def jobs(self):
        return self.client.get("/api/work").json()["jobs"]

    def ended(self, number: int):
        return next((j for j in self.jobs() if j["id"] == number and j["ended"]), None)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "no folder nowhere"),
        (["--lan", "--host", "example.org"], "leave --host out"),
        (["--port", "99999"], "65535"),
        (["--host", "203.0.113.1"], "give another --host or --port"),
    ],
)
def test_commands_that_make_no_sense(calligan, tmp_path, arguments, says):
    done = calligan("studio", "--no-browser", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and says in done.stderr and not done.stdout
    assert len(done.stderr.strip().splitlines()) == 1 and not list(tmp_path.iterdir())


def until(said, seconds: float = 120):
    ending_at = time.monotonic() + seconds
    while time.monotonic() < ending_at:
        if found := said():
            return found
        time.sleep(0.1)
    raise AssertionError("it never came to that")


def steps_of(log: Path) -> list[int]:
    if not log.is_file():
        return []
    rows = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    return [row["step"] for row in rows if "progress" in row]


def test_learning_goes_on_after_the_server_was_killed(project, written_hand, start):
    shutil.copytree(written_hand, project / "studio/hands/killed/glyphs")
    asked = {"steps": 250, "model": "runs/0001", "settings": ["eval_chars=4", "sample_chars=2",
             "log_every_steps=2", "keep_every_steps=20", "batch_size=4"]}  # fmt: skip
    studio = StudioProcess(start, project)
    number = Jobs(project / STUDIO / "work.sqlite").add("learn", "killed", asked)
    log = project / "hands/killed/0001/log.jsonl"
    until(lambda: len(steps_of(log)) > 15)
    studio.kill()
    studio = StudioProcess(start, project)
    try:
        job = until(lambda: studio.ended(number), 200)
        assert job["state"] == "finished" and job["resumed"], job["message"]
        steps = steps_of(log)
        assert steps == sorted(set(steps)) and steps[-1] == 250
        assert not (project / "hands/killed/0002").exists()
        assert "killed" in [hand["key"] for hand in studio.client.get("/api/hands").json()["hands"]]
        told = studio.client.get("/api/hand/killed").json()
        run = told["run"]
        assert told["steps_a_minute"] == pytest.approx(60 * run["step"] / run["elapsed_s"])
        assert run["finished"] and run["curves"]["reconstruction"]
        cells = run["before_after"]
        sheet = Image.open(project / "hands/killed/0001/before-after.png")
        assert (cells["width"], cells["height"]) == sheet.size and cells["pitch"] == 32 + 4
        assert cells["left"] + cells["count"] * cells["pitch"] == sheet.width
        assert cells["left"] < 150 and 1 <= cells["count"] <= 12
        assert run["began_from"] in ("Bold Hand", "Slanted Hand")
    finally:
        assert studio.stop() == 0


def test_work_is_cancelled_and_gone_on_with(project, written_hand, start):
    studio = StudioProcess(start, project)
    try:
        shutil.copytree(written_hand, project / "studio/hands/stopped/glyphs")
        settings = ["eval_chars=4", "sample_chars=2", "log_every_steps=2", "batch_size=4"]
        asked = {"steps": 5000, "model": "runs/0001", "settings": settings}
        jobs = Jobs(project / STUDIO / "work.sqlite")
        first, second = jobs.add("learn", "stopped", asked), jobs.add("learn", "none", {})
        log = project / "hands/stopped/0001/log.jsonl"
        until(lambda: len(steps_of(log)) > 3)
        assert jobs.get(second).state == "waiting"
        assert studio.client.post(f"/api/work/{first}/cancel", json={}).status_code == 200
        until(lambda: jobs.get(first).state == "cancelled")
        failed = until(lambda: jobs.get(second) if jobs.get(second).ended else None)
        assert failed.state == "failed" and "studio/hands/none" in failed.message
        assert steps_of(log)[-1] < 5000
    finally:
        assert studio.stop() == 0


def copied_hand(project: Path, name: str, **metrics: float) -> Path:
    """The run folder of a hand: a copy of the tiny run, with other metrics."""
    from calligan.models.weights import load_model, save_model

    folder = project / "hands" / name / "0001"
    shutil.copytree(project / "runs/0001", folder)
    generator, card = load_model(folder / "best.safetensors")
    styles = (replace(card.styles[0], name=name, chinese=name), *card.styles[1:])
    card = replace(card, metrics={**card.metrics, **metrics}, styles=styles)
    save_model(folder / "best.safetensors", generator, card)
    return folder


def test_a_hand_is_renamed_deleted_and_brought_back(client, project, written_hand):
    """With its photographs, its models and its rows of the queue; not while work on it is open."""
    from calligan.models.card import read_card

    copied_hand(project, "old", validation_l1=0.1)
    shutil.copytree(written_hand, project / STUDIO / "hands/old/glyphs")
    jobs = Jobs(STUDIO / "work.sqlite")
    number = jobs.add("learn", "old", {"minutes": 3})

    def change(hand, what, **body):
        return client.post(f"/api/hand/{hand}/{what}", json=body)

    for answer in (change("old", "rename", name="later"), change("old", "remove")):
        assert answer.status_code == 422 and "being worked with" in answer.json()["error"]
    while jobs.take_next() != number:
        pass
    jobs.end(number, "finished", "12 are few: expect weight", {"run": "hands/old/0001"})
    for taken in ("mine", "old", "con", "../x", "", "12"):
        assert change("old", "rename", name=taken).status_code == 422
    assert change("old", "rename", name="later").json() == {"name": "later"}
    told = client.get("/api/hand/later").json()
    job = jobs.get(number)
    assert (job.subject, job.result["run"]) == ("later", "hands/later/0001")
    assert told["there"] and told["notes"] and len(told["glyphs"]) == 20
    assert told["run"]["path"] == "hands/later/0001" and told["run"]["styles"] == ["later"]
    style = read_card(Path("hands/later/0001/best.safetensors")).styles[0]
    assert (style.name, style.chinese) == ("later", "later")
    assert whole_page(client, hand="later")["command"].count(" --style later ") == 1
    assert not client.get("/api/hand/old").json()["there"]
    gone = client.post("/api/page", json={"setting": {"text": "永", "hand": "old"}})
    assert gone.status_code == 422 and "“old” here: it was renamed" in gone.json()["error"]

    removed = change("later", "remove").json()
    assert not list(Path().glob("*/later")) and not list(STUDIO.glob("hands/later"))
    assert client.get("/api/hand/later").json()["notes"] == [] and not jobs.recent("later")
    assert change("later", "remove").status_code == 422  # it is gone
    assert removed["token"] in client.get("/hand").text
    assert removed["token"] not in client.get("/font").text
    assert client.post("/api/restore", json=removed).json() == {"name": "later"}
    assert client.get("/api/hand/later").json() == told and jobs.get(number).state == "finished"
    assert removed["token"] not in client.get("/hand").text
    assert client.post("/api/restore", json=removed).status_code == 422


def test_a_hand_that_a_command_learns_is_neither_renamed_nor_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders, jobs = removal.folders_of("hand", "a"), Jobs(STUDIO / "work.sqlite")
    for folder in folders:
        folder.mkdir(parents=True)
    with being_learned(folders[1]):
        for change in (
            lambda: hand_names.rename(jobs, "a", "b"),
            lambda: hand_names.remove(jobs, "a"),
        ):
            with pytest.raises(ConfigError, match="being learned"):
                change()
            assert all(folder.is_dir() for folder in folders)


@pytest.mark.parametrize("moves", range(4))
def test_a_renaming_that_was_killed_is_finished_at_the_next_start(project, moves, monkeypatch):
    from calligan.library import renaming
    from calligan.models.card import read_card

    old, new, note = f"old{moves}", f"new{moves}", STUDIO / "renaming.json"
    model = copied_hand(project, old) / "best.safetensors"
    (project / STUDIO / "hands" / old).mkdir(parents=True)
    jobs, steps = Jobs(STUDIO / "work.sqlite"), []

    class Killed(BaseException):
        pass

    def counted(function):
        def step(*arguments):
            assert json.loads(note.read_text()) == {"old": old, "new": new}
            if len(steps) == moves:
                raise Killed
            steps.append(function)
            return function(*arguments)

        return step

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(hand_names, "move_hand", counted(hand_names.move_hand))
        patch.setattr(renaming, "write_weights", counted(renaming.write_weights))
        hand_names.rename(jobs, old, new)
    note.write_text(json.dumps({"old": old, "new": new}))  # a kill leaves it there
    with TestClient(create_app(StudioState(warm=False, works=False), Key())):
        pass
    assert not any(folder.exists() for folder in removal.folders_of("hand", old))
    assert all(folder.is_dir() for folder in removal.folders_of("hand", new))
    assert read_card(Path("hands") / new / "0001" / model.name).styles[0].name == new
    assert not note.exists()


def test_a_note_of_renaming_that_names_other_folders_is_ignored(project):
    (project / "kept").mkdir()
    jobs = Jobs(STUDIO / "work.sqlite")
    for note in ('{"old": "../kept", "new": "taken"}', "[]", '{"old": 1}', "no JSON"):
        (STUDIO / "renaming.json").write_text(note)
        hand_names.finish_renaming(jobs)
        assert (project / "kept").is_dir() and not (STUDIO / "renaming.json").exists()


def test_a_name_says_whether_there_is_such_a_hand(client, written_hand):
    assert client.get("/api/hand/mine/name").json() == {"there": True}
    assert client.get("/api/hand/nobody/name").json() == {"there": False}
    assert client.get("/api/hand/con/name").status_code == 422


def test_a_hand_is_learned_on_from_what_it_is(client, project, written_hand, work):
    """The steps of both count, and it shares the style space of the model that it began from."""
    from calligan.library.hands import _steps_before
    from calligan.models.weights import load_model, save_model
    from calligan.project.models import style_spaces
    from calligan.project.run import Run

    shutil.copytree(written_hand, project / STUDIO / "hands/further/glyphs")
    asked = {"settings": ["eval_chars=4", "sample_chars=2", "batch_size=4"]}
    jobs = Jobs(STUDIO / "work.sqlite")
    assert client.post("/api/hand/further/learn", json={"on": True}).status_code == 422
    work(jobs.add("learn", "further", {**asked, "steps": 6, "model": "runs/0001"}))
    first = client.get("/api/hand/further").json()["steps_learned"]
    path = Path("hands/further/0001/best.safetensors")
    generator, card = load_model(path)
    older = {key: value for key, value in card.provenance.items() if key != "spaces"}
    save_model(path, generator, replace(card, provenance=older))  # as older versions wrote it
    work(jobs.add("learn", "further", {**asked, "steps": 4, "on": True}))
    told = client.get("/api/hand/further").json()
    assert (first, told["steps_learned"], told["run"]["path"]) == (6, 10, "hands/further/0002")
    assert _steps_before(Run.open(Path("hands/further/0002"))) == 6
    spaces = style_spaces(Path("hands/further/0002/best.safetensors"))
    assert spaces & style_spaces(Path("runs/0001/best.safetensors"))
    number = client.post("/api/hand/further/learn", json={"on": True, "minutes": 3}).json()["job"]
    assert jobs.get(number).arguments == {"even": True, "minutes": 3, "on": True}
    jobs.cancel(number)


@pytest.mark.parametrize("loss", [0.4, 0.1])
def test_a_hand_that_is_hardly_learned_is_named_so_for_good(client, project, loss):
    name = f"weak-{loss:g}".replace(".", "_")
    folder = copied_hand(project, name, validation_l1=loss, copy_source_l1=0.2)
    jobs = Jobs(STUDIO / "work.sqlite")
    number = jobs.add("learn", name, {})
    while jobs.take_next() != number:
        pass
    few = "12 are few: expect weight and slant, hardly the forms; 100 are better"
    jobs.end(number, "finished", f"font: Source\n{few}", {"run": f"hands/{name}/0001"})
    notes = client.get(f"/api/hand/{name}").json()["notes"]
    assert [few in line for line in notes] == [True] + [False] * (loss > 0.2)
    assert notes == client.get(f"/api/font/{name}").json()["notes"]
    number = jobs.add("learn", name, {"minutes": 1})
    assert client.get(f"/api/hand/{name}").json()["notes"] == []  # they are of the time before
    jobs.cancel(number)
    hands = {hand["key"]: hand for hand in client.get("/api/hands").json()["hands"]}
    state = client.get(f"/api/hand/{name}").json()["state"]
    assert state == ("weak_hand" if loss > 0.2 else "learned")
    listed = re.search(f"{name}.*?</li>", client.get("/hand").text, re.S)[0]
    assert ("hardly learned" in listed) is (loss > 0.2)
    doubts = (hands[name]["doubt"], hands[HAND]["doubt"])
    assert doubts == ("weak_hand" if loss > 0.2 else "", "")
    shutil.rmtree(folder.parent)


def test_a_hand_at_its_first_checkpoint_is_not_called_learned(client, project):
    folder = copied_hand(project, "begun", validation_l1=0.1, copy_source_l1=0.2)
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "steps": 100}))

    def told(language="en"):
        listed = client.get("/hand", headers={"Accept-Language": language}).text
        hands = {hand["key"]: hand for hand in client.get("/api/hands").json()["hands"]}
        state = client.get("/api/hand/begun").json()["state"]
        return state, hands["begun"]["doubt"], re.search("begun.*?</li>", listed, re.S)[0]

    jobs = Jobs(STUDIO / "work.sqlite")
    assert told()[:2] == ("not_finished",) * 2 and "learning not finished" in told()[2]
    number = jobs.add("learn", "begun", {})
    assert told()[:2] == ("being_learned",) * 2 and "学习中" in told("zh")[2]
    jobs.cancel(number)
    config.write_text(json.dumps({**json.loads(config.read_text()), "steps": 8}))
    assert told()[:2] == ("learned", "") and "learned" in told()[2]
    shutil.rmtree(folder.parent)


def test_two_studios_started_at_once_have_a_port_each():
    sockets = [listening_socket("127.0.0.1", None) for _ in range(2)]
    try:
        first, second = (each.getsockname()[1] for each in sockets)
        assert first != second
        with pytest.raises(ConfigError, match=f"port {second}"):
            listening_socket("127.0.0.1", second)
    finally:
        for each in sockets:
            each.close()
