"""Half a minute of `make fuzz` from a fixed seed: damaged files of every kind end in one line."""

import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent / "fuzz"
sys.path.insert(0, str(FUZZ))

pytest.importorskip("hypothesis")
if not sys.platform.startswith("linux"):
    pytest.skip("limits on memory need /proc", allow_module_level=True)

from batch import Batch
from corpus import make_corpus
from readers import READERS, Reader
from run import OUTCOMES, run_batch

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
