"""A fetched Chinese font for the texts of the pages, where the browser has none of its own."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from calligan.errors import FontError
from calligan.glyphs.catalog import load_catalog

_PREFERRED = "noto-sans-sc"
_TYPES = {".ttf": "font/ttf", ".otf": "font/otf", ".woff": "font/woff", ".woff2": "font/woff2"}


def ui_font() -> Path | None:
    """A regular Chinese font of the catalog that was fetched; nothing is fetched for this."""
    fonts = [font for font in load_catalog().values() if font.role == "source" and font.fetched]
    fonts.sort(key=lambda font: font.name != _PREFERRED)
    return next((font.path for font in fonts if font.path.suffix in _TYPES), None)


async def send_font(request: Request) -> Response:
    """The font as a file. Browsers ask for it only if no font of the machine has a character."""
    path = ui_font()
    if path is None:
        raise FontError("no Chinese font has been fetched yet")
    headers = {"Cache-Control": "private, max-age=86400"}
    return FileResponse(path, media_type=_TYPES[path.suffix], headers=headers)


ROUTES = [Route("/ui-font", send_font)]
