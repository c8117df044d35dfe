"""Draw many characters of a style and trace them to outlines on all cores, resumably.

Finished parts are saved in a folder beside the font, so that an interrupted export can be resumed.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any
from zipfile import BadZipFile

import numpy as np

from calligan.config import TraceConfig
from calligan.glyphs.placement import Placement
from calligan.inference.proofread import Attempt, Verdict
from calligan.inference.writer import Em, Writer
from calligan.reader.reach import reach_of
from calligan.storage import atomic_file, read_json, sha256_bytes, write_json
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

_PART_CHARS = 64
JOB = "job.json"  # beside the parts: which job they are of


@dataclass(frozen=True)
class Job:
    """What to draw: characters in a style, and how to place them in the em box."""

    model: Path
    style_index: int
    chars: str
    placement: Placement
    upem: int
    trace: TraceConfig = field(default_factory=TraceConfig)

    @property
    def em(self) -> Em:
        """Where outlines are placed."""
        return Em(self.placement, self.upem)

    def key(self, writer: Writer) -> str:
        """A digest of everything that determines the outlines."""
        parts = {**writer.setting(self.style_index, self.em), "chars": self.chars}
        if writer.proofreader is not None and writer.proofreader.picked:
            parts["picked"] = dict(writer.proofreader.picked)
        return sha256_bytes(json.dumps(parts, sort_keys=True).encode())


class Parts:
    """The folder of finished parts of one job. Parts of another job are deleted."""

    def __init__(self, folder: Path, key: str):
        self.folder = folder
        note = folder / JOB
        try:
            same = read_json(note) == key
        except (OSError, ValueError):
            same = False
        if not same:
            for part in folder.glob("*.npz"):
                part.unlink(missing_ok=True)
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
    """The outlines of a job's characters, by character. What was not kept is drawn and kept.

    The time for that is added to `seconds`.
    """
    found: dict[str, Outline] = {}
    missing: list[tuple[int, str]] = []
    for number, chars in enumerate(_cut(job.chars)):
        kept = parts.read(number)
        if kept is None or len(kept) != len(chars):
            missing.append((number, chars))
            continue
        found.update(zip(chars, kept, strict=True))
        if writer.proofreader is not None:
            writer.proofreader.remember(job.style_index, parts.verdicts(number, chars))
        progress(len(chars))
    if not missing:
        return found
    started, new = perf_counter(), "".join(chars for _, chars in missing)
    with closing(writer.stream(new, job.style_index, job.em)) as drawn:
        for number, chars in missing:
            verdicts: list[Verdict] = []
            for glyph, outline in islice(drawn, len(chars)):
                found[glyph.char] = outline
                verdicts += [glyph.verdict] if glyph.verdict else []
                progress(1)
            parts.write(number, [found[char] for char in chars], verdicts)
    seconds["drawing"] = seconds.get("drawing", 0) + perf_counter() - started
    return {char: found[char] for char in job.chars}


def traced(images: dict[str, np.ndarray], job: Job) -> dict[str, Outline]:
    """Outlines of images, uint8 (S, S), placed and traced as the job's."""
    found = (trace(image, job.placement, job.upem, job.trace) for image in images.values())
    return dict(zip(images, found, strict=True))


def fall_back(found: dict[str, Outline], writer: Writer, job: Job, how: str) -> str:
    """Drop doubtful glyphs (`skip`) or characters too dense for the model (`dense`), or replace
    doubtful glyphs by the source's (`source`). Returns the characters concerned.
    """
    if how == "dense":
        picked = writer.proofreader.picked if writer.proofreader else {}  # by eye: it is kept
        hopeless = reach_of(writer.card.trained_chars).hopeless(c for c in found if c not in picked)
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


def _cut(chars: str) -> Iterator[str]:
    for start in range(0, len(chars), _PART_CHARS):
        yield chars[start : start + _PART_CHARS]
