"""Compare outlines traced from pixels with the true ones: precision, points, time.

    python benchmarks/outlines.py ma-shan-zheng noto-serif-sc lxgw-wenkai

Each glyph is rasterized at 128 and 256 px, traced, put into a TrueType font, and drawn at 1024 px
to compute the IoU of ink with the original. A second row is without the upscaler. Distance is the
mean distance from the traced contour to the nearest point of the true one, in em / 1000. With
`pip install vtracer` there is a row for that tracer.
"""

import argparse
import re
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

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
from calligan.vector.font import UPEM, Drawing, FontGlyph, build_font, to_glyf
from calligan.vector.name_table import Naming
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

LARGE_PX = 1024
SAMPLES = 12  # points per segment, for distances
Tracer = Callable[[np.ndarray, Placement], Outline]


def trace_plain(image: np.ndarray, placement: Placement) -> Outline:
    """calligan's tracer, without the upscaler."""
    return trace(image, placement, UPEM, TraceConfig())


def trace_upscaled(image: np.ndarray, placement: Placement) -> Outline:
    """calligan's tracer after its upscaler, as in `infer` and `export`."""
    return trace_plain(upscale(upscaler(), image[None])[0], placement)


@cache
def upscaler() -> Upscaler:
    """The upscaler that ships with calligan."""
    path = upscaler_model()
    assert path is not None
    return load_upscaler(path)


def trace_by_vtracer(image: np.ndarray, placement: Placement) -> Outline:
    """vtracer with splines, on the picture enlarged four times and thresholded."""
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
    return Outline.from_drawing(RecordedDrawing(recorded)).transform(matrix).round_coordinates()


class RecordedDrawing:
    """Adapter from a recording to a drawing."""

    def __init__(self, recorded: RecordingPen):
        self.draw = recorded.replay


class FaceDrawing:
    """Adapter from a glyph of a font to a drawing."""

    def __init__(self, face: Face, glyph: int):
        self.draw = lambda pen: face.draw_outline(glyph, pen)


def to_em(placement: Placement) -> np.ndarray:
    """The matrix from pixels to font units."""
    k = UPEM / placement.em_px
    return np.array([[k, 0, -placement.origin_x_px * k], [0, -k, placement.baseline_y_px * k]])


def sample_points(outline: Outline) -> np.ndarray:
    """Sample points on an outline (N, 2)."""
    t = np.linspace(0, 1, SAMPLES, endpoint=False)[:, None, None]
    a, b, c, d = np.moveaxis(outline.controls, 1, 0)
    curved = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d
    line = a + t * (d - a)
    return np.where(outline.straight[None, :, None], line, curved).reshape(-1, 2)


def mean_distance(traced: Outline, true: Outline) -> float:
    """Mean distance from the points of one outline to the nearest of the other."""
    a, b = sample_points(traced), sample_points(true)
    gaps = np.hypot(*np.moveaxis(a[:, None] - b[None], -1, 0)) if len(b) else np.zeros((len(a), 1))
    return float(gaps.min(axis=1).mean())


def points(drawing: Drawing) -> int:
    """The number of points of a quadratic glyph."""
    return len(getattr(to_glyf(drawing), "coordinates", ()))


def compare(face: Face, chars: str, size_px: int, tracer: Tracer) -> dict[str, float]:
    """Mean figures of a tracer on characters of a font."""
    placement = measure_placement(face, chars, RasterConfig())
    small, large = placement.scaled(size_px), placement.scaled(LARGE_PX)
    outlines, times = {}, []
    for char in chars:
        image = small.draw(face, face.glyph_index(char))
        if image is not None:
            started = process_time()
            outlines[char] = tracer(image, placement)
            times.append(process_time() - started)
    glyphs = [FontGlyph(f"u{ord(c):X}", (ord(c),), UPEM, o) for c, o in outlines.items()]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "traced.ttf"
        build_font(glyphs, Naming("Traced", "Traced", "", "", "1.0"), "ttf").save(path)
        traced_face = Face(FontSpec(path))
        found = [
            iou(*(large.draw(f, f.glyph_index(char)) for f in (face, traced_face)))
            for char in outlines
        ]
    unit = UPEM / face.upem
    scale = np.array([[unit, 0, 0], [0, unit, 0]])
    true = {c: FaceDrawing(face, face.glyph_index(c)) for c in outlines}
    distances = [
        mean_distance(o, Outline.from_drawing(true[c]).transform(scale))
        for c, o in outlines.items()
    ]
    return {
        "IoU": float(np.mean(found)),
        "worst": float(np.min(found)),
        "distance": float(np.mean(distances)),
        "points": float(np.mean([points(o) for o in outlines.values()])),
        "font's": float(np.mean([points(drawing) for drawing in true.values()])),
        "ms": float(np.median(times)) * 1000,
    }


def iou(a: np.ndarray | None, b: np.ndarray | None) -> float:
    """Intersection over union of ink."""
    if a is None or b is None:
        return 0.0
    return float(((a < 128) & (b < 128)).sum() / ((a < 128) | (b < 128)).sum())


def main() -> None:
    """Trace glyphs, measure them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fonts", nargs="+", help="catalog names or files")
    parser.add_argument("--count", type=int, default=100, help="characters per font")
    options = parser.parse_args()
    tracers: dict[str, Tracer] = {"calligan": trace_upscaled, "--no-fine": trace_plain}
    try:
        import vtracer  # noqa: F401

        tracers["vtracer"] = trace_by_vtracer
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
                row = compare(face, chars, size_px, tracer)
                figures = (
                    f"{value:.3f}" if value < 2 else f"{value:.1f}" for value in row.values()
                )
                table.add_row(font, str(size_px), name, *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
