"""Fields of a dataclass that say what they are for: a command's options take their help from it."""

from dataclasses import MISSING, field
from typing import Any

REQUIRED: Any = MISSING  # for a field without a default


def described(default: Any, about: str, *flags: str) -> Any:
    """A field with a default. `flags` name its option, where that is not the field's name."""
    return field(default=default, metadata={"about": about, "flags": flags})
