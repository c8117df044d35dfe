"""The line of a model's hands beside the real ones', and whether a network tells them apart.

    python benchmarks/line.py --count 100
    python benchmarks/line.py runs/0001/best.safetensors --styles yomogi --told-apart --calibrate

Test characters of the model, drawn from a source font and traced as `export` does it, without the
verdict; the hands' own fonts are taken from the catalog, or from where the model's card says they
were. No data folder is needed. `calligan evaluate --line --told-apart` prints the same of a data
folder's fonts. Telling apart takes about a minute a hand and row for 500 characters.
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
    """A style's own font, if it is here."""
    known = load_catalog().get(style.name)
    if known is not None and known.fetched:
        spec = resolve_font(style.name).spec
    elif style.path and Path(style.path).is_file():
        spec = FontSpec(Path(style.path), style.face, style.instance)
    else:
        return None
    return RealFont(style.name, Face(spec), Placement(**style.placement))  # type: ignore[arg-type]


def show(table: Table, console: Console) -> None:
    """Print one, if it has rows."""
    if not table.rows:
        return
    grid = Grid(box=None, pad_edge=False)
    for name in table.head:
        grid.add_column(name, justify="right", no_wrap=True)
    for row in table.rows:
        grid.add_row(*row)
    console.print(grid, "")


def judged(options: argparse.Namespace) -> list[StyleFigures]:
    """Every hand that was asked for and whose font is here."""
    writer = Writer.open(options.model, options.source, not options.once)
    names = options.styles or [style.name for style in writer.card.styles]
    asked = OutlineOptions(
        not options.no_line, options.told_apart or options.calibrate, options.calibrate
    )
    hands = []
    for name in names:
        style = writer.card.styles[writer.card.style_index(name)]
        real = open_real_font(style)
        if real is None:
            print(f"{style.name}: its font is not here", file=sys.stderr)
            continue
        held = writer.card.held_out[options.part]
        chars = shared_chars(writer, real.face, held)
        chars = chars[:: max(1, len(chars) // options.count)][: options.count]
        hands.append(judge_style(writer, real, chars, asked))
        print(f"{style.name}: {len(chars)} characters", file=sys.stderr)
    return hands


def main() -> None:
    """Draw, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path, nargs="?", default=bundled_model())
    parser.add_argument("--styles", nargs="*", help="names; default all")
    parser.add_argument("--source", help="source font; default one trained with")
    parser.add_argument("--count", type=int, default=500, help="characters a hand")
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--once", action="store_true", help="in one place, not enlarged")
    parser.add_argument("--no-line", action="store_true", help="tell apart only")
    parser.add_argument("--told-apart", action="store_true", help="AUC, a minute a hand")
    parser.add_argument("--calibrate", action="store_true", help="and of the fonts' own glyphs")
    parser.add_argument("--json", type=Path, help="every figure with its interval")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        hands = judged(options)
    except CalliganError as error:
        sys.exit(str(error))
    console = Console(width=180)
    for table in (line_table(hands), line_table(hands, dense=True), auc_table(hands)):
        show(table, console)
    if options.json:
        write_json(options.json, as_json(hands))


if __name__ == "__main__":
    main()
