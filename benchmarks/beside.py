"""A picture of large glyphs of a model above the real ones, as outlines.

    python benchmarks/beside.py -o docs/beside.png

The upper row is drawn by the model and traced as in `export`, the lower row is the real font. The
characters are held out of every style. Fonts are taken from the catalog.
"""

import argparse
from pathlib import Path

import numpy as np
from line import open_real_font
from PIL import Image

from calligan.evaluation.line import real_outline
from calligan.glyphs.placement import Placement
from calligan.inference.writer import Writer
from calligan.page.sheet import save_png
from calligan.resources import bundled_model
from calligan.storage import atomic_file
from calligan.vector.fill import fill
from calligan.vector.font import UPEM
from calligan.vector.outline import Outline
from calligan.vector.trace import trace

HANDS = "ma-shan-zheng,yuji-syuku,long-cang,zhi-mang-xing,zcool-xiaowei,yomogi"


def render_outline(outline: Outline, placement: Placement, upem: int) -> Image.Image:
    """Draw an outline in font units on the canvas."""
    k = placement.em_px / upem
    matrix = np.array([[k, 0, placement.origin_x_px], [0, -k, placement.baseline_y_px]])
    picture = Image.new("L", (placement.size_px, placement.size_px), 255)
    if bitmap := fill(outline.transform(matrix)):
        picture.paste(Image.fromarray(255 - bitmap.ink), (bitmap.left_px, bitmap.top_px))
    return picture


def main() -> None:
    """Draw two rows per style."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", type=Path, default=bundled_model())
    parser.add_argument("--hands", default=HANDS)
    parser.add_argument("--chars", default="花茶馨翠")
    parser.add_argument("--size", type=int, default=400, help="pixels of a glyph")
    parser.add_argument("--output", "-o", type=Path, required=True)
    options = parser.parse_args()
    writer, rows = Writer.open(options.model), []
    for name in options.hands.split(","):
        index = writer.card.style_index(name)
        style = writer.card.styles[index]
        real = open_real_font(style)
        assert real is not None, f"{name}: fetch its font"
        images = writer.enlarged([glyph.image for glyph in writer.draw(options.chars, index)])
        traced = [trace(image, real.placement, UPEM, style.tracing) for image in images]
        own = [real_outline(real.face, char) for char in options.chars]
        place = real.placement.scaled(options.size)
        rows.append([render_outline(outline, place, UPEM) for outline in traced])
        rows.append([render_outline(outline, place, real.face.upem) for outline in own if outline])
    picture = Image.new("L", (options.size * len(options.chars), options.size * len(rows)), 255)
    for y, row in enumerate(rows):
        for x, glyph in enumerate(row):
            picture.paste(glyph, (x * options.size, y * options.size))
    with atomic_file(options.output) as file:
        save_png(picture, file)


if __name__ == "__main__":
    main()
