"""Choose stroke weight, tolerance of curves, pen and straight edges of each style's outlines.

    python weights/outlines.py MODEL outlines.json
    python weights/outlines.py MODEL outlines.json --write     # also into the card of MODEL

`bolder_em`: what is added to the thickness of strokes, so that validation characters are as bold as
in the real font on average (calligan/evaluation/stroke_width.py).

`tolerance_em`: with a small tolerance, curves show the noise of the network's edges; with a large
one, they lose the rough edge of a brush. So each style gets the tolerance at which its validation
characters have as many bends as those of the real font (calligan/evaluation/contour_walk.py).
What a pen draws (below) has the default: a large one would flatten the ends of its strokes.

`pen`: hands whose real glyphs have strokes of one width are redrawn with a pen (vector/pen.py),
with the corners that bring them nearest to the real glyphs.

`edges`: hands whose real glyphs have straight edges get them too (vector/straight_edges.py).

`build.py` writes all into the model's card.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log
from pathlib import Path

import numpy as np

from calligan.config import TraceConfig
from calligan.evaluation.contour_walk import Shape, count_bends, shape_of, turning_angles
from calligan.evaluation.judge_styles import RealFont, shared_chars
from calligan.evaluation.line import measure_line, real_outline
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.face import Face
from calligan.glyphs.placement import PITCH, Placement
from calligan.glyphs.raster import render_glyphs
from calligan.inference.drawer import draw_style
from calligan.inference.writer import Writer
from calligan.models.card import MAX_BOLDER_EM, FontCard
from calligan.models.weights import load_model, save_model
from calligan.storage import write_json
from calligan.vector.font import UPEM
from calligan.vector.pen import pen_of, redraw
from calligan.vector.straight_edges import edges_of
from calligan.vector.trace import trace

TOLERANCES_EM = (0.0015, 0.002, 0.0025, 0.003, 0.0035, 0.004)
# Below the first, a brush has as many bends as the real font, but twice as many curves. Above the
# last, ends of strokes become round or oblique where the network draws them square.
CHARS = 60  # validation characters per style
MAX_L1_RATIO = 1.03  # of what the pen draws to what the network draws
Images = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Chosen:
    """What is chosen for a style; the fields are those of its card."""

    bolder_em: float
    tolerance_em: float | None  # None: the default
    pen: str
    edges: str


def choose(writer: Writer, style: FontCard) -> Chosen:
    """Choose for one style; what its card says now has no influence."""
    real = RealFont(style.name, Face(resolve_font(style.name).spec), Placement(**style.placement))
    chars = shared_chars(writer, real.face, writer.card.held_out["validation"])
    chars = chars[:: max(1, len(chars) // CHARS)][:CHARS]
    drawn = draw(writer, style, chars, 0.0, "")
    pen = choose_pen(drawn, real)
    bolder_em = round(choose_bolder_em(draw(writer, style, chars, 0.0, pen), real), 4)
    images = draw(writer, style, chars, bolder_em, pen)
    weight = measure_line(images, real.face, real.placement).figure("weight")
    assert weight is not None
    print(f"{style.name}: {1000 * bolder_em:+.1f} upem, then weight x real {weight.mean:.3f}")
    if pen:
        return Chosen(bolder_em, None, pen, "")
    edges = choose_edges(images, real)
    return Chosen(bolder_em, choose_tolerance_em(images, real, edges), pen, edges)


def draw(writer: Writer, style: FontCard, chars: str, bolder_em: float, pen: str) -> Images:
    """Characters in a style, bolder than the network draws them; ready to be traced."""
    predictor, index = writer.drawer.predictor, writer.card.style_index(style.name)
    how = replace(style, bolder_em=bolder_em, pen=pen)
    images = draw_style(predictor, how, predictor.style(index), writer.source.images(chars))
    return dict(zip(chars, writer.enlarged([*images]), strict=True))


def choose_pen(images: Images, real: RealFont) -> str:
    """The pen of the real glyphs; "" if what it draws of the network's is farther from them."""
    pen = pen_of(real_images(images, real).values())
    if not pen:
        return ""
    again = {char: redraw(image, pen) for char, image in images.items()}
    before, after = l1(images, real), l1(again, real)
    print(f"{real.name}: pen {pen}, L1 as drawn {before:.4f}, by the pen {after:.4f}")
    return pen if after < MAX_L1_RATIO * before else ""


