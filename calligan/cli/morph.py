"""`calligan morph`: a text that goes from style to style."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.options import DeviceOption, ModelOption, SourceOption
from calligan.cli.show import note


def morph(
    text: Annotated[str, typer.Argument(help="One or more characters.")],
    styles: Annotated[
        str, typer.Option(help="Numbers or names, also of learned hands, with commas; or all.")
    ] = "1,2",
    steps: Annotated[int, typer.Option(help="Pictures from each style to the next.")] = 24,
    output: Annotated[
        Path, typer.Option("--output", "-o", help=".gif, .webp or .mp4; .png is a still sheet.")
    ] = Path("morph.gif"),
    way: Annotated[str, typer.Option(help="slerp or lerp.")] = "slerp",
    loop: Annotated[bool, typer.Option(help="Come back to the first style.")] = True,
    fps: Annotated[float, typer.Option(help="Pictures a second.")] = 20.0,
    model: ModelOption = None,
    source: SourceOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Show what lies between learned styles.

    Example: calligan morph "书法" --styles 1,3,4 --steps 24 -o morph.gif

    A hand of `calligan learn` may be among them: between it and the model that it began at, their
    weights are mixed.
    """
    import numpy as np

    from calligan.errors import ConfigError
    from calligan.library.films import morph as morphed
    from calligan.page.film import check_film, save_film
    from calligan.page.sheet import Row, contact_sheet, save_png
    from calligan.storage import atomic_file

    check_film(output, also=[".png"])
    if not 1 <= fps <= 60:
        raise ConfigError("--way is slerp or lerp, --steps 1 or more, --fps 1 to 60")
    still = output.suffix.lower() == ".png"
    chars, frames = morphed(
        text,
        styles,
        steps=steps,
        way=way,
        loop=loop,
        device=device,
        still=still,
        model=model,
        source=source,
        note=note,
    )
    if still:
        rows = [Row(char_name(char), list(frames[:, i])) for i, char in enumerate(chars)]
        with atomic_file(output) as file:
            save_png(contact_sheet(rows, frames.shape[-1]), file)
    else:
        save_film(output, [np.hstack(list(frame)) for frame in frames], fps, 0.0 if loop else 1.0)
    typer.echo(output)


def char_name(char: str) -> str:
    """A label in Latin letters, which the sheet's font has."""
    return f"U+{ord(char):04X}"
