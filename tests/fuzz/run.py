"""Fuzz the readers: `python tests/fuzz/run.py --minutes 5 --seed 1` (`make fuzz`).

Batches run in processes with limits on memory and time. What fails is written to a folder, with
its traceback, and can be read again: `python tests/fuzz/run.py --replay FILE`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from corpus import make_corpus
from readers import READERS

BATCH = 300  # inputs of one process
_STALLED_S = 300  # without another input, after which a batch hangs
OUTCOMES = ("read", "refused", "failed", "hung", "died", "outside")


def run_batch(work: Path, reader: str, seed: int, count: int) -> dict:
    """The tallies of one batch, from a process of its own."""
    command = [sys.executable, HERE / "batch.py", work, reader, str(seed), str(count)]
    report, current = work / "report.json", work / "current"
    report.unlink(missing_ok=True)
    current.touch()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CALLIGAN_CACHE": str(work / "cache")}
    with (work / "stderr.txt").open("wb") as errors:
        process = subprocess.Popen(command, env=environment, stdout=errors, stderr=errors)
        while process.poll() is None and time.time() - current.stat().st_mtime < _STALLED_S:
            time.sleep(0.05)
        hung = process.poll() is None
        if hung:
            process.kill()
        process.wait()
    told = json.loads(report.read_text()) if report.exists() else {"peak_mb": 0}
    told.setdefault("tally", {})
    if process.returncode:
        _keep_last(work, reader, seed, process.returncode)
        told["tally"]["hung" if hung else "died"] = 1
    return told


def _keep_last(work: Path, reader: str, seed: int, code: int) -> None:
    """Keep the input that ended a process."""
    last, kept = work / "current", work / "found" / f"{reader}-{seed}-ended"
    if last.exists():
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(last.read_bytes())
        trace = (work / "stderr.txt").read_text(errors="replace")[-3000:]
        kept.with_suffix(".txt").write_text(f"{reader}: exit code {code}\n{trace}")


def fuzz(
    work: Path, seed: int, minutes: float, runs: int, only: list[str], batch: int = BATCH
) -> dict[str, Counter]:
    """Batches of all readers in turn until the time is over or `runs` are done."""
    make_corpus(work / "corpus")
    end, tallies, peak_mb = time.monotonic() + 60 * minutes, {name: Counter() for name in only}, {}
    round_number = done = 0
    while time.monotonic() < end and (not runs or done < runs):
        for name in only:
            told = run_batch(work, name, seed + 1000 * round_number, batch)
            tallies[name].update(told["tally"])
            peak_mb[name] = max(peak_mb.get(name, 0), told["peak_mb"])
            done += sum(told["tally"].values())
            if time.monotonic() > end:
                break
        round_number += 1
    for name, tally in tallies.items():
        counts = "  ".join(f"{tally[outcome]:6} {outcome}" for outcome in OUTCOMES)
        print(f"{name:11}{counts}  {peak_mb.get(name, 0):5} MB", flush=True)
    print(f"{done} runs, seed {seed}; most memory above a good file's: {max(peak_mb.values())} MB")
    return tallies


def main() -> int:
    """Fuzz, or read one input again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--runs", type=int, default=0, help="stop after so many; 0: by the time")
    parser.add_argument("--batch", type=int, default=BATCH, help="inputs of one process")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("demo/fuzz"))
    parser.add_argument("--only", nargs="*", default=list(READERS), choices=list(READERS))
    parser.add_argument("--replay", type=Path)
    told = parser.parse_args()
    told.work = told.work.absolute()
    if told.replay:
        make_corpus(told.work / "corpus")
        command = [sys.executable, HERE / "batch.py", told.work, "--replay", told.replay.absolute()]
        return subprocess.run(command).returncode
    tallies = fuzz(told.work, told.seed, told.minutes, told.runs, told.only, told.batch)
    bad = sum(sum(tally[kind] for kind in OUTCOMES[2:]) for tally in tallies.values())
    if bad:
        print(f"{bad} failed: see {told.work / 'found'}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
