"""`calligan evaluate`: held-out figures of a model beside what one gets without it."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.model import RUNS


def evaluate(
    run: Annotated[Path | None, typer.Argument(help="Run folder; default the newest run.")] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Also write the figures as JSON.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw source / generated / real into this PNG.")
    ] = None,
) -> None:
    """Measure a run's best model on test characters, which no style has shown it.

    Example: calligan evaluate runs/0001 --sheet test.png

    L1 is the mean difference of ink (0 to 1) a pixel, beside that of copying the source and of
    taking the nearest training glyph of the style.
    """
    from rich.console import Console
    from rich.table import Table

    from calligan.evaluation.evaluate import evaluate_model, summary
    from calligan.storage import write_json
    from calligan.training.run import Run, newest_run

    opened = Run.open(run or newest_run(RUNS))
    figures = summary(evaluate_model(opened.best, opened.selection(), sheet))
    table = Table(box=None, pad_edge=False)
    for column in ("style", "n", "L1", "copy the source", "nearest training glyph"):
        table.add_column(column, justify="left" if column == "style" else "right")
    keys = ("l1", "copy_source_l1", "nearest_training_l1")
    for row in [*figures["styles"], {"style": "mean", "n": "", **figures["mean"]}]:
        table.add_row(row["style"], str(row["n"]), *(f"{row[key]:.4f}" for key in keys))
    Console().print(table)
    if json_path is not None:
        write_json(json_path, figures)
    for path in filter(None, (sheet, json_path)):
        typer.echo(path)
