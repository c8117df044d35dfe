"""Every command that writes, interrupted: what is left, and what the next run does.

docs/interruptions.md is the table in words. Commands run in forked processes that stop in the
middle of a write (tests/interrupted.py); disks are small tmpfs where this machine can mount them.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from conftest import HAN, TINY
from PIL import Image, ImageFilter
from test_fetch import make_catalog
from test_presets import settings

from calligan.errors import DataError
from calligan.models.card import read_card
from calligan.page.film import save_film

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and POSIX signals")
SCRIPT = Path(__file__).parent / "interrupted.py"
SETTINGS = [part for setting in TINY for part in ("--set", setting)]
SIGNALS = {"TERM": 143, "HUP": 129, "INT": 130}


@dataclass
class Started:
    """A command that runs."""

    pid: int
    folder: Path  # of its marker, stdout and stderr
    server: "Server"

    def reach(self) -> None:
        """Wait until it stops in a write."""
        until = time.monotonic() + 60
        while not (self.folder / "marker").exists():
            assert time.monotonic() < until, self.said
            time.sleep(0.01)

    def go_on(self) -> None:
        (self.folder / "marker").unlink(missing_ok=True)

    def end(self) -> int:
        ended = self.server.ask({"wait": self.pid})
        self.server.running.remove(self)
        return ended

    @property
    def said(self) -> str:
        path = self.folder / "stderr"
        return path.read_text() if path.exists() else ""


class Server:
    """The process that forks."""

    def __init__(self, folder: Path, catalog: Path):
        self.folder, self.count = folder, 0
        self.running: list[Started] = []
        self.process = subprocess.Popen(
            [sys.executable, SCRIPT, catalog],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        )

    def ask(self, request: dict) -> int:
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, argv, cwd: Path, stop: str = "", at: int = 1) -> Started:
        self.count += 1
        folder = self.folder / f"{self.count}"
        folder.mkdir()
        names = {name: str(folder / name) for name in ("marker", "stdout", "stderr")}
        request = {"argv": [str(part) for part in argv], "cwd": str(cwd), "stop": stop, "at": at}
        self.running.append(Started(self.ask(request | names), folder, self))
        return self.running[-1]

    def run(self, argv, cwd: Path, code: int | None = 0) -> str:
        """Run to the end; what it said."""
        started = self.start(argv, cwd)
        ended = started.end()
        assert code is None or ended == code, f"{argv}: {ended}: {started.said}"
        assert "Traceback" not in started.said, started.said
        return started.said


@pytest.fixture(scope="module")
def server(tmp_path_factory, font_folder, inked_model):
    catalog = tmp_path_factory.mktemp("catalog")
    make_catalog(catalog, font_folder, ("tiny", "other"))
    made = Server(tmp_path_factory.mktemp("server"), catalog)
    made.ask({"export": str(inked_model)})  # the model of `material`
    yield made
    made.process.stdin.close()
    made.process.wait()


@pytest.fixture(autouse=True)
def none_is_left_running(server):
    """End what a failed test has started."""
    yield
    for started in server.running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
    server.running.clear()


@pytest.fixture(scope="module")
def material(tmp_path_factory, font_folder, data_folder, run_folder, inked_model):
    """What the commands start from; not changed by them."""
    folder = tmp_path_factory.mktemp("material")
    glyph = Image.open(run_folder / "samples" / "0000008.png").convert("L").resize((64, 64))
    (folder / "hand").mkdir()
    for char in HAN[:8]:
        glyph.rotate(HAN.index(char) * 9, fillcolor=255).save(folder / "hand" / f"{char}.png")
    shutil.copy(inked_model, folder / "model.safetensors")
    shutil.copytree(data_folder, folder / "data")
    shutil.copytree(run_folder, folder / "run")
    for name in ("source", "bold", "slanted"):
        shutil.copy(font_folder / f"{name}.ttf", folder / f"{name}.ttf")
    page = np.full((300, 700), 255, np.uint8)
    for left in (60, 280, 500):
        page[80:220, left : left + 140 : 20] = page[80:220:20, left : left + 140] = 0
    Image.fromarray(page).filter(ImageFilter.MinFilter(7)).save(folder / "page.png")
    return folder


COMMANDS = {  # all that they write is in folders that they make: OUT is made/too/out
    "infer": "infer TEXT MODEL -o OUT.png --report OUT.json",
    "styles": "styles --model M/model.safetensors --text TEXT --source M/source.ttf -o OUT.png",
    "export": "export --charset TEXT MODEL --no-verdict -o OUT.ttf",
    "export ufo": "export --charset TEXT MODEL --no-verdict -o OUT.ufo",
    "template": "template --charset TEXT --font M/source.ttf -o OUT.pdf",
    "check": "check M/hand --font M/source.ttf --json OUT.json --sheet OUT.png",
    "morph": "morph TEXT MODEL --styles 1,2 --steps 2 -o OUT.gif",
    "animate": "animate M/run -o OUT.gif",
    "sample": "sample SEEN --model M/noise/0001 -o OUT.png --count 2",
    "restyle": "restyle M/hand --model M/model.safetensors -o OUT",
    "render-pairs": "render-pairs M/source.ttf M/bold.ttf --charset HAN --size 32 --data OUT",
    "train": "train --data M/data --steps 8 --runs OUT SET",
    "learn": "learn mine --from M/hand --model M/model.safetensors --source M/source.ttf "
    "--steps 4 --hands OUT SET",
    "convert": "convert M/model.safetensors -o OUT.onnx",
    "evaluate": "evaluate M/model.safetensors --data M/data --styles bold --count 2 "
    "--json OUT.json --report OUT.html --sheet OUT.png",
    "scan": "scan M/page.png --text TEXT --columns rows --font M/source.ttf -o OUT --size 64",
    "fonts fetch": "fonts fetch tiny",  # into a cache in made/too (interrupted.py)
}
OUT = "made/too/out"
WRITERS = [
    name for name in COMMANDS if name not in ("styles", "morph")
]  # these write as infer does
FOLDERS = ("restyle", "scan", "render-pairs")  # whose files take their names at the end, together


@pytest.fixture(scope="module")
def noise_run(material, calligan):
    """A run of a model that draws from noise."""
    runs = ("--data", material / "data", "--runs", material / "noise")
    done = calligan("train", "--preset", "sngan", "--steps", 2, *runs, *settings())
    assert done.returncode == 0, done.stderr
    return material / "noise" / "0001"


@pytest.fixture(scope="module")
def command(material, noise_run):
    """A command's arguments."""
    words = {
        "TEXT": [HAN[:3]],
        "HAN": [HAN],
        "SET": SETTINGS,
        "SEEN": [read_card(noise_run / "best.safetensors").trained_chars[:2]],
        "MODEL": [*("--model", f"{material}/model.safetensors"), "--source", "M/source.ttf"],
    }

    def arguments(name: str) -> list[str]:
        parts = [part for word in COMMANDS[name].split() for part in words.get(word, [word])]
        parts = [part.replace("OUT", OUT, 1) for part in parts]
        return [part.replace("M/", f"{material}/", 1) for part in parts]

    return arguments


