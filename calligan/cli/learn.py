"""`calligan learn`: a few written glyphs to a style of one's own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from calligan.cli.options import DeviceOption, options_of
from calligan.cli.running import run_training
from calligan.cli.show import note, progress
from calligan.cli.template import tell_template
from calligan.requests import LearningRequest


@options_of(LearningRequest)
def learn(
    name: Annotated[str, typer.Argument(help="What to call the hand.")],
    *,
    given: dict[str, Any],
    plan: Annotated[
        int | None, typer.Option(help="Learn nothing: print sheets of so many characters to add.")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The PDF that --plan writes.")
    ] = Path("next.pdf"),
    paper: Annotated[str, typer.Option(help="Its paper: a4 or letter.")] = "a4",
    device: DeviceOption = "auto",
) -> None:
    """Learn a style from 10 to 500 glyphs of one hand, beginning at a trained model.

    Example: calligan learn mine --from hand

    Example: calligan learn half --from HalfAFont.ttf

    Example: calligan learn mine --plan 50 -o next.pdf

    Afterwards `--style mine` works with infer, export and morph. The model it began at stays as
    it was. Interrupted, the same command goes on where it was. A plan holds the characters that
    would teach a learned hand the most: the next in the order that covers components, and those
    that are doubtful as it draws them now.
    """
    from calligan.library.hands import finish_learning, learning

    request = LearningRequest(name, **given)
    if plan is not None:
        _plan(request, plan, output, paper)
        return
    with learning(request, [f"device={device}", *(request.settings or [])], note) as session:
        if code := run_training(session, go_on="the same command"):
            raise typer.Exit(code)
        sheet = finish_learning(session)
    note(f"look at {sheet}; next: calligan infer 书法 --style {name} -o out.png")
    typer.echo(session.run.best)


def _plan(request: LearningRequest, count: int, output: Path, paper: str) -> None:
    """Sheets of the characters to write next."""
    from calligan.library.hands import plan_next
    from calligan.library.sheets import check_template, write_template

    check_template(output)
    name, font, hands = request.name, request.source, request.hands
    with progress("drawing", "glyph") as moved:
        plan = plan_next(name, count, source=font, hands=hands, progress=moved, note=note)
    pages = write_template(plan.chars, output, paper, font=font, note=note)
    tell_template(plan.chars, pages, output)
