"""`calligan restyle`: redraw pictures of glyphs in another style."""

from pathlib import Path

from calligan.cli.show import note, result
from calligan.requests import RestyleRequest


def restyle(request: RestyleRequest) -> None:
    """Redraw written glyphs in a learned style, from their pictures alone.

    Example: calligan restyle hand --style 3 --model runs/0002 -o restyled

    Example: calligan restyle MyHand.ttf --chars 春江花月夜 --style 3

    It works best with a model trained by `calligan train --preset stargan`, which uses every style
    as a source; other models are trained on regular fonts as sources.
    """
    from calligan.errors import DataError
    from calligan.library.restyling import restyle as redraw

    if request.output.resolve() == Path(request.origin).resolve():
        raise DataError(f"{request.output} is the folder of the input glyphs; give another -o")
    given = {**vars(request)}
    output = given.pop("output")
    redraw(**given, note=note).save(output)
    result(output)
