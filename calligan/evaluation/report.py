"""Scores as tables, and as a self-contained HTML page with pictures."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from calligan.errors import Unmeasured
from calligan.evaluation.evaluate import MODEL, Glyphs
from calligan.evaluation.interval import Estimate
from calligan.evaluation.scores import METRICS, REAL, STROKES, Scores
from calligan.page.sheet import Row, contact_sheet, save_png, save_sheet
from calligan.storage import write_bytes

_TEMPLATE = Path(__file__).with_name("report.html")
_GLYPHS_PER_ROW = 10  # in a figure
_CELL_PX = 80
_GREYS = 16  # grey levels of the pictures, to halve the page's size


@dataclass(frozen=True)
class Table:
    """A table of text cells; the first column is the name of the row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    bold_row: str = MODEL  # the row shown in bold


def overall(scores: Scores) -> Table:
    """One row per measured metric, one column per system; with intervals."""
    measured_metrics = [
        m for m in METRICS if any((s, m.name) in scores.values for s in scores.systems)
    ]
    rows = []
    for metric in measured_metrics:
        means = [scores.mean(system, metric.name) for system in scores.systems]
        count = max(mean.n for mean in means if mean)
        cells = [_figure(mean, metric.name, interval=True) for mean in means]
        rows.append([metric.title, f"{count:,}", *cells])
    for name, figures in scores.sets.items():
        cells = [_format_number(figures.get(system)) for system in scores.systems]
        rows.append([name.replace("_", " "), "", *cells])
    return Table(["", "n", *scores.systems], rows)


def by_script(scores: Scores) -> Table:
    """The model's figures, one row per script."""
    return _grouped(scores, scores.groups())


def by_style(scores: Scores) -> Table:
    """The model's figures, one row per style."""
    named = {
        f"{number} {font.name} {font.script}": [number - 1]
        for number, font in enumerate(scores.styles, start=1)
    }
    return _grouped(scores, named)


def by_strokes(scores: Scores) -> Table:
    """Content accuracy by number of strokes, one row per system."""
    rows = []
    for system in scores.systems:
        means = (scores.mean(system, "content", strokes=bounds) for bounds in STROKES)
        rows.append([system, *(_figure(mean, "content", True) for mean in means)])
    return Table(["", *(f"{low}-{high}" for low, high in STROKES)], rows)


def check_report() -> None:
    """Raise Unmeasured where jinja2 is not installed."""
    if find_spec("jinja2") is None:
        raise Unmeasured("--report needs jinja2: pip install 'calligan[eval]'")


def write_report(
    path: Path,
    title: str,
    about: str,
    scores: Scores,
    glyphs: Glyphs,
    outlines: Sequence[Table] = (),
) -> None:
    """Write the HTML page, atomically; `outlines` are tables of evaluation/line_report.py."""
    from jinja2 import Environment
    from markupsafe import Markup

    measured = {metric for _, metric in scores.values}
    template = Environment(autoescape=True).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    page = template.render(
        title=title,
        about=about,
        metrics=[m for m in METRICS if m.name in measured],
        unmeasured=scores.unmeasured,
        overall=Markup(_html(overall(scores))),
        scripts=Markup(_html(by_script(scores))),
        styles=Markup(_html(by_style(scores))),
        strokes=Markup(_html(by_strokes(scores))),
        outlines=[Markup(_html(table)) for table in outlines],
        pictures=[_pictures(scores, glyphs, index) for index in range(len(scores.styles))],
    )
    write_bytes(path, page.encode())


def write_sheet(path: Path, glyphs: Glyphs) -> None:
    """Write a PNG of evenly spaced characters of each style: source, drawn, real."""
    rows = []
    for style, font in enumerate(glyphs.styles):
        kinds = {"source": glyphs.source, font.name: glyphs.drawn[MODEL], REAL: glyphs.drawn[REAL]}
        rows += [evenly_spaced_row(label, images[style]) for label, images in kinds.items()]
    save_sheet(contact_sheet(rows, glyphs.source[0].shape[-1]), path)


def evenly_spaced_row(label: str, images: np.ndarray) -> Row:
    """A row of a contact sheet: evenly spaced glyphs of uint8 (N, S, S)."""
    step = max(1, len(images) // _GLYPHS_PER_ROW)
    return Row(label, list(images[::step][:_GLYPHS_PER_ROW]))


def choose_examples(scores: Scores, glyphs: Glyphs, style: int) -> dict[str, list[int]]:
    """The rows of a style's worst, median and best glyphs by SSIM."""
    column = {char: i for i, char in enumerate(scores.chars)}
    table = scores.values[MODEL, "ssim"][style]
    order = np.argsort([table[column[char]] for char in glyphs.chars[style]]).tolist()
    middle = max(0, (len(order) - _GLYPHS_PER_ROW) // 2)
    parts = {"worst": order[:_GLYPHS_PER_ROW], "median": order[middle : middle + _GLYPHS_PER_ROW]}
    return parts | {"best": order[-_GLYPHS_PER_ROW:]}


def _pictures(scores: Scores, glyphs: Glyphs, style: int) -> dict[str, Any]:
    font, figures = scores.styles[style], {}
    for label, rows in choose_examples(scores, glyphs, style).items():
        kinds = {
            "source": glyphs.source[style],
            "drawn": glyphs.drawn[MODEL][style],
            "real": glyphs.drawn[REAL][style],
        }
        sheet = contact_sheet(
            [Row(kind, list(images[rows])) for kind, images in kinds.items()], _CELL_PX
        )
        file = BytesIO()
        save_png(sheet.quantize(_GREYS), file)
        chars = "".join(glyphs.chars[style][i] for i in rows)
        figures[label] = {"png": base64.b64encode(file.getvalue()).decode(), "chars": chars}
    about = {"name": font.name, "chinese": font.chinese, "script": font.script}
    return {"number": style + 1, **about, "figures": figures}


def _grouped(scores: Scores, groups: dict[str, list[int]]) -> Table:
    rows = []
    for name, styles in groups.items():
        shown = [
            _figure(scores.mean(system, metric, styles), metric, metric in ("l1", "content"))
            for system, metric in (
                *((MODEL, m) for m in ("l1", "ssim", "content")),
                (REAL, "content"),
                *((MODEL, m) for m in ("clean", "style")),
            )
        ]
        ratios = [
            _format_number(scores.ratio_to_real(MODEL, m, styles))
            for m in ("mid_grey", "edge_slope")
        ]
        count = scores.mean(MODEL, "l1", styles)
        rows.append([name, str(count.n if count else 0), *shown, *ratios])
    head = ["", "n", "L1", "SSIM", "content", "real's", "clean", "style", "mid-grey", "edge slope"]
    return Table(head, rows)


def _figure(value: Estimate | None, metric: str, interval: bool = False) -> str:
    if value is None:
        return "–"
    percent = metric in ("content", "clean", "style", "faulty", "mid_grey")

    def format_number(number: float) -> str:
        return f"{100 * number:.1f}" if percent else f"{number:.3f}"

    text = format_number(value.mean) + (" %" if percent else "")
    return f"{text} ({format_number(value.low)}–{format_number(value.high)})" if interval else text


def _format_number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _html(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = []
    for row in table.rows:
        kind = ' class="ours"' if row[0] == table.bold_row else ""
        rows.append(f"<tr{kind}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>")
    body = "\n".join(rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
