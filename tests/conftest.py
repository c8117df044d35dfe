"""Small fonts, built here by fontTools, and a way to run real commands."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

# Read when libraries are loaded. The workers of pytest-xdist share the cores, networks here are
# tiny, and threads that wait for each other spend the time of a busy core.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
    os.environ.setdefault(_name, "1")

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from forked import Running, call, can_serve
from quick import make_quick

# A shell ignores signals for what it runs in the background, and child processes inherit that.
for _name in ("SIGINT", "SIGTERM", "SIGHUP"):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _name == "SIGINT" else signal.SIG_DFL)
os.environ["CALLIGAN_NO_CACHE"] = "1"  # tests draw, and leave the user's cache alone

SLOWEST = (  # files, by processor time; the others take less than ten seconds each
    "test_studio_browser",
    "test_readme",
    "test_interruptions",
    "test_studio",
    "test_web",
    "test_scan",
    "test_library",
    "test_training",
    "test_fuzz",
    "test_learn",
    "test_commands",
    "test_real_fonts",
    "test_convert",
    "test_hostile_files",
    "test_ranks",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files first, so that no worker begins one when the others are at their end."""
    ranks = {name: rank for rank, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(SLOWEST)))


HAN = "一丁七万丈三上下不与丐丑专且世丘丙业丛东丝丞丢两严丧个丫中丰串临丸丹为主丽举乃久么义之乌乍乎乏乐乒乓乔乖乘乙九乞也习乡书乱乳了予争事二于亏云互五井亚些亡交亥亦产亨亩享京亭亮亲人"
LATIN = "Ab1"
TINY = [
    "styles_per_char=2",
    "batch_size=4",
    "eval_chars=4",
    "sample_chars=2",
    "log_every_steps=2",
    "keep_every_steps=4",
    "warmup_steps=2",
    "device=cpu",
    "precision=fp32",
    "generator.grid=8",
    "generator.widths=[8, 16]",
    "generator.style_dim=8",
    "discriminator.grid=8",
    "discriminator.widths=[8, 16]",
    "stages=["
    "{share=0.25, size_px=16, adversarial=false, learning_rate=2e-3, learning_rate_end=1e-3},"
    "{share=0.25, size_px=32, adversarial=false, learning_rate=2e-3, learning_rate_end=1e-3},"
    "{share=0.5, size_px=32, adversarial=true, learning_rate=1e-3, learning_rate_end=1e-4}]",
]


def build_font(
    path: Path,
    chars: str = HAN + LATIN,
    *,
    slant: float = 0.0,
    weight: int = 60,
    shift: int = 0,
    scale: float = 1.0,
    blank: str = "",
    as_notdef: str = "",
    huge: str = "",
    family: str = "Tiny",
) -> Path:
    """A TTF whose characters are bars drawn from a generator seeded by the codepoint.

    `blank` are mapped to empty glyphs, `as_notdef` to copies of .notdef, `huge` leave the canvas.
    """
    names = {ord(c): f"u{ord(c):04X}" for c in chars + blank + as_notdef + huge}
    glyphs = {".notdef": _bars([(100, 0, 800, 900), (200, 100, 700, 800)]), "space": _bars([])}
    for char in chars:
        glyphs[names[ord(char)]] = _bars(_character(char, weight, shift, scale), slant)
    for char in blank:
        glyphs[names[ord(char)]] = _bars([])
    for char in as_notdef:
        glyphs[names[ord(char)]] = glyphs[".notdef"]
    for char in huge:
        glyphs[names[ord(char)]] = _bars([(-3000, -3000, 4000, 4000)])
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({0x20: "space", **names})
    builder.setupGlyf(glyphs)
    wide = {n: (500 if n in {f"u{ord(c):04X}" for c in LATIN} else 1000, 0) for n in glyphs}
    builder.setupHorizontalMetrics(wide)
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120)
    builder.setupPost()
    builder.save(path)
    return path


def build_narrow_font(path: Path, chars: str, share: float) -> Path:
    """A font whose glyphs, and their advances, are this share of an em wide."""
    font = TTFont(build_font(path, chars, weight=80, family="Slim"))
    for char in chars:
        name = font.getBestCmap()[ord(char)]
        glyph = font["glyf"][name]
        glyph.coordinates.scale((share, 1))
        glyph.coordinates.toInt()
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (round(1000 * share), glyph.xMin)
    font.save(path)
    return path


def _character(char: str, weight: int, shift: int, scale: float) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(ord(char))
    bars = []
    for number in range(4):
        at = int(rng.integers(80, 760))
        start, end = sorted(rng.integers(60, 840, size=2))
        end = max(end, start + 200)
        bar = (start, at, end, at + weight) if number % 2 else (at, start, at + weight, end)
        bars.append(tuple(int(v * scale) + shift for v in bar))
    return bars


def _bars(boxes, slant: float = 0.0):
    pen = TTGlyphPen(None)
    for x0, y0, x1, y1 in boxes:
        corners = [(x0, y0), (x0, y1), (x1, y1), (x1, y0)]
        points = [(round(x + slant * y), y - 120) for x, y in corners]
        pen.moveTo(points[0])
        for point in points[1:]:
            pen.lineTo(point)
        pen.closePath()
    return pen.glyph()


@pytest.fixture(scope="session", autouse=True)
def quick() -> None:
    """Tests take short ways where they may."""
    make_quick()


@pytest.fixture(scope="session")
def font_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fonts")
    build_font(folder / "source.ttf", family="Source")
    build_font(folder / "bold.ttf", weight=110, family="Bold Hand")
    build_font(folder / "slanted.ttf", slant=0.2, shift=40, scale=0.8, family="Slanted Hand")
    return folder


