"""Rasterize many glyphs of one font on all cores, and record which were left out and why."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from calligan.config import RasterConfig
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement, measure_placement, paste

_CHUNK_CHARS = 256
REASONS = ("absent", "blank", "notdef", "clipped")


@dataclass(frozen=True)
class Glyphs:
    """Rasterized characters of one font.

    `images` is uint8 (N, S, S), 255 = paper; row i shows `chars[i]`. `left_out` maps each of
    REASONS to the characters left out for it.
    """

    chars: str
    images: np.ndarray
    left_out: dict[str, str] = field(default_factory=dict)


class Renderer:
    """Draws characters of one face on canvases, or reports why a character is left out."""

    def __init__(self, face: Face, placement: Placement, min_ink: float):
        self.face, self.placement = face, placement
        self._min_ink_px = min_ink * placement.size_px**2
        self._notdef = placement.bitmap(face, 0)

    def render(self, char: str, canvas: np.ndarray) -> str | None:
        """Draw a character on a blank canvas, uint8 (S, S); or return one of REASONS.

        A clipped character is drawn in part. For other reasons the canvas stays blank.
        """
        glyph = self.face.glyph_index(char)
        if not glyph:
            return "absent"
        bitmap = self.placement.bitmap(self.face, glyph)
        if bitmap is None or np.count_nonzero(bitmap.ink) <= self._min_ink_px:
            return "blank"
        if self._notdef is not None and bitmap.same(self._notdef):
            return "notdef"
        return "clipped" if paste(canvas, bitmap) else None


def render_glyphs(
    spec: FontSpec,
    chars: str,
    placement: Placement,
    min_ink: float,
    executor: Executor | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> Glyphs:
    """Rasterize `chars`, in parallel with `executor`.

    `progress` is called with the number of characters done since its last call.
    """
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


def font_pictures(font: str, size_px: int) -> Callable[[str], np.ndarray | None]:
    """A function that draws a character in a font: uint8 (S, S), 255 = paper; None if missing."""
    face = Face(resolve_font(font).spec)
    config = RasterConfig(size_px=size_px)
    placement = measure_placement(face, load_charset("components-500"), config)

    def draw(char: str) -> np.ndarray | None:
        glyph = face.glyph_index(char)
        return placement.draw(face, glyph) if glyph else None

    return draw


def _render_chunk(job: tuple[FontSpec, str, Placement, float]) -> Glyphs:
    spec, chars, placement, min_ink = job
    renderer = Renderer(_open(spec), placement, min_ink)
    images = np.full((len(chars), placement.size_px, placement.size_px), 255, np.uint8)
    kept: list[str] = []
    left_out: dict[str, list[str]] = {reason: [] for reason in REASONS}
    for char in chars:
        canvas = images[len(kept)]
        reason = renderer.render(char, canvas)
        if reason is None:
            kept.append(char)
        else:
            left_out[reason].append(char)
            canvas[:] = 255
    joined = {reason: "".join(found) for reason, found in left_out.items()}
    return Glyphs("".join(kept), images[: len(kept)], joined)


@lru_cache(maxsize=2)
def _open(spec: FontSpec) -> Face:
    return Face(spec)
