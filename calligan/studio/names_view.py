"""Hands and fonts renamed, removed and brought back; whether a name is free for a hand."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from calligan.errors import DataError
from calligan.studio import font_files, hand_names, removal
from calligan.studio.engine import Engine
from calligan.studio.jobs import Jobs
from calligan.studio.locations import checked_name
from calligan.studio.request_body import read_json_body, studio_of


async def check_free(request: Request, name: str) -> None:
    """Raise DataError for the name of a hand that comes with calligan."""

    def bundled(engine: Engine) -> set[str]:
        return {hand.key for hand in engine.hands() if hand.origin == "bundle"}

    if name in await studio_of(request).engine.run(bundled):
        raise DataError(f"{name!r} is a hand that comes with calligan; call yours something else")


async def name_state(request: Request) -> Response:
    """Whether there is a hand of that name. A name that cannot be given is refused."""
    name = checked_name(request.path_params["name"])
    there = hand_names.is_there(name)
    if not there:
        await check_free(request, name)
    return JSONResponse({"there": there})


async def rename_hand(request: Request) -> Response:
    """Give a hand another name."""
    old, body = checked_name(request.path_params["name"]), await read_json_body(request)
    new, studio = checked_name(str(body.get("name", ""))), studio_of(request)
    await check_free(request, new)
    await studio.run_on_files(lambda: hand_names.rename(studio.jobs, old, new))
    return JSONResponse({"name": new})


async def remove_hand(request: Request) -> Response:
    """Remove a hand; the token to bring it back by."""
    name, studio = checked_name(request.path_params["name"]), studio_of(request)
    await read_json_body(request)
    token = await studio.run_on_files(lambda: hand_names.remove(studio.jobs, name))
    return JSONResponse({"token": token})


async def rename_font(request: Request) -> Response:
    """Give a font another name in the studio."""
    name, body = checked_name(request.path_params["name"]), await read_json_body(request)
    to, studio = checked_name(str(body.get("to", "")).strip()), studio_of(request)
    _check_idle(name, studio.jobs)
    await studio.run_on_files(lambda: font_files.rename(name, to))
    studio.jobs.move("font", name, to)
    return JSONResponse({"name": to})


async def remove_font(request: Request) -> Response:
    """Remove a font; the token to bring it back by."""
    name, studio = checked_name(request.path_params["name"]), studio_of(request)
    await read_json_body(request)
    _check_idle(name, studio.jobs)
    token = await studio.run_on_files(lambda: font_files.remove(studio.jobs, name))
    return JSONResponse({"token": token})


def _check_idle(name: str, jobs: Jobs) -> None:
    """Raise DataError while work on a font runs or waits: it reads and writes its folder."""
    if jobs.are_open(name):
        raise DataError("work on this font is going on; wait for it, or cancel it first")


async def restore(request: Request) -> Response:
    """Bring back what was removed."""
    body, studio = await read_json_body(request), studio_of(request)
    token = str(body.get("token", ""))
    name = await studio.run_on_files(lambda: removal.restore(studio.jobs, token))
    return JSONResponse({"name": name})


ROUTES = [
    Route("/api/hand/{name}/name", name_state),
    Route("/api/hand/{name}/rename", rename_hand, methods=["POST"]),
    Route("/api/hand/{name}/remove", remove_hand, methods=["POST"]),
    Route("/api/font/{name}/rename", rename_font, methods=["POST"]),
    Route("/api/font/{name}/remove", remove_font, methods=["POST"]),
    Route("/api/restore", restore, methods=["POST"]),
]
