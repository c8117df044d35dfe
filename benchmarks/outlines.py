"""Outlines traced from pixels against the true ones: precision, points, milliseconds.

    python benchmarks/outlines.py ma-shan-zheng noto-serif-sc lxgw-wenkai

Each glyph is rasterized at 128 and 256 px, traced, put into a TrueType font, and drawn again at
1024 px beside the original: IoU of ink. A second row is without the upscaler. Distance is from each
traced contour to the nearest point of the true one, in thousandths of an em. With
`pip install vtracer` that tracer has a row too.
"""

import argparse
import re
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path
from PIL import Image
from rich.console import Console
from rich.table import Table

from calligan.config import RasterConfig, TraceConfig
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement, measure_placement
from calligan.models.upscaler import Upscaler, load_upscaler, upscale
from calligan.resources import upscaler_model
from calligan.vector.font import UPEM, Drawing, FontGlyph, build_font, quadratic
from calligan.vector.names import Naming
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

LARGE_PX = 1024
SAMPLES = 12  # points on a piece, for distances
Tracer = Callable[[np.ndarray, Placement], Outline]


def ours(image: np.ndarray, placement: Placement) -> Outline:
    """calligan's own."""
    return trace(image, placement, UPEM, TraceConfig())


def enlarged(image: np.ndarray, placement: Placement) -> Outline:
    """calligan's own after its upscaler, as `infer` and `export` do it."""
    return ours(upscale(upscaler(), image[None])[0], placement)


@cache
def upscaler() -> Upscaler:
    """The one that ships with calligan."""
    path = upscaler_model()
    assert path is not None
    return load_upscaler(path)


def by_vtracer(image: np.ndarray, placement: Placement) -> Outline:
    """vtracer with splines, on the picture four times enlarged: it knows no grey."""
    import vtracer

    large = Image.fromarray(image).resize((image.shape[1] * 4,) * 2, Image.Resampling.BICUBIC)
    file = BytesIO()
    large.point(lambda v: 255 * (v > 127)).save(file, "PNG")
    svg = vtracer.convert_raw_image_to_svg(
        file.getvalue(), img_format="png", colormode="binary", mode="spline"
    )
    recorded = RecordingPen()
    matrix = to_em(placement.scaled(large.width))
    for path, x, y in re.findall(r'd="([^"]+)".*?translate\(([-\d.]+),([-\d.]+)\)', svg):
        piece = RecordingPen()
        parse_path(path, piece)
        shifted = [
            (op, tuple((px + float(x), py + float(y)) for px, py in points))
            for op, points in piece.value
        ]
        recorded.value += [
            ("closePath", ()) if op == "endPath" else (op, points) for op, points in shifted
        ]
    return Outline.of(Replayed(recorded)).moved(matrix).rounded()


class Replayed:
    """A recording as a drawing."""

    def __init__(self, recorded: RecordingPen):
        self.draw = recorded.replay


class OfFace:
    """A glyph of a font as a drawing."""

    def __init__(self, face: Face, glyph: int):
        self.draw = lambda pen: face.draw_outline(glyph, pen)


def to_em(placement: Placement) -> np.ndarray:
    """From pixels to font units."""
    k = UPEM / placement.em_px
    return np.array([[k, 0, -placement.origin_x_px * k], [0, -k, placement.baseline_y_px * k]])


def along(outline: Outline) -> np.ndarray:
    """Points on an outline (N, 2)."""
    t = np.linspace(0, 1, SAMPLES, endpoint=False)[:, None, None]
    a, b, c, d = np.moveaxis(outline.controls, 1, 0)
    curved = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d
    line = a + t * (d - a)
    return np.where(outline.straight[None, :, None], line, curved).reshape(-1, 2)


def distance(traced: Outline, true: Outline) -> float:
    """Mean distance from the points of one outline to the nearest of the other."""
    a, b = along(traced), along(true)
    gaps = np.hypot(*np.moveaxis(a[:, None] - b[None], -1, 0)) if len(b) else np.zeros((len(a), 1))
    return float(gaps.min(axis=1).mean())


def points(drawing: Drawing) -> int:
    """Points of a quadratic glyph."""
    return len(getattr(quadratic(drawing), "coordinates", ()))


def compared(face: Face, chars: str, size_px: int, tracer: Tracer) -> dict[str, float]:
    """Mean figures of a tracer on a font's characters."""
    placement = measure_placement(face, chars, RasterConfig())
    small, large = placement.scaled(size_px), placement.scaled(LARGE_PX)
    outlines, times = {}, []
    for char in chars:
        image = small.draw(face, face.glyph_index(char))
        if image is not None:
            started = perf_counter()
            outlines[char] = tracer(image, placement)
            times.append(perf_counter() - started)
    glyphs = [FontGlyph(f"u{ord(c):X}", (ord(c),), UPEM, o) for c, o in outlines.items()]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "traced.ttf"
        build_font(glyphs, Naming("Traced", "Traced", "", "", "1.0"), "ttf").save(path)
        again = Face(FontSpec(path))
        found = [
            overlap(*(large.draw(f, f.glyph_index(char)) for f in (face, again)))
            for char in outlines
        ]
    unit = UPEM / face.upem
    scale = np.array([[unit, 0, 0], [0, unit, 0]])
    true = {c: OfFace(face, face.glyph_index(c)) for c in outlines}
    far = [distance(o, Outline.of(true[c]).moved(scale)) for c, o in outlines.items()]
    return {
        "IoU": float(np.mean(found)),
        "worst": float(np.min(found)),
        "distance": float(np.mean(far)),
        "points": float(np.mean([points(o) for o in outlines.values()])),
        "font's": float(np.mean([points(drawing) for drawing in true.values()])),
        "ms": float(np.median(times)) * 1000,
    }


def overlap(a: np.ndarray | None, b: np.ndarray | None) -> float:
    """Intersection over union of ink."""
    if a is None or b is None:
        return 0.0
    return float(((a < 128) & (b < 128)).sum() / ((a < 128) | (b < 128)).sum())


def main() -> None:
    """Trace, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fonts", nargs="+", help="catalog names or files")
    parser.add_argument("--count", type=int, default=100, help="characters a font")
    options = parser.parse_args()
    tracers: dict[str, Tracer] = {"calligan": enlarged, "--no-fine": ours}
    try:
        import vtracer  # noqa: F401

        tracers["vtracer"] = by_vtracer
    except ImportError:
        pass
    table = Table(box=None, pad_edge=False)
    for name in ("font", "px", "tracer", "IoU", "worst", "distance", "points", "font's", "ms"):
        table.add_column(name, justify="left" if name in ("font", "tracer") else "right")
    everything = load_charset("gb2312")
    for font in options.fonts:
        face = Face(resolve_font(font).spec)
        there = "".join(char for char in everything if face.glyph_index(char))
        chars = there[:: max(1, len(there) // options.count)][: options.count]
        for size_px in (128, 256):
            for name, tracer in tracers.items():
                row = compared(face, chars, size_px, tracer)
                figures = (
                    f"{value:.3f}" if value < 2 else f"{value:.1f}" for value in row.values()
                )
                table.add_row(font, str(size_px), name, *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
