"""Half a minute of `make fuzz` from a fixed seed: damaged files of every kind end in one line."""

import random
import shutil
import sys
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent / "fuzz"
sys.path.insert(0, str(FUZZ))

pytest.importorskip("hypothesis")
if not sys.platform.startswith("linux"):
    pytest.skip("limits on memory need /proc", allow_module_level=True)

import folders
from batch import Batch
from corpus import make_corpus
from readers import READERS, Reader
from run import OUTCOMES, run_batch
from wrong_folders import COMMANDS, WRONG, make_good

COUNT = 25


@pytest.fixture(scope="module")
def work(tmp_path_factory, calligan) -> Path:
    def run(*arguments: object) -> None:
        done = calligan(*arguments)
        assert done.returncode == 0, done.stderr

    work = tmp_path_factory.mktemp("fuzz")
    make_corpus(work / "corpus", run)
    return work


@pytest.mark.fuzz
@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused(work, name):
    told = run_batch(work, name, 1, COUNT)
    bad = {kind: told["tally"][kind] for kind in OUTCOMES[2:] if kind in told["tally"]}
    found = "\n".join(p.read_text() for p in (work / "found").glob(f"{name}-*.txt"))
    assert not bad, found
    assert sum(told["tally"].values()) >= COUNT and told["peak_mb"] < 1024


def test_the_fuzzer_notices_what_it_is_for(work, monkeypatch):
    """Each kind of fault, planted: a traceback, a file outside, an input that never ends."""

    def use(root: Path, path: Path) -> None:
        match path.read_bytes():
            case b"traceback":
                raise KeyError("a")
            case b"outside":
                (root / "texts" / "escaped.txt").write_text("")
            case b"endless":
                while True:
                    pass

    monkeypatch.setitem(READERS, "charset", Reader("texts/charset.txt", lambda good: good, use))
    monkeypatch.setattr("batch._RUN_S", 0.2)
    batch = Batch(work, "charset")
    for data in (b"good", b"traceback", b"outside", b"endless"):
        batch.read(batch.files[0], data)
    batch.watching = False
    assert batch.tally == {"read": 1, "failed": 1, "outside": 1, "hung": 1}
    assert batch.files[0].read_bytes() == (work / "corpus" / "texts" / "charset.txt").read_bytes()
    kept = {path.name.split("-")[1] for path in (work / "found").glob("charset-*.txt")}
    assert kept == {"failed", "outside", "hung"}


@pytest.fixture(scope="module")
def trial(tmp_path_factory, calligan) -> folders.Trial:
    """Commands on wrong folders, of which only a few are tried here."""

    def make(*arguments: object) -> None:
        assert calligan(*arguments).returncode == 0

    def run(argv: list[str], work: Path) -> folders.Ended:
        done = calligan(*argv, cwd=work)
        return folders.Ended(done.returncode, done.stdout + done.stderr, 0, 0.0)

    made = folders.Trial(make_good(tmp_path_factory.mktemp("folders") / "good", make), run)
    made.ended = dict.fromkeys(sum(COMMANDS.values(), ()), folders.Ended(0, "", 0, 0.0))
    return made


@pytest.mark.fuzz
@pytest.mark.parametrize("kind", ["data", "hand", "runs", "hands"])
def test_wrong_folders_end_commands_in_one_line(trial, kind):
    for wrong, command in islice(folders.trials(random.Random(1), [kind]), 3):
        ended, found = trial.faults(wrong, command)
        assert not found, f"{wrong.name} | {command}: {found}\n{ended.said}"


def test_every_wrong_folder_can_be_made(trial, tmp_path):
    for number, wrong in enumerate(WRONG[::7]):
        others, work = tmp_path / f"{number}o", tmp_path / f"{number}"
        others.mkdir()
        shutil.copytree(trial.good / wrong.kind, work)
        wrong.damage(work, others)


def test_what_a_command_may_not_do_on_a_wrong_folder_is_noticed():
    good = folders.Ended(0, "", 400_000, 1.0)
    found = partial(_faults, good)
    assert not found(2, "calligan: a.npy is damaged; render the pairs again\n")
    assert found(1, "Traceback (most recent call last)") == ["exit code 1", "traceback"]
    assert found(-9, "", took_s=99.0) == ["hung", "no last line"]
    assert found(-11, "calligan: x") == ["exit code -11"]
    assert found(0, "\x1b[2J") == found(0, "a\u202eb") == ["control characters"]
    assert found(0, "", 2_000_000) == ["1562 MB more"]
    assert found(2, "calligan: x", left=["out.png"]) == ["output left: ['out.png']"]
    assert found(0, "", strays=["mine.txt"]) == ["outside: ['mine.txt']"]


def _faults(good, code, said, peak_kb=400_000, took_s=1.0, strays=(), left=()) -> list[str]:
    ended = folders.Ended(code, said, peak_kb, took_s)
    return list(folders.faults(ended, good, list(strays), list(left)))
