"""Options of the commands, made from the described fields of the requests that they take."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from calligan.cli.show import be_quiet, never_silent_for_long
from calligan.described import REQUIRED

Command = Callable[..., None]
_QUIET: Any = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print no notes and no progress bars; errors remain."),
]


@dataclass(frozen=True)
class After:
    """Annotates a request whose options are listed after that of another field."""

    field: str


def with_options(command: Command) -> Command:
    """The command with an option for each field of the requests that it takes, and `--quiet`.

    Its parameters are dataclasses, whose described fields (calligan/described.py) become options.
    """
    options: list[inspect.Parameter] = []
    requests: dict[str, tuple[type, list[str]]] = {}
    for name, hint in get_type_hints(command, include_extras=True).items():
        if name == "return":
            continue
        kind, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        made, names = _options_of(kind), [option.name for option in options]
        after = next((note.field for note in notes if isinstance(note, After)), None)
        place = names.index(after) + 1 if after else len(options)
        options[place:place] = made
        requests[name] = kind, [option.name for option in made]
    options.append(_keyword("quiet", False, _QUIET))

    @wraps(command)
    def with_requests(**values: Any) -> None:
        be_quiet(values.pop("quiet"))
        made = {
            name: kind(**{each: values[each] for each in taken})
            for name, (kind, taken) in requests.items()
        }
        with never_silent_for_long(f"calligan {command.__name__.replace('_', '-')}"):
            command(**made)

    with_requests.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    with_requests.__annotations__ = {each.name: each.annotation for each in options}
    return with_requests


def _options_of(kind: type) -> list[inspect.Parameter]:
    hints = get_type_hints(kind)
    described = [each for each in fields(kind) if "about" in each.metadata]
    return [
        _keyword(
            each.name,
            inspect.Parameter.empty if each.default is REQUIRED else each.default,
            Annotated[hints[each.name], _option(**each.metadata)],
        )
        for each in described
    ]


def _option(
    about: str,
    flags: tuple[str, ...] | None,
    one_of: Sequence[str] = (),
    between: tuple[int | None, int | None] = (None, None),
) -> Any:
    def check(value: str | None) -> str | None:
        if value is not None and value not in one_of:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(one_of)}")
        return value

    if flags is None:
        return typer.Argument(help=about)
    least, most = between
    return typer.Option(*flags, help=about, min=least, max=most, callback=check if one_of else None)


def _keyword(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)
