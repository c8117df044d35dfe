"""Plant small faults, one at a time, and count those that no test notices (cosmic-ray; POSIX).

    python tests/mutants.py [PART …] [--sample 40] [--seed 1]

Parts are those of mutants.toml. Works on a copy of the checkout; not part of the suite. Prints each
survivor, and the share that was noticed. Annotations are left as they are: no test runs them.
The libraries are imported once, and each fault is tested in a fork.
"""

import argparse
import ast
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

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
LIBRARIES = ("numpy", "torch", "safetensors.torch", "PIL.Image", "fontTools.ttLib", "hypothesis")
MAX_CPU_S = 180  # of one test process: a fault may make a loop endless
MAX_WALL_S = 1800


class Mutant(NamedTuple):
    """A fault of a module: the occurrence of what an operator of cosmic-ray changes."""

    module: Path
    line: int
    operator: str
    options: dict[str, object]
    occurrence: int

    def planted(self) -> str:
        """The text of the module with the fault."""
        from cosmic_ray.mutating import mutate_code
        from cosmic_ray.plugins import get_operator

        operator = get_operator(self.operator)(**self.options)
        return mutate_code(self.module.read_text(encoding="utf-8"), operator, self.occurrence)


def main() -> None:
    """Mutate the parts asked for, all of them if none is."""
    parts = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"default: all ({', '.join(parts)})")
    parser.add_argument("--sample", type=int, help="so many mutants a part, at random; default all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(parts)}")
    os.environ |= {"OMP_NUM_THREADS": "1", "CALLIGAN_NO_CACHE": "1"}
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in options.parts or parts:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
            try_part(name, parts[name], copy, options.sample, options.seed)


def try_part(
    name: str, part: dict[str, list[str]], copy: Path, sample: int | None, seed: int
) -> None:
    """Plant the faults of one part in the copy, and print what survives."""
    if not is_quiet(copy, part["tests"], keep_bytecode=True):
        raise SystemExit(f"{name}: the tests fail without a fault; mend them first")
    found = [mutant for module in part["modules"] for mutant in mutants(copy / module)]
    chosen = found if sample is None else random.Random(seed).sample(found, min(sample, len(found)))
    survived = 0
    for number, mutant in enumerate(chosen, start=1):
        with plant(mutant) as change:
            if is_quiet(copy, part["tests"]):
                survived += 1
                place = f"{mutant.module.relative_to(copy)}:{mutant.line}"
                print(
                    f"survived: {place} {mutant.operator}#{mutant.occurrence}{change}", flush=True
                )
        print(f"{name}: {number} of {len(chosen)} tried, {survived} survived", file=sys.stderr)
    noticed, of = len(chosen) - survived, f"{len(chosen)} of {len(found)} mutants, seed {seed}"
    print(f"{name}: {noticed} noticed, {100 * noticed / max(1, len(chosen)):.0f} % ({of})")


def mutants(module: Path) -> Iterator[Mutant]:
    """All faults of a module, in an order that depends on its text only."""
    from cosmic_ray.commands import init
    from cosmic_ray.work_db import use_db

    annotations = list(annotation_spans(module.read_text(encoding="utf-8")))
    with use_db(":memory:") as store:
        init([module], store, {})
        specs = [item.mutations[0] for item in store.work_items]
    for spec in sorted(specs, key=lambda s: (s.start_pos, s.operator_name, s.occurrence)):
        if not any(start <= spec.start_pos < end for start, end in annotations):
            place = spec.start_pos[0], spec.operator_name
            yield Mutant(module, *place, spec.operator_args, spec.occurrence)


def annotation_spans(text: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Start and end of each annotation of a module, as line and column."""
    for node in ast.walk(ast.parse(text)):
        for name in ("annotation", "returns"):
            if (found := getattr(node, name, None)) is not None:
                yield (found.lineno, found.col_offset), (found.end_lineno, found.end_col_offset)


def is_quiet(copy: Path, tests: list[str], keep_bytecode: bool = False) -> bool:
    """Whether all tests pass, in a fork."""
    child = os.fork()
    if child == 0:
        run_tests(copy, tests, keep_bytecode)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@contextmanager
def plant(mutant: Mutant) -> Iterator[str]:
    """Plant a fault and give its first changed line, before and after; take it out at the end."""
    text, changed = mutant.module.read_text(encoding="utf-8"), mutant.planted()
    # Python tells stale bytecode by time and size, which a fault may leave as they are.
    for stale in (mutant.module.parent / "__pycache__").glob(f"{mutant.module.stem}.*"):
        stale.unlink()
    mutant.module.write_text(changed, encoding="utf-8")
    try:
        pairs = zip(text.splitlines(), changed.splitlines(), strict=False)
        yield next((f"\n  - {a.strip()}\n  + {b.strip()}" for a, b in pairs if a != b), "")
    finally:
        mutant.module.write_text(text, encoding="utf-8")


def run_tests(copy: Path, tests: list[str], keep_bytecode: bool) -> None:
    """Run tests in the copy, whose modules are imported instead of the checkout's, and end."""
    import resource

    code = 1
    with suppress(BaseException):
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
        signal.alarm(MAX_WALL_S)
        silence = os.open(os.devnull, os.O_RDWR)
        for handle in range(3):
            os.dup2(silence, handle)
        os.chdir(copy)
        os.environ["PYTHONPATH"] = str(copy)
        sys.path[:] = [str(copy), *(path for path in sys.path if Path(path) != ROOT / "tests")]
        sys.dont_write_bytecode = not keep_bytecode
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        if not keep_bytecode:
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        import pytest

        code = int(pytest.main(["-n", "0", "-x", "-q", "-p", "no:cacheprovider", *tests]))
    os._exit(code)


if __name__ == "__main__":
    main()
