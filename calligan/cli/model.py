"""Options that several commands share: which model is meant, and which source font."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.show import note
from calligan.config import DEVICES


def _check_device(name: str) -> str:
    if name not in DEVICES:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(DEVICES)}")
    return name


ModelOption = Annotated[
    Path | None,
    typer.Option(help="Model file, run folder, hand or `bundle`; default the newest run, else it."),
]
SourceOption = Annotated[
    str | None, typer.Option(help="Source font; default one trained with, or of this machine.")
]

DeviceOption = Annotated[
    str,
    typer.Option(help="Where networks run: auto, cpu, cuda or mps.", callback=_check_device),
]


def model_note(path: Path, given: Path | None) -> Callable[[], None]:
    """What names the model that is used, once it is opened, where the user named none."""
    return lambda: note(f"model: {path}") if given is None else None
