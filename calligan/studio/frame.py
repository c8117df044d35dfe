"""Pages in a language and a look: words, templates, and what every view shows."""

import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_HERE = Path(__file__).parent
_LANGUAGES = ("en", "zh")
_THEMES = ("auto", "light", "dark")
VIEWS = ("write", "hand", "font", "runs")  # in the bar, by their paths


def framed(
    request: Request, template: str, values: dict[str, Any] | None = None, status: int = 200
) -> Response:
    """A view's page. `t` gives words in the language, `words` all of them to its scripts."""
    language, theme = _language(request), request.cookies.get("theme", "auto")
    words = all_words(language)
    page = _environment().get_template(template)
    shown = {
        "t": words.__getitem__,
        "words": _data(words),
        "language": language,
        "theme": theme if theme in _THEMES else "auto",
        "path": request.url.path,
        "views": VIEWS,
        **(values or {}),
    }
    return HTMLResponse(page.render(shown), status)


@lru_cache
def all_words(language: str) -> dict[str, str]:
    """What the pages say, by key, in a language."""
    with (_HERE / "words.toml").open("rb") as file:
        table = tomllib.load(file)
    return {key: said[_LANGUAGES.index(language)] for key, said in table.items()}


def _language(request: Request) -> str:
    """As was chosen, or as the browser asks for."""
    chosen = request.cookies.get("language", "")
    if chosen in _LANGUAGES:
        return chosen
    for part in request.headers.get("accept-language", "").split(","):
        name = part.strip()[:2].lower()
        if name in _LANGUAGES:
            return name
    return "en"


def _data(value: Any) -> Markup:
    """JSON for a data block, which no script of a stranger's can leave."""
    text = json.dumps(value, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
