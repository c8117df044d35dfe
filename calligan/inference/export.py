"""Draw many characters of a style and trace them to outlines on all cores, resumably.

Finished parts are saved in a folder beside the font, so that an interrupted export can be resumed.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any
from zipfile import ZipFile

import numpy as np

from calligan.config import TraceConfig
from calligan.glyphs.placement import Placement
from calligan.inference.proofread import Attempt, Verdict
from calligan.inference.writer import Em, Writer
from calligan.limits import MAX_PART_BYTES
from calligan.reader.reach import reach_of
from calligan.reading import check_file
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

    def read(self, number: int, chars: str) -> tuple[list[Outline], list[Verdict]] | None:
        """The outlines of a part, and the verdicts on its glyphs, if they were checked.

        None if it is missing or damaged: it is drawn again.
        """
        path = self._path(number)
        try:
            check_file(path, MAX_PART_BYTES)
            with ZipFile(path) as whole:
                if sum(each.file_size for each in whole.infolist()) > MAX_PART_BYTES:
                    return None
            with np.load(path, allow_pickle=False) as part:
                return _outlines(part, len(chars)), _verdicts(part, chars)
        except Exception:  # NumPy and zlib raise many kinds
            return None

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


def _outlines(part: Mapping[str, np.ndarray], count: int) -> list[Outline]:
    """The outlines of a part's glyphs. Raises ValueError for what is none."""
    controls, contour, straight = part["controls"], part["contour"], part["straight"]
    lengths = part["lengths"]
    shapes = (lengths.shape, controls.shape, contour.shape, straight.shape)
    pieces = len(contour)
    if shapes != ((count,), (pieces, 4, 2), (pieces,), (pieces,)):
        raise ValueError("its arrays do not fit each other")
    if (lengths < 0).any() or lengths.sum() != pieces or not np.isfinite(controls).all():
        raise ValueError("its outlines are none")
    cuts = np.cumsum(lengths)[:-1]
    columns = (np.split(column, cuts) for column in (controls, contour, straight))
    return [Outline(*each) for each in zip(*columns, strict=True)]


def _verdicts(part: Mapping[str, np.ndarray], chars: str) -> list[Verdict]:
    """The verdicts on a part's glyphs. Raises ValueError or KeyError for what is none."""
    if "scores" not in part:
        return []
    images = part["images"]
    if images.dtype != np.uint8 or images.ndim != 3:
        raise ValueError("its images are none")
    columns = zip(
        *(chars, part["ways"].tolist(), images, part["scores"].tolist()),
        part["faults"].tolist(),
        strict=True,
    )
    least = float(part["least_score"])
    return [
        Verdict(char, (Attempt(way, image, float(score), tuple(wrong.split())),), least)
        for char, way, image, score, wrong in columns
    ]


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
        kept = parts.read(number, chars)
        if kept is None:
            missing.append((number, chars))
            continue
        found.update(zip(chars, kept[0], strict=True))
        if writer.proofreader is not None:
            writer.proofreader.remember(job.style_index, kept[1])
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
    else:
        copy_source(found, doubtful, writer, job)
    return doubtful


def copy_source(found: dict[str, Outline], chars: str, writer: Writer, job: Job) -> None:
    """Add the source font's glyphs of some characters, in place of drawn ones."""
    if chars:
        images = writer.source.images(chars)
        plain = replace(job, trace=replace(job.trace, edges=""))  # its edges are not the hand's
        found.update(traced(dict(zip(chars, images, strict=True)), plain))


def _cut(chars: str) -> Iterator[str]:
    for start in range(0, len(chars), _PART_CHARS):
        yield chars[start : start + _PART_CHARS]
