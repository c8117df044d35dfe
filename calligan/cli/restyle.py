"""`calligan restyle`: pictures of glyphs, in another hand."""

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
        Path, typer.Option("--output", "-o", help="The folder to write PNGs and a sheet into.")
    ] = Path("restyled"),
    chars: Annotated[
        str | None, typer.Option(help="These only: a charset's name, a file, characters.")
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Draw written glyphs again in a learned style, from their pictures alone.

    Example: calligan restyle hand --style 3 --model runs/0002 -o restyled

    Example: calligan restyle MyHand.ttf --chars 春江花月夜 --style 3

    It works best with a model of `calligan train --preset stargan`, which has seen every style as a
    source; other models have seen regular fonts only.
    """
    from PIL import Image

    from calligan.errors import DataError
    from calligan.library.restyling import restyle as drawn_again
    from calligan.page.sheet import Row, contact_sheet, save_png
    from calligan.storage import atomic_file

    if output.resolve() == Path(origin).resolve():
        raise DataError(f"{output} holds the glyphs themselves; give another -o")
    done = drawn_again(origin, style, chars=chars, model=model, device=device, note=note)
    times: Counter[str] = Counter()
    for char, image in zip(done.chars, done.after, strict=True):
        times[char] += 1
        variant = f"-{times[char]}" if times[char] > 1 else ""
        with atomic_file(output / f"{char}{variant}.png") as file:
            Image.fromarray(image).save(file, "PNG")
    rows = [Row("yours", list(done.before[:12])), Row(done.style, list(done.after[:12]))]
    with atomic_file(output / "contact-sheet.png") as file:
        save_png(contact_sheet(rows, done.after.shape[-1]), file)
    typer.echo(output)
