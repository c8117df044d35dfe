"""`calligan evaluate`: figures of a model on held-out characters, beside baselines."""

from pathlib import Path
from typing import Annotated, Any

import typer

from calligan.cli.options import DeviceOption, JsonOption, options_of, split_names
from calligan.cli.show import claim_stdout, note, print_table, progress, result, write_summary
from calligan.requests import EvaluationRequest

_ModelArgument = Annotated[
    Path | None,
    typer.Argument(
        help="Model file, run folder or learned hand. Default: the newest run, else the "
        "shipped model."
    ),
]
_AgainstOption = Annotated[
    list[str] | None,
    typer.Option(help="Another model to compare with, as NAME=MODEL. Repeatable."),
]
_ReportOption = Annotated[
    Path | None, typer.Option(help="Write an HTML report with pictures to this file.")
]
_SheetOption = Annotated[
    Path | None,
    typer.Option(help="Draw source, generated and real glyphs into this PNG."),
]


@options_of(EvaluationRequest)
def evaluate(
    model: _ModelArgument = None,
    *,
    given: dict[str, Any],
    against: _AgainstOption = None,
    report: _ReportOption = None,
    json_path: JsonOption = None,
    sheet: _SheetOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Measure a model on test characters, which it has not seen in any style.

    Example: calligan evaluate runs/0001 --report report.html

    The tables also have three baselines: copying the source glyph, the style's training glyph with
    the nearest source, and the real font. Recognition and the report need
    `pip install 'calligan[eval]'`.
    """
    from calligan.evaluation.report import check_report
    from calligan.library.judging import evaluate as evaluate_model
    from calligan.storage import check_writable

    piped = claim_stdout(json_path)
    if report is not None:
        check_report()
    check_writable(*filter(None, (report, sheet, *([] if piped else [json_path]))))
    given["styles"] = split_names(given["styles"])
    given |= {"against": _parse_against(against or []), "device": device}
    with progress("evaluating", "") as update:
        done = evaluate_model(model, **given, progress=update, note=note)
    for table in done.tables():
        print_table(table.head, table.rows, right=[name for name in table.head if name])
        result("")
    for name, reason in done.scores.unmeasured.items():
        note(f"{name} was not measured: {reason}")
    if report is not None:
        done.write_report(report)
    if sheet is not None:
        done.write_sheet(sheet)
    for written in filter(None, (report, sheet)):
        result(written)
    write_summary(json_path, done.as_json())


def _parse_against(against: list[str]) -> dict[str, Path]:
    from calligan.errors import ConfigError

    models = {}
    for text in against:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise ConfigError(f"--against {text!r} is not NAME=MODEL, such as zi2zi=runs/0002")
        models[name] = Path(path)
    return models
