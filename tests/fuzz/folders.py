"""Whole folders through whole commands: `tests/fuzz/folders.py --minutes 5 --seed 1` (`make fuzz`).

Every way in which a folder may be wrong (wrong_folders.py) meets every command that reads such a
folder. A command runs in a forked process in a folder of its own, beside files that are none of
its business. It must end in time with an exit code that it documents, with no more memory than the
good folder took and 1 GB; a refusal is one line without control characters, and leaves no output.
"""

import argparse
import hashlib
import os
import random
import re
import resource
import runpy
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from forked import MODULES
from wrong_folders import COMMANDS, WRONG, Wrong, make_good

_EXTRA_KB = 2**20
_CAP_BYTES = 6 * 2**30  # of address space: whatever it does, the machine stays usable
_HUGE_BYTES = 2**28  # of a file whose size alone is compared
_RUN_S = 60  # a command's own work, and 20 seconds
_CODES = (0, 2, 4)
_PLAIN = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]*")
_MORE = ("calligan.library.restyling", "calligan.library.scanning", "calligan.training.animation")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    said: str
    peak_kb: int
    took_s: float


def import_all() -> None:
    """Import what commands need, once."""
    for name in (*MODULES, *_MORE, "cv2", "matplotlib.figure", "PIL.PngImagePlugin"):
        import_module(name)
    import_module("calligan.cli.show").PATIENCE_S = 300
    import_module("calligan.evaluation.style_classifier")._BATCH_SIZE = 16
    os.fsync = lambda handle: None


def run(argv: list[str], work: Path) -> Ended:
    """Run one command in `work`, in a process of its own."""
    before = time.monotonic()
    said = work.parent / f"{work.name}.said"
    if not (pid := os.fork()):
        _become(argv, work, said)
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() - before > _RUN_S:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.02)
    text = said.read_text("utf-8", "backslashreplace")
    took_s = time.monotonic() - before
    return Ended(os.waitstatus_to_exitcode(status), text, used.ru_maxrss, took_s)


