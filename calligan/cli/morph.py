"""`calligan morph`: animate a text between styles."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.options import DeviceOption, ModelOption, SourceOption
from calligan.cli.show import note

_StylesOption = Annotated[
    str,
    typer.Option(
        help="Style numbers or names, separated by commas, or `all`. May include learned hands."
    ),
]
_OutputOption = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="File to write: a film (.gif, .webp, .mp4), or a .png sheet of a few steps.",
    ),
]
_WayOption = Annotated[
    str, typer.Option(help="Interpolation of style embeddings: slerp (spherical) or lerp.")
]


def morph(
    text: Annotated[str, typer.Argument(help="One or more Chinese characters.")],
    styles: _StylesOption = "1,2",
    steps: Annotated[int, typer.Option(help="Frames from each style to the next.")] = 24,
    output: _OutputOption = Path("morph.gif"),
    way: _WayOption = "slerp",
    loop: Annotated[bool, typer.Option(help="Return to the first style at the end.")] = True,
    fps: Annotated[float, typer.Option(help="Frames per second, 1 to 60.")] = 20.0,
    model: ModelOption = None,
    source: SourceOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Interpolate between styles and show a text on the way, as a film or a sheet.

    Example: calligan morph "书法" --styles 1,3,4 --steps 24 -o morph.gif

    Between a hand of `calligan learn` and the model it was learned from, the weights are
    interpolated.
    """
    import numpy as np

    from calligan.errors import ConfigError
    from calligan.library.films import morph as draw_morph
    from calligan.page.film import check_film, save_film
    from calligan.page.sheet import Row, contact_sheet, save_png
    from calligan.storage import atomic_file

    check_film(output, also=[".png"])
    if not 1 <= fps <= 60:
        raise ConfigError(f"--fps {fps:g} is out of range; give 1 to 60")
    still = output.suffix.lower() == ".png"
    chars, frames = draw_morph(
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
    """A label in ASCII: the sheet's font has no Chinese."""
    return f"U+{ord(char):04X}"
