"""The Write view: the page, candidates of glyphs, and downloads."""

import asyncio
import re
import zipfile
from dataclasses import asdict
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from calligan.errors import DataError
from calligan.glyphs.charset import is_han, load_text, text_titles
from calligan.page.formats import format_names, load_format
from calligan.studio.engine import Engine
from calligan.studio.rendering import render_page
from calligan.studio.request_body import read_json_body, studio_of
from calligan.studio.setting import Setting
from calligan.studio.shapes import pages_as_json, path

if TYPE_CHECKING:  # torch comes with it, on the drawing thread
    from calligan.library.pages import Pages

_AT_ONCE_S = 0.12  # how long new glyphs are drawn before the page is shown as far as it is
_MAX_KNOWN = 5000
_MAX_DPI = 600
_ORDER = ("scroll", "hall", "square", "banner", "couplet", "fan", "letter", "practice")
_KINDS = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "gif": "image/gif",
}


async def view(request: Request) -> Response:
    """The HTML page; its script requests the rest."""
    names = sorted(format_names(), key=lambda name: (*_ORDER, name).index(name))
    forms = [(name, load_format(name)) for name in names]
    shapes = {name: (form.width_mm, form.height_mm) for name, form in forms}
    looks = {name: (form.paper, form.ink) for name, form in forms}
    values = {"formats": shapes, "looks": looks, "texts": text_titles()}
    return render_page(request, "write.html", values)


async def page(request: Request) -> Response:
    """The pages of a setting as outlines; glyphs that take longer are listed as pending."""
    body = await read_json_body(request)
    setting, have = Setting.read(body.get("setting", {})), body.get("have", [])
    if not isinstance(have, list) or len(have) > _MAX_KNOWN:
        raise DataError("have is no list of outlines")
    known = {str(name) for name in have}
    studio = studio_of(request)
    return JSONResponse(await studio.engine.run(lambda engine: _page(engine, setting, known)))


def _page(engine: Engine, setting: Setting, known: set[str]) -> dict[str, Any]:
    chosen = engine.chosen(setting.hand)
    proof = chosen.case.page(
        setting.text, chosen.style, pick=setting.pick, seconds=_AT_ONCE_S, **setting.layout
    )
    return {
        **pages_as_json(list(proof.pages.pages), known),
        "pending": proof.pending,
        "doubtful": "".join(proof.pages.doubtful.values()),
        "missing": proof.pages.missing,
        "borrowed": proof.pages.borrowed,
        "query": setting.query(),
        "command": setting.command(chosen.options),
    }


async def hands(request: Request) -> Response:
    """All hands."""
    found = await studio_of(request).engine.run(lambda engine: engine.hands())
    return JSONResponse({"hands": [asdict(hand) for hand in found]})


async def specimen(request: Request) -> Response:
    """A few characters in a hand, as paths."""
    key = request.query_params.get("hand", "")
    chars = "".join(filter(is_han, request.query_params.get("text", "")))[:6] or "永"

    def draw(engine: Engine) -> list[dict[str, str]]:
        chosen = engine.chosen(key)
        proof = chosen.case.page(chars, chosen.style, missing="box")
        marks = proof.pages.pages[0].marks
        return [{"char": mark.text, "d": path(mark.outline)} for mark in marks if mark.text]

    return JSONResponse({"glyphs": await studio_of(request).engine.run(draw)})


async def candidates(request: Request) -> Response:
    """The candidates of a character, with the score of each."""
    key, char = (request.query_params.get(name, "") for name in ("hand", "char"))
    if len(char) != 1 or not is_han(char):
        raise DataError("candidates are drawn of one Chinese character")

    def draw(engine: Engine) -> dict[str, Any]:
        chosen = engine.chosen(key)
        found = chosen.case.candidates(char, chosen.style)
        ways = [
            {"number": c.number, "way": c.way, "score": _finite(c.score), "d": path(c.outline)}
            for c in found
        ]
        score = chosen.case.score(char, chosen.style)
        return {"char": char, "ways": ways, "least": score[1] if score else None}

    return JSONResponse(await studio_of(request).engine.run(draw))


async def text(request: Request) -> Response:
    """A shipped text by its name."""
    name = request.path_params["name"]
    if name not in text_titles():
        raise DataError("no such text; choose one of the list")
    return JSONResponse({"text": load_text(name).strip()})


async def download(request: Request) -> Response:
    """The pages as a file. Drawn on the drawing thread, and filled on another."""
    kind, params = request.path_params["kind"], request.query_params
    if kind not in _KINDS:
        raise DataError(f"no kind of file {kind!r}; there are {', '.join(_KINDS)}")
    setting = Setting.read(params)
    dpi, dryness = _number(params.get("dpi", "96"), 10, _MAX_DPI), params.get("dry", "0")
    grain, dry = params.get("grain") == "1", _number(dryness, 0, 1)

    def draw(engine: Engine) -> "Pages":
        chosen = engine.chosen(setting.hand)
        case, layout = chosen.case, setting.layout
        return case.page(setting.text, chosen.style, pick=setting.pick, **layout).pages

    pages = await studio_of(request).engine.run(draw)
    name = _file_name(setting.text)
    if len(pages) > 1 and kind != "pdf":
        data = await asyncio.to_thread(_zipped, pages, name, kind, (dpi, grain, dry))
        return attachment(data, f"{name}-{kind}.zip", "application/zip")
    data = await asyncio.to_thread(_bytes, pages, kind, (dpi, grain, dry))
    return attachment(data, f"{name}.{kind}", _KINDS[kind])


def attachment(data: bytes, name: str, kind: str) -> Response:
    """A download whose name may be in any script (RFC 6266)."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(data, media_type=kind, headers={"Content-Disposition": disposition})


def _bytes(pages: "Pages", kind: str, look: tuple[float, bool, float]) -> bytes:
    if kind == "png":
        return pages.png(*look)
    if kind == "gif":
        return pages.gif(look[0])
    return pages.pdf() if kind == "pdf" else pages.svg().encode()


def _zipped(pages: "Pages", name: str, kind: str, look: tuple[float, bool, float]) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(len(pages)):
            archive.writestr(f"{name}-{number + 1}.{kind}", _bytes(pages[number], kind, look))
    return file.getvalue()


def _file_name(text: str) -> str:
    """The first characters of the text, without what a file's name may not hold."""
    return re.sub(r"\W+", "", text)[:12] or "calligan"


def _number(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise DataError(f"{text!r} is no number") from error
    if not least <= value <= most:
        raise DataError(f"{text} is out of range; give {least:g} to {most:g}")
    return value


def _finite(score: float) -> float | None:
    return None if score != score else round(score, 4)


ROUTES = [
    Route("/write", view),
    Route("/write.{kind}", download),
    Route("/api/page", page, methods=["POST"]),
    Route("/api/hands", hands),
    Route("/api/specimen", specimen),
    Route("/api/candidates", candidates),
    Route("/api/text/{name}", text),
]
