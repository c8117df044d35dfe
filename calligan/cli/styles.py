"""`calligan styles`: list the styles of a model."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.options import ModelOption, SourceOption
from calligan.cli.show import note, print_table


def styles(
    model: ModelOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also draw all styles into this PNG.")
    ] = None,
    text: Annotated[str, typer.Option(help="Text to draw into the PNG.")] = "永和九年书法",
    source: SourceOption = None,
) -> None:
    """List the styles of a model with their numbers, and draw them with -o.

    Example: calligan styles -o styles.png
    """
    from calligan.models.card import read_card
    from calligan.project.models import hand_names, model_path

    path = model_path(model)
    card = read_card(path)
    rows = [
        (str(number), each.name, each.chinese, each.script, each.licence)
        for number, each in enumerate(card.styles, start=1)
    ]
    print_table(("", "name", "own name", "script", "licence"), rows)
    if model is None and (hands := hand_names()):
        note(f"learned hands, to use by name: {', '.join(hands)}")
    if output is not None:
        from calligan.library.model import Model
        from calligan.page.sheet import save_png
        from calligan.storage import atomic_file

        sheet = Model(path, source, check=False, fine=False, note=note).specimen(text)
        with atomic_file(output) as file:
            save_png(sheet, file)
        typer.echo(output)
