"""Untrusted text, such as names in files, fonts and models, made harmless for a terminal."""

import unicodedata


def escape_controls(text: str) -> str:
    """A line with control and direction characters escaped, so that no terminal interprets them."""
    return "".join(map(_escape, text))


def _escape(char: str) -> str:
    if char == "\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return char
    return char.encode("unicode_escape").decode()
