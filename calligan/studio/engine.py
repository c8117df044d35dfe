"""The one thread that draws: models are not safe to be used by two at once.

torch is imported on that thread, so that the first page is served while it loads.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from calligan.errors import CalliganError, DataError
from calligan.project.models import BUNDLE, HANDS, RUNS, hand_names, hand_path
from calligan.resources import bundled_model

if TYPE_CHECKING:
    from calligan.library.typecase import TypeCase

T = TypeVar("T")
_MOST_MODELS = 6  # opened at once; each takes some 50 MB
_RUN = re.compile(r"(\d{4})/(.+)")
_KEY = re.compile(r"[\w:.+/ -]{1,200}")


@dataclass(frozen=True)
class Hand:
    """Something to write with, as the page shows it."""

    key: str  # what an address calls it: a style, a learned hand, or 0001/style for a run's
    name: str
    chinese: str
    script: str
    origin: str  # bundle, hand or run
    licence: str
    model: str  # hands of one model can be mixed


@dataclass(frozen=True)
class Chosen:
    """A hand ready to write, and how the command line names it."""

    case: "TypeCase"
    style: str
    options: tuple[str, ...]


class Engine:
    """Models and the thread that owns them. Only `run` may be called from elsewhere."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "drawing", initializer=_begin)
        self._cases: dict[Path, TypeCase] = {}
        self.said = ""  # the last line that the library told, such as which font is fetched

    async def run(self, work: "Callable[[Engine], T]") -> T:
        """Do something on the drawing thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self)

    def warm(self) -> None:
        """Begin to open the bundle, so that the first glyph need not wait for it."""
        self._thread.submit(self._warm)

    def close(self) -> None:
        """Finish what is being drawn, and nothing else."""
        self._thread.shutdown(cancel_futures=True)

    def _warm(self) -> None:
        try:
            from calligan.project.source import trained_source

            model = self.chosen("1").case.model
            if trained_source(model.card):  # nothing is fetched before it is asked for
                model.writer.open_networks()
        except CalliganError:
            return  # whoever asks for a page is told

    def hands(self) -> list[Hand]:
        """Everything there is to write with: learned hands, the bundle's, the newest run's."""
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
            styles = self._case(self._path(model)).model.styles
        except CalliganError:
            return []  # a damaged model is no hand
        return [
            Hand(before + s.name, s.name, s.chinese, s.script, origin, s.licence, model)
            for s in styles
            if ":" not in s.name  # a mixture that was written with
        ]

    def chosen(self, key: str) -> Chosen:
        """The hand of a key. Raises DataError or ModelError for one that there is not."""
        if not _KEY.fullmatch(key):
            raise DataError("no such hand; choose one of the list")
        run = _RUN.fullmatch(key)
        if run and self._run_path(run[1]).is_file():
            case = self._case(self._run_path(run[1]))
            return Chosen(case, run[2], ("--model", f"{RUNS}/{run[1]}", "--style", run[2]))
        if key in hand_names(HANDS):
            case = self._case(self._path(f"{HANDS}/{key}"))
            return Chosen(case, case.model.styles[0].name, ("--style", key))
        case = self._case(self._path(BUNDLE))
        named = ("--model", BUNDLE) if _runs(RUNS) else ()
        return Chosen(case, key, (*named, "--style", key))

    def check(self, key: str) -> None:
        """Raise as `chosen` does, also for a style that the model does not have."""
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

        if path not in self._cases:
            if len(self._cases) >= _MOST_MODELS:
                self._cases.pop(next(iter(self._cases)))
            self._cases[path] = TypeCase(load(path, note=self._note))
        else:
            self._cases[path] = self._cases.pop(path)  # the newest last
        return self._cases[path]

    def _note(self, line: str) -> None:
        self.said = line


def _begin() -> None:
    """One glyph needs one core: beside long work, two threads mostly wait for each other."""
    import torch

    torch.set_num_threads(1)


def _runs(folder: Path) -> list[Path]:
    """The models of runs, the newest first."""
    return sorted(folder.glob("[0-9][0-9][0-9][0-9]/best.safetensors"), reverse=True)
