"""Files under fire: whichever call fails, the old file or the new one is there, and nothing else."""

import contextlib
import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY
from PIL import Image

from calligan import storage
from calligan.config import TrainConfig
from calligan.errors import ConfigError, DataError
from calligan.folder_update import complete_update
from calligan.pairs.contact_sheet import write_contact_sheet
from calligan.pairs.store import PairStore
from calligan.scan.folder import ScannedGlyph, save_hand
from calligan.settings import parse_setting, replaced
from calligan.storage import atomic_file, check_own, write_bytes, write_json, written_together
from calligan.training.state import TrainState, newest_verified

OLD, NEW = b"the old file\n" * 400, b"the new one\n" * 500
# Modules and classes whose calls touch the disk when a file is written.
CALLS = [
    (tempfile, "mkstemp"),
    (os, "fdopen"),
    (os, "fsync"),
    (Path, "mkdir"),
    (Path, "chmod"),
    (Path, "replace"),
    (Path, "rename"),
]
REMOVALS = [(Path, "unlink"), (Path, "rmdir"), (shutil, "rmtree")]


@pytest.fixture(autouse=True)
def quick_sync(monkeypatch):
    """No test here cuts the power: syncing is counted, and costs nothing."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


class Died(BaseException):
    """The process has ended: nothing that it would do afterwards happens."""


class Disk:
    """Counts calls; the one numbered `bad_call` fails, or is the last thing the process does."""

    def __init__(self, bad_call: int = -1, dies: bool = False):
        self.bad_call, self.dies = bad_call, dies
        self.calls: list[str] = []
        self.dead = False

    def touch(self, name: str, before_failing: Callable[[], object] = lambda: None) -> None:
        """Count a call; raise where it is the bad one."""
        if self.dead:
            raise Died
        self.calls.append(name)
        if len(self.calls) - 1 != self.bad_call:
            return
        before_failing()
        if self.dies:
            self.dead = True
            raise Died
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class File:
    """An open file on such a disk: a write that fails has written half of its bytes."""

    def __init__(self, file, disk: Disk):
        self.file, self.disk = file, disk

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, data):
        self.disk.touch("write", lambda: self.file.write(data[: len(data) // 2]))
        return self.file.write(data)

    def flush(self):
        self.disk.touch("flush")
        self.file.flush()


@contextmanager
def disk_that(disk: Disk) -> Iterator[Disk]:
    """Route the calls that write files through `disk`."""

    def routed(name, call):
        def run(*arguments, **options):
            disk.touch(name)
            made = call(*arguments, **options)
            return File(made, disk) if name == "fdopen" else made

        return run

    def living(call):
        def run(*arguments, **options):
            if disk.dead:
                raise Died
            return call(*arguments, **options)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in CALLS:
            patch.setattr(owner, name, routed(name, getattr(owner, name)))
        for owner, name in REMOVALS:
            patch.setattr(owner, name, living(getattr(owner, name)))
        yield disk


def faults(write: Callable[[], object]) -> Iterator[Disk]:
    """Disks that fail at the first call of `write`, at the second and so on; and that die there."""
    with disk_that(Disk()) as whole:
        write()
    for dies in (False, True):
        for number in range(len(whole.calls)):
            yield Disk(number, dies)


def seen(folder: Path, hidden: bool = False) -> dict[str, bytes]:
    """Files of a folder and what they hold."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    shown = (
        p for p in paths if hidden or not any(n[0] == "." for n in p.relative_to(folder).parts)
    )
    return {path.name: path.read_bytes() for path in shown}


def test_a_write_is_synced_before_it_takes_its_name(tmp_path):
    """Else a power cut could leave an empty file under the good name."""
    with disk_that(Disk()) as disk:
        write_bytes(tmp_path / "a", NEW)
    calls = [name for name in disk.calls if name not in ("mkdir", "chmod")]
    assert calls == ["mkstemp", "fdopen", "write", "flush", "fsync", "replace", "fsync"]


