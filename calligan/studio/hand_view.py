"""My hand: sheets, photographs, glyphs put right by eye, learning, and what to write next."""

import asyncio
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from calligan.errors import DataError
from calligan.glyphs.charset import load_charset, pick_covering
from calligan.project.models import HANDS, hand_names, hand_path
from calligan.scan.folder import labels, relabel
from calligan.studio.asked import asked, asked_file, asked_json
from calligan.studio.engine import Engine
from calligan.studio.frame import framed
from calligan.studio.photos import MOST_BYTES, add_photo, pages, photo_path, remove_photo
from calligan.studio.places import NEXT, STUDIO, checked_name, glyphs_folder, hand_folder
from calligan.studio.runs_view import newest_run, told_run

_MOST_CHARS = 500
_MOST_MINUTES = 600
_PAPERS = ("a4", "letter")
_COLUMNS = ("rtl", "ltr", "rows")


async def overview(request: Request) -> Response:
    """All hands, and how to begin one."""
    names = sorted({*_begun(), *hand_names()})
    learned = set(hand_names())
    hands = [{"name": name, "glyphs": _count(name), "learned": name in learned} for name in names]
    return framed(request, "hands.html", {"hands": hands})


async def view(request: Request) -> Response:
    """One hand. It is there from its first photograph on."""
    name = checked_name(request.path_params["name"])
    return framed(request, "hand.html", {"name": name, "lan": bool(asked(request).address)})


async def telephone(request: Request) -> Response:
    """The hand's page as a QR code, for a telephone in the same network to photograph with."""
    import segno

    name, address = checked_name(request.path_params["name"]), asked(request).address
    if not address:
        raise DataError("start `calligan studio --lan` for that")
    file = BytesIO()
    code = segno.make(f"{address}&to={quote(f'/hand/{name}')}", error="m")
    code.save(file, kind="svg", scale=5, border=3, light="white")
    return Response(file.getvalue(), media_type="image/svg+xml")


async def told(request: Request) -> Response:
    """All that is known of a hand."""
    name = checked_name(request.path_params["name"])
    jobs = [job for job in asked(request).jobs.recent(name) if job.kind in ("learn", "plan")]
    planned = next((job for job in jobs if job.kind == "plan" and job.state == "finished"), None)
    folder = glyphs_folder(name)
    return JSONResponse(
        {
            "pages": pages(name),
            "glyphs": [vars(label) for label in labels(folder)] if folder.is_dir() else [],
            "learned": hand_path(name) is not None,
            "run": told_run(newest_run(HANDS / name)),
            "next": planned.result["chars"] if planned else "",
        }
    )


async def upload(request: Request) -> Response:
    """A photograph, cut at once."""
    name = checked_name(request.path_params["name"])
    _check_new(name, await asked(request).engine.run(_taken))
    file, data, fields = await asked_file(request, MOST_BYTES)
    columns = fields.get("columns", "rtl")
    if columns not in _COLUMNS:
        raise DataError(f"columns {columns!r} is not one of {', '.join(_COLUMNS)}")
    text = fields.get("text", "").replace("\r", "")
    page = await asked(request).read(lambda: add_photo(name, file, data, text, columns))
    return JSONResponse(page)


def _taken(engine: Engine) -> set[str]:
    return {hand.key for hand in engine.hands() if hand.origin == "bundle"}


def _check_new(name: str, taken: set[str]) -> None:
    if name in taken:
        raise DataError(f"{name!r} is a hand that comes with calligan; call yours something else")


async def photo(request: Request) -> Response:
    """A photograph, small."""
    path = photo_path(*_two(request))
    if not path.is_file():
        raise DataError("that photograph is not there any more")
    return FileResponse(path, media_type="image/jpeg")


async def unphoto(request: Request) -> Response:
    """Remove a photograph and its glyphs."""
    name, file = _two(request)
    return JSONResponse({"glyphs": await asked(request).read(lambda: remove_photo(name, file))})


async def picture(request: Request) -> Response:
    """A glyph as it was cut."""
    name, file = _two(request)
    folder = glyphs_folder(name)
    if not folder.is_dir() or file not in {label.file for label in labels(folder)}:
        raise DataError("there is no such glyph")
    return FileResponse(folder / file, media_type="image/png")


