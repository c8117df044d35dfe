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
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from calligan import __version__
from calligan.config import TrainConfig
from calligan.errors import ConfigError, DataError, ModelError
from calligan.glyphs.catalog import load_catalog
from calligan.models.card import FontCard, ModelCard
from calligan.models.weights import critic_beside, critic_path, read_card
from calligan.pairs.batches import Pairs, classes_of
from calligan.pairs.hand import OWN
from calligan.pairs.manifest import FontEntry
from calligan.pairs.store import PairStore, Selection
from calligan.reader.calibration import least_scores
from calligan.settings import from_dict, load_train_config, save
from calligan.storage import cannot_write, parse_json, read_json, write_bytes, write_json
from calligan.training.schedule import progress_of


@dataclass(frozen=True)
class _About:
    """What `run.json` says."""

    data: str
    data_hash: str
    sources: tuple[str, ...]
    styles: tuple[str, ...]
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
    def create(
        cls, parent: Path, config: TrainConfig, selection: Selection, start: Path | None = None
    ) -> "Run":
        """Number a new folder under `parent` and store everything that determines the run.

        Raises, before anything is written, where the data does not suit the config.
        """
        _check_fit(config, selection)
        least, reader = least_scores(selection)
        folder, data = _numbered(parent), selection.store.folder.resolve()
        sources, styles = (
            tuple(font.name for font in fonts) for fonts in (selection.sources, selection.styles)
        )
        run = cls(folder, config, data, selection.data_hash, sources, styles, least, reader)
        save(config, folder / "config.json")
        if start is not None:
            write_bytes(folder / "start.safetensors", start.read_bytes())
            if critic := critic_beside(start):
                write_bytes(critic_path(folder / "start.safetensors"), critic.read_bytes())
        write_json(folder / "split.json", selection.store.manifest.held_out)
        about = {"data": str(data), "data_hash": run.data_hash, "seed": config.seed}
        fonts = {"sources": run.sources, "styles": run.styles}
        read = {"least_scores": run.least_scores, "reader": run.reader}
        write_json(folder / "run.json", {**about, **fonts, **read, "versions": versions()})
        return run

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Open a run to resume it; raises ModelError where it isn't one."""
        try:
            told: _About = from_dict(_About, read_json(folder / "run.json"))
            config = load_train_config(folder / "config.json")
        except (OSError, ValueError, ConfigError) as error:
            said = f" ({error})" if isinstance(error, ConfigError) else ""
            raise ModelError(
                f"{folder} is not a training run{said}; give a folder under runs/"
            ) from error
        fonts = (told.sources, told.styles)
        data = Path(told.data)
        return cls(folder, config, data, told.data_hash, *fonts, told.least_scores, told.reader)

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
        try:
            done = read_card(self.last).provenance
            return progress_of(self.config, done["step"], done["seconds"]) >= 1
        except (ModelError, KeyError, TypeError):
            return False

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
        lock = FileLock(self.folder / ".lock", timeout=0)  # goes with the process, kill -9 too
        try:
            lock.acquire()
        except Timeout as error:
            raise ConfigError(
                f"{self.folder} is being trained by another process; wait for it, or stop it"
            ) from error
        try:
            yield
        finally:
            lock.release()

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


def versions() -> dict[str, str]:
    """What the run stands on."""
    return {
        "calligan": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def model_card(
    run: Run,
    selection: Selection,
    size_px: int,
    metrics: dict[str, Any],
    provenance: dict[str, Any],
    began_at: Mapping[str, str],
) -> ModelCard:
    """The card of a model of this run; `began_at` names styles of the model it began at."""
    manifest = selection.store.manifest
    trained = classes_of(selection)
    about = {"data_hash": run.data_hash, "seed": run.config.seed, "versions": versions()}
    about["reader"] = run.reader
    tolerances: dict[str, float | None] = {}
    if run.start is not None:
        before = read_card(run.start)
        tolerances = {font.name: font.tolerance_em for font in before.styles}
        tolerances |= {name: tolerances[first] for name, first in began_at.items()}
        trained = "".join(dict.fromkeys(before.trained_chars + trained))
        about["began_at"] = before.provenance
    return ModelCard(
        generator=run.config.generator,
        size_px=size_px,
        styles=tuple(
            replace(
                _font_card(font),
                least_score=run.least_scores.get(font.name),
                tolerance_em=tolerances.get(font.name),
            )
            for font in selection.styles
        ),
        sources=tuple(map(_font_card, selection.sources)),
        trained_chars=trained,
        held_out=manifest.held_out,
        metrics=metrics,
        provenance={**about, **provenance},
    )


def newest_run(parent: Path) -> Path:
    """The newest run under `parent` that has a model; raises ModelError where there is none."""
    if found := _with_model(parent):
        return found[0]
    raise ModelError(f"no trained model under {parent}; run `calligan train`, or give --model")


def newest_finished(parent: Path) -> Path:
    """The newest run under `parent` that went on to its end; without one, as `newest_run`."""
    return next(filter(is_finished, _with_model(parent)), None) or newest_run(parent)


def is_finished(folder: Path) -> bool:
    """Whether the folder is that of a run which went on to its end."""
    try:
        return Run.open(folder).finished
    except ModelError:
        return False


def _with_model(parent: Path) -> list[Path]:
    """Runs that have a model, the newest first."""
    found = sorted(parent.glob("[0-9]*"), reverse=True)
    return [folder for folder in found if (folder / "best.safetensors").is_file()]


def _check_fit(config: TrainConfig, selection: Selection) -> None:
    """Raise where the data is too small for the stages or leaves a part of the split empty."""
    size_px = selection.store.manifest.raster.size_px
    largest = max(stage.size_px for stage in config.stages)
    if largest > size_px:
        raise ConfigError(
            f"the data is {size_px} px and a stage wants {largest} px; "
            "render larger pairs or set smaller stages"
        )
    for part in ("train", "validation"):
        Pairs(selection, part)


def _font_card(font: FontEntry) -> FontCard:
    shared = ("name", "chinese", "script", "licence", "family", "font_sha256", "path", "face")
    values = {key: getattr(font, key) for key in shared}
    if font.name in load_catalog() and font.licence != OWN:
        values["path"] = ""  # the catalog says where it is, on any machine
    return FontCard(**values, instance=font.instance, placement=font.placement.to_dict())


def _numbered(parent: Path) -> Path:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        taken = [int(p.name) for p in parent.glob("[0-9]*") if p.name.isdecimal()]
        for number in range(max(taken, default=0) + 1, 10_000):
            folder = parent / f"{number:04d}"
            if not folder.exists():
                folder.mkdir()
                return folder
    except OSError as error:
        raise cannot_write(parent, error) from error
    raise DataError(f"{parent} holds 9,999 runs; remove some")


def _step_of(line: str) -> int:
    try:
        return int(parse_json(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 2**62  # a line cut short by a crash
