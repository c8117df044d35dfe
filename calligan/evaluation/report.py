"""Scores as tables, and as one HTML page with pictures that stands by itself."""

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
from calligan.page.sheet import Row, contact_sheet, save_png
from calligan.storage import atomic_file, write_bytes

_TEMPLATE = Path(__file__).with_name("report.html")
_SHOWN = 10  # glyphs a figure
_CELL_PX = 80
_GREYS = 16  # of the pictures: half the page's size


@dataclass(frozen=True)
class Table:
    """Plain cells; the first column names the row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    foremost: str = MODEL  # the row to set in bold


def overall(scores: Scores, intervals: bool = False) -> Table:
    """A row a system, a column a metric that was measured."""
    there = [m for m in METRICS if any((s, m.name) in scores.values for s in scores.systems)]
    rows = []
    for system in scores.systems:
        cells = [_figure(scores.mean(system, m.name), m.name, intervals) for m in there]
        cells += [_number(figures.get(system)) for figures in scores.sets.values()]
        rows.append([system, *cells])
    titles = [m.title for m in there] + [name.replace("_", " ") for name in scores.sets]
    return Table(["", *titles], rows)


def by_script(scores: Scores) -> Table:
    """The model's figures, a row a script."""
    return _grouped(scores, scores.groups())


def by_style(scores: Scores) -> Table:
    """The model's figures, a row a style."""
    named = {
        f"{number} {font.name} {font.script}": [number - 1]
        for number, font in enumerate(scores.styles, start=1)
    }
    return _grouped(scores, named)


def by_strokes(scores: Scores) -> Table:
    """Content accuracy by the number of strokes, a row a system."""
    rows = []
    for system in scores.systems:
        means = (scores.mean(system, "content", strokes=bounds) for bounds in STROKES)
        rows.append([system, *(_figure(mean, "content", True) for mean in means)])
    return Table(["", *(f"{low}-{high}" for low, high in STROKES)], rows)


def check_report() -> None:
    """Raise Unmeasured where a page cannot be written."""
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
        overall=Markup(_html(overall(scores, intervals=True))),
        scripts=Markup(_html(by_script(scores))),
        styles=Markup(_html(by_style(scores))),
        strokes=Markup(_html(by_strokes(scores))),
        outlines=[Markup(_html(table)) for table in outlines],
        pictures=[_pictures(scores, glyphs, index) for index in range(len(scores.styles))],
    )
    write_bytes(path, page.encode())


def write_sheet(path: Path, glyphs: Glyphs) -> None:
    """Draw source / drawn / real of characters spread evenly over each style, as a PNG."""
    rows = []
    for style, font in enumerate(glyphs.styles):
        kinds = {"source": glyphs.source, font.name: glyphs.drawn[MODEL], REAL: glyphs.drawn[REAL]}
        rows += [spread(label, images[style]) for label, images in kinds.items()]
    with atomic_file(path) as file:
        save_png(contact_sheet(rows, glyphs.source[0].shape[-1]), file)


def spread(label: str, images: np.ndarray) -> Row:
    """A row of a sheet: some glyphs of uint8 (N, S, S), evenly from the first on."""
    step = max(1, len(images) // _SHOWN)
    return Row(label, list(images[::step][:_SHOWN]))


def chosen(scores: Scores, glyphs: Glyphs, style: int) -> dict[str, list[int]]:
    """Which glyphs of a style are its worst, middle and best by SSIM: rows of its images."""
    column = {char: i for i, char in enumerate(scores.chars)}
    table = scores.values[MODEL, "ssim"][style]
    order = np.argsort([table[column[char]] for char in glyphs.chars[style]]).tolist()
    middle = max(0, (len(order) - _SHOWN) // 2)
    parts = {"worst": order[:_SHOWN], "median": order[middle : middle + _SHOWN]}
    return parts | {"best": order[-_SHOWN:]}


def _pictures(scores: Scores, glyphs: Glyphs, style: int) -> dict[str, Any]:
    font, figures = scores.styles[style], {}
    for label, rows in chosen(scores, glyphs, style).items():
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
            _figure(scores.mean(system, metric, styles), metric)
            for system, metric in (
                *((MODEL, m) for m in ("l1", "ssim", "content")),
                (REAL, "content"),
                (MODEL, "style"),
            )
        ]
        ratios = [_number(scores.of_real(MODEL, m, styles)) for m in ("mid_grey", "edge_slope")]
        count = scores.mean(MODEL, "l1", styles)
        rows.append([name, str(count.n if count else 0), *shown, *ratios])
    head = ["", "n", "L1", "SSIM", "content", "real's", "style", "mid-grey", "edge slope"]
    return Table(head, rows)


def _figure(value: Estimate | None, metric: str, interval: bool = False) -> str:
    if value is None:
        return "–"
    percent = metric in ("content", "style", "faulty", "mid_grey")

    def told(number: float) -> str:
        return f"{100 * number:.1f}" if percent else f"{number:.3f}"

    text = told(value.mean) + (" %" if percent else "")
    return f"{text} ({told(value.low)}–{told(value.high)})" if interval else text


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _html(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = []
    for row in table.rows:
        kind = ' class="ours"' if row[0] == table.foremost else ""
        rows.append(f"<tr{kind}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>")
    body = "\n".join(rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
