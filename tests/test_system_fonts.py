"""Finding a Chinese font on the machine."""

import stat

import pytest
from conftest import HAN, build_font

from calligan.glyphs import system_fonts
from calligan.glyphs.system_fonts import _find_in_folders, chinese_font

WRITES = HAN + "永和九年书法"


@pytest.fixture
def no_fontconfig(monkeypatch):
    monkeypatch.setattr(system_fonts.shutil, "which", lambda name: None)


def test_kai_comes_before_song_before_hei_and_regular_before_bold(tmp_path):
    names = ["NotoSansSC.otf", "simsun.ttc", "STKaiti-Bold.ttf", "simkai.ttf", "Arial.ttf"]
    for name in names:
        (tmp_path / name).touch()
    found = sorted(_find_in_folders((str(tmp_path),)), key=system_fonts._preference)
    assert [spec.path.name for spec in found] == [names[3], names[2], names[1], names[0]]


def test_fonts_that_cannot_write_chinese_are_passed_over(tmp_path, monkeypatch, no_fontconfig):
    (tmp_path / "broken-kai.ttf").write_bytes(b"not a font")
    build_font(tmp_path / "japanese-kai.ttf", HAN)
    monkeypatch.setattr(system_fonts._find_in_folders, "__defaults__", ((str(tmp_path),),))
    assert chinese_font() is None
    good = build_font(tmp_path / "some-song.ttf", WRITES)
    assert chinese_font().path == good


def test_fontconfig_is_asked_where_it_is(tmp_path, monkeypatch):
    good = build_font(tmp_path / "mykai.ttf", WRITES)
    program = tmp_path / "fc-list"
    program.write_text(f"#!/bin/sh\nprintf '{good}\\t0\\n{good}\\t65536\\n'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chinese_font().path == good
