"""The job queue, as every page shows it."""

from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from calligan.studio.jobs import LIGHT, Job
from calligan.studio.learned import SHOWN_NOTES
from calligan.studio.messages import localize
from calligan.studio.rendering import language_of
from calligan.studio.request_body import studio_of


async def work(request: Request) -> Response:
    """The list of jobs."""
    jobs = await run_in_threadpool(studio_of(request).jobs.recent)
    language = language_of(request)
    told = [{**_as_json(job, language), "waits_for": _waits_for(job, jobs)} for job in jobs]
    return JSONResponse({"jobs": told})


def _waits_for(job: Job, jobs: list[Job]) -> dict[str, Any] | None:
    """The job that a waiting one waits for, how long that takes still, and how many more do."""
    if job.state != "waiting":
        return None
    same = [other for other in jobs if (other.kind in LIGHT) == (job.kind in LIGHT)]
    running = [other for other in same if other.state == "running"]
    waiting = [other for other in same if other.state == "waiting"]
    waiting.sort(key=lambda other: (not other.resumed, other.id))
    ahead = running + waiting[: waiting.index(job)]
    if not ahead:
        return None
    first = ahead[0]
    told = {"kind": first.kind, "subject": first.subject, "left_s": first.left_s}
    return {**told, "more": len(ahead) - 1}


def _as_json(job: Job, language: str) -> dict[str, Any]:
    lines = job.message.split("\n")
    if job.state == "finished":
        lines = [line for line in lines if SHOWN_NOTES.match(line)]
    told = {**asdict(job), "message": localize("\n".join(lines), language)}
    del told["arguments"]  # which may hold thousands of characters
    return {**told, "result": {"run": job.result.get("run")}}


async def cancel(request: Request) -> Response:
    """Cancel a job."""
    jobs, number = studio_of(request).jobs, request.path_params["number"]
    jobs.get(number)
    jobs.cancel(number)
    return JSONResponse({})


async def retry(request: Request) -> Response:
    """Queue a job again."""
    number = studio_of(request).jobs.retry(request.path_params["number"])
    return JSONResponse({"job": number})


ROUTES = [
    Route("/api/work", work),
    Route("/api/work/{number:int}/cancel", cancel, methods=["POST"]),
    Route("/api/work/{number:int}/retry", retry, methods=["POST"]),
]
