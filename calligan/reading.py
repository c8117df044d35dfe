"""Bounded reads of bytes, text, JSON and TOML. The limits are in calligan/limits.py.

Each function raises OSError for a file that cannot be read and ValueError for one that breaks a
limit or its format; the caller names the file and the cure.
"""

import json
import math
import stat
import tomllib
from pathlib import Path
from typing import Any, BinaryIO

from calligan.limits import (
    MAX_ENTRIES,
    MAX_INTEGER,
    MAX_JSON_BYTES,
    MAX_NESTING,
    MAX_TEXT_BYTES,
    MAX_TOML_BYTES,
)


def check_file(path: Path, max_bytes: int) -> int:
    """The size of a regular file; called before it is opened, as a pipe or a device may never end.

    Raises OSError where there is none, ValueError for another kind of file or a larger one.
    """
    about = path.stat()
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(21, "it is a folder", str(path))
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("it is not a regular file")
    if about.st_size > max_bytes:
        raise _too_large(max_bytes)
    return about.st_size


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The contents of a regular file."""
    size = check_file(path, max_bytes)
    with path.open("rb") as file:
        return file.read(size)  # whatever was added since


def read_text(path: Path, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """A UTF-8 text, with or without a byte order mark, with line feeds between its lines."""
    text = read_bytes(path, max_bytes).decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_stream(file: BinaryIO, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """A UTF-8 text from a stream, such as standard input, which may never end."""
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return data.decode("utf-8-sig")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file's values. Raises ValueError as `parse_toml` does."""
    return parse_toml(read_text(path, MAX_TOML_BYTES))


def parse_toml(text: str) -> dict[str, Any]:
    """Parse untrusted TOML. Raises ValueError for invalid or long TOML, nesting, huge numbers."""
    if len(text) > MAX_TOML_BYTES:
        raise _too_large(MAX_TOML_BYTES)
    try:
        values = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    _check_values(values)
    return values


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Read a JSON file. Raises OSError if it cannot be read, ValueError as `parse_json` does."""
    return parse_json(read_bytes(path, max_bytes), max_bytes)


def parse_json(text: str | bytes, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Parse untrusted JSON. The caller checks its structure.

    Raises ValueError for invalid JSON, and for what calligan never writes: duplicate keys, NaN,
    numbers beyond 64 bits, lone surrogates, deep nesting, very many entries, more than `max_bytes`.
    """
    if len(text) > max_bytes:
        raise _too_large(max_bytes)
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        if sum(map(text.count, ",[{")) > MAX_ENTRIES:
            raise ValueError(f"it has more than {MAX_ENTRIES:,} entries")
        value = json.loads(
            text,
            object_pairs_hook=_refuse_duplicates,
            parse_constant=_refuse_number,
            parse_float=_parse_float,
            parse_int=_parse_int,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    _check_values(value)
    return value


def _check_values(value: Any) -> None:
    """Raise ValueError for a number, a text or a depth that no writer of ours makes."""
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_NESTING:
            raise ValueError("it is nested too deeply")
        if isinstance(item, str):
            item.encode()  # raises UnicodeEncodeError, a ValueError, for a lone surrogate
        elif isinstance(item, int) and abs(item) > MAX_INTEGER:
            _refuse_number(f"of {item.bit_length()} bits")
        elif isinstance(item, dict):
            waiting += ((part, depth + 1) for pair in item.items() for part in pair)
        elif isinstance(item, list):
            waiting += ((part, depth + 1) for part in item)


def _too_large(max_bytes: int) -> ValueError:
    size = f"{max_bytes >> 20} MB" if max_bytes >> 20 else f"{max_bytes >> 10} kB"
    return ValueError(f"it is larger than {size}")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("it has a key twice")
    return table


def _refuse_number(name: str) -> float:
    raise ValueError(f"it has the invalid number {name}")


def _parse_float(digits: str) -> float:
    return value if math.isfinite(value := float(digits)) else _refuse_number(digits[:20])


def _parse_int(digits: str) -> int:
    return int(digits) if len(digits) <= 20 else int(_refuse_number(digits[:20]))
