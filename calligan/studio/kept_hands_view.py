"""Whether a name is free for a hand; hands renamed, removed and brought back."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from calligan.errors import DataError
from calligan.studio import kept_hands
from calligan.studio.engine import Engine
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
    there = kept_hands.is_there(name)
    if not there:
        await check_free(request, name)
    return JSONResponse({"there": there})


async def rename(request: Request) -> Response:
    """Give a hand another name."""
    old, body = checked_name(request.path_params["name"]), await read_json_body(request)
    new, studio = checked_name(str(body.get("name", ""))), studio_of(request)
    await check_free(request, new)
    await studio.run_on_files(lambda: kept_hands.rename(studio.jobs, old, new))
    return JSONResponse({"name": new})


async def remove(request: Request) -> Response:
    """Remove a hand; the number to bring it back by."""
    name, studio = checked_name(request.path_params["name"]), studio_of(request)
    await read_json_body(request)
    number = await studio.run_on_files(lambda: kept_hands.remove(studio.jobs, name))
    return JSONResponse({"number": number})


async def restore(request: Request) -> Response:
    """Bring back a removed hand."""
    number, studio = request.path_params["number"], studio_of(request)
    await read_json_body(request)
    name = await studio.run_on_files(lambda: kept_hands.restore(studio.jobs, number))
    return JSONResponse({"name": name})


ROUTES = [
    Route("/api/hand/{name}/name", name_state),
    Route("/api/hand/{name}/rename", rename, methods=["POST"]),
    Route("/api/hand/{name}/remove", remove, methods=["POST"]),
    Route("/api/removed/{number:int}/restore", restore, methods=["POST"]),
]