async def correct(request: Request) -> Response:
    """A glyph's right character, or none; what it was, so that it can be undone."""
    name, told = checked_name(request.path_params["name"]), await asked_json(request)
    file, char = str(told.get("file", "")), str(told.get("char", ""))
    before = await asked(request).read(lambda: relabel(glyphs_folder(name), file, char))
    return JSONResponse({"char": before.char, "note": before.note})


async def learn(request: Request) -> Response:
    """Queue the learning."""
    name, told = checked_name(request.path_params["name"]), await asked_json(request)
    if not glyphs_folder(name).is_dir():
        raise DataError("there are no glyphs yet; give photographs first")
    work: dict[str, Any] = {"even": told.get("even") is not False}
    work["minutes"] = _number(told, "minutes", 10, _MOST_MINUTES)
    return JSONResponse({"job": asked(request).jobs.add("learn", name, work)})


async def plan(request: Request) -> Response:
    """Queue sheets of what to write next."""
    name, told = checked_name(request.path_params["name"]), await asked_json(request)
    if hand_path(name) is None:
        raise DataError("the hand is not learned yet; learn it first")
    work = {"count": int(_number(told, "count", 50, _MOST_CHARS)), "paper": _paper(told)}
    return JSONResponse({"job": asked(request).jobs.add("plan", name, work)})


async def next_sheets(request: Request) -> Response:
    """The sheets that were planned."""
    path = hand_folder(request.path_params["name"]) / NEXT
    if not path.is_file():
        raise DataError("no sheets are planned yet")
    return FileResponse(path, media_type="application/pdf", filename=NEXT)


async def sheets(request: Request) -> Response:
    """Sheets to begin a hand with: the characters that teach the most first."""
    told = request.query_params
    count, paper = int(_number(told, "count", 100, _MOST_CHARS)), _paper(told)
    chars = pick_covering(load_charset("components-500"), count)
    data = await asyncio.to_thread(_template, chars, paper)
    headers = {"Content-Disposition": f'attachment; filename="calligan-sheets-{count}.pdf"'}
    return Response(data, media_type="application/pdf", headers=headers)


def _template(chars: str, paper: str) -> bytes:
    from calligan.library.sheets import write_template

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheets.pdf"
        write_template(chars, path, paper)
        return path.read_bytes()


def _begun() -> list[str]:
    return [path.name for path in (STUDIO / "hands").glob("*") if path.is_dir()]


def _count(name: str) -> int:
    folder = glyphs_folder(name)
    return len([1 for label in labels(folder) if label.char]) if folder.is_dir() else 0


def _two(request: Request) -> tuple[str, str]:
    return checked_name(request.path_params["name"]), request.path_params["file"]


def _paper(told: Mapping[str, Any]) -> str:
    paper = told.get("paper", "a4")
    if paper not in _PAPERS:
        raise DataError(f"paper {paper!r} is not one of {', '.join(_PAPERS)}")
    return str(paper)


def _number(told: Mapping[str, Any], name: str, default: float, most: float) -> float:
    try:
        value = float(told.get(name, default))
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is no number") from error
    if not 1 <= value <= most:
        raise DataError(f"{name} {value:g} is out of range; give 1 to {most:g}")
    return value


ROUTES = [
    Route("/hand", overview),
    Route("/hand/sheets.pdf", sheets),
    Route("/hand/{name}", view),
    Route("/hand/{name}/next.pdf", next_sheets),
    Route("/hand/{name}/telephone.svg", telephone),
    Route("/hand/{name}/photo/{file}", photo),
    Route("/hand/{name}/glyph/{file}", picture),
    Route("/upload/hand/{name}", upload, methods=["POST"]),
    Route("/api/hand/{name}", told),
    Route("/api/hand/{name}/label", correct, methods=["POST"]),
    Route("/api/hand/{name}/photo/{file}/remove", unphoto, methods=["POST"]),
    Route("/api/hand/{name}/learn", learn, methods=["POST"]),
    Route("/api/hand/{name}/plan", plan, methods=["POST"]),
]
