"""The My hand view: sheets, learning, and what to write next."""

import asyncio
import re
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from calligan.errors import CalliganError, DataError
from calligan.glyphs.charset import load_charset, pick_covering
from calligan.models.card import read_card
from calligan.project.models import HANDS, hand_names, hand_path
from calligan.requests.hands import MIN_STEPS
from calligan.scan.folder import labels
from calligan.studio import removal
from calligan.studio.hand_names import is_there
from calligan.studio.learned import shown_notes, shown_state
from calligan.studio.locations import NEXT, STUDIO, checked_name, glyphs_folder, hand_folder
from calligan.studio.messages import localize
from calligan.studio.photos import pages
from calligan.studio.rendering import language_of, render_page, translations
from calligan.studio.request_body import read_json_body, studio_of
from calligan.studio.runs_view import learning_speed, newest_run, run_state

_MAX_CHARS = 500
_MAX_MINUTES = 600
_PAPERS = ("a4", "letter")
_CELL_COUNTS = re.compile(r"\d+ (written|empty|crossed|over)|empty: |crossed out: ")  # see hand.js


async def overview(request: Request) -> Response:
    """The list of hands, and of those that were removed in the last week."""
    t, learned = translations(language_of(request)), set(hand_names())
    jobs = studio_of(request).jobs
    if _begun():
        studio_of(request).open_reader()
    hands = []
    for name in sorted({*_begun(), *learned}):
        count = _count(name)
        glyphs = f"{count} {t['chars_count']}" if count else ""
        state = t[shown_state(jobs, name)]
        specimen = name if name in learned else ""
        hands.append({"name": name, "specimen": specimen, "details": [glyphs, state]})
    values = {"hands": hands, "removed": removal.names_of_removed("hand")}
    return render_page(request, "hands.html", values)


async def view(request: Request) -> Response:
    """One hand; it exists once it has a photograph."""
    name, studio = checked_name(request.path_params["name"]), studio_of(request)
    if glyphs_folder(name).is_dir():
        studio.open_reader()
    values = {"name": name, "lan": bool(studio.address), "min_steps": MIN_STEPS}
    return render_page(request, "hand.html", values)


async def telephone(request: Request) -> Response:
    """The address of the hand's page as a QR code, for a phone in the same network."""
    import segno

    name, address = checked_name(request.path_params["name"]), studio_of(request).address
    if not address:
        raise DataError("start `calligan studio --lan` for that")
    file = BytesIO()
    code = segno.make(f"{address}&to={quote(f'/hand/{name}')}", error="m")
    code.save(file, kind="svg", scale=5, border=3, light="white")
    return Response(file.getvalue(), media_type="image/svg+xml")


async def describe(request: Request) -> Response:
    """The state of a hand as JSON."""
    name = checked_name(request.path_params["name"])
    jobs = [job for job in studio_of(request).jobs.recent(name) if job.kind in ("learn", "plan")]
    planned = next((job for job in jobs if job.kind == "plan" and job.state == "finished"), None)
    folder = glyphs_folder(name)
    notes = await run_in_threadpool(shown_notes, studio_of(request).jobs, name)
    return JSONResponse(
        {
            "pages": [_localized(page, language_of(request)) for page in pages(name)],
            "glyphs": _glyphs(folder) if folder.is_dir() else [],
            "learned": hand_path(name) is not None,
            "there": is_there(name),
            "state": await run_in_threadpool(shown_state, studio_of(request).jobs, name),
            "steps_learned": _steps_learned(name),
            "steps_a_minute": await run_in_threadpool(learning_speed, name),
            "notes": [localize(line, language_of(request)) for line in notes],
            "run": run_state(newest_run(HANDS / name)),
            "next": planned.result["chars"] if planned else "",
        }
    )


def _steps_learned(name: str) -> int:
    path = hand_path(name)
    try:
        return read_card(path).learned_steps if path else 0
    except (CalliganError, TypeError, ValueError):
        return 0


def _glyphs(folder: Path) -> list[dict[str, Any]]:
    """The labels of a folder, and when each picture was made: one cut again has the same name."""
    return [{**vars(label), "made_ms": _made_ms(folder / label.file)} for label in labels(folder)]


def _made_ms(picture: Path) -> int:
    try:
        return picture.stat().st_mtime_ns // 1_000_000
    except OSError:  # removed meanwhile
        return 0


def _localized(page: dict[str, Any], language: str) -> dict[str, Any]:
    """A page's entry with its messages in the language of the page."""
    notes = [
        line if _CELL_COUNTS.match(line) else localize(line, language)
        for line in page.get("notes", [])
        if not line.startswith("font: ")
    ]
    return {**page, "trouble": localize(page.get("trouble", ""), language), "notes": notes}


async def learn(request: Request) -> Response:
    """Queue learning the hand."""
    name, body = checked_name(request.path_params["name"]), await read_json_body(request)
    if not glyphs_folder(name).is_dir():
        raise DataError("there are no glyphs yet; give photographs first")
    work: dict[str, Any] = {"even": body.get("even") is not False}
    if body.get("on") is True:
        if hand_path(name) is None:
            raise DataError("the hand is not learned yet; learn it first")
        work["on"] = True
    work["minutes"] = _number(body, "minutes", 10, _MAX_MINUTES)
    return JSONResponse({"job": studio_of(request).jobs.add("learn", name, work)})


async def plan(request: Request) -> Response:
    """Queue choosing what to write next."""
    name, body = checked_name(request.path_params["name"]), await read_json_body(request)
    if hand_path(name) is None:
        raise DataError("the hand is not learned yet; learn it first")
    work = {"count": int(_number(body, "count", 50, _MAX_CHARS)), "paper": _paper(body)}
    return JSONResponse({"job": studio_of(request).jobs.add("plan", name, work)})


async def next_sheets(request: Request) -> Response:
    """The sheets of what to write next."""
    path = hand_folder(request.path_params["name"]) / NEXT
    if not path.is_file():
        raise DataError("no sheets are planned yet")
    return FileResponse(path, media_type="application/pdf", filename=NEXT)


async def sheets(request: Request) -> Response:
    """Blank sheets with the most useful characters first, as PDF."""
    params = request.query_params
    count, paper = int(_number(params, "count", 100, _MAX_CHARS)), _paper(params)
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
    """How many characters there are glyphs of; variants of one count once."""
    folder = glyphs_folder(name)
    return len({label.char for label in labels(folder)} - {""}) if folder.is_dir() else 0


def _paper(values: Mapping[str, Any]) -> str:
    paper = values.get("paper", "a4")
    if paper not in _PAPERS:
        raise DataError(f"paper {paper!r} is not one of {', '.join(_PAPERS)}")
    return str(paper)


def _number(values: Mapping[str, Any], name: str, default: float, most: float) -> float:
    try:
        value = float(values.get(name, default))
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
    Route("/api/hand/{name}", describe),
    Route("/api/hand/{name}/learn", learn, methods=["POST"]),
    Route("/api/hand/{name}/plan", plan, methods=["POST"]),
]
