"""`calligan styles`: list the styles of a model."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.options import JsonOption, ModelOption, SourceOption
from calligan.cli.show import claim_stdout, note, print_table, result, write_summary


def styles(
    model: ModelOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also draw all styles into this PNG.")
    ] = None,
    text: Annotated[str, typer.Option(help="Text to draw into the PNG.")] = "永和九年书法",
    source: SourceOption = None,
    json_path: JsonOption = None,
) -> None:
    """List the styles of a model with their numbers, and draw them with -o.

    Example: calligan styles -o styles.png
    """
    from calligan.models.card import read_card
    from calligan.project.models import hand_names, model_path

    claim_stdout(json_path)
    path = model_path(model)
    card = read_card(path)
    told = ("name", "chinese", "script", "licence")
    rows = [tuple(getattr(style, name) for name in told) for style in card.styles]
    numbered = [(str(number), *row) for number, row in enumerate(rows, start=1)]
    print_table(("", "name", "own name", "script", "licence"), numbered)
    styles = [{"number": i, **dict(zip(told, row, strict=True))} for i, row in enumerate(rows, 1)]
    hands = hand_names() if model is None else []
    write_summary(json_path, {"model": path, "styles": styles, "hands": hands})
    if hands:
        note(f"learned hands, to use by name: {', '.join(hands)}")
    if output is not None:
        from calligan.library.model import Model
        from calligan.page.sheet import save_png
        from calligan.storage import atomic_file

        sheet = Model(path, source, check=False, fine=False, note=note).specimen(text)
        with atomic_file(output) as file:
            save_png(sheet, file)
        result(output)
