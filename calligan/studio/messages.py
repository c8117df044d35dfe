"""Messages of the library in the language of the pages."""

import re
import tomllib
from functools import lru_cache
from pathlib import Path

_TABLE = Path(__file__).parent / "messages.toml"
_ARTICLE = re.compile("(?:an?|the|this|these|there|it|no|only|candidates|choose) ")
_UNTRANSLATED = {"zh": "原文（英文）："}  # precedes a message that is not in the table


def localize(message: str, language: str) -> str:
    """Translate each line of a message; unknown lines are marked as being in English."""
    return "\n".join(_localize_line(line, language) for line in message.split("\n"))


def _localize_line(line: str, language: str) -> str:
    if not line.strip():
        return line
    for pattern, texts in patterns():
        if found := pattern.search(line):
            return found.expand(texts[language]) if language in texts else _sentence(line)
    return _UNTRANSLATED.get(language, "") + _sentence(line)


def _sentence(line: str) -> str:
    """With a capital letter, unless it begins with what may be a name."""
    return line[0].upper() + line[1:] if _ARTICLE.match(line) else line


@lru_cache
def patterns() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    """The table: a pattern, and its sentence by language; English is left out if unchanged."""
    with _TABLE.open("rb") as file:
        entries = tomllib.load(file)["message"]
    return [(re.compile(entry.pop("pattern")), entry) for entry in entries]
