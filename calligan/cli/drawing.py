"""Shared by the commands that draw: open the model of a request, and report what was drawn."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from calligan.cli.show import note, result, write_summary
from calligan.requests.drawing import EXIT_DOUBTFUL, DrawingRequest

if TYPE_CHECKING:
    from calligan.library.model import Model


def open_model(request: DrawingRequest, style: str, **options: Any) -> "Model":
    """The model of a request, with further fields of Model. Raises before torch is imported."""
    from calligan.project.models import check_styles, model_path

    path = model_path(request.model, style)
    check_styles(path, style)
    from calligan.library.model import Model

    return Model.of(request, path, note, **options)


def finish(
    model: "Model",
    request: DrawingRequest,
    styles: Sequence[int],
    save: Callable[[], tuple[list[Path], dict[str, Any]]],
    choose: bool = False,
) -> None:
    """Write what was drawn, summary and reports: all or none. List them, and doubtful glyphs.

    `save` writes what was drawn and gives its files and a summary. With --strict, doubtful glyphs
    make an exit code. `choose`: whether to suggest --candidates.
    """
    from calligan.storage import written_together

    findings = model.findings(styles)
    doubtful = findings.reasons() if findings else {}
    with written_together():
        files, summary = save()
        files += write_summary(request.json_path, {**summary, "doubtful": doubtful})
        if findings:
            files += findings.save_all(request.report or ())
    result(*files)
    if findings is None:
        if model.check:
            note("calligan was installed without its reader: the glyphs were not checked")
        return
    note(*findings.notes())
    if doubtful:
        note(request.cures(choose))
        if request.strict:
            raise typer.Exit(EXIT_DOUBTFUL)
