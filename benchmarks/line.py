"""Figures of a model's outlines compared with the real ones, and a classifier two-sample test.

    python benchmarks/line.py --count 100
    python benchmarks/line.py runs/0001/best.safetensors --styles yomogi --told-apart --calibrate

Uses test characters of the model, drawn from a source font and traced as in `export`, without the
verdict. The real fonts are taken from the catalog, or from the paths in the model's card. No data
folder is needed. `calligan evaluate --line --told-apart` prints the same for the fonts of a data
folder. --told-apart takes about a minute per style and row for 500 characters.
"""

import argparse
import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table as Grid

from calligan.errors import CalliganError
from calligan.evaluation.judge_styles import (
    OutlineOptions,
    RealFont,
    StyleFigures,
    as_json,
    judge_style,
    shared_chars,
)
from calligan.evaluation.line_report import auc_table, line_table
from calligan.evaluation.report import Table
from calligan.glyphs.catalog import load_catalog, resolve_font
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement
from calligan.inference.writer import Writer
from calligan.models.card import FontCard
from calligan.resources import bundled_model
from calligan.storage import write_json


def open_real_font(style: FontCard) -> RealFont | None:
    """Open a style's real font, if it is on this machine."""
    known = load_catalog().get(style.name)
    if known is not None and known.fetched:
        spec = resolve_font(style.name).spec
    elif style.path and Path(style.path).is_file():
        spec = FontSpec(Path(style.path), style.face, style.instance)
    else:
        return None
    return RealFont(style.name, Face(spec), Placement(**style.placement))  # type: ignore[arg-type]


def print_table(table: Table, console: Console) -> None:
    """Print a table, if it has rows."""
    if not table.rows:
        return
    grid = Grid(box=None, pad_edge=False)
    for name in table.head:
        grid.add_column(name, justify="right", no_wrap=True)
    for row in table.rows:
        grid.add_row(*row)
    console.print(grid, "")


def judge_all(options: argparse.Namespace) -> list[StyleFigures]:
    """Judge all requested styles whose font is on this machine."""
    writer = Writer.open(options.model, options.source, not options.once)
    names = options.styles or [style.name for style in writer.card.styles]
    outline_options = OutlineOptions(
        not options.no_line, options.told_apart or options.calibrate, options.calibrate
    )
    styles = []
    for name in names:
        style = writer.card.styles[writer.card.style_index(name)]
        real = open_real_font(style)
        if real is None:
            print(f"{style.name}: its font is not on this machine", file=sys.stderr)
            continue
        held = writer.card.held_out[options.part]
        chars = shared_chars(writer, real.face, held)
        chars = chars[:: max(1, len(chars) // options.count)][: options.count]
        styles.append(judge_style(writer, real, chars, outline_options))
        print(f"{style.name}: {len(chars)} characters", file=sys.stderr)
    return styles


def main() -> None:
    """Draw the styles, measure them and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path, nargs="?", default=bundled_model())
    parser.add_argument("--styles", nargs="*", help="names; default all")
    parser.add_argument("--source", help="source font; default one of the model's")
    parser.add_argument("--count", type=int, default=500, help="characters per style")
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--once", action="store_true", help="without cycle spinning and upscaling")
    parser.add_argument("--no-line", action="store_true", help="only the two-sample test")
    parser.add_argument("--told-apart", action="store_true", help="AUC, about a minute per style")
    parser.add_argument(
        "--calibrate", action="store_true", help="also for the real glyphs, as a reference"
    )
    parser.add_argument("--json", type=Path, help="every figure with its interval")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        styles = judge_all(options)
    except CalliganError as error:
        sys.exit(str(error))
    console = Console(width=180)
    for table in (line_table(styles), line_table(styles, dense=True), auc_table(styles)):
        print_table(table, console)
    if options.json:
        write_json(options.json, as_json(styles))


if __name__ == "__main__":
    main()
