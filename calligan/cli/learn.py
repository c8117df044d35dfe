"""`calligan learn`: a few written glyphs to a style of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.model import DeviceOption
from calligan.cli.running import run_training
from calligan.cli.show import note, progress
from calligan.cli.template import tell_template


def learn(
    name: Annotated[str, typer.Argument(help="What to call the hand.")],
    origin: Annotated[
        str | None, typer.Option("--from", help="Folder of glyphs (`calligan scan`), or a font.")
    ] = None,
    chars: Annotated[
        str | None, typer.Option(help="Use these only: a charset's name, a file, characters.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Learn this long (default 10).")] = None,
    steps: Annotated[int | None, typer.Option(help="Or this many steps.")] = None,
    model: Annotated[
        Path, typer.Option(help="Model to begin at: a file, a run folder, or `bundle`.")
    ] = Path("bundle"),
    source: Annotated[
        str | None, typer.Option(help="Source font; default those that the model knows.")
    ] = None,
    even: Annotated[
        bool,
        typer.Option(help="Make pictures of uneven writing more even, in place and size."),
    ] = True,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, as `train` takes it.")
    ] = None,
    hands: Annotated[Path, typer.Option(help="Where hands are kept.")] = Path("hands"),
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
    from calligan.errors import ConfigError
    from calligan.library.hands import finish_learning, learning

    if plan is not None:
        _plan(hands, name, plan, source, output, paper)
        return
    if origin is None:
        raise ConfigError("give --from FOLDER or FONT: what to learn the hand from")
    given = [f"device={device}", *(settings or [])]
    asked = (name, origin, chars, minutes, steps, model, source, even, given)
    with learning(*asked, hands=hands, note=note) as session:
        if code := run_training(session, go_on="the same command"):
            raise typer.Exit(code)
        sheet = finish_learning(session)
    note(f"look at {sheet}; next: calligan infer 书法 --style {name} -o out.png")
    typer.echo(session.run.best)


def _plan(hands: Path, name: str, count: int, source: str | None, output: Path, paper: str) -> None:
    """Sheets of the characters to write next."""
    from calligan.library.hands import plan_next
    from calligan.library.sheets import check_template, write_template

    check_template(output)
    with progress("drawing", "glyph") as moved:
        plan = plan_next(name, count, source=source, hands=hands, progress=moved, note=note)
    pages = write_template(plan.chars, output, paper, font=source, note=note)
    tell_template(plan.chars, pages, output)