@pytest.mark.parametrize("there", [True, False], ids=["over an old file", "where none was"])
def test_whichever_call_fails_the_old_file_or_the_new_one_is_there(tmp_path, there):
    path = tmp_path / "f" / "a.bin"
    before = {"a.bin": OLD} if there else {}
    for disk in faults(lambda: write_bytes(tmp_path / "first" / "a.bin", NEW)):
        path.unlink(missing_ok=True)
        if there:
            write_bytes(path, OLD)
        with disk_that(disk), pytest.raises(Died if disk.dies else DataError) as raised:
            write_bytes(path, NEW)
        call = disk.calls[disk.bad_call]
        assert seen(path.parent) in (before, {"a.bin": NEW}), call
        if not disk.dies:  # what the process lives to tell
            assert str(path) in str(raised.value) and "free some space" in str(raised.value)
            assert len(seen(path.parent, hidden=True)) <= 1, f"a part is left behind by {call}"
        for part in path.parent.glob(".*"):
            part.unlink()


def test_whichever_call_fails_files_written_together_are_all_old_or_all_new(tmp_path):
    """Until the first takes its name; then every byte is on the disk, and a rename needs none."""

    def write(folder: Path) -> None:
        with written_together():
            write_bytes(folder / "a", NEW)
            write_bytes(folder / "b", NEW)

    old, new = ({"a": data, "b": data} for data in (OLD, NEW))
    for number, disk in enumerate(faults(lambda: write(tmp_path / "first"))):
        folder = tmp_path / f"{number}"
        for name, data in old.items():
            write_bytes(folder / name, data)
        with disk_that(disk), pytest.raises((Died, DataError)):
            write(folder)
        begun = "replace" in disk.calls[: disk.bad_call + 1]
        assert seen(folder) == old or (begun and set(seen(folder).values()) <= {OLD, NEW})
        assert disk.dies or len(seen(folder, hidden=True)) == 2
    assert seen(tmp_path / "first") == new


def test_more_files_are_written_together_than_a_process_may_open(tmp_path):
    resource = pytest.importorskip("resource", reason="there is no such limit here")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, hard))
    try:
        with written_together():
            for number in range(500):
                write_bytes(tmp_path / f"{number}", NEW)
            assert not seen(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(seen(tmp_path)) == 500 == len(seen(tmp_path, hidden=True))


def test_files_written_together_are_held_until_they_take_their_names(tmp_path):
    """Another process takes a part that nobody holds for a leftover."""
    for end in (None, KeyError):
        with contextlib.suppress(KeyError), written_together():
            write_bytes(tmp_path / "f" / "a", NEW)
            storage._leftovers.cache_clear()
            storage._remove_leftovers(tmp_path / "f" / "a")
            with written_together():  # of a part
                write_bytes(tmp_path / "b", OLD)
            assert not seen(tmp_path / "f") and seen(tmp_path) == {"b": OLD}
            if end:
                raise end
        assert seen(tmp_path) == ({"b": OLD} if end else {"a": NEW, "b": OLD})
        shutil.rmtree(tmp_path / "f", ignore_errors=True)
        assert [p.name for p in tmp_path.iterdir()] == ["b"]  # folders made in vain are gone


def test_a_digest_is_of_a_regular_file_of_its_size(tmp_path):
    write_bytes(tmp_path / "a", b"abc")
    assert storage.sha256_file(tmp_path / "a", 3) == storage.sha256_bytes(b"abc")
    with pytest.raises(ValueError, match="larger"):
        storage.sha256_file(tmp_path / "a", 2)
    with pytest.raises(ValueError, match="regular"):
        storage.sha256_file(Path(os.devnull))


def test_a_block_that_raises_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    before = seen(tmp_path, hidden=True)
    with pytest.raises(KeyError), atomic_file(path) as file:
        file.write(b"half")
        assert len(list(tmp_path.glob(".a.json*"))) == 1  # beside it: on the same file system
        raise KeyError
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"new": float("nan")})
    assert seen(tmp_path, hidden=True) == before


