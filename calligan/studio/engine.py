"""The drawing thread: models are not thread-safe, so one thread owns them.

torch is imported on that thread, so that the first page is served while it loads.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from calligan.errors import CalliganError, DataError, ModelError
from calligan.project.models import BUNDLE, HANDS, RUNS, hand_names, hand_path, style_spaces
from calligan.resources import bundled_model

if TYPE_CHECKING:
    from calligan.library.typecase import TypeCase

T = TypeVar("T")
_MAX_MODELS = 6  # open at once; each takes about 50 MB
_RUN = re.compile(r"(\d{4})/(.+)")
_SPACE_CHARS = 12  # of a digest
_OF_HAND = re.compile(rf"\b{HANDS}[\\/]([^\\/]+)[\\/]")  # a file of a learned hand
_KEY = re.compile(r"[\w:.+/ -]{1,200}")


@dataclass(frozen=True)
class Hand:
    """A hand, as the page shows it."""

    key: str  # its name in addresses: a style, a learned hand, or 0001/style of a run
    name: str
    chinese: str
    script: str
    origin: str  # bundle, hand or run
    licence: str
    spaces: tuple[str, ...]  # hands with a common one can be mixed


@dataclass(frozen=True)
class Chosen:
    """A hand ready to draw, and the options that name it on the command line."""

    case: "TypeCase"
    style: str
    options: tuple[str, ...]


class Engine:
    """Models and the thread that owns them. Other threads may call only `run`."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "drawing", initializer=_start_thread)
        self._cases: dict[tuple[Path, int], TypeCase] = {}  # a hand's file changes as it is learned
        self.last_note = ""  # from the library, such as which font is being fetched

    async def run(self, work: "Callable[[Engine], T]") -> T:
        """Run a function on the drawing thread.

        Raises DataError if a learned hand was renamed or deleted while it was read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: "Callable[[Engine], T]") -> T:
        try:
            return work(self)
        except (FileNotFoundError, ModelError) as error:
            of = _OF_HAND.search(str(error))  # not every error has the name of its file beside
            if of and hand_path(of[1], HANDS) is None:
                raise DataError(f"no hand {of[1]} here; choose one of the list") from error
            raise

    def warm(self) -> None:
        """Start opening the bundle before the first request."""
        self._thread.submit(self._warm)

    def close(self) -> None:
        """Finish the current call, and drop the waiting ones."""
        self._thread.shutdown(cancel_futures=True)

    def _warm(self) -> None:
        try:
            from calligan.project.source import trained_source

            model = self.chosen("1").case.model
            if trained_source(model.card):  # no download without a request
                model.writer.open_networks()
        except CalliganError:
            return  # the first request reports it

    def hands(self) -> list[Hand]:
        """All hands: learned ones, the bundle's, and the newest run's."""
        found: list[Hand] = []
        for name in hand_names(HANDS):
            found += self._hands_of(f"{HANDS}/{name}", "hand")
        if bundled_model():
            found += self._hands_of(BUNDLE, "bundle")
        for path in _runs(RUNS)[:1]:
            number = path.parent.name
            found += self._hands_of(f"{RUNS}/{number}", "run", f"{number}/")
        return found

    def _hands_of(self, model: str, origin: str, before: str = "") -> list[Hand]:
        try:
            path = self._path(model)
            styles = self._case(path).model.styles
            spaces = tuple(digest[:_SPACE_CHARS] for digest in sorted(style_spaces(path)))
        except (CalliganError, FileNotFoundError):
            return []  # a damaged model is not listed, nor one that was deleted meanwhile
        return [
            Hand(before + s.name, s.name, s.chinese, s.script, origin, s.licence, spaces)
            for s in styles
            if ":" not in s.name  # a mixture
        ]

    def chosen(self, key: str) -> Chosen:
        """The hand of a key. Raises DataError or ModelError if there is none."""
        if not _KEY.fullmatch(key):
            raise DataError("no such hand; choose one of the list")
        if "+" in key:
            return self._mixture(key)
        run = _RUN.fullmatch(key)
        if run and self._run_path(run[1]).is_file():
            case = self._case(self._run_path(run[1]))
            return Chosen(case, run[2], ("--model", f"{RUNS}/{run[1]}", "--style", run[2]))
        if key in hand_names(HANDS):
            case = self._case(self._path(f"{HANDS}/{key}"))
            return Chosen(case, case.model.styles[0].name, ("--style", key))
        case = self._case(self._path(BUNDLE))
        _check_there(case, key)
        named = ("--model", BUNDLE) if _runs(RUNS) else ()
        return Chosen(case, key, (*named, "--style", key))

    def _mixture(self, key: str) -> Chosen:
        """Hands mixed by shares: `a:0.5+b:0.5`, where a run's hands are 0001/a and 0001/b or b."""
        found = [_RUN.fullmatch(part) for part in key.split("+")]
        runs = {run[1] for run in found if run}
        if len(runs) > 1:
            raise DataError("hands of two runs cannot be mixed; choose those of one")
        style = "+".join(
            run[2] if run else part for run, part in zip(found, key.split("+"), strict=True)
        )
        model = f"{RUNS}/{runs.pop()}" if runs else self._mixture_base(style)
        is_default = model == BUNDLE and not _runs(RUNS)
        named = () if is_default else ("--model", model.removeprefix(f"{HANDS}/"))
        case, known = self._case(self._path(model)), hand_names(HANDS)
        for name in (part.partition(":")[0] for part in style.split("+")):
            if name not in known:
                _check_there(case, name)
        return Chosen(case, style, (*named, "--style", style))

    def _mixture_base(self, style: str) -> str:
        """The bundle, or the model of a learned hand that does not come from the bundle."""
        names = {part.partition(":")[0] for part in style.split("+")}
        bundle = bundled_model()
        for name in sorted(names & set(hand_names(HANDS))):
            path = self._path(f"{HANDS}/{name}")
            if bundle is None or not style_spaces(path) & style_spaces(bundle):
                return f"{HANDS}/{name}"
        return BUNDLE

    def check(self, key: str) -> None:
        """Raise what `chosen` raises, and ModelError for a style that the model does not have."""
        chosen = self.chosen(key)
        chosen.case.model.style_index(chosen.style)

    def _path(self, model: str) -> Path:
        if model == BUNDLE:
            if (path := bundled_model()) is None:
                raise DataError("this calligan came without its model; learn or train one first")
            return path
        kind, _, name = model.partition("/")
        if kind == str(RUNS):
            return self._run_path(name)
        path = hand_path(name, HANDS)
        if path is None:
            raise DataError(f"no hand {name}; choose one of the list")
        return path

    def _run_path(self, number: str) -> Path:
        return RUNS / number / "best.safetensors"

    def _case(self, path: Path) -> "TypeCase":
        from calligan.library.model import load
        from calligan.library.typecase import TypeCase

        version = (path, path.stat().st_mtime_ns if path.is_file() else 0)
        if version not in self._cases:
            if len(self._cases) >= _MAX_MODELS:
                self._cases.pop(next(iter(self._cases)))
            self._cases[version] = TypeCase(load(path, note=self._note))
        else:
            self._cases[version] = self._cases.pop(version)  # most recently used last
        return self._cases[version]

    def _note(self, line: str) -> None:
        self.last_note = line


def _start_thread() -> None:
    """Use one thread: beside a job, two threads mostly wait for each other."""
    import torch

    torch.set_num_threads(1)


def _check_there(case: "TypeCase", name: str) -> None:
    """Raise DataError unless a model has a style of that name, or by that number."""
    try:
        case.model.style_index(name)
    except ModelError as error:
        raise DataError(f"no hand {name} here; choose one of the list") from error


def _runs(folder: Path) -> list[Path]:
    """The models of runs, newest first."""
    return sorted(folder.glob("[0-9][0-9][0-9][0-9]/best.safetensors"), reverse=True)
