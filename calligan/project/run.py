"""A run folder: config, data, log, checkpoints and models of a training run.

runs/0001/config.json     all settings
runs/0001/run.json        versions, seed, data hash, styles
runs/0001/split.json      held-out characters
runs/0001/start.safetensors  the initial model, if any (and start-critic.safetensors)
runs/0001/log.jsonl       metrics, one line every few steps
runs/0001/samples/        source, generated and real validation characters
runs/0001/checkpoints/    training state, the newest two
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

from calligan.config import TrainConfig
from calligan.errors import ConfigError, DataError, ModelError
from calligan.folder_update import remove_unused
from calligan.limits import MAX_LOG_BYTES
from calligan.models.card import CURE, KIND, NOUN
from calligan.models.file import read_metadata
from calligan.pairs.store import PairStore, Selection
from calligan.project.paths import found_path, stored_path
from calligan.reading import parse_json, read_json, read_text
from calligan.settings import from_dict, load_train_config
from calligan.storage import (
    cannot_write,
    check_own,
    fsync_folder,
    locked,
    write_bytes,
    write_json,
)

_MAX_RUNS = 9_999


@dataclass(frozen=True)
class _RunRecord:
    """The contents of `run.json`."""

    data: str
    data_hash: str
    sources: tuple[str, ...]
    styles: tuple[str, ...]
    data_was: str = ""
    seed: int = 0
    least_scores: dict[str, float] = field(default_factory=dict)
    reader: str = ""
    spaces: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A run folder, and the settings of the run that do not change."""

    folder: Path
    config: TrainConfig
    data: Path
    data_hash: str
    sources: tuple[str, ...]
    styles: tuple[str, ...]
    least_scores: dict[str, float] = field(default_factory=dict)  # reader/calibration.py
    reader: str = ""  # the reader that `least_scores` refer to
    spaces: tuple[str, ...] = ()  # before the model that it started from: models.py

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Open a run folder; raises ModelError where it is not one."""
        try:
            record = from_dict(_RunRecord, read_json(folder / "run.json"))
            config = load_train_config(folder / "config.json")
            data = found_path(record.data, folder, record.data_was)
            if not (record.styles and record.sources):
                raise ValueError("it lists no styles or no sources")
        except (OSError, ValueError, ConfigError) as error:
            detail = f" ({error})" if isinstance(error, ConfigError) else ""
            raise ModelError(
                f"{folder} is not a training run{detail}; give a folder under runs/"
            ) from error
        fonts = (record.sources, record.styles)
        first = (folder, config, data, record.data_hash)
        return cls(*first, *fonts, record.least_scores, record.reader, record.spaces)

    def write_about(self, versions: dict[str, str]) -> None:
        """Write `run.json`, with the versions of packages."""
        about = {
            "data": stored_path(self.data, self.folder),
            "data_was": str(self.data),  # for a run that is moved out of its project
            "data_hash": self.data_hash,
            "seed": self.config.seed,
            "sources": self.sources,
            "styles": self.styles,
            "least_scores": self.least_scores,
            "reader": self.reader,
            "spaces": self.spaces,
            "versions": versions,
        }
        write_json(self.folder / "run.json", about)

    def selection(self) -> Selection:
        """The data of the run; raises DataError where it has changed."""
        selection = PairStore.open(self.data).select(self.styles, self.sources)
        if selection.data_hash != self.data_hash:
            raise DataError(f"{self.data} has changed since {self.folder} was started; restore it")
        return selection

    @property
    def start(self) -> Path | None:
        """The model that the run started from; None for random weights."""
        path = self.folder / "start.safetensors"
        return path if path.exists() else None

    @property
    def finished(self) -> bool:
        """Whether the run has used up its steps or minutes."""
        return is_finished(self.folder)

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.folder / "checkpoints"

    def drop_checkpoints(self) -> None:
        """Remove the checkpoints, which only an unfinished run needs."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    @property
    def best(self) -> Path:
        """The best model on validation characters."""
        return self.folder / "best.safetensors"

    @property
    def last(self) -> Path:
        """The model that was saved last."""
        return self.folder / "last.safetensors"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the run, to write it; raises ConfigError where another process is training it.

        Raises DataError where its files lead elsewhere.
        """
        check_own(self.folder)
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
        """Remove lines after `step`, as a resumed run writes them again."""
        if lines := self.log_lines():
            kept = [line for line in lines if _logged_step(line) <= step]
            write_bytes(self.folder / "log.jsonl", "".join(line + "\n" for line in kept).encode())

    def log_lines(self) -> list[str]:
        """The lines of the log; none before the first. Raises ModelError if it is unreadable."""
        path = self.folder / "log.jsonl"
        try:
            return read_text(path, MAX_LOG_BYTES).splitlines()
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ModelError(f"cannot read {path}: {reason}; remove it") from error


def newest_run(parent: Path) -> Path:
    """The newest run under `parent` that has a model; raises ModelError where there is none."""
    if found := _runs_with_model(parent):
        return found[0]
    raise ModelError(
        f"no trained model under {parent}; run `calligan train`, or give --model bundle"
    )


def newest_finished(parent: Path) -> Path:
    """The newest finished run under `parent` that has a model; without one, as `newest_run`."""
    return next(filter(is_finished, _runs_with_model(parent)), None) or newest_run(parent)


def is_finished(folder: Path) -> bool:
    """Whether the folder has a finished run.

    Reads only the settings of its length, so that runs of older versions are recognised.
    """
    try:
        asked = read_json(folder / "config.json")
        done = _provenance(folder / "last.safetensors")
        if asked.get("steps") is not None:
            return bool(done["step"] >= asked["steps"])
        return bool(done["seconds"] >= 60 * asked["minutes"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ModelError):
        return False


@contextmanager
def new_run_folder(parent: Path) -> Iterator[tuple[Path, Path]]:
    """Give a hidden folder to write a new run to, and the numbered folder that it becomes.

    It takes that name if the block succeeds, and is removed otherwise. Safe with several processes.
    Raises DataError if `parent` cannot be written or holds 9,999 runs.
    """
    staged = parent / ".new.tmp"
    try:
        with locked(parent / ".lock"):
            shutil.rmtree(staged, ignore_errors=True)  # of a process that was killed
            staged.mkdir()
            taken = [int(p.name) for p in parent.glob("[0-9]*") if p.name.isdecimal()]
            if (number := max(taken, default=0) + 1) > _MAX_RUNS:
                raise DataError(f"{parent} holds {_MAX_RUNS:,} runs; remove some")
            try:
                yield staged, parent / f"{number:04d}"
                staged.rename(parent / f"{number:04d}")
                fsync_folder(parent)
            finally:
                shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        raise cannot_write(parent, error) from error
    finally:
        remove_unused(parent)


def _provenance(model: Path) -> dict[str, Any]:
    """The provenance in a model's card, read without torch."""
    provenance: dict[str, Any] = parse_json(read_metadata(model, KIND, NOUN, CURE))["provenance"]
    return provenance


def _runs_with_model(parent: Path) -> list[Path]:
    """Run folders that have a model, the newest first."""
    found = sorted(parent.glob("[0-9]*"), reverse=True)
    return [folder for folder in found if (folder / "best.safetensors").is_file()]


def _logged_step(line: str) -> int:
    try:
        return int(parse_json(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 2**62  # an incomplete line, after a crash
