"""`calligan learn`: learn a hand from a few glyphs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from calligan.cli.options import DeviceOption, options_of
from calligan.cli.running import run_training
from calligan.cli.show import note, progress
from calligan.cli.template import report_template
from calligan.requests import LearningRequest


@options_of(LearningRequest)
def learn(
    name: Annotated[str, typer.Argument(help="Name of the hand.")],
    *,
    given: dict[str, Any],
    plan: Annotated[
        int | None,
        typer.Option(
            help="Do not learn; make sheets for this number of further characters to write."
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="PDF that --plan writes.")] = Path(
        "next.pdf"
    ),
    paper: Annotated[str, typer.Option(help="Paper of --plan: a4 or letter.")] = "a4",
    device: DeviceOption = "auto",
) -> None:
    """Learn a hand from 10 to 500 glyphs, starting from a trained model.

    Example: calligan learn mine --from hand

    Example: calligan learn half --from HalfAFont.ttf

    Example: calligan learn mine --plan 50 -o next.pdf

    Then use it with `--style mine` in infer, export and morph. The model that it starts from is
    not changed. Repeat an interrupted command to continue it. --plan picks the characters that
    help a learned hand most: those that add new components, and those it draws doubtfully now.
    """
    from calligan.library.hands import finish_learning, learning

    request = LearningRequest(name, **given)
    if plan is not None:
        _make_plan(request, plan, output, paper)
        return
    with learning(request, [f"device={device}", *(request.settings or [])], note) as session:
        run_training(session, resume_hint="repeat the command")
        sheet = finish_learning(session)
    note(f"see {sheet}; next: calligan infer 书法 --style {name} -o out.png")
    typer.echo(session.run.best)


def _make_plan(request: LearningRequest, count: int, output: Path, paper: str) -> None:
    """Write sheets of the characters to write next."""
    from calligan.library.hands import plan_next
    from calligan.library.sheets import check_template, write_template

    check_template(output)
    name, font, hands = request.name, request.source, request.hands
    with progress("drawing", "glyph") as update:
        plan = plan_next(name, count, source=font, hands=hands, progress=update, note=note)
    pages = write_template(plan.chars, output, paper, font=font, note=note)
    report_template(plan.chars, pages, output)