def _become(argv: list[str], work: Path, said: Path) -> NoReturn:
    """In the child: the command, with bounded memory, and what it says in one file."""
    code = 1
    try:
        os.setsid()
        os.chdir(work)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        os.dup2(2, 1)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        bound = pages * resource.getpagesize() + _CAP_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
        sys.argv = ["calligan", *argv]
        runpy.run_module("calligan", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def faults(ended: Ended, good: Ended, strays: list[str], left: list[str]) -> Iterator[str]:
    """What is wrong with how a command ended on a wrong folder."""
    lines = ended.said.splitlines()
    if ended.code == -signal.SIGKILL and ended.took_s > _RUN_S:
        yield "hung"
    elif ended.code not in _CODES:
        yield f"exit code {ended.code}"
    if "Traceback" in ended.said:
        yield "traceback"
    elif ended.code and not (lines and lines[-1].startswith("calligan: ")):
        yield "no last line"
    elif ended.code == 2 and left:
        yield f"output left: {left}"
    if not _PLAIN.fullmatch(ended.said):
        yield "control characters"
    if ended.peak_kb > good.peak_kb + _EXTRA_KB:
        yield f"{(ended.peak_kb - good.peak_kb) >> 10} MB more"
    if strays:
        yield f"outside: {strays}"


def fingerprint(folder: Path) -> dict[str, str]:
    """Everything in a folder, without following links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            what = f"link to {path.readlink()}"
        elif path.is_file() and path.stat().st_size < _HUGE_BYTES:
            what = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            what = f"{path.lstat().st_mode:o} {path.lstat().st_size}"
        found[str(path.relative_to(folder))] = what
    return found


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class Trial:
    """Commands on copies of the good folders, of which one is wrong."""

    def __init__(self, good: Path, run: Callable[[list[str], Path], Ended] = run) -> None:
        self.good, self.run = good, run
        self.ended: dict[str, Ended] = {}  # of the good folders, by command

    def check_good(self, kind: str, command: str) -> None:
        """Raise AssertionError if a command refuses the good folder."""
        if command not in self.ended:
            with tempfile.TemporaryDirectory(dir=self.good.parent) as place:
                ended, _ = self._run(kind, None, command, Path(place))
            assert not ended.code, f"{command}: {ended.said}"
            self.ended[command] = ended

    def faults(self, wrong: Wrong, command: str) -> tuple[Ended, list[str]]:
        """How a command ended on a wrong folder, and what is wrong with that."""
        self.check_good(wrong.kind, command)
        with tempfile.TemporaryDirectory(dir=self.good.parent) as place:
            ended, found = self._run(wrong.kind, wrong, command, Path(place))
        return ended, list(faults(ended, self.ended[command], *found))

    def _run(
        self, kind: str, wrong: Wrong | None, command: str, place: Path
    ) -> tuple[Ended, tuple[list[str], list[str]]]:
        work, others = place / "work", place / "others"
        shutil.copytree(self.good, work, symlinks=True)
        others.mkdir()
        for name in ("mine.txt", "labels.csv", "a.npy", "b.png"):
            (others / name).write_text("not yours\n")
        if wrong is not None:
            wrong.damage(work / kind, others)
        before = fingerprint(others), _names(place), _names(work)
        ended = self.run(command.split(), work)
        strays = [n for n, was in before[0].items() if fingerprint(others).get(n) != was]
        strays += sorted(set(fingerprint(others)) - set(before[0]))
        strays += sorted(_names(place) - before[1] - {"work.said"})
        return ended, (strays, sorted(_names(work) - before[2]))


def trials(rng: random.Random, only: list[str], match: str = "") -> Iterator[tuple[Wrong, str]]:
    """Wrong folders with commands, in random order; each kind of damage as often as the others."""
    kinds: dict[str, list[tuple[Wrong, str]]] = {}
    for wrong in WRONG:
        for command in COMMANDS[wrong.kind] if wrong.kind in only else ():
            if re.search(match, f"{wrong.kind} {wrong.name} | {command}"):
                name = wrong.damage.func if isinstance(wrong.damage, partial) else wrong.damage
                kinds.setdefault(f"{wrong.kind} {name}", []).append((wrong, command))
    for each in kinds.values():
        rng.shuffle(each)
    while kinds:
        kind = rng.choice(list(kinds))
        yield kinds[kind].pop()
        if not kinds[kind]:
            del kinds[kind]


def fuzz(trial: Trial, told: argparse.Namespace) -> int:
    """Try wrong folders until the time is over, and print what fails; how many did."""
    until, bad, codes = time.monotonic() + 60 * told.minutes, 0, Counter[int]()
    for wrong, command in trials(random.Random(told.seed), told.only, told.match):
        if time.monotonic() > until:
            break
        ended, found = trial.faults(wrong, command)
        codes[ended.code] += 1
        bad += bool(found)
        if found or told.show:
            last = ascii(ended.said.strip().splitlines()[-1:])[:300]
            print(f"{wrong.kind} {wrong.name} | {command[:70]}", flush=True)
            print(f"   {ended.code} {ended.took_s:.1f} s: {last} {'; '.join(found)}", flush=True)
    how = ", ".join(f"{count} ended with {code}" for code, count in sorted(codes.items()))
    print(f"folders: {codes.total()} runs, seed {told.seed}: {how}; {bad} ended wrongly")
    return bad


def main() -> int:
    """Try wrong folders with all commands; what fails is printed, and whether any did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("demo/fuzz"))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=list(COMMANDS), choices=list(COMMANDS))
    parser.add_argument("--match", default="", help="only those whose line has this pattern")
    parser.add_argument("--show", action="store_true", help="print how every command ends")
    told = parser.parse_args()
    cache = str(told.work.absolute() / "cache")
    os.environ.update(OMP_NUM_THREADS="1", CALLIGAN_NO_CACHE="1", CALLIGAN_CACHE=cache)
    import_all()
    return bool(fuzz(Trial(make_good(told.work.absolute() / "folders")), told))


if __name__ == "__main__":
    sys.exit(main())
