"""Checks of settings: an error names the setting, its value and what it should be."""

from collections.abc import Iterable
from typing import Any

from calligan.errors import ConfigError


def require(condition: bool, setting: str, value: object, wanted: str) -> None:
    """Raise ConfigError unless the condition holds."""
    if not condition:
        raise ConfigError(f"setting {setting} is {value}; it should be {wanted}")


def require_at_least(config: Any, section: str, **least: float) -> None:
    """Require each named field of `config` to be no less than the number given."""
    for name, number in least.items():
        value = getattr(config, name)
        require(value >= number, f"{section}.{name}".lstrip("."), value, f"{number} or more")


def require_at_most(config: Any, section: str, **most: float) -> None:
    """Require each named field of `config`, or each of its items, to be no more than the number."""
    for name, number in most.items():
        value = getattr(config, name)
        ok = max(value, default=0) <= number if isinstance(value, tuple) else value <= number
        require(ok, f"{section}.{name}".lstrip("."), value, f"{number} or less")


def require_one_of(config: Any, section: str, **choices: Iterable[object]) -> None:
    """Require each named field of `config` to be one of its choices."""
    for name, known in choices.items():
        value, listed = getattr(config, name), list(known)
        wanted = f"one of {', '.join(map(str, listed))}"
        require(value in listed, f"{section}.{name}".lstrip("."), value, wanted)
