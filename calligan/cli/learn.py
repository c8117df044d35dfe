"""`calligan learn`: learn a hand from a few glyphs."""

from typing import Annotated

from calligan.cli.options import After
from calligan.cli.running import run_training
from calligan.cli.show import note, progress, result
from calligan.cli.template import report_template
from calligan.requests import LearningRequest, PlanRequest


def learn(request: LearningRequest, plan: Annotated[PlanRequest, After("hands")]) -> None:
    """Learn a hand from 10 to 500 glyphs, starting from a trained model.

    Example: calligan learn mine --from hand

    Example: calligan learn half --from HalfAFont.ttf

    Example: calligan learn mine --plan 50 -o next.pdf

    Then use it with `--style mine` in infer, export and morph. The model that it starts from is
    not changed. Repeat an interrupted command to continue it. --plan picks the characters that
    help a learned hand most: those that add new components, and those it draws doubtfully now.
    """
    from calligan.library.hands import finish_learning, learning

    if plan.count is not None:
        _make_plan(request, plan, plan.count)
        return
    with learning(request, note=note) as session:
        run_training(session, resume_hint="repeat the command")
        sheet = finish_learning(session, request.even)
    note(f"see {sheet}; next: calligan infer 书法 --style {request.name} -o out.png")
    result(session.run.best)


def _make_plan(request: LearningRequest, plan: PlanRequest, count: int) -> None:
    """Write sheets of the characters to write next."""
    from calligan.library.hands import plan_next
    from calligan.library.sheets import check_template, write_template

    check_template(plan.output)
    name, font, hands = request.name, request.source, request.hands
    with progress("drawing", "glyph") as update:
        chars = plan_next(name, count, source=font, hands=hands, progress=update, note=note).chars
    pages = write_template(chars, plan.output, plan.paper, font=font, note=note)
    report_template(chars, pages, plan.output)
