"""`calligan infer`: write a text in a style."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from calligan.cli.drawing import finish, open_model
from calligan.cli.options import After
from calligan.cli.show import claim_stdout, note, progress
from calligan.requests.drawing import STDOUT, ChoiceRequest, DrawingRequest
from calligan.requests.pages import Look, PageRequest, PictureRequest


def infer(
    picture: PictureRequest,
    drawing: DrawingRequest,
    page: Annotated[PageRequest, After("source")],
    look: Annotated[Look, After("missing")],
    choice: Annotated[ChoiceRequest, After("strict")],
) -> None:
    r"""Write any text in a style, as a picture or a formatted page.

    Example: calligan infer "书法" --style 3 -o out.png

    A line break (or \n) starts a new line. The model draws Han characters; the shipped one also
    what a hand has of letters, digits, marks and kana. Others are taken from the source font. Each
    drawn glyph is checked. Doubtful ones are drawn again, and listed if they stay doubtful.
    """
    from calligan.glyphs.charset import given_text, text_of_stream
    from calligan.library.orders import check_picture, not_given

    text = text_of_stream(sys.stdin.buffer) if page.text == "-" else given_text(page.text)
    page, picked = replace(page, text=text), choice.picked()
    check_picture(picture, page, look, drawing, choice)
    claim_stdout(picture.output, drawing.json_path)
    every_way = bool(choice.candidates)
    model = open_model(drawing, picture.style, pick=picked, every_way=every_way)
    from calligan.library.model import labelled

    indices = model.style_indices(picture.style, page.seed)
    with progress("writing", "glyph") as update:
        pages = model.write_request(labelled(page, picture.style), indices, update)
    how = (look.dpi, look.grain, look.dryness)

    def save() -> tuple[list[Path], dict[str, Any]]:
        files = [] if picture.output == STDOUT else pages.save(picture.output, *how)
        if picture.output == STDOUT:
            sys.stdout.buffer.write(pages.encoded(picture.path.suffix, *how))
            sys.stdout.buffer.flush()
        note(*not_given(model.path, drawing, model.writer))  # later, so that an error is one line
        note(*pages.notes(page))
        summary = {"files": [*files], **model.as_json(), **pages.as_json()}
        if choice.candidates and (findings := model.findings(indices)):
            sheet = picture.output.with_name(f"{picture.output.stem}-candidates.png")
            findings.save_candidates(sheet, choice.candidates, pages.text.drawn)
            note(*findings.candidate_notes(choice.candidates, pages.text.drawn))
            files.append(sheet)
        return files, summary

    finish(model, drawing, indices, save, choose=not choice.candidates)
