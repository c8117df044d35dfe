"""Shared by the commands that draw: open the model of a request, and report what was drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from calligan.cli.show import note, result, write_summary
from calligan.requests.drawing import EXIT_DOUBTFUL, DrawingRequest

if TYPE_CHECKING:
    from calligan.inference.writer import Writer
    from calligan.library.model import Model


def open_model(request: DrawingRequest, style: str, **options: Any) -> "Model":
    """The model of a request, with further fields of Model. Raises before torch is imported."""
    from calligan.project.models import check_styles, model_path

    path = model_path(request.model, style)
    check_styles(path, style)
    from calligan.library.model import Model

    return Model.of(request, path, note, **options)


def note_model(model: "Model", request: DrawingRequest, writer: "Writer") -> None:
    """Print what the user did not give, model or source font."""
    sources, parts = writer.card.sources, []
    if request.model is None:
        steps = writer.card.provenance.get("step")
        parts.append(f"model: {model.path}" + (f" ({steps:,} steps)" if steps is not None else ""))
    if request.source is None:
        other = sources and sources[0].font_sha256 != writer.source.digest
        why = f" ({sources[0].name}, which the model prefers, is not here)" if other else ""
        parts.append(f"source font: {writer.source.file_name}{why}")
    if parts:
        note("; ".join(parts))


def finish(
    model: "Model",
    request: DrawingRequest,
    styles: Sequence[int],
    summary: dict[str, Any],
    choose: bool = False,
) -> None:
    """Write summary and reports, and list doubtful glyphs, of which --strict makes an exit code.

    `choose`: whether to suggest --candidates.
    """
    findings = model.findings(styles)
    doubtful = findings.reasons() if findings else {}
    write_summary(request.json_path, {**summary, "doubtful": doubtful})
    if findings is None:
        if model.check:
            note("calligan was installed without its reader: the glyphs were not checked")
        return
    for path in request.report or ():
        findings.save(path)
        result(path)
    note(*findings.notes())
    if doubtful:
        note(request.cures(choose))
        if request.strict:
            raise typer.Exit(EXIT_DOUBTFUL)
