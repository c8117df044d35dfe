"""`calligan export`: a learned style as a font to install, or what a font lacks."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from calligan.cli.model import ModelOption, SourceOption, model_path, source_font, style_index
from calligan.cli.show import bar, note
from calligan.cli.verdict import (
    DOUBTFUL,
    FineOption,
    ReportOption,
    StrictOption,
    VerdictOption,
    check_options,
    open_writer,
    tell,
)

if TYPE_CHECKING:
    import numpy as np

FALLBACKS = {"keep": "kept", "skip": "left out", "source": "taken from the source font"}


def export(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The font to write: .ttf, .otf, .woff2 or .ufo.")
    ],
    style: Annotated[str, typer.Option(help="A number or name of `calligan styles`.")] = "1",
    charset: Annotated[
        str, typer.Option(help="A shipped set, a UTF-8 file, or the characters themselves.")
    ] = "gb2312",
    complete: Annotated[
        str | None,
        typer.Option(help="A font to keep as it is and add to: only what it lacks is drawn."),
    ] = None,
    model: ModelOption = None,
    source: SourceOption = None,
    latin: Annotated[
        str | None, typer.Option(help="Letters, digits and marks from this font; default source.")
    ] = None,
    family: Annotated[str | None, typer.Option(help="The font's name, in ASCII.")] = None,
    family_chinese: Annotated[str | None, typer.Option(help="Its Chinese name.")] = None,
    own: Annotated[
        bool, typer.Option("--own/--no-own", help="Characters that you wrote keep your glyphs.")
    ] = True,
    fine: FineOption = True,
    verdict: VerdictOption = True,
    fallback: Annotated[
        str, typer.Option(help="Glyphs that stay doubtful: keep, skip, or the source's.")
    ] = "keep",
    report: ReportOption = None,
    strict: StrictOption = False,
) -> None:
    """Make a font of a learned style.

    Example: calligan export --style 3 --charset gb2312 -o MyBrush.ttf

    Interrupted, the same command goes on where it was. With --complete MyHand.ttf the outlines and
    metrics that are there stay, and only missing characters are added.
    """
    from calligan.errors import DataError, ModelError
    from calligan.glyphs.catalog import resolve_font
    from calligan.glyphs.charset import is_han, load_charset
    from calligan.glyphs.placement import Placement
    from calligan.inference import fontmaker as maker
    from calligan.inference.export import Job, Parts, fall_back, outlines, traced
    from calligan.inference.proofread import Proofreader
    from calligan.models.weights import read_card
    from calligan.vector.complete import Base
    from calligan.vector.font import UPEM

    _check(output, fallback, complete)
    check_options(verdict, bool(report or strict or fallback != "keep"), report or [])
    wanted = load_charset(charset)
    base, placement, upem = None, None, UPEM
    path = model_path(model, style)
    card = read_card(path)
    index = style_index(card, style)
    if complete is not None:
        spec = resolve_font(complete).spec
        base = Base.open(spec.path, int(spec.face) if spec.face.isdecimal() else 0)
        maker.check_kind(output, base)
        has = "".join(filter(is_han, map(chr, sorted(base.codepoints))))
        placement, upem = maker.Lettering.of(complete, has, card.size_px).placement, base.upem
    reserved = maker.reserved_names(card, base)
    english = family or maker.default_family(card, index, base, reserved)
    writer = open_writer(path, source_font(card, source), verdict, fine)
    if model is None:
        note(f"model: {path}")
    if base and base.dropped:
        note(f"{complete}: left out what cannot be read: {', '.join(base.dropped)} (hinting)")
    there = base.codepoints if base else set()
    mine = _written(path) if own else {}
    mine = {char: image for char, image in mine.items() if ord(char) not in there}
    chars, lacking = maker.drawable(writer, wanted, there | set(map(ord, mine)))
    if not chars and not mine:
        raise DataError("nothing to draw: no character of the charset is missing")
    made = f"{len(chars):,} of {len(chars) + len(mine) + len(there):,} characters"
    families = (english, family_chinese or english)
    naming = maker.named(card, index, writer.face.family, families, reserved, made)
    if latin is None:
        lettering = maker.Lettering(writer.face, writer.placement)
    else:
        lettering = maker.Lettering.of(latin, wanted, card.size_px, least=0)
    job = Job(path, index, chars, placement or Placement.full_width(card.size_px), upem)
    parts = Parts(output.with_name(f".{output.name}.parts"), job.key(writer))
    seconds: dict[str, float] = {}
    with bar(len(chars), "drawing", "glyph") as progress:
        found = outlines(writer, job, parts, seconds, progress.update)
    replaced = fall_back(found, writer, job, fallback)
    misread = ""
    if mine:
        misread = writer.look_at(mine, index) if isinstance(writer, Proofreader) else ""
        large = writer.enlarged(list(mine.values()))
        found |= traced(dict(zip(mine, large, strict=True)), job)
    drawn = {char: outline for char, outline in found.items() if len(outline.contour)}
    if not drawn:
        raise ModelError(f"{path} draws nothing but paper in style {style}; train it longer")
    started = perf_counter()
    if base:
        maker.save_completed(output, drawn, base, naming)
    else:
        maker.save_new(output, drawn, lettering, naming)
    seconds["font"] = perf_counter() - started
    parts.remove()
    if replaced:
        note(f"doubtful, {FALLBACKS[fallback]}: {_some(replaced)}")
    if blank := "".join(char for char in found if char not in drawn):
        note(f"left out, drawn blank: {_some(blank)}")
    if lacking:
        note(f"left out, not in the source font: {_some(lacking)}")
    told = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items() if value >= 0.05)
    count = len(drawn) - len(mine)
    note(f"{english}: {count:,} character{'s' * (count != 1)} drawn ({told})")
    if base and maker.holds(families, base.family):
        note(
            f"its name holds that of {base.family}, which its licence may keep from changed fonts: "
            "look there before you publish, or give another --family"
        )
    if mine:
        note(f"{len(mine):,} more are those that you wrote (--no-own draws them too)")
    if misread:
        note(f"of these, read badly or as another character: {_some(misread)}")
    typer.echo(output)
    if tell(writer, verdict, [index], report or []) and strict:
        raise typer.Exit(DOUBTFUL)


def _check(output: Path, fallback: str, complete: str | None) -> None:
    from calligan.errors import ConfigError, DataError
    from calligan.inference.fontmaker import KINDS

    if fallback not in FALLBACKS:
        raise ConfigError(f"--fallback {fallback!r} is none of {', '.join(FALLBACKS)}")

    if output.suffix.lower() not in KINDS:
        raise DataError(f"{output} should end in {', '.join(KINDS)}: the kind of font to write")
    if output.is_dir() and output.suffix.lower() != ".ufo":
        raise DataError(f"{output} is a folder; name a file in it")
    there = complete is not None and Path(complete).exists() and output.exists()
    if there and output.samefile(complete or ""):
        raise DataError(f"{output} is the font to complete; name another file to write")


def _written(model: Path) -> "dict[str, np.ndarray]":
    """The glyphs that a hand was learned from, where they lie beside its model as they were."""
    from calligan.errors import DataError, ModelError
    from calligan.inference.written import as_written
    from calligan.project.run import Run

    try:
        return as_written(Run.open(model.parent).selection())
    except (DataError, ModelError):
        return {}


def _some(chars: str, shown: int = 20) -> str:
    rest = len(chars) - shown
    return " ".join(chars[:shown]) + (f" and {rest:,} more" if rest > 0 else "")