def outputs(argv: list[str]) -> list[str]:
    """The files and folders that a command is told to write."""
    return [word for word in argv if word.startswith(OUT)]


def seen(folder: Path) -> dict[str, int]:
    """Files of a folder by name, with their sizes: hidden ones too, but for locks."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and path.name not in (".lock", ".rendering", ".learning"):
            found[name] = path.stat().st_size
    return found


def unfinished(folder: Path) -> list[str]:
    """Files and folders of a folder that are parts of others."""
    return [str(p.relative_to(folder)) for p in folder.rglob(".*") if ".tmp" in p.name]


@pytest.mark.parametrize("name", WRITERS)
def test_killed_in_a_write_and_at_a_rename(name, server, command, tmp_path):
    """SIGKILL, as when power is lost: the next run completes, and removes what was left."""
    stops = [("sync", 1), ("rename", 1), *([("rename", 6)] if name in FOLDERS else [])]
    for stop, at in stops:
        started = server.start(command(name), tmp_path, stop, at)
        if stop == "sync":
            started.reach()
            os.killpg(started.pid, signal.SIGKILL)
        assert started.end() == -signal.SIGKILL, started.said
    server.run(command(name), tmp_path)
    assert not unfinished(tmp_path)
    for output in outputs(command(name)):  # in folders that it made
        assert (tmp_path / output).exists()


@pytest.mark.parametrize("name", WRITERS)
def test_signals_end_in_one_line_and_leave_nothing_unfinished(name, server, command, tmp_path):
    every = ("infer", "render-pairs", "train", "evaluate", "animate", "sample", "fonts fetch")
    kinds = SIGNALS if name in every else ["INT"]
    for kind in kinds:
        started = server.start(command(name), tmp_path, "sync")
        started.reach()
        os.killpg(started.pid, getattr(signal, f"SIG{kind}"))
        assert started.end() == SIGNALS[kind], started.said
        assert "Traceback" not in started.said
        last = started.said.strip().splitlines()[-1]
        assert last.startswith("calligan: interrupted; "), started.said
        assert not seen(tmp_path)


@pytest.mark.parametrize("name", ["infer", "evaluate", "animate", "sample", "fonts fetch"])
def test_a_second_ctrl_c_ends_at_once(name, server, command, tmp_path):
    """Even where the first is waited for, as here: the child ignores the exception."""
    started = server.start(command(name), tmp_path, "stubborn")
    started.reach()
    os.killpg(started.pid, signal.SIGINT)
    time.sleep(1.5)
    os.killpg(started.pid, signal.SIGINT)
    assert started.end() == 130
    assert started.said.strip().endswith("interrupted twice; ended at once")


def test_training_saves_at_a_signal_and_goes_on(server, command, tmp_path):
    for number, (kind, code) in enumerate(SIGNALS.items(), start=1):
        started = server.start([*command("train"), "--steps", 100_000], tmp_path)
        wait_for(tmp_path / OUT / f"{number:04d}" / "checkpoints" / "0000004" / "manifest.json")
        os.killpg(started.pid, getattr(signal, f"SIG{kind}"))
        assert started.end() == code, started.said
        said = started.said.strip().splitlines()[-1]
        assert said.startswith("calligan: stopped at step ") and "to continue: calligan" in said


def test_workers_end_with_a_killed_command(server, command, tmp_path):
    started = server.start([*command("export"), "--charset", HAN], tmp_path)
    wait_for(tmp_path / "made" / "too" / ".out.ttf.parts" / "job.json")
    os.kill(started.pid, signal.SIGKILL)  # the command alone
    started.end()
    until = time.monotonic() + 20
    while in_group(started.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not in_group(started.pid)


def in_group(group: int) -> list[str]:
    """Processes of a group that live."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [state for number, state in rows if int(number) == group and state[0] != "Z"]


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, path
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("name", "busy"),
    [
        (
            "export",
            "calligan: made/too/out.ttf is being made by another process; wait for it, or give",
        ),
        (
            "learn",
            "calligan: made/too/out/mine is being learned by another process; wait for it, or",
        ),
    ],
)
def test_a_second_run_at_once_is_refused(name, busy, server, command, tmp_path):
    first = server.start(command(name), tmp_path, "sync")
    first.reach()
    said = server.run(command(name), tmp_path, 2).strip().splitlines()
    assert said[-1].startswith(busy)
    first.go_on()
    assert first.end() == 0, first.said


