"""A run folder: what was asked, on what data, what happened, and what came out.

runs/0001/config.json     every setting, before step one
runs/0001/run.json        versions, seed, data hash, styles
runs/0001/split.json      held-out characters
runs/0001/start.safetensors  the model it began at, if any (and start-critic.safetensors)
runs/0001/log.jsonl       a line every few steps
runs/0001/samples/        source / generated / real, validation characters
runs/0001/checkpoints/    exact state, newest two
runs/0001/best.safetensors, last.safetensors   models
runs/0001/best-critic.safetensors  the discriminator, after an adversarial stage
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from calligan.config import TrainConfig
from calligan.errors import ConfigError, DataError, ModelError
from calligan.pairs.store import PairStore, Selection
from calligan.project.paths import found_path, stored_path
from calligan.settings import from_dict, load_train_config
from calligan.storage import (
    cannot_write,
    locked,
    parse_json,
    read_json,
    write_bytes,
    write_json,
)


@dataclass(frozen=True)
class _About:
    """What `run.json` says."""

    data: str
    data_hash: str
    sources: tuple[str, ...]
    styles: tuple[str, ...]
    data_was: str = ""
    seed: int = 0
    least_scores: dict[str, float] = field(default_factory=dict)
    reader: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A folder and what is fixed about the run in it."""

    folder: Path
    config: TrainConfig
    data: Path
    data_hash: str
    sources: tuple[str, ...]
    styles: tuple[str, ...]
    least_scores: dict[str, float] = field(default_factory=dict)  # reader/calibration.py
    reader: str = ""  # which reader they are by

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Open a run to resume it; raises ModelError where it isn't one."""
        try:
            told = from_dict(_About, read_json(folder / "run.json"))
            config = load_train_config(folder / "config.json")
            data = found_path(told.data, folder, told.data_was)
        except (OSError, ValueError, ConfigError) as error:
            said = f" ({error})" if isinstance(error, ConfigError) else ""
            raise ModelError(
                f"{folder} is not a training run{said}; give a folder under runs/"
            ) from error
        fonts = (told.sources, told.styles)
        return cls(folder, config, data, told.data_hash, *fonts, told.least_scores, told.reader)

    def write_about(self, versions: dict[str, str]) -> None:
        """Write `run.json`, with the versions of what the run stands on."""
        about = {
            "data": stored_path(self.data, self.folder),
            "data_was": str(self.data),  # for a run that is taken out of its project
            "data_hash": self.data_hash,
            "seed": self.config.seed,
            "sources": self.sources,
            "styles": self.styles,
            "least_scores": self.least_scores,
            "reader": self.reader,
            "versions": versions,
        }
        write_json(self.folder / "run.json", about)

    def selection(self) -> Selection:
        """The data of the run; raises DataError where it has changed since."""
        selection = PairStore.open(self.data).select(self.styles, self.sources)
        if selection.data_hash != self.data_hash:
            raise DataError(
                f"{self.data} is not the data that {self.folder} began with; restore it"
            )
        return selection

    @property
    def start(self) -> Path | None:
        """The model that the run began at, if it did not begin at random."""
        path = self.folder / "start.safetensors"
        return path if path.exists() else None

    @property
    def finished(self) -> bool:
        """Whether it went on to the end of its steps or minutes."""
        return is_finished(self.folder)

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.folder / "checkpoints"

    def drop_checkpoints(self) -> None:
        """Remove what only an interrupted run needs."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    @property
    def best(self) -> Path:
        """The model that did best on validation characters."""
        return self.folder / "best.safetensors"

    @property
    def last(self) -> Path:
        """The model as it was last saved."""
        return self.folder / "last.safetensors"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run for this process; raises ConfigError where another trains it already."""
        busy = f"{self.folder} is being trained by another process; wait for it, or stop it"
        with locked(self.folder / ".lock", busy):
            yield

    def log(self, row: dict[str, Any]) -> None:
        """Append one line to the log."""
        try:
            with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, allow_nan=False) + "\n")
        except OSError as error:
            raise cannot_write(self.folder / "log.jsonl", error) from error

    def trim_log(self, step: int) -> None:
        """Drop lines past `step`: a resumed run writes them again."""
        path = self.folder / "log.jsonl"
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _step_of(line) <= step]
            write_bytes(path, "".join(line + "\n" for line in kept).encode())


def newest_run(parent: Path) -> Path:
    """The newest run under `parent` that has a model; raises ModelError where there is none."""
    if found := _with_model(parent):
        return found[0]
    raise ModelError(f"no trained model under {parent}; run `calligan train`, or give --model")


def newest_finished(parent: Path) -> Path:
    """The newest run under `parent` that went on to its end; without one, as `newest_run`."""
    return next(filter(is_finished, _with_model(parent)), None) or newest_run(parent)


def is_finished(folder: Path) -> bool:
    """Whether the folder is that of a run which went on to its end.

    Reads no other setting than its length, so that a run of an older version is known too.
    """
    try:
        asked = read_json(folder / "config.json")
        done = _provenance(folder / "last.safetensors")
        if asked.get("steps") is not None:
            return bool(done["step"] >= asked["steps"])
        return bool(done["seconds"] >= 60 * asked["minutes"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError):
        return False


def numbered_folder(parent: Path) -> Path:
    """Make the next free run folder under `parent`, whoever else is making one."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        taken = [int(p.name) for p in parent.glob("[0-9]*") if p.name.isdecimal()]
        for number in range(max(taken, default=0) + 1, 10_000):
            folder = parent / f"{number:04d}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise cannot_write(parent, error) from error
    raise DataError(f"{parent} holds 9,999 runs; remove some")


def _provenance(model: Path) -> dict[str, Any]:
    """What a model's card says of its making; torch is not needed for that."""
    with safe_open(model, framework="np") as file:
        provenance: dict[str, Any] = parse_json((file.metadata() or {})["calligan"])["provenance"]
        return provenance


def _with_model(parent: Path) -> list[Path]:
    """Runs that have a model, the newest first."""
    found = sorted(parent.glob("[0-9]*"), reverse=True)
    return [folder for folder in found if (folder / "best.safetensors").is_file()]


def _step_of(line: str) -> int:
    try:
        return int(parse_json(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 2**62  # a line cut short by a crash
