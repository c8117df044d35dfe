"""`calligan morph`: a text that goes from style to style."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.model import (
    ModelOption,
    SourceOption,
    hand_path,
    model_path,
    source_font,
    style_index,
)

_STILL = 7  # pictures a transition on a still sheet


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
) -> None:
    """Show what lies between learned styles.

    Example: calligan morph "书法" --styles 1,3,4 --steps 24 -o morph.gif

    A hand of `calligan learn` may be among them: between it and the model that it began at, their
    weights are mixed.
    """
    import numpy as np

    from calligan.errors import ConfigError, DataError
    from calligan.inference.morph import WAYS, Stop, morphed, path_through, stop_of
    from calligan.inference.writer import Writer
    from calligan.models.weights import read_card
    from calligan.page.film import check_film, save_film
    from calligan.page.sheet import Row, contact_sheet, save_png
    from calligan.storage import atomic_file

    check_film(output, also=[".png"])
    if way not in WAYS or steps < 1 or not 1 <= fps <= 60:
        raise ConfigError("--way is slerp or lerp, --steps 1 or more, --fps 1 to 60")
    hands = {name: hand_path(name.strip()) for name in styles.split(",")}
    path = model_path(model)
    if model is None and all(hands.values()):
        path = next(filter(None, hands.values()))
    card = read_card(path)
    wanted = [str(i + 1) for i in range(len(card.styles))] if styles == "all" else styles.split(",")
    if len(wanted) < 2:
        raise ConfigError("--styles needs two or more, such as 1,3")
    indices = {name: style_index(card, name.strip()) for name in wanted if not hands.get(name)}
    writer = Writer(path, source_font(card, source))
    stops: dict[str, Stop] = {}
    for name in wanted:
        hand = hands.get(name)
        drawing = Writer(hand, str(writer.face.spec)) if hand else writer
        stops[name] = stop_of(drawing, indices.get(name, 0))
    chars = writer.read(text).han
    if not chars:
        raise DataError("the text holds no Chinese character")
    still = output.suffix.lower() == ".png"
    through = path_through(
        [stops[name] for name in wanted], _STILL if still else steps, way, loop and not still
    )
    frames = morphed(writer, chars, through)
    if still:
        rows = [Row(char_name(char), list(frames[:, i])) for i, char in enumerate(chars)]
        with atomic_file(output) as file:
            save_png(contact_sheet(rows, card.size_px), file)
    else:
        save_film(output, [np.hstack(list(frame)) for frame in frames], fps, 0.0 if loop else 1.0)
    typer.echo(output)


def char_name(char: str) -> str:
    """A label in Latin letters, which the sheet's font has."""
    return f"U+{ord(char):04X}"
