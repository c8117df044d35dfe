"""Options that several commands share: which model is meant, and which source font."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.show import note

ModelOption = Annotated[
    Path | None,
    typer.Option(help="Model file, run folder, hand or `bundle`; default the newest run, else it."),
]
SourceOption = Annotated[
    str | None, typer.Option(help="Source font; default one trained with, or of this machine.")
]


def model_note(path: Path, given: Path | None) -> Callable[[], None]:
    """What names the model that is used, once it is opened, where the user named none."""
    return lambda: note(f"model: {path}") if given is None else None
