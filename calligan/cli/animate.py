"""`calligan animate`: a training run as a film or as curves."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.show import note


def animate(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="File to write: a film (.gif, .webp, .mp4), or a .png with curves of the log.",
        ),
    ] = Path("film.gif"),
    styles: Annotated[
        str | None,
        typer.Option(help="Style names, separated by commas. Default: the first three."),
    ] = None,
    chars: Annotated[int, typer.Option(help="Validation characters per style.")] = 2,
    fps: Annotated[float, typer.Option(help="Frames per second, 1 to 60.")] = 6.0,
) -> None:
    """Show how the drawn validation characters changed during training.

    Example: calligan animate runs/0001 -o film.gif

    Each frame shows the source, the final drawing, the drawing at that step, and the real glyph.
    """
    from calligan.errors import ConfigError
    from calligan.page.film import check_film, save_film
    from calligan.project.run import Run
    from calligan.training.animation import render_frames, save_curves

    check_film(output, also=[".png"])
    opened = Run.open(run)
    if output.suffix.lower() == ".png":
        save_curves(opened, output)
    else:
        names = [n.strip() for n in styles.split(",")] if styles else list(opened.styles[:3])
        if unknown := [name for name in names if name not in opened.styles]:
            raise ConfigError(
                f"{run} has no style {unknown[0]}; it has: {', '.join(opened.styles)}"
            )
        if chars < 1 or not 1 <= fps <= 60:
            raise ConfigError("give --chars 1 or more, and --fps 1 to 60")
        indices = [opened.styles.index(name) for name in names]
        frames = list(render_frames(opened, indices, chars))
        save_film(output, frames, fps)
        if len(frames) == 1:
            note(
                "the run has one sample sheet, so the film is a still: train longer, or keep "
                "samples more often (--set keep_every_steps=50)"
            )
    typer.echo(output)
