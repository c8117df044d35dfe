"""A contact sheet that compares the model a run started from with the trained one."""

import numpy as np
from PIL import Image

from calligan.config import TraceConfig
from calligan.glyphs.placement import Placement, paste
from calligan.models.pixels import to_tensor, to_uint8
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model
from calligan.page.sheet import Row, contact_sheet
from calligan.pairs.batches import Pairs
from calligan.pairs.store import Selection
from calligan.project.run import Run
from calligan.vector.fill import fill
from calligan.vector.font import UPEM
from calligan.vector.pen import redraw
from calligan.vector.trace import trace

_SHOWN_CHARS = 12


def before_after(run: Run, selection: Selection) -> Image.Image:
    """Rows of validation characters: source, the style that it started from, new model, real."""
    assert run.start is not None
    real = Pairs(selection, "validation").spread(0, _SHOWN_CHARS)
    before, card = load_model(run.start)
    after, learned = load_model(run.best)
    name = selection.styles[0].name
    nearest = card.style_index(learned.provenance.get("began_from", {}).get(name, name))
    source = to_tensor(real.source, learned.size_px)
    drawn = []
    for model, style in ((before, nearest), (after, 0)):
        predictor = Predictor(model, fine=True)
        drawn.append(predictor.draw(real.source, predictor.style(style)))
    style_card = learned.styles[0]
    if style_card.pen:
        drawn[1][:] = [redraw(image, style_card.pen) for image in drawn[1]]
    if style_card.tracing.edges:
        place = selection.styles[0].placement
        drawn[1][:] = [_traced(image, place, style_card.tracing) for image in drawn[1]]
    rows = [
        Row("source", list(to_uint8(source))),
        Row(f"before: {card.styles[nearest].name}", list(drawn[0])),
        Row("after", list(drawn[1])),
        Row("yours", list(real.target)),
    ]
    return contact_sheet(rows, learned.size_px)


def _traced(image: np.ndarray, placement: Placement, tracing: TraceConfig) -> np.ndarray:
    """A glyph, uint8 (S, S), 255 = paper, as its outline is: with straight edges."""
    place = placement.scaled(image.shape[1])
    canvas, k = np.full_like(image, 255), place.em_px / UPEM
    matrix = np.array([[k, 0, place.origin_x_px], [0, -k, place.baseline_y_px]])
    bitmap = fill(trace(image, place, UPEM, tracing).transform(matrix))
    if bitmap is not None:
        paste(canvas, bitmap)
    return canvas
