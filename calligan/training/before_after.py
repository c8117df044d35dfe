"""A contact sheet that compares the model a run started from with the trained one."""

from PIL import Image

from calligan.models.pixels import to_tensor, to_uint8
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model
from calligan.page.sheet import Row, contact_sheet
from calligan.pairs.batches import Pairs
from calligan.pairs.store import Selection
from calligan.project.run import Run

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
    rows = [
        Row("source", list(to_uint8(source))),
        Row(f"before: {card.styles[nearest].name}", list(drawn[0])),
        Row("after", list(drawn[1])),
        Row("yours", list(real.target)),
    ]
    return contact_sheet(rows, learned.size_px)