def test_folders_that_were_made_in_vain_are_removed(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(KeyError), atomic_file(tmp_path / "there" / "new" / "newer" / "a.json"):
        raise KeyError
    assert seen(tmp_path, hidden=True) == {} and not list((tmp_path / "there").iterdir())
    with pytest.raises(KeyError), atomic_file(tmp_path / "new" / "a.json"):
        (tmp_path / "new" / "of another process").touch()
        raise KeyError
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["of another process"]
    write_json(tmp_path / "whole" / "a.json", {})
    assert (tmp_path / "whole" / "a.json").is_file() and (tmp_path / "there").is_dir()


@pytest.mark.parametrize(("mask", "mode"), [(0o027, 0o640), (0o022, 0o644)])
def test_files_that_are_replaced_keep_to_the_umask(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "a", OLD)
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("name", ["+", "!", "-a", "字" * 80])
def test_a_temporary_file_is_named_after_its_own(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with atomic_file(Path(name)):
        assert [path.name[: len(name) + 2] for path in tmp_path.iterdir()] == [f".{name}."]
    assert seen(tmp_path, hidden=True) == {name: b""}


def test_a_temporary_file_that_is_gone_leads_nowhere(tmp_path, monkeypatch):
    """Another process, which holds the folder, takes its name away between listing and looking."""
    monkeypatch.setattr(os, "walk", lambda top: [(top, [], [".a.12345678.tmp"])])
    check_own(tmp_path)


def test_what_leads_elsewhere_is_named(tmp_path):
    (tmp_path / "folder" / "in").mkdir(parents=True)
    (tmp_path / "folder" / "in" / "out").symlink_to("/")
    with pytest.raises(DataError, match=f"^{tmp_path}/folder/in/out is a link"):
        check_own(tmp_path / "folder")


@pytest.mark.parametrize("step", [6, 4])
def test_whichever_call_fails_there_is_a_whole_checkpoint(tmp_path, step):
    values = dict(parse_setting(text) for text in TINY)
    values |= {"steps": 8, "minutes": None, "generator.grid": 2, "generator.widths": [8, 8]}
    state = TrainState(replaced(TrainConfig(), values), 2)

    def save(folder: Path, number: int, images: int) -> None:
        state.counters.step, state.counters.images = number, images
        state.save(folder)

    save(tmp_path / "first", 4, 1)
    for number, disk in enumerate(faults(lambda: save(tmp_path / "first", step, 2))):
        folder = tmp_path / f"{number}"
        save(folder, 4, 1)
        with disk_that(disk), pytest.raises((Died, DataError)):
            save(folder, step, 2)
        told = json.loads((newest_verified(folder) / "state.json").read_text())
        assert (told["step"], told["images"]) in ((4, 1), (step, 2))


def test_whichever_call_fails_a_data_folder_holds_what_it_says(tmp_path, data_folder):
    store = PairStore.open(data_folder)
    source, style, other = store.manifest.fonts
    images = {font.name: np.array(store.images(font)) for font in (source, style, other)}

    def begin(folder: Path) -> PairStore:
        made = PairStore.create_or_open(folder, "x", store.manifest.chars, *settings)
        made.add_images(source, images[source.name])
        made.add_images(style, images[style.name])
        write_contact_sheet(made, folder)
        return made

    def add(made: PairStore) -> None:
        entry = made._write_array(other, images[other.name])
        made._registered(entry, write_contact_sheet)

    settings = store.manifest.raster, store.manifest.split
    first = begin(tmp_path / "first")
    rows = {}  # heights of the contact sheets
    for number, disk in enumerate(faults(lambda: add(first))):
        made = begin(tmp_path / f"{number}")
        rows[2] = Image.open(made.folder / "contact-sheet.png").height
        rows[3] = Image.open(first.folder / "contact-sheet.png").height
        with disk_that(disk), pytest.raises((Died, DataError)):
            add(made)
        again = PairStore.open(made.folder)
        again.verify()
        names = [font.name for font in again.manifest.fonts]
        assert names in ([source.name, style.name], [source.name, style.name, other.name])
        assert Image.open(made.folder / "contact-sheet.png").height == rows[len(names)]
        if not disk.dies and disk.calls[disk.bad_call] != "fsync":  # the array took its name before
            arrays = {path.stem for path in (made.folder / "glyphs").iterdir()}
            assert arrays == set(names), disk.calls[disk.bad_call]


@pytest.mark.parametrize("there", [True, False], ids=["added to", "new"])
def test_whichever_call_fails_a_hand_is_the_old_one_or_the_new_one(tmp_path, there):
    """Pictures, labels and contact sheet change together, even if the process dies between."""
    page = [ScannedGlyph(char, np.full((32, 32), 200, np.uint8), "p") for char in "永和"]

    def scan(folder: Path, glyphs: list[ScannedGlyph]) -> list[str]:
        return save_hand(folder, glyphs, lambda char: glyphs[0].image)

    scan(tmp_path / "old", page[:1])
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    scan(tmp_path / "new", page[1:])
    if not there:
        shutil.rmtree(tmp_path / "old")
        shutil.rmtree(tmp_path / "new")
        scan(tmp_path / "new", page[1:])
    for number, disk in enumerate(faults(lambda: scan(tmp_path / "first", page[1:]))):
        folder = tmp_path / f"{number}"
        if there:
            shutil.copytree(tmp_path / "old", folder)
        with disk_that(disk), pytest.raises((Died, DataError)):
            scan(folder, page[1:])
        if folder.exists():
            complete_update(folder)  # as every reader does
        found = seen(folder)
        assert found in (seen(tmp_path / "old"), seen(tmp_path / "new")), disk.calls[disk.bad_call]
        if not there and not disk.dies:
            assert found or not folder.exists()


def test_leftovers_of_killed_processes_are_removed_and_others_kept(tmp_path):
    left, other = tmp_path / ".a.abcdefgh.tmp", tmp_path / ".b.abcdefgh.tmp"
    for path in (left, other):
        path.write_bytes(b"half")
    with atomic_file(tmp_path / "a") as file:
        assert not left.exists() and other.exists()
        file.write(b"mine")
        storage._leftovers.cache_clear()  # as in another process
        write_bytes(tmp_path / "a", b"theirs")  # must not remove what is being written
    assert seen(tmp_path, hidden=True) == {"a": b"mine", other.name: b"half"}


def test_bytes_and_json_are_written_as_they_are_told(tmp_path):
    write_json(tmp_path / "a.json", {"名": [1, "é"], "b": {}})
    assert (tmp_path / "a.json").read_text(
        "utf-8"
    ) == '{\n "名": [\n  1,\n  "é"\n ],\n "b": {}\n}\n'
    write_json(tmp_path / "b.json", "x\udcff永")  # a file name that is not UTF-8
    assert (tmp_path / "b.json").read_bytes() == b'"x\\udcff\\u6c38"\n'
    large = os.urandom(3 * 2**18 + 1)
    (tmp_path / "c").write_bytes(large)
    assert storage.sha256_file(tmp_path / "c") == storage.sha256_bytes(memoryview(large))


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are POSIX")
def test_links_keep_their_place_and_pipes_are_written_directly(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a").write_bytes(OLD)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "a")
    write_bytes(tmp_path / "link", NEW)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "far" / "a").read_bytes() == NEW
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_bytes(tmp_path / "pipe", b"through")
    assert os.read(reader, 100) == b"through" and (tmp_path / "pipe").is_fifo()
    os.close(reader)
    with pytest.raises(DataError, match=r"cannot write .*/far: "):
        write_bytes(tmp_path / "far", NEW)
    write_bytes(tmp_path / "new" / "folder" / "a", NEW)  # folders are made
    assert (tmp_path / "new" / "folder" / "a").read_bytes() == NEW
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        *((code, "free some space, or") for code in ("ENOSPC", "EDQUOT", "EIO", "EFBIG", "")),
        ("EACCES", ""),
        ("EROFS", ""),
    ],
)
def test_a_full_disk_and_a_closed_folder_have_their_own_cures(code, cure):
    number = getattr(errno, code) if code else None
    error = OSError(number, os.strerror(number)) if number else OSError("short write")
    said = str(storage.cannot_write(Path("a/b"), error))
    reason = os.strerror(number) if number else "short write"
    assert said == f"cannot write a/b: {reason}; {cure + ' ' if cure else ''}choose another place"