@pytest.mark.parametrize("name", ["evaluate", "animate", "sample", "fonts fetch"])
def test_two_at_once_both_run(name, server, command, tmp_path):
    first = server.start(command(name), tmp_path, "sync")
    first.reach()
    server.run(command(name), tmp_path)
    first.go_on()
    assert first.end() == 0, first.said
    assert not unfinished(tmp_path)


def test_a_second_render_pairs_waits_and_finds_the_fonts(server, command, tmp_path):
    first = server.start(command("render-pairs"), tmp_path, "sync")
    first.reach()
    second = server.start(command("render-pairs"), tmp_path)
    until = time.monotonic() + 60
    while not second.said.endswith("\n") and time.monotonic() < until:
        time.sleep(0.02)
    assert second.said == f"{OUT}: another process renders into this folder; waiting for it\n"
    first.go_on()
    assert (first.end(), second.end()) == (0, 0), second.said
    assert second.said.count("already there") == 2


def test_two_trainings_at_once_have_a_run_each_and_one_run_has_one(server, command, tmp_path):
    long = [*command("train"), "--steps", 100_000]
    first, second = (server.start(long, tmp_path) for _ in range(2))
    for number in (1, 2):
        wait_for(tmp_path / OUT / f"{number:04d}" / "checkpoints" / "0000004" / "manifest.json")
    said = server.run(["train", "--resume", f"{OUT}/0001"], tmp_path, 2)
    assert f"calligan: {OUT}/0001 is being trained by another process; wait for it" in said
    for each in (first, second):
        os.killpg(each.pid, signal.SIGTERM)
        assert each.end() == 143


