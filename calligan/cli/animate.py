"""`calligan animate`: a training run as a film or as curves."""

from calligan.cli.show import note, result
from calligan.requests import AnimationRequest


def animate(request: AnimationRequest) -> None:
    """Show how the drawn validation characters changed during training.

    Example: calligan animate runs/0001 -o film.gif

    Each frame shows the source, the final drawing, the drawing at that step, and the real glyph.
    """
    from calligan.training.animation import animate as save_film

    save_film(request, note)
    result(request.output)
