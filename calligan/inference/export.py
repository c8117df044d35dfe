"""Draw many characters of a style and trace them to outlines on all cores, resumably.

Torch draws in this process; other processes trace. Finished parts are saved in a folder beside the
font, so that an interrupted export can be resumed.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any
from zipfile import BadZipFile

import numpy as np
from torch import nn

from calligan import __version__
from calligan.config import TraceConfig
from calligan.glyphs.placement import Placement
from calligan.inference.proofread import Attempt, Verdict
from calligan.inference.writer import Writer
from calligan.reader.reach import reach_of
from calligan.storage import atomic_file, read_json, sha256_bytes, sha256_file, write_json
from calligan.vector.outline import Outline
from calligan.vector.trace import trace, trace_all
from calligan.workers import usable_cores, worker_pool

_PART_CHARS = 64
_MAX_PENDING = 4  # parts that may wait for tracing while drawing goes on


@dataclass(frozen=True)
class Job:
    """What to draw: characters in a style, and how to place them in the em box."""

    model: Path
    style_index: int
    chars: str
    placement: Placement
    upem: int
    trace: TraceConfig = field(default_factory=TraceConfig)

    def key(self, writer: Writer) -> str:
        """A digest of everything that determines the outlines."""
        parts = {
            "version": __version__,
            "model": sha256_file(self.model),
            "source": writer.source.identity,
            "style": self.style_index,
            "chars": self.chars,
            "placement": asdict(self.placement),
            "upem": self.upem,
            "trace": asdict(self.trace),
            "verdict": _verdict_key(writer),
            "enlarged": _digest(writer.upscaler),
            "fine": writer.drawer.predictor.fine,
            "bolder": writer.drawer.bolder_em,
        }
        if writer.proofreader is not None and writer.proofreader.picked:
            parts["picked"] = dict(writer.proofreader.picked)
        return sha256_bytes(json.dumps(parts, sort_keys=True).encode())


class Parts:
    """The folder of finished parts of one job. Parts of another job are deleted."""

    def __init__(self, folder: Path, key: str):
        self.folder = folder
        note = folder / "job.json"
        try:
            same = read_json(note) == key
        except (OSError, ValueError):
            same = False
        if not same:
            self.remove()
            write_json(note, key)

    def read(self, number: int) -> list[Outline] | None:
        """The outlines of a part, or None if it is missing or damaged."""
        try:
            with np.load(self._path(number), allow_pickle=False) as part:
                controls, contour, straight = part["controls"], part["contour"], part["straight"]
                cuts = np.cumsum(part["lengths"])[:-1]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        columns = (np.split(column, cuts) for column in (controls, contour, straight))
        return [Outline(*each) for each in zip(*columns, strict=True)]

    def verdicts(self, number: int, chars: str) -> list[Verdict]:
        """The verdicts on the glyphs of a part; none if they were not checked."""
        with np.load(self._path(number), allow_pickle=False) as part:
            if "scores" not in part:
                return []
            columns = zip(
                *(chars, part["ways"].tolist(), part["images"], part["scores"].tolist()),
                part["faults"].tolist(),
                strict=True,
            )
            least = float(part["least_score"])
            return [
                Verdict(char, (Attempt(way, image, score, tuple(wrong.split())),), least)
                for char, way, image, score, wrong in columns
            ]

    def write(self, number: int, outlines: list[Outline], verdicts: list[Verdict]) -> None:
        """Save a part."""
        judged: dict[str, Any] = {}
        if verdicts:
            judged = {
                "scores": np.array([verdict.best.score for verdict in verdicts]),
                "ways": np.array([verdict.best.way for verdict in verdicts]),
                "faults": np.array([" ".join(verdict.faults) for verdict in verdicts]),
                "images": np.stack([verdict.best.image for verdict in verdicts]),
                "least_score": np.array(verdicts[0].least_score),
            }
        with atomic_file(self._path(number)) as file:
            np.savez_compressed(
                file,
                **judged,
                lengths=[len(outline.contour) for outline in outlines],
                controls=np.concatenate([outline.controls for outline in outlines]),
                contour=np.concatenate([outline.contour for outline in outlines]),
                straight=np.concatenate([outline.straight for outline in outlines]),
            )

    def remove(self) -> None:
        """Delete all parts."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:05}.npz"


