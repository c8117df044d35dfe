"""One batch of the fuzzer, in a process of its own: `batch.py WORK READER SEED COUNT`."""

import faulthandler
import hashlib
import json
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from readers import EXPECTED, OUT, READERS

_EXTRA_BYTES = 2**30  # memory above that for good inputs
_RUN_S = 20
_AT_FOLDER = {"os.remove", "os.mkdir", "os.rmdir"}  # whose last argument may be a folder's handle
_WRITES = {*_AT_FOLDER, "os.rename", "os.symlink", "os.link"}


class Hung(BaseException):
    """An input took too long."""


class Batch:
    """Reads damaged files in a copy of the corpus, and tallies what becomes of them."""

    def __init__(self, work: Path, name: str) -> None:
        self.work, self.name, self.reader = work, name, READERS[name]
        self.root = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=work))
        shutil.copytree(work / "corpus", self.root, dirs_exist_ok=True)
        self.tally: Counter[str] = Counter()
        self.files = sorted(self.root.glob(self.reader.files))
        self.outside: list[str] = []
        self.watching = False
        sys.addaudithook(self._watch)
        signal.signal(signal.SIGALRM, self._stop)

    def warm_up(self) -> None:
        """Read the good files, so that what they take is taken; then limit memory."""
        for path in self.files:
            try:
                self.reader.use(self.root, path)
            except EXPECTED as error:
                if self.name != "completed":  # variable fonts are refused
                    raise AssertionError(f"{path.name} is good, and refused: {error}") from error
        self.before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        bound = pages * resource.getpagesize() + _EXTRA_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))

    def read(self, path: Path, data: bytes) -> None:
        """Read one damaged file in place of a good one, and put the good one back."""
        good = path.read_bytes()
        (self.work / "current").write_bytes(path.name.encode() + b"\n" + data)
        path.write_bytes(data)
        self.outside.clear()
        caught: BaseException | None = None
        signal.setitimer(signal.ITIMER_REAL, _RUN_S)
        try:
            self.watching = True
            self.reader.use(self.root, path)
            outcome = "read"
        except EXPECTED:
            outcome = "refused"
        except Hung as error:
            outcome, caught = "hung", error
        except Exception as error:
            outcome, caught = "failed", error
        finally:
            self.watching = False
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self.outside:
            outcome, caught = "outside", RuntimeError(self.outside)
        if caught is not None:
            self._keep(outcome, path, data, caught)
        self._restore(path, good)
        self.tally[outcome] += 1

    def _restore(self, path: Path, good: bytes) -> None:
        path.write_bytes(good)
        for changed in ("manifest.json", "log.jsonl"):  # the uses write these
            kept = self.work / "corpus" / path.parent.relative_to(self.root) / changed
            if kept.exists():
                shutil.copy(kept, path.parent / changed)

    def _stop(self, *_: object) -> None:
        raise Hung

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note files that are written outside the output and the folder of the damaged file."""
        if not self.watching or not (event == "open" or event in _WRITES):
            return
        if event == "open":
            flags = arguments[2] if len(arguments) > 2 else 0
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        allowed = (self.root / OUT, self.root / "runs", self.root / "data", self.work / "cache")
        here = arguments[-1] if event in _AT_FOLDER else -1
        base = str(Path(f"/proc/self/fd/{here}").readlink()) if here >= 0 else str(Path.cwd())
        for place in arguments[: 1 if event == "open" or event in _AT_FOLDER else 2]:
            if isinstance(place, str | bytes | os.PathLike):
                path = Path(os.path.normpath(Path(base, os.fsdecode(place))))
                if path != Path("/dev/null") and not any(map(path.is_relative_to, allowed)):
                    self.outside.append(f"{event} {path}")

    def _keep(self, outcome: str, path: Path, data: bytes, error: BaseException) -> None:
        """Keep the smallest input of each kind of failure, with its traceback."""
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "calligan" in f.filename]
        where = f"{type(error).__name__} {frames[-1].name if frames else ''}"
        key = hashlib.sha256(where.encode()).hexdigest()[:8]
        kept = self.work / "found" / f"{self.name}-{outcome}-{key}"
        kept.parent.mkdir(exist_ok=True)
        whole = path.name.encode() + b"\n" + data
        if not kept.exists() or len(whole) < kept.stat().st_size:
            kept.write_bytes(whole)
            trace = "".join(traceback.format_exception(error))[-4000:]
            kept.with_name(f"{kept.name}.txt").write_text(f"{path}\n{trace}", errors="replace")

    def report(self) -> None:
        """Write the tallies and the memory that was taken above that for good files."""
        more_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self.before_kb
        told = {"tally": self.tally, "peak_mb": more_kb >> 10}
        (self.work / "report.json").write_text(json.dumps(told))
        shutil.rmtree(self.root, ignore_errors=True)


def run(work: Path, name: str, first: int, count: int) -> None:
    """Read `count` damaged files."""
    batch = Batch(work, name)
    batch.warm_up()
    goods = {path: path.read_bytes() for path in batch.files}
    cases = st.sampled_from(batch.files).flatmap(
        lambda path: st.tuples(st.just(path), batch.reader.damage(goods[path]))
    )

    @seed(first)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def read(case: tuple[Path, bytes]) -> None:
        batch.read(*case)

    read()
    batch.report()


def replay(work: Path, kept: Path) -> None:
    """Read an input again that was kept; its error ends this process."""
    name, data = kept.read_bytes().split(b"\n", 1)
    batch = Batch(work, next(each for each in READERS if kept.name.startswith(f"{each}-")))
    path = next(file for file in batch.files if file.name == name.decode())
    path.write_bytes(data)
    try:
        batch.reader.use(batch.root, path)
        print("read")
    except EXPECTED as error:
        print(f"refused: {error}")


if __name__ == "__main__":
    faulthandler.enable()
    logging.getLogger("fontTools").setLevel(logging.CRITICAL)
    work, name, *rest = sys.argv[1:]
    if name == "--replay":
        replay(Path(work), Path(rest[0]))
    else:
        run(Path(work), name, *map(int, rest))
