"""What calligan says is so: fonts tell whose parts they hold, counts count, texts stay whole."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import HAN, build_font
from fontTools.ttLib import TTFont

from calligan.glyphs.charset import check_text, load_charset, load_text
from calligan.glyphs.face import Face, FontSpec
from calligan.inference import fontmaker
from calligan.inference.writer import Writer
from calligan.vector.base_font import BaseFont
from calligan.vector.font import NotdefBox
from calligan.vector.name_table import Naming
from calligan.vector.ufo import write_ufo

ASKED = HAN[:4]


@pytest.fixture(scope="module")
def common(inked_model, font_folder):
    return ("--model", inked_model, "--source", font_folder / "source.ttf")


def named_font(path, chars, names: dict[int, str], **options):
    build_font(path, chars, **options)
    font = TTFont(path)
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font.save(path)
    return path


@pytest.fixture
def export(monkeypatch, capsys, common):
    """Run `calligan export` in this process: what it said."""
    from calligan.cli import main

    def run(*options) -> str:
        line = [
            "calligan",
            "export",
            *map(str, [*common, "--charset", ASKED, "--no-fine", *options]),
        ]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == 0, said
        return said

    return run


def test_a_font_names_whose_letters_it_holds(tmp_path, export):
    names = {0: "Copyright 2020 Letter Cutter", 13: "Under the terms of Cutter\x07\u2028 1.1"}
    latin = named_font(tmp_path / "latin.ttf", "ABab1", names, family="Cut Letters")
    export("--latin", latin, "--no-verdict", "-o", tmp_path / "a.ttf")
    font = TTFont(tmp_path / "a.ttf")
    licence = font["name"].getDebugName(13)
    assert font["name"].getDebugName(0) == "Copyright 2020 Letter Cutter"
    assert "Cut Letters: Under the terms of Cutter 1.1" in licence and "Made after" in licence
    assert font["OS/2"].getCodePageRanges() == {18}  # Chinese; letters enough for no other


def test_a_reserved_name_of_a_font_of_letters_is_refused(tmp_path):
    said = {0: 'Copyright 2020 Cutter, with Reserved Font Name "Cut"'}
    faces = [
        Face(FontSpec(named_font(tmp_path / f"{n}.ttf", "AB", names, family="Cut Letters")))
        for n, names in enumerate(({}, said, {13: said[0]}))
    ]
    assert [fontmaker.reserved_by(face) for face in faces] == [
        set(),
        {"cutletters"},
        {"cutletters"},
    ]


def test_a_font_that_says_nothing_is_named_all_the_same(tmp_path):
    face = Face(FontSpec(build_font(tmp_path / "a.ttf", "AB", family="Mute")))
    naming = fontmaker.with_letters(Naming("F", "字", "origin", "Made of this.", "1"), face)
    assert naming.licence == "Made of this. Letters, digits and marks are those of Mute."
    assert "copyright" not in naming.english()


def test_a_ufo_keeps_the_copyright(tmp_path):
    write_ufo(tmp_path / "a.ufo", [], Naming("F", "字", "origin", "licence", "1", "Copyright X"))
    assert "Copyright X" in (tmp_path / "a.ufo" / "fontinfo.plist").read_text()


@pytest.mark.parametrize(("claimed", "after"), [({20}, {20}), (set(), set()), ({0, 18}, {0, 18})])
def test_completing_claims_no_code_page_that_is_not_there(tmp_path, claimed, after):
    base = BaseFont.open(build_font(tmp_path / "hand.ttf", ASKED))
    base.font["OS/2"].setCodePageRanges(claimed)
    base.add({HAN[5]: NotdefBox()}, Naming("F", "字", "origin", "licence", "1"))
    assert base.font["OS/2"].getCodePageRanges() == after


def test_borrowed_glyphs_are_not_counted_as_drawn(tmp_path, export, monkeypatch):
    """Two of four are doubted and taken from the source font: two are drawn."""
    from calligan.library import fonts as module

    fall_back = module.fall_back

    def two(found, writer, job, how):
        doubted = [SimpleNamespace(char=char, faults=("melted",)) for char in ASKED[:2]]
        monkeypatch.setattr(writer.proofreader, "doubtful", lambda style: doubted)
        return fall_back(found, writer, job, how)

    monkeypatch.setattr(module, "fall_back", two)
    said = export("--fallback", "source", "-o", tmp_path / "a.ttf")
    assert ": 2 characters drawn" in said, said
    assert f"taken from the source font: {ASKED[0]} {ASKED[1]}" in said
    origin = TTFont(tmp_path / "a.ttf")["name"].getDebugName(10)
    assert origin.startswith("2 of 4 characters (2 of the others are as the source font has them)")


def test_lines_that_begin_with_a_hash_are_text(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("# 一\r\n丁\n", encoding="utf-8")
    assert load_text(str(path)) == "# 一\n丁"
    assert load_charset(str(path)) == "丁"  # a charset says in such lines what it is
    assert load_text("jingyesi").startswith("床前明月光")


def test_what_shows_nothing_is_left_out_of_a_text(inked_model, font_folder):
    assert check_text("一\u200b丁\ufe00七\U000e0100\ufeff\u00ad\u2069\n") == "一丁七\n"
    writer = Writer.open(inked_model, str(font_folder / "source.ttf"))
    assert writer.read("一\u200b丁\ufe00\n七\U000e0100").text == "一丁\n七"


EARLY = """
import sys
from calligan.cli import main
for line in sys.argv[1:]:
    sys.argv = ["calligan", *line.split()]
    try:
        main()
    except SystemExit as error:
        assert error.code == 2 and "torch" not in sys.modules, line
"""


def test_wrong_arguments_are_told_before_torch_is_imported(font_folder):
    good = font_folder / "source.ttf"
    wrong = {
        "infer 书 -o a.bmp": "a.bmp",
        "infer 书 --format scrol": "did you mean scroll",
        "infer 书 --ink mauvish": "mauvish",
        "infer 书 --missing never": "never",
        "infer 书 --report a.txt": "a.txt",
        "infer 书 --size 1": "--size 1",
        "infer @nosuchtext": "nosuchtext",
        "export -o a.pdf": "a.pdf",
        "export -o a.ttf --charset gb2321": "did you mean gb2312",
        "export -o a.ttf --fallback never": "never",
        f"render-pairs {good} nosuch.ttf --charset 永": "no font file nosuch.ttf",
        f"render-pairs nosuch.ttf {good} --charset 永": "no font file nosuch.ttf",
        f"render-pairs nosuch.ttf {good} --charset gb2321": "no font file nosuch.ttf",
    }
    done = subprocess.run([sys.executable, "-c", EARLY, *wrong], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(wrong)
    for line, said in zip(lines, wrong.values(), strict=True):
        assert said in line


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_ends_an_export_in_one_line(tmp_path, common):
    """A terminal sends it to every process of the group, the tracing ones too."""
    options = ["--charset", HAN, "--no-verdict", "-o", tmp_path / "a.ttf"]
    process = subprocess.Popen(
        [sys.executable, "-m", "calligan", "export", *map(str, [*common, *options])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in background
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    parts = tmp_path / ".a.ttf.parts"
    until = time.monotonic() + 60
    while not (parts / "job.json").exists() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)  # the tracing processes are being started
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.strip().splitlines()[-1] == "calligan: interrupted" and "Traceback" not in said
    assert np.all([path.name[0] == "." for path in tmp_path.iterdir()])