def test_what_cannot_be_written_is_told_before(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(OLD)
    storage.check_writable(tmp_path / "file", tmp_path / "no" / "such" / "folder" / "a")
    for path, code in (
        (tmp_path, errno.EISDIR),
        (tmp_path / "file" / "a", errno.ENOTDIR),
    ):
        with pytest.raises(DataError, match=os.strerror(code)):
            storage.check_writable(tmp_path / "good", path)
    asked = []

    def access(path, mode):
        asked.append((Path(path), mode))
        return False

    monkeypatch.setattr(os, "access", access)
    with pytest.raises(DataError, match=os.strerror(errno.EACCES)):
        storage.check_writable(tmp_path / "a")
    assert asked == [(tmp_path, os.W_OK | os.X_OK)]


def test_what_can_be_written_whoever_owns_its_folder(tmp_path, monkeypatch):
    """Devices and what links lead to: their own folders are not written to."""
    real, closed = os.access, ("/dev", str(tmp_path))
    monkeypatch.setattr(
        os, "access", lambda path, mode: str(path) not in closed and real(path, mode)
    )
    (tmp_path / "link").symlink_to("/dev/null")
    (tmp_path / "other").mkdir()
    (tmp_path / "out.png").symlink_to(tmp_path / "other" / "a.png")
    storage.check_writable(Path("/dev/null"), tmp_path / "link", tmp_path / "out.png")
    with pytest.raises(DataError, match=r"a.png: Permission denied; choose another place"):
        storage.check_writable(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"File name too long; choose another place"):
        storage.check_writable(tmp_path / ("a" * 300))


@pytest.mark.parametrize("name", ["a" * 255, "書" * 85, "a" * 240 + "書" * 5])
def test_the_longest_names_that_the_disk_takes_can_be_written(tmp_path, name):
    storage.check_writable(tmp_path / name)
    with pytest.raises(KeyError), atomic_file(tmp_path / name) as file:
        file.write(b"half")
        raise KeyError
    assert seen(tmp_path, hidden=True) == {}
    write_bytes(tmp_path / name, NEW)
    assert seen(tmp_path, hidden=True) == {name: NEW}


def test_standard_output_is_no_file_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="cannot go to standard output"):
        storage.check_writable(Path("-"))
    with pytest.raises(DataError, match="cannot go to standard output"), atomic_file(Path("-")):
        pytest.fail("opened")
    assert seen(tmp_path, hidden=True) == {}


