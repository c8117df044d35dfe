"""Evaluate a model on held-out characters, against baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calligan.described import values
from calligan.errors import ConfigError, DataError, Unmeasured
from calligan.evaluation import line_report
from calligan.evaluation import report as score_report
from calligan.evaluation.evaluate import EvaluationPlan, Glyphs, judge_outlines, style_names
from calligan.evaluation.evaluate import evaluate as measure
from calligan.evaluation.judge_styles import OutlineOptions, StyleFigures
from calligan.evaluation.scores import Scores, as_json
from calligan.glyphs.charset import load_charset
from calligan.models.device import pick_device
from calligan.models.weights import read_card
from calligan.pairs.handwriting import HAND_CHARSET
from calligan.pairs.store import PairStore, Selection
from calligan.progress import Note, Progress, ignore
from calligan.project.models import model_path
from calligan.project.run import Run
from calligan.requests.drawing import STDOUT, split_names
from calligan.requests.models import EvaluationRequest
from calligan.storage import check_writable


@dataclass(frozen=True)
class Evaluation:
    """The measurements, and the glyphs they were made on."""

    plan: EvaluationPlan
    scores: Scores
    glyphs: Glyphs
    outlines: dict[str, list[StyleFigures]] = field(default_factory=dict)  # by system, if asked for

    def tables(self) -> Sequence[score_report.Table]:
        """Tables over all hands, by script, by style, and of outlines."""
        scores = [
            each(self.scores)
            for each in (score_report.overall, score_report.by_script, score_report.by_style)
        ]
        return [*scores, *line_report.tables(self.outlines)]

    def as_json(self) -> dict[str, Any]:
        """All figures, with counts and intervals."""
        data = self.plan.selection.data_hash
        about = {"model": str(self.plan.model), "data": data, "part": self.plan.part}
        return {**about, **as_json(self.scores), **line_report.as_json(self.outlines)}

    def notes(self) -> list[str]:
        """What was not measured, and why."""
        unmeasured = self.scores.unmeasured.items()
        return [f"{name} was not measured: {reason}" for name, reason in unmeasured]

    def write(self, request: EvaluationRequest) -> list[Path]:
        """Write the report and the sheet that are asked for; their paths."""
        if request.report is not None:
            self.write_report(request.report)
        if request.sheet is not None:
            self.write_sheet(request.sheet)
        return list(filter(None, (request.report, request.sheet)))

    def write_report(self, path: Path) -> None:
        """Write an HTML page with pictures; needs jinja2 (the extra `eval`)."""
        plan, scores = self.plan, self.scores
        names = ", ".join(font.name for font in plan.selection.sources)
        styles = f"{len(scores.styles)} styles, {plan.part} characters"
        what = f"{plan.model}, {styles}, drawn from {names}"
        title = f"calligan: {plan.model.stem} on unseen characters"
        score_report.check_report()
        tables = line_report.tables(self.outlines, intervals=True)
        score_report.write_report(path, title, what, scores, self.glyphs, tables)

    def write_sheet(self, path: Path) -> None:
        """Write source, generated and real glyphs as a PNG."""
        score_report.write_sheet(path, self.glyphs)


def evaluate(
    model: Path | str | None = None,
    *,
    data: Path | str | None = None,
    source: str | None = None,
    styles: Sequence[str] | None = None,
    charset: str | None = None,
    validation: bool = False,
    count: int | None = None,
    fine: bool = False,
    against: Mapping[str, Path | str] | None = None,
    perceptual: bool = False,
    line: bool = False,
    told_apart: bool = False,
    calibrate: bool = False,
    device: str = "auto",
    progress: Progress = ignore,
    note: Note = ignore,
) -> Evaluation:
    """Measure a model on test characters, which are held out of every style.

    `data` is a data folder; by default the run's own. `count` is the maximum of characters per
    style. `against` names other models to compare with. `perceptual` adds LPIPS and FID, whose
    weights are downloaded. `validation` uses the validation characters instead. `line` compares
    outlines with the fonts' own; `told_apart` measures whether a classifier can tell them apart;
    `calibrate` does the same for two sets of the fonts' own glyphs.
    """
    if count is not None and count < 1:
        raise ConfigError(f"--count {count} is invalid; give 1 or more")
    device = pick_device(device)
    path = model_path(Path(model) if model is not None else None)
    selection = _selection(path, Path(data) if data is not None else None, source, styles)
    hand = selection.store.manifest.charset == HAND_CHARSET
    if hand:
        note(
            "a hand has no test characters: these are the tenth held out for validation; the model "
            "that it was trained from has seen them in other hands"
        )
    plan = EvaluationPlan(
        path,
        selection,
        {name: model_path(Path(other)) for name, other in (against or {}).items()},
        "validation" if validation or hand else "test",
        load_charset(charset) if charset else None,
        count,
        fine=fine,
        strict=not hand,
        perceptual=perceptual,
        device=device,
        outlines=OutlineOptions(line, told_apart or calibrate, calibrate),
    )
    scores, glyphs = measure(plan, progress)
    outlines: dict[str, list[StyleFigures]] = {}
    if line or told_apart or calibrate:
        try:
            outlines = judge_outlines(glyphs, plan, progress)
        except Unmeasured as error:
            scores.unmeasured["the line of outlines"] = str(error)
    return Evaluation(plan, scores, glyphs, outlines)


def evaluate_request(
    request: EvaluationRequest, progress: Progress = ignore, note: Note = ignore
) -> Evaluation:
    """As `evaluate`, for what a request says, if its files can be written; see `write`."""
    if request.report is not None:
        score_report.check_report()
    summary = None if request.json_path == STDOUT else request.json_path
    check_writable(*filter(None, (request.report, request.sheet, summary)))
    styles, against = split_names(request.styles), parse_against(request.against or ())
    given = values(request, "report", "sheet", "json_path") | {"styles": styles, "against": against}
    return evaluate(**given, progress=progress, note=note)


def parse_against(given: Sequence[str]) -> dict[str, Path]:
    """Models by name, from NAME=MODEL each. Raises ConfigError."""
    models = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise ConfigError(f"--against {text!r} is not NAME=MODEL, such as zi2zi=runs/0002")
        models[name] = Path(path)
    return models


def _selection(
    model: Path, data: Path | None, source: str | None, styles: Sequence[str] | None
) -> Selection:
    """The styles and sources to evaluate on, from the run's own data or a given data folder."""
    wanted = styles if styles else style_names(model)
    run = Run.open(model.parent) if data is None and (model.parent / "run.json").exists() else None
    store = run.selection().store if run else PairStore.open(data or Path("data"))
    there = {font.name for font in store.manifest.of_role("target")}
    if not styles and not there.issuperset(wanted) and there.intersection(wanted):
        part = ",".join(name for name in wanted if name in there)
        lacking = ", ".join(name for name in wanted if name not in there)
        raise DataError(
            f"{store.folder} lacks styles of the model: {lacking}; evaluate the others with "
            f"--styles {part}, or add the fonts with `calligan render-pairs`"
        )
    if source is not None:
        return store.select(wanted, [source])
    trained = [font.name for font in read_card(model).sources]
    return store.select(wanted, [name for name in trained if store.manifest.named(name)])
