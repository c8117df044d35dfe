"""`calligan restyle`: pictures of glyphs, in another hand."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.model import ModelOption, model_path


def restyle(
    folder: Annotated[Path, typer.Argument(help="A folder of PNGs named by character.")],
    style: Annotated[str, typer.Option(help="A number or name of `calligan styles`.")] = "1",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to write PNGs and a sheet into.")
    ] = Path("restyled"),
    model: ModelOption = None,
) -> None:
    """Draw written glyphs again in a learned style, from their pictures alone.

    Example: calligan restyle hand --style 3 --model runs/0002 -o restyled

    It works best with a model of `calligan train --preset stargan`, which has seen every style as a
    source; other models have seen regular fonts only.
    """
    from PIL import Image

    from calligan.config import RasterConfig
    from calligan.errors import DataError, ModelError
    from calligan.evaluation.evaluate import generate
    from calligan.models.noise import NoiseGenerator
    from calligan.models.weights import load_model
    from calligan.page.sheet import Row, contact_sheet, save_png
    from calligan.pairs.hand import of_pictures
    from calligan.scan.folder import read_hand
    from calligan.storage import atomic_file

    if output.resolve() == folder.resolve():
        raise DataError(f"{output} holds the glyphs themselves; give another -o")
    generator, card = load_model(model_path(model))
    if isinstance(generator, NoiseGenerator):
        raise ModelError("the model draws from noise, not from pictures; use `calligan sample`")
    index = card.style_index(style)
    raster = RasterConfig(size_px=card.size_px)
    hand = of_pictures("hand", folder, list(read_hand(folder)), raster)
    drawn = generate(generator, hand.images, index, card.size_px)
    written: Counter[str] = Counter()
    for char, image in zip(hand.entry.chars, drawn, strict=True):
        written[char] += 1
        variant = f"-{written[char]}" if written[char] > 1 else ""
        with atomic_file(output / f"{char}{variant}.png") as file:
            Image.fromarray(image).save(file, "PNG")
    rows = [Row("yours", list(hand.images[:12])), Row(card.styles[index].name, list(drawn[:12]))]
    with atomic_file(output / "contact-sheet.png") as file:
        save_png(contact_sheet(rows, card.size_px), file)
    typer.echo(output)
