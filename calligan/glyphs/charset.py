"""Character sets: shipped lists, UTF-8 files, literal text."""

import re
import unicodedata
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO

from calligan import reading
from calligan.errors import DataError
from calligan.limits import MAX_TEXT_CHARS
from calligan.resources import data_folder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_KANA_AND_MARK = re.compile(".[\u3099\u309a]")
# Characters without a glyph: soft hyphen, zero-width spaces, direction marks, variation selectors.
_INVISIBLE = dict.fromkeys(
    code
    for first, last in (
        (0x00AD, 0x00AD),
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x2069),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
_RESERVED = ' /\\:*?"<>|.'  # not allowed in file names on some system
_HAN = (
    (0x3005, 0x3007),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_KANA = ((0x3041, 0x3096), (0x309D, 0x309E), (0x30A1, 0x30FA), (0x30FC, 0x30FE))


def is_han(char: str) -> bool:
    """Whether this is a Chinese character: Unicode Han, 々 and 〇."""
    return any(first <= ord(char) <= last for first, last in _HAN)


def is_kana(char: str) -> bool:
    """Whether this is full-width hiragana or katakana, a repetition mark of theirs, or ー."""
    return any(first <= ord(char) <= last for first, last in _KANA)


def is_drawn(char: str) -> bool:
    """Whether a model draws this character: Han and kana. Others come from the source font."""
    return is_han(char) or is_kana(char)


def is_label(char: str) -> bool:
    """Whether a character can label a glyph: its file is named by it, on any system."""
    return len(char) == 1 and char.isprintable() and char not in _RESERVED


def charset_names() -> list[str]:
    """Names of the shipped character sets."""
    return sorted(path.stem for path in data_folder("charsets").glob("*.txt"))


def load_charset(what: str) -> str:
    """Characters of a shipped set, a UTF-8 file or literal text: each once, in order.

    Shipped sets can be combined: `gb2312+jis-1`. Raises DataError for an unknown name, an
    unreadable file or an empty set.
    """
    if not what.strip():
        raise DataError("the charset is empty: give a name, a UTF-8 file or some characters")
    shipped = data_folder("charsets") / f"{what}.txt"
    if _NAME.fullmatch(what) and shipped.is_file():
        return _unique(_without_comments(read_text(shipped)), what)
    if is_file(what):
        return _unique(_without_comments(read_text(Path(what))), what)
    parts = what.split("+")
    if len(parts) > 1 and all(part in charset_names() for part in parts):
        return _unique("".join(map(load_charset, parts)), what)
    if what.isascii() or "/" in what or what.lower().endswith(".txt"):
        near = get_close_matches(what, charset_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(charset_names())}"
        raise DataError(f"unknown charset {what!r} and no such file; {hint}")
    return _unique(check_text(what), what)


def pick_covering(chars: str, count: int) -> str:
    """`count` of the characters, those of components-500 first, which cover most components.

    With `count` at or above the length, `chars` unchanged.
    """
    if count >= len(chars):
        return chars
    wanted = set(chars)
    first = [char for char in load_charset("components-500") if char in wanted]
    return "".join(dict.fromkeys([*first, *chars]))[:count]


def text_titles() -> dict[str, str]:
    """The classical texts that ship with calligan, by name, and their titles."""
    paths = sorted((data_folder("charsets") / "texts").glob("*.txt"))
    return {path.stem: read_text(path).partition("\n")[0].lstrip("# ") for path in paths}


def load_text(what: str) -> str:
    """A shipped classical text by name (`lanting`), or the text of a UTF-8 file.

    Raises DataError, listing the shipped texts, if it is neither.
    """
    folder = data_folder("charsets") / "texts"
    shipped = folder / f"{what}.txt"
    if _NAME.fullmatch(what) and shipped.is_file():
        return _without_comments(read_text(shipped))
    if not is_file(what):
        names = ", ".join(text_titles())
        raise DataError(f"no text {what!r}: give a file or one of {names}")
    return read_text(Path(what))


def given_text(text: str) -> str:
    """A text with `\\n` for line breaks; @NAME or @FILE is a shipped text or a file's."""
    return load_text(text[1:]) if text[:1] == "@" and text[1:] else text.replace("\\n", "\n")


def read_text(path: Path) -> str:
    """Read a UTF-8 text file. Raises DataError if it cannot be read or is not UTF-8."""
    try:
        return "\n".join(reading.read_text(path).splitlines())
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text; convert it to UTF-8") from error
    except ValueError as error:
        raise DataError(f"cannot read {path}: {error}; give a smaller text") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; check the path") from error


def text_of_stream(file: BinaryIO) -> str:
    """Read standard input as UTF-8 text. Raises DataError as `read_text` does."""
    try:
        return reading.read_stream(file)
    except UnicodeDecodeError as error:
        raise DataError("standard input is not UTF-8 text; convert it to UTF-8") from error
    except ValueError as error:
        raise DataError(f"cannot read standard input: {error}; give a smaller text") from error


def _without_comments(text: str) -> str:
    """Drop the `#` lines of a charset or shipped text; a user's own text may begin with #."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


def check_text(text: str) -> str:
    """Text without invisible characters: zero-width spaces, variation selectors, direction marks.

    Real text often has some. Kana whose sound mark is a character of its own become one.
    Raises DataError for a lone surrogate, and for a very long text.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise DataError(
            f"the text has {len(text):,} characters; write parts of {MAX_TEXT_CHARS:,} at most"
        )
    if any(0xD800 <= ord(char) <= 0xDFFF for char in set(text)):
        shown = text.encode("utf-8", "backslashreplace").decode()
        raise DataError(f"the text {shown!r} is not valid Unicode; set the terminal to UTF-8")
    return _KANA_AND_MARK.sub(_composed, text.translate(_INVISIBLE))


def _composed(found: re.Match[str]) -> str:
    """A kana and its sound mark as one character: some systems write them as two."""
    return unicodedata.normalize("NFC", found[0])


def _unique(text: str, what: str) -> str:
    chars = "".join(dict.fromkeys(char for char in text if char.isprintable() and char != " "))
    if not chars:
        raise DataError(f"the charset {what} has no characters; add some")
    return chars


def is_file(what: str) -> bool:
    """Whether a text is the path of an existing file; False for text too long to be a path."""
    try:
        return Path(what).is_file()
    except (OSError, ValueError):
        return False