def choose_edges(images: Images, real: RealFont) -> str:
    """The straight edges of the real glyphs."""
    size_px = next(iter(images.values())).shape[0]
    return edges_of(real_images(images, real).values(), real.placement.scaled(size_px).em_px)


def real_images(images: Images, real: RealFont) -> Images:
    """The font's own glyphs of the same characters, as large."""
    size_px = next(iter(images.values())).shape[0]
    glyphs = render_glyphs(real.face.spec, "".join(images), real.placement.scaled(size_px), 0.0)
    return dict(zip(glyphs.chars, glyphs.images, strict=True))


def l1(images: Images, real: RealFont) -> float:
    """Mean difference of ink (0 to 1) per pixel from the real glyphs."""
    glyphs = real_images(images, real)
    off = (np.abs(images[char].astype(float) - glyph).mean() for char, glyph in glyphs.items())
    return float(np.mean([*off]) / 255)


def choose_bolder_em(images: Images, real: RealFont) -> float:
    """By how much strokes are too thin; in ems of a full-width font."""
    drawn, wanted = measure_line(images, real.face, real.placement).means("weight")
    thickness_em = 2 * (wanted - drawn) / 1000  # of the real font; weights are half-widths
    size_px = real.placement.size_px
    bolder_em = thickness_em * real.placement.em_px / (size_px * PITCH)
    return float(np.clip(bolder_em, -MAX_BOLDER_EM, MAX_BOLDER_EM))


def choose_tolerance_em(images: Images, real: RealFont, edges: str) -> float:
    """The value in TOLERANCES_EM whose number of bends is closest to the real font's.

    Of equal ones the largest, which needs the fewest curves.
    """
    real_bends = 0
    for char in images:
        outline = real_outline(real.face, char)
        assert outline is not None  # shared_chars
        real_bends += bends_in(shape_of(outline, real.placement, real.face.upem))
    found = {}
    for tolerance in TOLERANCES_EM:
        config = TraceConfig(tolerance, edges=edges)
        outlines = [trace(image, real.placement, UPEM, config) for image in images.values()]
        found[tolerance] = sum(bends_in(shape_of(o, real.placement, UPEM)) for o in outlines)
    ratios = {tolerance: (count + 1) / (real_bends + 1) for tolerance, count in found.items()}
    summary = ", ".join(f"{tolerance}: {ratio:.2f}" for tolerance, ratio in ratios.items())
    print(f"{real.name}: edges {edges or 'free'}; bends x real at {summary}", flush=True)
    return min(reversed(TOLERANCES_EM), key=lambda each: round(abs(log(ratios[each])), 2))


def bends_in(shape: Shape) -> int:
    """The number of bends of a glyph."""
    return sum(count_bends(turning_angles(line)) for line in shape.main_lines)


def write_into(model: Path, chosen: Mapping[str, Chosen]) -> None:
    """Write what was chosen into a model's card; its weights stay as they are."""
    generator, card = load_model(model)
    styles = (
        replace(style, **vars(chosen[style.name])) if style.name in chosen else style
        for style in card.styles
    )
    save_model(model, generator, replace(card, styles=tuple(styles)))


def main() -> None:
    """Choose for each style of the model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--styles", help="only these: names separated by commas")
    parser.add_argument("--write", action="store_true", help="also write into the card of MODEL")
    options = parser.parse_args()
    writer = Writer.open(options.model)
    wanted = options.styles.split(",") if options.styles else []
    styles = [each for each in writer.card.styles if each.name in wanted or not wanted]
    chosen = {style.name: choose(writer, style) for style in styles}
    write_json(options.output, {name: vars(each) for name, each in chosen.items()})
    if options.write:
        write_into(options.model, chosen)


if __name__ == "__main__":
    main()
