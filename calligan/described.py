"""Dataclass fields with a help text, from which the command-line options are made."""

from dataclasses import MISSING, field
from typing import Any

REQUIRED: Any = MISSING  # the default of a field that must be given


def described(default: Any, about: str, *flags: str) -> Any:
    """A field with a default and a help text. `flags` name its option if the field's name does not.

    cli/options.py reads the metadata.
    """
    return field(default=default, metadata={"about": about, "flags": flags})
