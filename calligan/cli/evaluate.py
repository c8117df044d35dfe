"""`calligan evaluate`: figures of a model on held-out characters, beside baselines."""

from calligan.cli.show import claim_stdout, note, print_table, progress, result, write_summary
from calligan.requests import EvaluationRequest


def evaluate(request: EvaluationRequest) -> None:
    """Measure a model on test characters, which it has not seen in any style.

    Example: calligan evaluate runs/0001 --report report.html

    The tables also have three baselines: copying the source glyph, the style's training glyph with
    the nearest source, and the real font. Recognition and the report need
    `pip install 'calligan[eval]'`.
    """
    from calligan.evaluation.report import check_report
    from calligan.library.judging import evaluate_request
    from calligan.storage import check_writable

    report, sheet, summary = request.report, request.sheet, request.json_path
    piped = claim_stdout(summary)
    if report is not None:
        check_report()
    check_writable(*filter(None, (report, sheet, None if piped else summary)))
    with progress("evaluating", "") as update:
        done = evaluate_request(request, update, note)
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
    write_summary(summary, done.as_json())
