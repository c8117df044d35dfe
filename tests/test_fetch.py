"""Fetching, without a network: a client of our own stands in for npm, pip and apt."""

import os
import stat
import sys
import tarfile
from pathlib import Path

import pytest

from calligan.glyphs import fetch as fetch_module
from calligan.glyphs.catalog import load_catalog
from calligan.glyphs.fetch import LICENCE
from calligan.limits import MAX_FONT_BYTES
from calligan.storage import sha256_bytes

CATALOG = """
[[font]]
name = "tiny"
chinese = "小"
script = "楷"
role = "target"
licence = "OFL-1.1"
author = "nobody"
gb2312_ink = 5
total_ink = 5
[[font.from]]
client = "npm"
package = "broken"
version = "1.0.0"
member = "package/tiny.ttf"
licence_member = "package/LICENSE"
sha256 = "{broken}"
[[font.from]]
client = "npm"
package = "good"
version = "1.0.0"
member = "package/tiny.ttf"
licence_member = "package/LICENSE"
sha256 = "{good}"
"""
RUN = "import sys\nfrom calligan.glyphs import catalog\nfrom pathlib import Path\n" + (
    "catalog.data_folder = lambda name: Path({folder!r})\n"
    "from calligan.cli import main\nsys.argv = ['calligan', 'fonts', 'fetch', 'tiny']\nmain()\n"
)


def make_catalog(folder: Path, fonts: Path, names: tuple[str, ...] = ("tiny",)) -> None:
    """Write a catalog of fonts, the packages that have them, and an npm that finds those."""
    packages, tools = folder / "packages", folder / "tools"
    packages.mkdir()
    tools.mkdir()
    font = (fonts / "bold.ttf").read_bytes()
    for name, data in (("good", font), ("broken", font[:-10])):
        (folder / "tiny.ttf").write_bytes(data)
        (folder / "LICENSE").write_text("as free as air")
        with tarfile.open(packages / f"{name}.tgz", "w:gz") as tar:
            for member in ("tiny.ttf", "LICENSE"):
                tar.add(folder / member, f"package/{member}")
    entry = CATALOG.format(broken="0" * 64, good=sha256_bytes(font))
    entries = [entry.replace('name = "tiny"', f'name = "{name}"') for name in names]
    (folder / "catalog.toml").write_text("".join(entries), encoding="utf-8")
    npm = tools / "npm"
    npm.write_text(
        f"#!{sys.executable} -S\nimport shutil, sys\n"
        f"shutil.copy({str(packages)!r} + '/' + sys.argv[-1].split('@')[0] + '.tgz', '.')\n"
    )
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def fetch(tmp_path, font_folder):
    """Run `calligan fonts fetch tiny` against a catalog and an npm of the test's own."""
    import subprocess

    make_catalog(tmp_path, font_folder)
    tools, cache = tmp_path / "tools", tmp_path / "cache"

    def run():
        environment = {**os.environ, "PATH": f"{tools}", "CALLIGAN_CACHE": str(cache)}
        command = [sys.executable, "-c", RUN.format(folder=str(tmp_path))]
        return subprocess.run(command, env=environment, capture_output=True, text=True), cache

    run.packages = tmp_path / "packages"
    return run


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a script")
def test_fetch_checks_falls_back_keeps_the_licence_and_is_idempotent(fetch, font_folder):
    done, cache = fetch()
    assert done.returncode == 0, done.stderr
    path = cache / "fonts" / "tiny" / "tiny.ttf"
    assert path.read_bytes() == (font_folder / "bold.ttf").read_bytes()
    assert (path.parent / "LICENCE.txt").read_text() == "as free as air"
    before = path.stat().st_mtime_ns
    assert "already there" in fetch()[0].stdout
    assert path.stat().st_mtime_ns == before
    path.write_bytes(b"damaged")
    assert fetch()[0].returncode == 0
    assert path.read_bytes() == (font_folder / "bold.ttf").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a script")
def test_fetch_that_fails_says_why_and_keeps_nothing(fetch):
    (fetch.packages / "good.tgz").unlink()
    done, cache = fetch()
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "checksum" in done.stderr and "good" in done.stderr
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_file_too_large_for_a_font_is_fetched_anew_without_being_read(tmp_path, monkeypatch):
    monkeypatch.setenv("CALLIGAN_CACHE", str(tmp_path))
    font = next(iter(load_catalog().values()))
    font.folder.mkdir(parents=True)
    (font.folder / LICENCE).write_text("as free as air")
    font.path.write_bytes(b"")
    os.truncate(font.path, MAX_FONT_BYTES + 1)  # a sparse file
    monkeypatch.setattr(fetch_module, "sha256_file", lambda path: pytest.fail("read"))
    monkeypatch.setattr(fetch_module, "_download", lambda package: (b"font", b"licence"))
    assert fetch_module.fetch_font(font) and font.path.read_bytes() == b"font"


def test_catalog_is_whole():
    catalog = load_catalog()
    roles = [font.role for font in catalog.values()]
    assert roles.count("target") >= 12 and roles.count("source") >= 3
    for font in catalog.values():
        assert font.packages and font.licence and font.script and 0 < font.gb2312_ink <= 6763
        for package in font.packages:
            assert package.client in ("npm", "pip", "apt") and len(package.sha256) == 64
            assert bool(package.licence_member) != bool(package.licence_file)
            assert package.client == "apt" or package.version