MAX_SOCKET_PATH_BYTES = 100  # 107 on Linux, with one more while it is made


@pytest.fixture(scope="session")
def forks(tmp_path_factory) -> Iterator[str]:
    """The socket of a process that runs commands (forked.py); "" where it cannot."""
    path = tmp_path_factory.mktemp("forks") / "socket"
    if not can_serve() or len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        yield ""
        return
    command = [sys.executable, Path(__file__).with_name("forked.py"), "serve", path]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as server:
        while not path.exists():
            assert server.poll() is None, "forked.py has ended"
            time.sleep(0.01)
        yield str(path)
        server.stdin.close()


@pytest.fixture(scope="session")
def start(forks):
    """Start `python -m MODULE ARGUMENT…`, as subprocess.Popen does; `stdout` is a text file."""

    def run(*argv: object, cwd: Path | None = None) -> Running | subprocess.Popen:
        """A process whose standard input stays open as long as this one is there."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        if not forks:
            command = [sys.executable, "-m", *map(str, argv)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            return subprocess.Popen(command, cwd=cwd, env=environment, **pipes)
        (given, kept), (out, said) = os.pipe(), os.pipe()
        files, where = [given, said, 2], str(cwd or Path.cwd())
        process = Running(forks, [*map(str, argv)], files, where, environment, 300)
        os.close(given)
        os.close(said)
        process.stdin, process.stdout = os.fdopen(kept, "w"), os.fdopen(out)
        return process

    return run


@pytest.fixture(scope="session")
def calligan(forks):
    """Run the command line in a process of its own, as a user does."""

    def run(
        *arguments: object, cwd: Path | None = None, env: dict | None = None, input: str = ""
    ) -> subprocess.CompletedProcess:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **(env or {})}
        argv, cwd = [*map(str, arguments)], cwd or Path.cwd()
        with contextlib.ExitStack() as stack:
            given, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
            given.write(input.encode())
            given.seek(0)
            if forks:
                files = [file.fileno() for file in (given, out, err)]
                code = call(forks, ["calligan", *argv], files, str(cwd), environment, timeout=300)
            else:
                command = [sys.executable, "-m", "calligan", *argv]
                files = {"stdin": given, "stdout": out, "stderr": err}
                code = subprocess.call(command, cwd=cwd, env=environment, timeout=300, **files)
            said = [read_text(file) for file in (out, err)]
        return subprocess.CompletedProcess(argv, code, *said)

    return run


@pytest.fixture(scope="session")
def killed(forks):
    """Run a command until `enough()`, and kill it; it must not end before."""

    def run(*arguments: object, enough: Callable[[], object], cwd: Path | None = None) -> None:
        environment, argv = {**os.environ, "OMP_NUM_THREADS": "1"}, [*map(str, arguments)]
        with open(os.devnull, "r+b") as nothing:
            if forks:
                files = [nothing.fileno()] * 3
                where = str(cwd or Path.cwd())
                process = Running(forks, ["calligan", *argv], files, where, environment, 300)
                ended = process.has_ended
            else:
                files = {"stdin": nothing, "stdout": nothing, "stderr": nothing}
                command = [sys.executable, "-m", "calligan", *argv]
                process = subprocess.Popen(command, cwd=cwd, env=environment, **files)
                ended = lambda: process.poll() is not None  # noqa: E731
        until = time.monotonic() + 120
        while not enough():
            assert not ended() and time.monotonic() < until
            time.sleep(0.01)
        process.kill()
        assert process.wait() == -signal.SIGKILL

    return run


def read_text(file: BinaryIO) -> str:
    """A file from its beginning, as a pipe in text mode is read."""
    file.seek(0)
    return io.TextIOWrapper(file, newline=None).read()


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory, font_folder, calligan) -> Path:
    """Pairs of the small fonts at 32 px, two styles."""
    folder = tmp_path_factory.mktemp("work") / "data"
    fonts = [font_folder / name for name in ("source.ttf", "bold.ttf", "slanted.ttf")]
    done = calligan("render-pairs", *fonts, "--data", folder, "--charset", HAN, "--size", 32)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def tiny_settings() -> list[str]:
    """`--set` options of a network that trains in a second."""
    return [part for setting in TINY for part in ("--set", setting)]


@pytest.fixture(scope="session")
def run_folder(data_folder, calligan, tiny_settings) -> Path:
    """A run of eight steps through all three stages."""
    runs = data_folder.parent / "runs"
    done = calligan(
        "train", "--styles", 2, "--steps", 8, "--data", data_folder, "--runs", runs, *tiny_settings
    )
    assert done.returncode == 0, done.stderr
    return runs / "0001"


def save_inked(model: Path, path: Path, share: float = 0.6) -> Path:
    """Write a tiny model with so much bias to ink that nothing it draws is blank.

    With a negative `share`, all is.
    """
    import torch

    from calligan.models.weights import load_model, save_model

    generator, card = load_model(model)
    with torch.no_grad():
        style = generator.embedding.weight[:1].expand(4, -1)
        sources = torch.rand(4, 1, card.size_px, card.size_px) * 2 - 1
        field = generator.field(sources, style)
        generator.unfold.conv.bias -= field.quantile(share) if share >= 0 else field.max() + 9
    save_model(path, generator, card)
    return path


@pytest.fixture(scope="session")
def inked_model(run_folder, tmp_path_factory) -> Path:
    """The model of `run_folder` with so much bias to ink that nothing is blank."""
    path = tmp_path_factory.mktemp("model") / "inked.safetensors"
    return save_inked(run_folder / "best.safetensors", path)
