"""Choose the tolerance of each style's curves, for tracing the model's images.

    python weights/curves.py MODEL tolerances.json

With a small tolerance, curves show the noise of the network's edges; with a large one, they lose
the rough edge of a brush. So each style gets the tolerance at which its validation characters have
as many bends as those of the real font (calligan/evaluation/contour_walk.py). `build.py` writes it
into the model's card.
"""

import sys
from math import log
from pathlib import Path

from calligan.config import TraceConfig
from calligan.evaluation.contour_walk import Shape, count_bends, shape_of, turning_angles
from calligan.evaluation.judge_styles import RealFont, shared_chars
from calligan.evaluation.line import real_outline
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement
from calligan.inference.writer import Writer
from calligan.storage import write_json
from calligan.vector.font import UPEM
from calligan.vector.trace import trace

TOLERANCES_EM = (0.0015, 0.002, 0.0025, 0.0035, 0.005, 0.0065, 0.008)
# Below the first, a brush has as many bends as the real font, but twice as many curves.
CHARS = 40  # validation characters per style


def tolerance_em(writer: Writer, real: RealFont) -> float:
    """The value in TOLERANCES_EM whose number of bends is closest to the real font's."""
    chars = shared_chars(writer, real.face, writer.card.held_out["validation"])
    chars = chars[:: max(1, len(chars) // CHARS)][:CHARS]
    drawn = writer.draw(chars, writer.card.style_index(real.name))
    images = writer.enlarged([glyph.image for glyph in drawn])
    real_bends = 0
    for char in chars:
        outline = real_outline(real.face, char)
        assert outline is not None  # shared_chars
        real_bends += bends_in(shape_of(outline, real.placement, real.face.upem))
    found = {}
    for tolerance in TOLERANCES_EM:
        config = TraceConfig(tolerance)
        outlines = [trace(image, real.placement, UPEM, config) for image in images]
        found[tolerance] = sum(bends_in(shape_of(o, real.placement, UPEM)) for o in outlines)
    ratios = {tolerance: (count + 1) / (real_bends + 1) for tolerance, count in found.items()}
    summary = ", ".join(f"{tolerance}: {ratio:.2f}" for tolerance, ratio in ratios.items())
    print(f"{real.name}: bends x real at {summary}", flush=True)
    return min(ratios, key=lambda tolerance: abs(log(ratios[tolerance])))


def bends_in(shape: Shape) -> int:
    """The number of bends of a glyph."""
    return sum(count_bends(turning_angles(line)) for line in shape.main_lines)


def main() -> None:
    """Write the tolerance of each style of the model."""
    writer, found = Writer.open(Path(sys.argv[1])), {}
    for style in writer.card.styles:
        face, place = Face(resolve_font(style.name).spec), Placement(**style.placement)
        found[style.name] = tolerance_em(writer, RealFont(style.name, face, place))
    write_json(Path(sys.argv[2]), found)


if __name__ == "__main__":
    main()