def test_folders_made_for_a_lock_in_vain_are_removed(tmp_path):
    place = tmp_path / "made" / "too"
    with pytest.raises(DataError, match="File name too long"), storage.locked(place / ("a" * 300)):
        pass
    with pytest.raises(DataError, match="File name too long"):
        save_hand(place / ("a" * 300), [], lambda char: None)
    assert not list(tmp_path.iterdir())
    with storage.locked(place / ".lock"):
        assert place.is_dir()
    assert place.is_dir()


def test_a_lock_that_another_process_holds_is_waited_for_or_told(tmp_path):
    path, told = tmp_path / "new" / "deep" / "lock", []
    with storage.locked(path, "busy", lambda: told.append(1)):
        assert path.parent.is_dir() and not told
        with pytest.raises(ConfigError, match=r"^busy$"), storage.locked(path, "busy"):
            pytest.fail("it is held")
    held = contextlib.ExitStack()
    held.enter_context(storage.locked(path))
    with storage.locked(path, on_wait=held.close):  # let go while the other waits
        pass
    with storage.locked(path, "busy"):
        pass
    (tmp_path / "file").write_bytes(OLD)
    with pytest.raises(DataError, match="cannot write"), storage.locked(tmp_path / "file" / "lock"):
        pytest.fail("no folder")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_folders_are_synced_and_closed(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda handle: synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
    )
    before = len(list(Path("/proc/self/fd").iterdir()))
    write_bytes(tmp_path / "a", NEW)
    assert synced[-1] == str(tmp_path) and len(synced) == 2
    assert Path(synced[0]).name.startswith(".a.") and synced[0].endswith(".tmp")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    monkeypatch.setattr(os, "name", "nt")
    storage.fsync_folder(tmp_path)
    assert len(synced) == 2


def test_leftovers_of_like_names_are_others(tmp_path):
    names = [
        ".a.abcdefg.tmp",
        ".a.abcdefghi.tmp",
        ".a.ABCDEFGH.tmp",
        ".axabcdefgh.tmp",
        ".a.b.abcdefgh.tmp",
    ]
    for name in [*names, ".a.abc_efg1.tmp"]:
        (tmp_path / name).write_bytes(b"half")
    write_bytes(tmp_path / "a", NEW)
    assert sorted(seen(tmp_path, hidden=True)) == sorted(["a", *names])


def test_a_link_to_itself_is_replaced(tmp_path):
    (tmp_path / "a").symlink_to("a")
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
