"""Plant small faults, one at a time, and count those that no test notices (cosmic-ray).

    python tests/mutants.py [PART …] [--sample 40] [--seed 0]

Parts are those of mutants.toml. Works on a copy of the checkout; not part of the suite. Prints each
survivor as a diff, and the share that was noticed.
"""

import argparse
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = (
    "docs",
    ".git",
    ".venv",
    ".venv-test",
    "runs",
    "data",
    "dist",
    "__pycache__",
    ".*_cache",
)


def main() -> None:
    """Mutate the parts asked for, all of them if none is."""
    parts = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("parts", nargs="*", default=list(parts), help=", ".join(parts))
    parser.add_argument("--sample", type=int, help="so many mutants a part, at random; default all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.parts:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
            mutate(name, parts[name], copy, options.sample, options.seed)


def mutate(
    name: str, part: dict[str, list[str]], copy: Path, sample: int | None, seed: int
) -> None:
    """Run one part in the copy and print what survived."""
    tests = " ".join(part["tests"])
    command = f"{sys.executable} -m pytest -n 0 -x -q -p no:cacheprovider {tests}"
    config = f"""[cosmic-ray]
module-path = {part["modules"]}
timeout = 300.0
excluded-modules = []
test-command = "{command}"
[cosmic-ray.distributor]
name = "local"
"""
    (copy / "cosmic.toml").write_text(config, encoding="utf-8")
    run("cosmic-ray", "init", "cosmic.toml", "session.sqlite", copy=copy)
    if sample is not None:
        keep_sample(copy / "session.sqlite", sample, seed)
    run("cosmic-ray", "exec", "cosmic.toml", "session.sqlite", copy=copy)
    report(name, copy / "session.sqlite")


def run(*command: str, copy: Path) -> None:
    """A command in the copy, whose modules are imported instead of the checkout's."""
    import os

    environment = {**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)


def keep_sample(session: Path, count: int, seed: int) -> None:
    """Leave so many mutants in a session, drawn by the seed."""
    with sqlite3.connect(session) as store:
        jobs = [row[0] for row in store.execute("select job_id from work_items order by job_id")]
        dropped = set(jobs) - set(random.Random(seed).sample(jobs, min(count, len(jobs))))
        for job in dropped:
            store.execute("delete from mutation_specs where job_id = ?", (job,))
            store.execute("delete from work_items where job_id = ?", (job,))


def report(name: str, session: Path) -> None:
    """The survivors, and how many there are."""
    with sqlite3.connect(session) as store:
        rows = store.execute(
            "select m.module_path, m.operator_name, m.start_pos_row, r.test_outcome, r.diff "
            "from work_results r join mutation_specs m using (job_id)"
        ).fetchall()
    survived = [row for row in rows if "SURVIVED" in str(row[3])]
    for path, operator, line, _, diff in survived:
        changed = [text for text in (diff or "").splitlines() if text[:1] in "+-"][2:]
        print(f"survived: {path}:{line} {operator}\n  " + "\n  ".join(changed))
    noticed = len(rows) - len(survived)
    print(f"{name}: {noticed} of {len(rows)} noticed ({100 * noticed / max(1, len(rows)):.0f} %)")


if __name__ == "__main__":
    main()