def outlines(
    writer: Writer,
    job: Job,
    parts: Parts,
    seconds: dict[str, float],
    progress: Callable[[int], None] = lambda count: None,
) -> dict[str, Outline]:
    """The outlines of a job's characters, by character.

    The time of each stage is added to `seconds`. Tracing runs in parallel: only waiting for it
    counts.
    """
    found: dict[str, Outline] = {}
    with worker_pool() as pool:
        pending: list[_Waiting] = []
        for number, chars in enumerate(_cut(job.chars)):
            kept = parts.read(number)
            if kept is not None and len(kept) == len(chars):
                found.update(zip(chars, kept, strict=True))
                if writer.proofreader is not None:
                    kept_verdicts = parts.verdicts(number, chars)
                    writer.proofreader.remember(job.style_index, kept_verdicts)
                progress(len(chars))
                continue
            started = perf_counter()
            drawn = writer.draw(chars, job.style_index)
            seconds["drawing"] = seconds.get("drawing", 0) + perf_counter() - started
            started = perf_counter()
            stack = writer.enlarged([glyph.image for glyph in drawn])
            seconds["enlarging"] = seconds.get("enlarging", 0) + perf_counter() - started
            halves = np.array_split(stack, usable_cores())
            how = (job.placement, job.upem, job.trace)
            futures = [pool.submit(trace_all, half, *how) for half in halves if len(half)]
            verdicts = [glyph.verdict for glyph in drawn if glyph.verdict]
            pending.append(_Waiting(number, chars, futures, verdicts))
            while len(pending) > _MAX_PENDING:
                _finish(pending.pop(0), found, parts, seconds, progress)
        for waiting in pending:
            _finish(waiting, found, parts, seconds, progress)
    return found


def traced(images: dict[str, np.ndarray], job: Job) -> dict[str, Outline]:
    """Outlines of images, uint8 (S, S), placed and traced as the job's."""
    found = (trace(image, job.placement, job.upem, job.trace) for image in images.values())
    return dict(zip(images, found, strict=True))


def fall_back(found: dict[str, Outline], writer: Writer, job: Job, how: str) -> str:
    """Drop doubtful glyphs (`skip`) or characters too dense for the model (`dense`), or replace
    doubtful glyphs by the source's (`source`). Returns the characters concerned.
    """
    if how == "dense":
        hopeless = reach_of(writer.card.trained_chars).hopeless(found)
        for char in hopeless:
            del found[char]
        return hopeless
    if how == "keep" or writer.proofreader is None:
        return ""
    doubtful = "".join(v.char for v in writer.proofreader.doubtful(job.style_index))
    if how == "skip":
        for char in doubtful:
            del found[char]
    elif doubtful:
        images = writer.source.images(doubtful)
        found.update(traced(dict(zip(doubtful, images, strict=True)), job))
    return doubtful


@dataclass(frozen=True)
class _Waiting:
    """A part that is drawn, and being traced."""

    number: int
    chars: str
    futures: list[Future[list[Outline]]]
    verdicts: list[Verdict]


def _finish(
    waiting: _Waiting,
    found: dict[str, Outline],
    parts: Parts,
    seconds: dict[str, float],
    progress: Callable[[int], None],
) -> None:
    started = perf_counter()
    done = [outline for future in waiting.futures for outline in future.result()]
    seconds["tracing"] = seconds.get("tracing", 0) + perf_counter() - started
    parts.write(waiting.number, done, waiting.verdicts)
    found.update(zip(waiting.chars, done, strict=True))
    progress(len(waiting.chars))


def _verdict_key(writer: Writer) -> list[str] | None:
    """Everything that determines the verdicts on a job's glyphs."""
    if writer.proofreader is None:
        return None
    calibration = repr(writer.proofreader.calibration).encode()
    return [writer.proofreader.judge.name, sha256_bytes(calibration)]


def _digest(network: nn.Module | None) -> str | None:
    """A checksum of a network's weights."""
    if network is None:
        return None
    weights = (tensor.cpu().numpy().tobytes() for tensor in network.state_dict().values())
    return sha256_bytes(b"".join(weights))


def _cut(chars: str) -> Iterator[str]:
    for start in range(0, len(chars), _PART_CHARS):
        yield chars[start : start + _PART_CHARS]
