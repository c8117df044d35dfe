"""The wheel carries all it needs: unpacked elsewhere, without the checkout, the commands work."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import HAN

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    builder = pytest.importorskip("hatchling.build", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    here = Path.cwd()
    os.chdir(ROOT)
    try:
        name = builder.build_wheel(str(folder))
    finally:
        os.chdir(here)
    with zipfile.ZipFile(folder / name) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def run(unpacked, cwd, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "calligan", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def test_wheel_holds_code_charsets_catalog_and_types_and_nothing_else(unpacked):
    assert {p.name.split("-")[0] for p in unpacked.iterdir()} == {"calligan"}
    files = {str(p.relative_to(unpacked)) for p in unpacked.rglob("*") if p.is_file()}
    for needed in (
        "py.typed",
        "data/charsets/gb2312.txt",
        "data/formats/scroll.toml",
        "data/fonts/catalog.toml",
        "studio/words.toml",
        "studio/static/studio.css",
        "studio/templates/write.html",
    ):
        assert f"calligan/{needed}" in files
    assert not [name for name in files if name.endswith((".ttf", ".otf", ".woff", ".ttc"))]
    shipped = {Path(name).name for name in files if "data/weights" in name}
    assert shipped == {
        "MODEL_CARD.md",
        "faults.json",
        *(path.name for path in ROOT.glob("weights/*.safetensors")),
    }
    assert any(name.endswith("licenses/LICENSE") for name in files)


def test_commands_work_from_the_wheel_alone(unpacked, tmp_path, font_folder):
    code = "import calligan; print(calligan.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    if not told.stdout.startswith(str(unpacked)):
        pytest.skip("an editable install shadows the wheel in this environment")
    listed = run(unpacked, tmp_path, "fonts")
    assert listed.returncode == 0 and "ma-shan-zheng" in listed.stdout
    fonts = [font_folder / "source.ttf", font_folder / "bold.ttf"]
    for charset in ("components-500", HAN):
        done = run(
            unpacked, tmp_path, "render-pairs", *fonts, "--charset", charset, "--data", charset[:4]
        )
        assert done.returncode == 0, done.stderr
