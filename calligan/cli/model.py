"""Options that several commands share: which model is meant, and which source font."""

from pathlib import Path
from typing import Annotated

import typer

ModelOption = Annotated[
    Path | None,
    typer.Option(help="Model file, run folder, hand or `bundle`; default the newest run, else it."),
]
SourceOption = Annotated[
    str | None, typer.Option(help="Source font; default one trained with, or of this machine.")
]
