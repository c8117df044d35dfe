"""`calligan template`, `scan` and `learn`: from sheets to a learned hand."""

from pathlib import Path
from typing import Annotated

from calligan.cli.options import After
from calligan.cli.running import run_training
from calligan.cli.show import claim_stdout, note, progress, result, write_summary
from calligan.described import values
from calligan.requests.hands import LearningRequest, PlanRequest, ScanRequest, TemplateRequest


def template(request: TemplateRequest) -> None:
    """Make sheets of cells to write your own hand in. `calligan scan` reads them.

    Example: calligan template --count 100 -o sheets.pdf

    The characters are ordered by how much they help `calligan learn`, so it is worth writing even
    the first few. Leave a cell empty or cross it out to skip it.
    """
    from calligan.library.sheets import make_template

    _report_sheets(*make_template(request, note), request.output)


def scan(request: ScanRequest) -> None:
    """Cut the characters out of filled template pages, or out of a page whose text is known.

    Example: calligan scan page1.jpg page2.jpg -o hand

    Example: calligan scan copybook.jpg --text @lanting --columns rtl -o copybook

    Check hand/contact-sheet.png: each glyph is under its reference, and doubtful ones are framed.
    To correct a label, rename the file or change `char` in hand/labels.csv; an empty `char` leaves
    the glyph out. A second image of a character is kept as a variant.
    """
    from calligan.library.scanning import scan_pages

    claim_stdout(request.json_path)
    request.validate()
    with progress("reading", "page") as update:
        done = scan_pages(**values(request, "json_path"), progress=update, note=note)
    note(*done.notes(len(request.pages)))
    result(request.folder)
    result(*write_summary(request.json_path, done.as_json()))


def learn(request: LearningRequest, plan: Annotated[PlanRequest, After("hands")]) -> None:
    """Learn a hand from 10 to 500 glyphs, starting from a trained model.

    Example: calligan learn mine --from hand

    Example: calligan learn half --from HalfAFont.ttf

    Example: calligan learn mine --plan 50 -o next.pdf

    Then use it with `--style mine` in infer, export and morph. The model that it starts from is
    not changed. Repeat an interrupted command to continue it. --plan picks the characters that
    help a learned hand most: those that add new components, and those it draws doubtfully now.
    """
    plan.validate(request)
    if plan.count is not None:
        from calligan.library.planning import write_request

        with progress("drawing", "glyph") as update:
            _report_sheets(*write_request(request, plan, update, note), plan.output)
        return
    from calligan.library.hands import finish_learning, learning

    with learning(request, note=note) as session:
        run_training(session, resume_hint="repeat the command")
        sheet = finish_learning(session, request.even)
    note(f"see {sheet}; next: calligan infer 书法 --style {request.name} -o out.png")
    result(session.run.best)


def _report_sheets(chars: str, pages: int, output: Path) -> None:
    """Print what was written and the next step."""
    note(f"{len(chars)} characters on {pages} page(s); print at 100 %, not fitted to the page")
    note("next: calligan scan PHOTO… -o hand   (all four corner marks must be in each photograph)")
    result(output)
