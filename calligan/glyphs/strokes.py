"""Stroke counts of characters (Unihan kTotalStrokes)."""

from functools import cache

from calligan.resources import data_folder


def stroke_count(char: str) -> int | None:
    """Number of strokes of a character in U+4E00-9FFF; None for others."""
    return _load_counts().get(char)


@cache
def _load_counts() -> dict[str, int]:
    counts: dict[str, int] = {}
    text = (data_folder("charsets") / "strokes.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            number, chars = line.split("\t")
            counts.update(dict.fromkeys(chars, int(number)))
    return counts
