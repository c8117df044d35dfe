"""The studio as a web application: its views, behind the guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from calligan.errors import CalliganError
from calligan.studio import font_view, hand_view, runs_view, work_view, write_view
from calligan.studio.frame import framed
from calligan.studio.house import House
from calligan.studio.security import LOOPBACK, Guard, Key

_HERE = Path(__file__).parent


def create_app(house: House, key: Key, hosts: frozenset[str] = LOOPBACK) -> Starlette:
    """The application of the working directory; whoever is let in knows the key."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        house.open()
        yield
        house.close()

    app = Starlette(
        routes=[
            Route("/", _first),
            *write_view.ROUTES,
            *hand_view.ROUTES,
            *font_view.ROUTES,
            *runs_view.ROUTES,
            *work_view.ROUTES,
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        middleware=[Middleware(Guard, key=key, hosts=hosts)],
        exception_handlers={CalliganError: _mendable, HTTPException: _missing},
        lifespan=lifespan,
    )
    app.state.house = house
    return app


async def _first(request: Request) -> Response:
    return RedirectResponse("/write", 303)


async def _mendable(request: Request, error: Exception) -> Response:
    """What a user can mend, in one sentence."""
    if request.url.path.startswith("/api/") or request.method == "POST":
        return JSONResponse({"error": str(error)}, 422)
    return framed(request, "error.html", {"said": str(error)}, 422)


async def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if request.url.path.startswith("/api/") or request.method == "POST":
        return JSONResponse({"error": getattr(error, "detail", "")}, status)
    return framed(request, "error.html", {"said": ""}, status)
