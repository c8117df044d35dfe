"""`calligan evaluate`: held-out figures of a model beside what one gets without it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.model import model_path
from calligan.cli.show import bar, note

if TYPE_CHECKING:
    from calligan.evaluation.report import Table
    from calligan.pairs.store import Selection

_WIDTH = 132  # the tables' own; a pipe has none


def evaluate(
    model: Annotated[
        Path | None,
        typer.Argument(help="Model file, run folder or hand; default the newest, or the bundle."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", "-d", help="Data folder; default the run's own.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Draw from this source font of the data instead.")
    ] = None,
    styles: Annotated[
        str | None, typer.Option(help="Only these styles, by name, with commas.")
    ] = None,
    charset: Annotated[
        str | None, typer.Option(help="Only test characters of this charset.")
    ] = None,
    validation: Annotated[
        bool, typer.Option("--validation", help="Judge validation characters: to choose a model.")
    ] = False,
    count: Annotated[int | None, typer.Option(help="At most so many characters a style.")] = None,
    fine: Annotated[
        bool, typer.Option("--fine", help="Draw each glyph in four places, as infer does.")
    ] = False,
    against: Annotated[
        list[str] | None,
        typer.Option(help="NAME=MODEL: another model, as one more row; repeatable."),
    ] = None,
    perceptual: Annotated[
        bool,
        typer.Option(
            "--perceptual", help="LPIPS and FID too (calligan[perceptual]); downloads weights."
        ),
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page with pictures.")] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write every figure, with n and interval.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Draw source / generated / real into this PNG.")
    ] = None,
) -> None:
    """Measure a model on test characters, which no style has shown it.

    Example: calligan evaluate runs/0001 --report report.html

    Beside the model's figures stand those of copying the source, of the nearest training glyph of
    the style, and of the real font. Reading the characters needs `pip install 'calligan[eval]'`.
    """
    from rich.console import Console

    from calligan.evaluation import report as told
    from calligan.evaluation.evaluate import Plan
    from calligan.evaluation.evaluate import evaluate as run
    from calligan.evaluation.scores import as_json
    from calligan.glyphs.charset import load_charset
    from calligan.pairs.hand import HAND
    from calligan.storage import check_writable, write_json

    if report is not None:
        told.check_report()
    check_writable(*filter(None, (report, json_path, sheet)))
    path = model_path(model)
    selection = _selection(path, data, source, styles)
    hand = selection.store.manifest.charset == HAND
    if hand:
        note(
            "a hand keeps no test characters: these are the tenth that it did not learn from but "
            "was watched by; the model it began at knows them from other hands"
        )
    plan = Plan(
        path,
        selection,
        _named(against or []),
        "validation" if validation or hand else "test",
        load_charset(charset) if charset else None,
        count,
        fine=fine,
        strict=not hand,
        perceptual=perceptual,
    )
    with bar(1, "evaluating", "") as progress:

        def moved(what: str, done: int, of: int) -> None:
            progress.set_description_str(what, refresh=False)
            progress.total, progress.n = of, done
            progress.refresh()

        scores, glyphs = run(plan, moved)
    console = Console(width=max(_WIDTH, Console().width))
    for table in (told.overall(scores), told.by_script(scores), told.by_style(scores)):
        _print(console, table)
    for name, reason in scores.unmeasured.items():
        note(f"{name} is unmeasured: {reason}")
    if json_path is not None:
        about = {"model": str(path), "data": selection.data_hash, "part": plan.part}
        write_json(json_path, {**about, **as_json(scores)})
    if report is not None:
        names = ", ".join(font.name for font in selection.sources)
        what = f"{path}, {len(scores.styles)} styles, {plan.part} characters, drawn from {names}"
        title = f"calligan: {path.stem} on unseen characters"
        told.write_report(report, title, what, scores, glyphs)
    if sheet is not None:
        told.write_sheet(sheet, glyphs)
    for written in filter(None, (report, sheet, json_path)):
        typer.echo(written)


def _selection(
    model: Path, data: Path | None, source: str | None, styles: str | None
) -> "Selection":
    """What to draw and from what: the run's own data, or a folder that has the model's styles."""
    from calligan.evaluation.evaluate import style_names
    from calligan.models.weights import read_card
    from calligan.pairs.store import PairStore
    from calligan.project.run import Run

    wanted = [name.strip() for name in styles.split(",")] if styles else style_names(model)
    run = Run.open(model.parent) if data is None and (model.parent / "run.json").exists() else None
    store = run.selection().store if run else PairStore.open(data or Path("data"))
    if source is not None:
        return store.select(wanted, [source])
    trained = [font.name for font in read_card(model).sources]
    return store.select(wanted, [name for name in trained if store.manifest.named(name)])


def _named(against: list[str]) -> dict[str, Path]:
    from calligan.errors import ConfigError

    found = {}
    for text in against:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise ConfigError(f"--against {text!r} should read NAME=MODEL, such as zi2zi=runs/0002")
        found[name] = model_path(Path(path))
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
