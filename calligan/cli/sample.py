"""`calligan sample`: draw glyphs from noise."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.options import ModelOption, StyleOption


def sample(
    chars: Annotated[str, typer.Argument(help="Characters that the model was trained on.")],
    style: StyleOption = "1",
    count: Annotated[int, typer.Option(help="Glyphs of each character, 1 to 64.")] = 8,
    seed: Annotated[int, typer.Option(help="Random seed of the noise.")] = 0,
    between: Annotated[
        bool, typer.Option("--between", help="Interpolate between two draws of noise.")
    ] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="PNG to write.")] = Path(
        "samples.png"
    ),
    model: ModelOption = None,
) -> None:
    """Draw characters from noise, with a model trained by `calligan train --preset sngan`.

    Example: calligan sample 永和 --style 1 --count 8 -o samples.png
    """
    from calligan.errors import ConfigError
    from calligan.glyphs.charset import is_han
    from calligan.inference.sample import sampled
    from calligan.page.sheet import Row, contact_sheet, save_png
    from calligan.project.models import model_path
    from calligan.storage import atomic_file

    wanted = "".join(dict.fromkeys(filter(is_han, chars)))
    if not wanted or not 1 <= count <= 64:
        raise ConfigError("give at least one Chinese character, and --count 1 to 64")
    found = sampled(model_path(model), wanted, style, count, seed, between)
    rows = [
        Row(f"U+{ord(char):04X}", list(images)) for char, images in zip(wanted, found, strict=True)
    ]
    with atomic_file(output) as file:
        save_png(contact_sheet(rows, found[0].shape[-1]), file)
    typer.echo(output)
