"""`calligan evaluate`: held-out figures of a model beside what one gets without it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calligan.cli.options import DeviceOption, names, options_of
from calligan.cli.show import note, progress
from calligan.requests import EvaluationRequest

if TYPE_CHECKING:
    from calligan.evaluation.report import Table

_WIDTH = 132  # the tables' own; a pipe has none


@options_of(EvaluationRequest)
def evaluate(
    model: Annotated[
        Path | None,
        typer.Argument(help="Model file, run folder or hand; default the newest, or the bundle."),
    ] = None,
    *,
    given: dict[str, Any],
    against: Annotated[
        list[str] | None,
        typer.Option(help="NAME=MODEL: another model, as one more row; repeatable."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page with pictures.")] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write every figure, with n and interval.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Draw source / generated / real into this PNG.")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Measure a model on test characters, which no style has shown it.

    Example: calligan evaluate runs/0001 --report report.html

    Beside the model's figures stand those of copying the source, of the nearest training glyph of
    the style, and of the real font. Reading the characters needs `pip install 'calligan[eval]'`.
    """
    from rich.console import Console

    from calligan.evaluation.report import check_report
    from calligan.library.judging import evaluate as measured
    from calligan.storage import check_writable, write_json

    if report is not None:
        check_report()
    check_writable(*filter(None, (report, json_path, sheet)))
    given |= {"styles": names(given["styles"]), "against": _named(against or []), "device": device}
    with progress("evaluating", "") as moved:
        done = measured(model, **given, progress=moved, note=note)
    console = Console(width=max(_WIDTH, Console().width))
    for table in done.tables():
        _print(console, table)
    for name, reason in done.scores.unmeasured.items():
        note(f"{name} is unmeasured: {reason}")
    if json_path is not None:
        write_json(json_path, done.as_json())
    if report is not None:
        done.write_report(report)
    if sheet is not None:
        done.write_sheet(sheet)
    for written in filter(None, (report, sheet, json_path)):
        typer.echo(written)


def _named(against: list[str]) -> dict[str, Path]:
    from calligan.errors import ConfigError

    found = {}
    for text in against:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise ConfigError(f"--against {text!r} should read NAME=MODEL, such as zi2zi=runs/0002")
        found[name] = Path(path)
    return found


def _print(console: object, table: "Table") -> None:
    from rich.table import Table as Grid

    grid = Grid(box=None, pad_edge=False)
    for name in table.head:
        grid.add_column(name, justify="right" if name else "left", no_wrap=True)
    for row in table.rows:
        grid.add_row(*row)
    console.print(grid)  # type: ignore[attr-defined]
    console.print()  # type: ignore[attr-defined]
