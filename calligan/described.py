"""Dataclass fields with a help text, from which the command-line options are made."""

from collections.abc import Sequence
from dataclasses import MISSING, Field, field, fields
from typing import Any

from calligan.errors import ConfigError

REQUIRED: Any = MISSING  # the default of a field that must be given


def described(
    default: Any,
    about: str,
    *flags: str,
    one_of: Sequence[str] = (),
    between: tuple[int | None, int | None] = (None, None),
) -> Any:
    """A field with a default and a help text; cli/options.py makes an option of it.

    `flags` name the option if the field's name does not. `one_of` are the values that it takes,
    `between` the least and the largest number.
    """
    rules = {"one_of": one_of, "between": between}
    return field(default=default, metadata={"about": about, "flags": flags, **rules})


def argument(about: str, default: Any = REQUIRED) -> Any:
    """As `described`, for a field that the command line takes by its position."""
    return field(default=default, metadata={"about": about, "flags": None})


def values(request: Any, *but: str) -> dict[str, Any]:
    """The fields of a request by name, except some."""
    names = [each.name for each in fields(request) if each.name not in but]
    return {name: getattr(request, name) for name in names}


def refuse_unused(request: Any, names: Sequence[str], cure: str) -> None:
    """Raise ConfigError if one of these fields differs from its default: it has no effect here."""
    given = [each for each in fields(request) if each.name in names]
    if used := [_flag(each) for each in given if getattr(request, each.name) != each.default]:
        raise ConfigError(f"no effect here: {', '.join(used)}; {cure}")


def _flag(option: Field[Any]) -> str:
    """The flag that changes an option; of a pair such as --own/--no-own, the second."""
    no = "no-" if option.default is True else ""
    flags = option.metadata["flags"] or [f"--{no}{option.name.replace('_', '-')}"]
    return str(flags[0]).split("/")[-1]
