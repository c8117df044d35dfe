"""Options that several commands share, and options made from the fields of a dataclass."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from calligan.config import DEVICES
from calligan.described import REQUIRED

Command = Callable[..., None]


def options_of(kind: type, name: str = "given") -> Callable[[Command], Command]:
    """The command has an option for each described field of a dataclass (calligan/described.py).

    They stand in place of its parameter `name`, which takes their values as a dict.
    """
    hints = get_type_hints(kind)
    made = []
    for each in fields(kind):
        if "about" in each.metadata:
            option = typer.Option(*each.metadata["flags"], help=each.metadata["about"])
            hint = hints[each.name]
            shown: Any = Annotated[hint, option]
            default = inspect.Parameter.empty if each.default is REQUIRED else each.default
            made.append(_keyword(each.name, default, shown))

    def decorated(command: Command) -> Command:
        every: list[inspect.Parameter] = []
        for own in inspect.signature(command).parameters.values():
            every += made if own.name == name else [_keyword(own.name, own.default, own.annotation)]

        @wraps(command)
        def with_options(**values: Any) -> None:
            given = {option.name: values.pop(option.name) for option in made}
            command(**values, **{name: given})

        with_options.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        with_options.__annotations__ = {each.name: each.annotation for each in every}
        return with_options

    return decorated


def _keyword(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def names(text: str | None) -> list[str] | None:
    """What commas part, without spaces."""
    return [name.strip() for name in text.split(",")] if text else None


def _check_device(name: str) -> str:
    if name not in DEVICES:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(DEVICES)}")
    return name


DOUBTFUL = 3  # exit code of --strict

DeviceOption = Annotated[
    str,
    typer.Option(help="Where networks run: auto, cpu, cuda or mps.", callback=_check_device),
]
ModelOption = Annotated[
    Path | None,
    typer.Option(help="Model file, run folder, hand or `bundle`; default the newest run, else it."),
]
SourceOption = Annotated[
    str | None, typer.Option(help="Source font; default one trained with, or of this machine.")
]
VerdictOption = Annotated[
    bool, typer.Option("--verdict/--no-verdict", help="Look at each glyph; retry doubtful ones.")
]
ReportOption = Annotated[
    list[Path] | None,
    typer.Option(help="Write the verdicts to a .json or .html file; repeatable."),
]
FineOption = Annotated[
    bool,
    typer.Option(
        "--fine/--no-fine",
        help="Models of ink at 128 px: draw in four places, trace from twice the pixels.",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help=f"Exit code {DOUBTFUL} where a glyph stays doubtful.")
]
StyleOption = Annotated[str, typer.Option(help="A number or name of `calligan styles`.")]
