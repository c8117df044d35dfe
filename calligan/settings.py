"""Read settings from TOML, JSON and `--set`, check them, and write them as JSON."""

import dataclasses
import math
import reprlib
import sys
import types
import typing
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from calligan.config import TrainConfig
from calligan.errors import ConfigError
from calligan.reading import parse_toml, read_json, read_toml
from calligan.storage import write_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")


def from_dict(kind: type[Config], values: dict[str, Any], where: str = "") -> Config:
    """Build the dataclass `kind` from nested plain values, as read from JSON or TOML.

    `where` is the dotted name of the table, with a dot at its end, for messages. Raises ConfigError
    for an unknown key (naming the nearest), a missing one, or a value of the wrong type.
    """
    table = where.rstrip(".") or kind.__name__
    if not isinstance(values, dict):
        _refuse(table, "a table", values)
    known = {f.name: f for f in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    for key in values:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"unknown setting {where}{key}; {hint}")
    if missing := [name for name, f in known.items() if name not in values and _is_required(f)]:
        raise ConfigError(f"setting {table} lacks {', '.join(missing)}")
    return kind(**{key: _convert(hints[key], item, where + key) for key, item in values.items()})


def to_dict(config: "DataclassInstance") -> dict[str, Any]:
    """Plain values that `from_dict` reads back."""
    return dataclasses.asdict(config)


def replaced(config: Config, settings: dict[str, Any]) -> Config:
    """A copy of `config` with dotted settings (`loss.l1`) changed, checked as when read."""
    values = to_dict(config)
    for dotted, value in settings.items():
        *parents, last = dotted.split(".")
        inner = values
        for parent in parents:
            inner = inner.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"setting {dotted}: {parent} has no parts")
        inner[last] = value
    return from_dict(type(config), values)


def load_toml(path: Path) -> dict[str, Any]:
    """Settings of a TOML file; raises ConfigError naming the file."""
    try:
        return read_toml(path)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; check the path") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def load_preset(name: str) -> dict[str, Any]:
    """Settings of a shipped preset; raises ConfigError listing the presets."""
    folder = Path(__file__).parent / "presets"
    there = sorted(path.stem for path in folder.glob("*.toml"))
    if name not in there:
        raise ConfigError(f"no preset {name!r}; there are: {', '.join(there)}")
    return load_toml(folder / f"{name}.toml")


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merge nested settings; `above` takes precedence."""
    both = {
        key: merged(below[key], above[key])
        for key in below.keys() & above.keys()
        if isinstance(below[key], dict) and isinstance(above[key], dict)
    }
    return {**below, **above, **both}


def parse_setting(text: str) -> tuple[str, Any]:
    """Parse `loss.l1=2` to ("loss.l1", 2). A value that is not TOML is a string."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {text!r} should read KEY=VALUE, such as loss.l1=2")
    try:
        return key.strip(), parse_toml(f"value = {value}")["value"]
    except ValueError:
        return key.strip(), value.strip()


def save(config: "DataclassInstance", path: Path) -> None:
    """Write a config as JSON."""
    write_json(path, to_dict(config))


def load_train_config(path: Path) -> TrainConfig:
    """Read the config of a run."""
    try:
        config: TrainConfig = from_dict(TrainConfig, read_json(path))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the run's settings {path}: {error}") from error
    config.validate()
    return config


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Convert a plain value to the type `hint` of the setting `where`; raises ConfigError."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin is typing.Literal:
        if value not in args:
            _refuse(where, f"one of {', '.join(map(str, args))}", value)
        return value
    if origin in (typing.Union, types.UnionType):  # X | None is the only union in use
        if value is None:
            return None
        return _convert(next(arg for arg in args if arg is not type(None)), value, where)
    if origin is dict:
        if not isinstance(value, dict):
            _refuse(where, "a table", value)
        return {key: _convert(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin is tuple:  # all items of one type; `validate` checks the length
        if not isinstance(value, list | tuple):
            _refuse(where, "a list", value)
        return tuple(_convert(args[0], item, where) for item in value)
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast("type[Any]", hint), value, where + ".")
    return _scalar(hint, value, where)


def _scalar(kind: type, value: Any, where: str) -> Any:
    """Check a string, bool, int or finite float. An int passes as a float, a bool as neither."""
    if isinstance(value, bool) and kind is not bool:
        _refuse(where, kind.__name__, value)
    if kind is float and isinstance(value, int) and abs(value) <= sys.float_info.max:
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(where, "a finite number", value)
    if not isinstance(value, kind):
        _refuse(where, kind.__name__, value)
    return value


def _is_required(each: "dataclasses.Field[Any]") -> bool:
    return each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING


def _refuse(where: str, wanted: str, value: object) -> NoReturn:
    raise ConfigError(f"setting {where} should be {wanted}, not {reprlib.repr(value)}")
