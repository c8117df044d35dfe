"""`calligan restyle`: redraw pictures of glyphs in another style."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.options import DeviceOption, ModelOption, StyleOption
from calligan.cli.show import note


def restyle(
    origin: Annotated[str, typer.Argument(help="A folder of PNGs named by character, or a font.")],
    style: StyleOption = "1",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write PNGs and a contact sheet into.")
    ] = Path("restyled"),
    chars: Annotated[
        str | None,
        typer.Option(
            help="Redraw these characters only: a shipped set, a UTF-8 file, or the characters."
        ),
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Redraw written glyphs in a learned style, from their pictures alone.

    Example: calligan restyle hand --style 3 --model runs/0002 -o restyled

    Example: calligan restyle MyHand.ttf --chars 春江花月夜 --style 3

    It works best with a model trained by `calligan train --preset stargan`, which uses every style
    as a source; other models are trained on regular fonts as sources.
    """
    from PIL import Image

    from calligan.errors import DataError
    from calligan.folder_update import folder_update
    from calligan.library.restyling import restyle as redraw
    from calligan.page.sheet import Row, contact_sheet, save_png
    from calligan.storage import atomic_file

    if output.resolve() == Path(origin).resolve():
        raise DataError(f"{output} is the folder of the input glyphs; give another -o")
    done = redraw(origin, style, chars=chars, model=model, device=device, note=note)
    counts: Counter[str] = Counter()
    with folder_update(output) as new:
        for char, image in zip(done.chars, done.after, strict=True):
            counts[char] += 1
            variant = f"-{counts[char]}" if counts[char] > 1 else ""
            with atomic_file(new / f"{char}{variant}.png") as file:
                Image.fromarray(image).save(file, "PNG")
        rows = [Row("yours", list(done.before[:12])), Row(done.style, list(done.after[:12]))]
        with atomic_file(new / "contact-sheet.png") as file:
            save_png(contact_sheet(rows, done.after.shape[-1]), file)
    typer.echo(output)
