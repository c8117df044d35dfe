"""`calligan morph`: animate a text between styles."""

from calligan.cli.show import note, result
from calligan.requests import MorphRequest


def morph(request: MorphRequest) -> None:
    """Interpolate between styles and show a text on the way, as a film or a sheet.

    Example: calligan morph "书法" --styles 1,3,4 --steps 24 -o morph.gif

    Between a hand of `calligan learn` and the model it was learned from, the weights are
    interpolated.
    """
    from calligan.library.films import save_morph

    save_morph(request, note)
    result(request.output)