WRITE_FILES = [
    "infer",
    "styles",
    "export",
    "template",
    "check",
    "morph",
    "animate",
    "sample",
    "evaluate",
]


@pytest.mark.parametrize("name", WRITE_FILES)
def test_a_folder_in_the_place_of_the_output_is_refused_and_kept(name, server, command, tmp_path):
    output = outputs(command(name))[-1]
    (tmp_path / output).mkdir(parents=True)
    said = server.run(command(name), tmp_path, 2).strip().splitlines()
    assert said[-1].startswith("calligan: ") and output in said[-1], said
    assert (tmp_path / output).is_dir() and not unfinished(tmp_path)


def test_dev_stdout_is_written_to_and_links_are_kept(server, material, tmp_path):
    check = ["check", material / "hand", "--font", material / "source.ttf", "--json"]
    started = server.start([*check, "/dev/stdout"], tmp_path)
    assert started.end() == 0, started.said
    assert '"malformed"' in (started.folder / "stdout").read_text()
    assert Path("/dev/stdout").is_symlink()
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    server.run([*check, "link.json"], tmp_path)
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A tmpfs of 4 MB; skips where none can be mounted."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # a helper process may still end there


DISK_BYTES = 4 * 2**20
ADDED = {
    "render-pairs": ["M/slanted.ttf"],
    "fonts fetch": ["other"],
}  # so that the second run has something to write
# What these keep, so that the next run goes on from there; some write several whole files.
KEEPS = (
    "export",
    "export ufo",
    "render-pairs",
    "train",
    "learn",
    "fonts fetch",
)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_and_a_read_only_one(name, disk, server, command, material):
    """One line, exit code 2, and what was there before: an earlier output, or nothing."""
    work = disk / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    server.run(command(name), work)
    before = contents(work)
    again = command(name) + [part.replace("M", str(material)) for part in ADDED.get(name, [])]
    fail_on_full_disk(server, again, disk, 0)
    assert contents(work) == before
    if name in ("infer", "scan", "train", "export"):
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        try:
            said = server.run(again, work, 2).strip().splitlines()
        finally:
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert said[-1].startswith("calligan: cannot write "), said
        assert contents(work) == before
    shutil.rmtree(work)
    work.mkdir()
    fail_on_full_disk(server, command(name), disk, round(0.4 * sum(map(len, before.values()))))
    assert not unfinished(work)
    assert name in KEEPS or not seen(work), seen(work)


@pytest.mark.parametrize("name", ["infer", "check", "evaluate", "styles"])
def test_without_room_for_the_summary_there_is_no_picture(name, server, command, tmp_path):
    """All or nothing: what a command says of its files is one of them."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    told = server.run([*command(name), "--json", "/dev/full"], tmp_path, 2)
    assert "cannot write /dev/full: No space left" in told.strip().splitlines()[-1]
    assert not seen(tmp_path)


def test_a_film_on_a_full_disk_is_not_half_there(disk):
    """It is finished elsewhere, and then written as other files are."""
    pytest.importorskip("cv2")
    frames = list(np.random.default_rng(0).integers(0, 255, (12, 64, 96), np.uint8))
    save_film(disk / "a.mp4", frames, 6)
    before = (disk / "a.mp4").read_bytes()
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(free - len(before) // 2))
    try:
        with pytest.raises(DataError, match="No space left"):
            save_film(disk / "a.mp4", frames, 6)
    finally:
        filler.unlink()
    assert (disk / "a.mp4").read_bytes() == before
    (disk / "a.mp4").unlink()


def fail_on_full_disk(server, argv, disk: Path, free_bytes: int) -> None:
    """Run a command on a disk that is full but for some bytes: exit code 2, and one line."""
    filler = disk / "filler"
    filler.write_bytes(b"")
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(max(0, free - free_bytes)))
    try:
        said = server.run(argv, disk / "work", 2).strip().splitlines()
    finally:
        filler.unlink()
    assert said[-1].startswith("calligan: "), said
    assert argv[0] == "export" or "cannot write" in said[-1], said


def contents(folder: Path) -> dict[str, bytes]:
    """What a folder holds, without locks."""
    return {name: (folder / name).read_bytes() for name in seen(folder)}
