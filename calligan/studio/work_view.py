"""The queue of long work, as every page shows it."""

from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from calligan.studio.asked import asked


async def work(request: Request) -> Response:
    """What runs, waits and ended."""
    jobs = await run_in_threadpool(asked(request).jobs.recent)
    return JSONResponse({"jobs": [asdict(job) for job in jobs]})


async def cancel(request: Request) -> Response:
    """Ask a piece to stop."""
    jobs, number = asked(request).jobs, request.path_params["number"]
    jobs.get(number)
    jobs.cancel(number)
    return JSONResponse({})


async def again(request: Request) -> Response:
    """Queue a piece once more."""
    number = asked(request).jobs.again(request.path_params["number"])
    return JSONResponse({"job": number})


ROUTES = [
    Route("/api/work", work),
    Route("/api/work/{number:int}/cancel", cancel, methods=["POST"]),
    Route("/api/work/{number:int}/again", again, methods=["POST"]),
]
