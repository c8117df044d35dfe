"""Pages as files: one download of a kind at a time, and none for a browser that has gone."""

import asyncio
import re
import zipfile
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from calligan.errors import Cancelled, DataError
from calligan.progress import Cancel
from calligan.studio.engine import Engine
from calligan.studio.request_body import studio_of
from calligan.studio.setting import Setting

if TYPE_CHECKING:  # torch comes with it, on the drawing thread
    from calligan.library.pages import Pages
    from calligan.library.typecase import Proof

_MAX_DPI = 600
_SLICE_S = 1.0  # of drawing, until it is seen whether the browser is still there
_CHECK_S = 0.3
_KINDS = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "gif": "image/gif",
}


@dataclass(frozen=True)
class _Look:
    """How pixels are made."""

    dpi: float
    grain: bool
    dryness: float


async def download(request: Request) -> Response:
    """The pages as a file. Drawn on the drawing thread, and filled on another."""
    kind, params = request.path_params["kind"], request.query_params
    if kind not in _KINDS:
        raise DataError(f"no kind of file {kind!r}; there are {', '.join(_KINDS)}")
    setting = Setting.read(params)
    dpi = _number(params.get("dpi", "96"), 10, _MAX_DPI)
    look = _Look(dpi, params.get("grain") == "1", _number(params.get("dry", "0"), 0, 1))
    async with studio_of(request).downloads[kind]:
        pages = await _drawn(request, setting)
        return await _while_there(request, partial(_file, pages, setting.text, kind, look))


def attachment(data: bytes, name: str, kind: str) -> Response:
    """A download whose name may be in any script (RFC 6266)."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(data, media_type=kind, headers={"Content-Disposition": disposition})


async def _drawn(request: Request, setting: Setting) -> "Pages":
    """The pages, drawn for a second at a time. Raises Cancelled if the browser has gone."""

    def draw(engine: Engine) -> "Proof":
        chosen = engine.chosen(setting.hand)
        more = {"pick": setting.pick, "seconds": _SLICE_S, **setting.layout}
        return chosen.case.page(setting.text, chosen.style, **more)

    while not await request.is_disconnected():
        proof = await studio_of(request).engine.run(draw)
        if not proof.pending:
            return proof.pages
    raise Cancelled("the download was cancelled")


async def _while_there(request: Request, work: "partial[Response]") -> Response:
    """Run `work(cancel=…)` in a thread; it is cancelled if the browser goes."""
    gone = Event()

    async def watch() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(_CHECK_S)
        gone.set()

    watching = asyncio.create_task(watch())
    try:
        return await asyncio.to_thread(work, cancel=gone.is_set)
    finally:
        watching.cancel()


def _file(pages: "Pages", text: str, kind: str, look: _Look, cancel: Cancel) -> Response:
    words = " ".join(re.sub(r"[^\w\s]", "", text).split())
    name = words[:12].rstrip() or "calligan"  # its first characters
    if len(pages) == 1 or kind == "pdf":
        return attachment(_bytes(pages, kind, look, cancel), f"{name}.{kind}", _KINDS[kind])
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(len(pages)):
            if cancel():
                raise Cancelled("the download was cancelled")
            data = _bytes(pages[number], kind, look, cancel)
            archive.writestr(f"{name}-{number + 1}.{kind}", data)
    return attachment(file.getvalue(), f"{name}-{kind}.zip", "application/zip")


def _bytes(pages: "Pages", kind: str, look: _Look, cancel: Cancel) -> bytes:
    if kind == "png":
        return pages.png(look.dpi, look.grain, look.dryness)
    if kind == "gif":
        return pages.gif(look.dpi, cancel=cancel)
    return pages.pdf() if kind == "pdf" else pages.svg().encode()


def _number(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise DataError(f"{text!r} is no number") from error
    if not least <= value <= most:
        raise DataError(f"{text} is out of range; give {least:g} to {most:g}")
    return value


ROUTES = [Route("/write.{kind}", download)]
