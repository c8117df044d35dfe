"""Many glyphs of one font to pixels, on all cores, with a count of what was left out and why."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement

_CHUNK_CHARS = 256
REASONS = ("absent", "blank", "notdef", "clipped")


@dataclass(frozen=True)
class Glyphs:
    """Rasterized characters of one font.

    `images` is uint8 (N, H, W), 255 = paper, row i showing `chars[i]`; `left_out` maps each of
    REASONS to its characters.
    """

    chars: str
    images: np.ndarray
    left_out: dict[str, str] = field(default_factory=dict)


class Renderer:
    """Draws characters of one face on canvases, and says why it leaves one out."""

    def __init__(self, face: Face, placement: Placement, min_ink: float):
        self.face, self.placement = face, placement
        self._paper = 255 * (1 - min_ink)
        drawn = placement.draw(face, 0)
        self._notdef = None if drawn is None else drawn[0]

    def render(self, char: str) -> np.ndarray | str:
        """One character as uint8 (H, W), or the reason (one of REASONS) why it is left out."""
        glyph = self.face.glyph_index(char)
        if not glyph:
            return "absent"
        drawn = self.placement.draw(self.face, glyph)
        if drawn is None or drawn[0].mean() > self._paper:
            return "blank"
        image, cut = drawn
        if self._notdef is not None and np.array_equal(image, self._notdef):
            return "notdef"
        return "clipped" if cut else image


def render_glyphs(
    spec: FontSpec,
    chars: str,
    placement: Placement,
    min_ink: float,
    executor: Executor | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> Glyphs:
    """Rasterize `chars`; `executor` spreads the work, `progress` hears of characters done."""
    chunks = [chars[i : i + _CHUNK_CHARS] for i in range(0, len(chars), _CHUNK_CHARS)]
    jobs = [(spec, chunk, placement, min_ink) for chunk in chunks]
    parts: Iterator[Glyphs] = (executor.map if executor else map)(_render_chunk, jobs)
    done = []
    for chunk, part in zip(chunks, parts, strict=True):
        done.append(part)
        progress(len(chunk))
    return Glyphs(
        "".join(part.chars for part in done),
        np.concatenate([part.images for part in done]),
        {reason: "".join(part.left_out[reason] for part in done) for reason in REASONS},
    )


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _render_chunk(job: tuple[FontSpec, str, Placement, float]) -> Glyphs:
    spec, chars, placement, min_ink = job
    renderer = Renderer(_open(spec), placement, min_ink)
    kept: list[str] = []
    images: list[np.ndarray] = []
    left_out: dict[str, list[str]] = {reason: [] for reason in REASONS}
    for char in chars:
        outcome = renderer.render(char)
        if isinstance(outcome, str):
            left_out[outcome].append(char)
        else:
            kept.append(char)
            images.append(outcome)
    shape = (0, placement.size_px, placement.size_px)
    stacked = np.stack(images) if images else np.empty(shape, np.uint8)
    return Glyphs("".join(kept), stacked, {k: "".join(v) for k, v in left_out.items()})


@lru_cache(maxsize=2)
def _open(spec: FontSpec) -> Face:
    return Face(spec)
