"""The README's commands, run as they stand, on small fonts under the catalog's names.

Each is a process that is forked from one with torch imported (forked.py).
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HAN, build_font, save_inked
from PIL import Image, ImageDraw

from calligan.glyphs.catalog import load_catalog

FORKED = Path(__file__).with_name("forked.py")
README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(?:\$ )?(calligan .*)$", README, re.M)
CHARS = "".join(
    dict.fromkeys(HAN[:70] + "书法永和九年岁在癸丑，。床前明月光疑是地上霜举头望低思故乡")
)
CHARS = "".join(
    dict.fromkeys(CHARS + "春回大地百花艳日照山河万里红象更新厚德载物丙午秋太白花笑水碧茶馨石翠")
)


def test_readme_names_the_three_commands_of_the_mission():
    for start in (
        "calligan render-pairs",
        "calligan train --styles 5",
        'calligan infer "书法" --style 3',
    ):
        assert any(command.startswith(start) for command in COMMANDS), start


@pytest.mark.skipif(sys.platform == "win32", reason="the README speaks sh")
def test_every_command_of_the_readme_works_in_order(tmp_path, tiny_settings, forks):
    cache = tmp_path / "cache"
    for number, font in enumerate(load_catalog().values()):
        folder = cache / "fonts" / font.name
        folder.mkdir(parents=True)
        path = folder / f"{font.name}{Path(font.packages[0].member).suffix.lower()}"
        build_font(path, CHARS, weight=30 + 12 * number, slant=0.1 * (number % 5 - 2))
    (tmp_path / "poem.txt").write_text("床前\n明月\n", encoding="utf-8")
    for name in ("MyHand.ttf", "HalfAFont.ttf"):
        build_font(tmp_path / name, CHARS[:40])
    (tmp_path / "hand").mkdir()
    for number, char in enumerate(CHARS[:8]):
        picture = Image.new("L", (64, 64), 255)
        ImageDraw.Draw(picture).line((8, 8 + 5 * number, 56, 50 - 4 * number), fill=0, width=6)
        picture.save(tmp_path / "hand" / f"{char}.png")
    tool = tmp_path / "calligan"
    forked = f'-I "{FORKED}" call "{forks}" calligan' if forks else "-m calligan"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" {forked} "$@"\n')
    tool.chmod(0o755)
    environment = {**os.environ, "CALLIGAN_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    for command in COMMANDS:
        if command.startswith("calligan fonts fetch"):
            continue  # needs the network; tests/test_fetch.py stands in
        if command.startswith("calligan studio"):
            continue  # goes on until it is interrupted; tests/test_studio.py starts it
        if command.startswith("calligan scan"):
            continue  # needs photographs; tests/test_scan.py makes some
        if not (tmp_path / "runs").exists():  # the bundle would fetch a source that it knows
            command = re.sub(r"^calligan (infer|styles)", r"\g<0> --source lxgw-wenkai", command)
        if command.startswith("calligan train --styles"):
            command = re.sub(r" --minutes \S+", "", command)
            command += " --steps 4 " + shlex.join(tiny_settings)
        if command.startswith("calligan learn") and "--from" in command:
            command += " --model runs/0001 --steps 2 " + shlex.join(tiny_settings)
        if command.startswith("calligan evaluate"):
            command += " --count 2"
        command = command.replace("花笑水碧茶馨石翠", "花笑")  # drawn in ten hands of the bundle
        command = re.sub(r"^(calligan render-pairs .*)$", r"\1 --size 32", command)
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        if command.startswith("calligan train --styles"):
            best = tmp_path / "runs" / "0001" / "best.safetensors"
            save_inked(best, best)
