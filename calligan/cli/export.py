"""`calligan export`: make a font of a style, or complete an existing font."""

from dataclasses import asdict

from calligan.cli.drawing import finish, note_model, open_model
from calligan.cli.show import claim_stdout, note, progress, result
from calligan.requests import DOUBTED, DrawingRequest, FontRequest


def export(font: FontRequest, drawing: DrawingRequest) -> None:
    """Make an installable font of a style, or complete an existing font.

    Example: calligan export --style 3 --charset gb2312 -o MyBrush.ttf

    Example: calligan export --style 3 --complete MyHand.ttf -o MyHand-full.ttf

    Repeat an interrupted command to continue it.
    """
    from calligan.glyphs.charset import load_charset
    from calligan.library.orders import check_font, check_verdict, check_weight

    claim_stdout(drawing.json_path)
    check_font(font)
    check_weight(drawing.weight)
    check_verdict(drawing, needed=font.fallback in DOUBTED)
    load_charset(font.charset)  # raises before torch is imported below
    model = open_model(drawing, font.style)
    from calligan.library.fonts import make_font

    if drawing.model is None:
        model.on_open = lambda writer: note_model(model, drawing, writer)
    with progress("drawing", "glyph") as update:
        made = make_font(model, font, update, note=note)
    if drawing.model is not None:  # later, so that an error is one line
        note_model(model, drawing, model.writer)
    for line in made.notes(font):
        note(line)
    result(font.path)
    summary = {**asdict(made), "model": model.path, "source": model.writer.source.name}
    summary["style"] = model.style_name(summary.pop("style_index"))
    finish(model, drawing, [made.style_index], summary)
