"""`calligan infer`: text to a picture in a learned style."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.model import model_path, source_font
from calligan.cli.show import note


def infer(
    text: Annotated[
        str, typer.Argument(help="What to write; @NAME or @FILE reads a text, - standard input.")
    ],
    style: Annotated[
        str,
        typer.Option(help="A number or name of `calligan styles`; several with commas; or all."),
    ] = "1",
    output: Annotated[Path, typer.Option("--output", "-o", help="The PNG to write.")] = Path(
        "out.png"
    ),
    model: Annotated[
        Path | None,
        typer.Option(help="Model file or run folder; default the newest, or the bundle."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Source font; default one trained with, or of this machine."),
    ] = None,
    vertical: Annotated[bool, typer.Option(help="Columns from right to left.")] = False,
    size: Annotated[int | None, typer.Option(help="Edge of a character's cell in pixels.")] = None,
    wrap: Annotated[int | None, typer.Option(help="Break lines after so many characters.")] = None,
    ink: Annotated[str, typer.Option(help="Ink colour: a name or #RRGGBB.")] = "black",
    paper: Annotated[str, typer.Option(help="Paper colour.")] = "white",
    transparent: Annotated[bool, typer.Option(help="No paper at all.")] = False,
    missing: Annotated[
        str, typer.Option(help="Characters the source lacks: error, skip or box.")
    ] = "error",
) -> None:
    r"""Write any text in a learned style, as a PNG.

    Example: calligan infer "书法" --style 3 -o out.png

    Lines are broken at line breaks (or \n). Han characters are drawn by the model; punctuation,
    digits and letters are borrowed from the source font.
    """
    from calligan.page.compose import Colours, coloured, stack
    from calligan.page.sheet import save_png
    from calligan.storage import atomic_file

    _check(output, size, wrap, missing)
    colours = Colours(ink, None if transparent else paper)
    colours.validate()

    from calligan.inference.writer import Writer
    from calligan.models.weights import read_card

    path = model_path(model)
    writer = Writer(path, source_font(read_card(path), source))
    if model is None:
        note(f"model: {path}")
    names = [str(i + 1) for i in range(len(writer.card.styles))]
    wanted = names if style == "all" else [name.strip() for name in style.split(",")]
    indices = [writer.card.style_index(name) for name in wanted]
    read = writer.read(_words(text), missing, wrap)  # type: ignore[arg-type]
    size_px = size or writer.card.size_px
    pages = [writer.write(read, i, size_px, vertical, missing) for i in indices]  # type: ignore[arg-type]
    with atomic_file(output) as file:
        save_png(coloured(stack(pages), colours), file)
    if read.missing:
        note(f"not in the source font: {' '.join(read.missing)}")
    if read.borrowed:
        note(f"borrowed from the source font as it is: {' '.join(read.borrowed)}")
    typer.echo(output)


def _words(text: str) -> str:
    """The text itself, with `\\n` for a line break; a shipped text or file after @; or stdin."""
    from calligan.errors import DataError
    from calligan.glyphs.charset import load_text

    if text == "-":
        try:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError("standard input is not UTF-8 text; convert it to UTF-8") from error
    return load_text(text[1:]) if text[:1] == "@" and text[1:] else text.replace("\\n", "\n")


def _check(output: Path, size: int | None, wrap: int | None, missing: str) -> None:
    from calligan.errors import ConfigError, DataError

    if output.is_dir():
        raise DataError(f"{output} is a folder; name a file in it")
    if output.suffix.lower() != ".png":
        raise DataError(f"{output} does not end in .png; calligan infer writes PNG")
    if size is not None and not 8 <= size <= 2048:
        raise ConfigError(f"--size {size} is out of reach; give 8 to 2048 pixels")
    if wrap is not None and wrap < 1:
        raise ConfigError(f"--wrap {wrap} makes no sense; give 1 or more")
    if missing not in ("error", "skip", "box"):
        raise ConfigError(f"--missing {missing!r} is not error, skip or box")
