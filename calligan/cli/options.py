"""Options shared by several commands, and options made from a request's fields."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from calligan.cli.show import be_quiet
from calligan.config import DEVICES
from calligan.described import REQUIRED

Command = Callable[..., None]


def options_of(kind: type, name: str = "given") -> Callable[[Command], Command]:
    """Decorator: replace a command's parameter `name` by options for the fields of `kind`.

    Every described field (calligan/described.py) of the dataclass `kind` becomes an option. The
    command receives their values as a dict in `name`.
    """
    hints = get_type_hints(kind)
    options: list[inspect.Parameter] = []
    for each in fields(kind):
        if "about" in each.metadata:
            option = typer.Option(*each.metadata["flags"], help=each.metadata["about"])
            hint = hints[each.name]
            annotation: Any = Annotated[hint, option]
            default = inspect.Parameter.empty if each.default is REQUIRED else each.default
            options.append(_keyword(each.name, default, annotation))

    def decorate(command: Command) -> Command:
        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(command).parameters.values():
            if own.name == name:
                parameters += options
            else:
                parameters.append(_keyword(own.name, own.default, own.annotation))

        @wraps(command)
        def with_options(**values: Any) -> None:
            given = {option.name: values.pop(option.name) for option in options}
            command(**values, **{name: given})

        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {each.name: each.annotation for each in parameters}
        return with_options

    return decorate


def with_shared_options(command: Command) -> Command:
    """Add the options that every command has."""
    about = "Print no notes and no progress bars; errors remain."
    option: Any = Annotated[bool, typer.Option("--quiet", "-q", help=about)]

    @wraps(command)
    def quieted(*arguments: Any, quiet: bool = False, **values: Any) -> None:
        be_quiet(quiet)
        command(*arguments, **values)

    own = inspect.signature(command)
    parameters = [*own.parameters.values(), _keyword("quiet", False, option)]
    quieted.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    quieted.__annotations__ = {**command.__annotations__, "quiet": option}
    return quieted


def _keyword(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def split_names(text: str | None) -> list[str] | None:
    """Names separated by commas, without spaces; None for no text."""
    return [name.strip() for name in text.split(",")] if text else None


def _check_device(name: str) -> str:
    if name not in DEVICES:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(DEVICES)}")
    return name


EXIT_DOUBTFUL = 3  # exit code of --strict

DeviceOption = Annotated[
    str,
    typer.Option(help="Device for the networks: auto, cpu, cuda or mps.", callback=_check_device),
]
ModelOption = Annotated[
    Path | None,
    typer.Option(
        help="Model file, run folder, learned hand, or `bundle`, the shipped model. Default: the "
        "newest run, else the shipped model."
    ),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        help="Source font: a catalog name or a file. Default: one the model was trained on, or a "
        "Chinese font of this machine."
    ),
]
VerdictOption = Annotated[
    bool,
    typer.Option(
        "--verdict/--no-verdict", help="Check each drawn glyph, and draw doubtful ones again."
    ),
]
ReportOption = Annotated[
    list[Path] | None,
    typer.Option(help="Write the verdict on each glyph to a .json or .html file. Repeatable."),
]
FineOption = Annotated[
    bool,
    typer.Option(
        "--fine/--no-fine",
        help="For models that draw ink at 128 px: average four shifted drawings, and trace from "
        "twice the resolution. Smoother and slower.",
    ),
]
CacheOption = Annotated[
    bool,
    typer.Option(
        "--cache/--no-cache",
        help="Keep drawn glyphs on disk, and use those drawn before. CALLIGAN_NO_CACHE=1 turns it "
        "off too.",
    ),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        help="Write a summary as JSON to this file; - is standard output, where it replaces "
        "everything else.",
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option("--strict", help=f"End with exit code {EXIT_DOUBTFUL} if a glyph stays doubtful."),
]
WeightOption = Annotated[
    float,
    typer.Option(
        help="Make strokes bolder, or lighter if negative: thousandths of an em to add to their "
        "thickness, -60 to 60."
    ),
]
StyleOption = Annotated[
    str, typer.Option(help="Style number or name, as listed by `calligan styles`.")
]
