"""HTML pages: templates, the language, the theme, and the texts in both languages."""

import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from calligan.studio.ui_font import ui_font

_HERE = Path(__file__).parent
_LANGUAGES = ("en", "zh")
_THEMES = ("auto", "light", "dark")
VIEWS = ("write", "hand", "font", "runs")  # in the navigation, by their paths


def render_page(
    request: Request, template: str, values: dict[str, Any] | None = None, status: int = 200
) -> Response:
    """Render a template. `t` translates a key; `words` holds all texts for the scripts."""
    language, theme = language_of(request), request.cookies.get("theme", "auto")
    words = translations(language)
    page = _environment().get_template(template)
    shown = {
        "t": words.__getitem__,
        "words": _data(words),
        "language": language,
        "theme": theme if theme in _THEMES else "auto",
        "path": request.url.path,
        "views": VIEWS,
        "ui_font": ui_font() is not None,
        **(values or {}),
    }
    return HTMLResponse(page.render(shown), status)


def render_error(
    request: Request,
    status: int,
    message: str = "",
    title: str = "",
    link: str = "/write",
    link_text: str = "",
) -> Response:
    """A page that says what is wrong and what to do; by default, that there is no such page."""
    t = translations(language_of(request))
    values = {
        "title": title or t["failed" if message else "not_found"],
        "message": message,
        "link": link,
        "link_text": link_text or t["back_to_write"],
    }
    return render_page(request, "error.html", values, status)


@lru_cache
def translations(language: str) -> dict[str, str]:
    """The texts of the pages by key, in a language."""
    with (_HERE / "words.toml").open("rb") as file:
        table = tomllib.load(file)
    return {key: texts[_LANGUAGES.index(language)] for key, texts in table.items()}


def language_of(request: Request) -> str:
    """The language of a response: en or zh, as chosen, else as the browser prefers."""
    chosen = request.cookies.get("language", "")
    if chosen in _LANGUAGES:
        return chosen
    for part in request.headers.get("accept-language", "").split(","):
        name = part.strip()[:2].lower()
        if name in _LANGUAGES:
            return name
    return "en"


def _data(value: Any) -> Markup:
    """JSON for a data block, escaped so that it cannot end the block."""
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
