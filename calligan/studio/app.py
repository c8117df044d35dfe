"""The web application: all views, behind access control."""

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
from calligan.studio import (
    downloads,
    font_view,
    hand_view,
    names_view,
    photo_view,
    runs_view,
    ui_font,
    work_view,
    write_view,
)
from calligan.studio.messages import localize
from calligan.studio.rendering import language_of, render_error
from calligan.studio.security import LOOPBACK, Guard, Key
from calligan.studio.state import StudioState

_HERE = Path(__file__).parent


def create_app(studio: StudioState, key: Key, hosts: frozenset[str] = LOOPBACK) -> Starlette:
    """The application for the working directory."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        studio.open()
        yield
        studio.close()

    app = Starlette(
        routes=[
            Route("/", _index),
            *write_view.ROUTES,
            *downloads.ROUTES,
            *hand_view.ROUTES,
            *names_view.ROUTES,
            *photo_view.ROUTES,
            *font_view.ROUTES,
            *runs_view.ROUTES,
            *work_view.ROUTES,
            *ui_font.ROUTES,
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        middleware=[Middleware(Guard, key=key, hosts=hosts)],
        exception_handlers={CalliganError: _user_error, HTTPException: _http_error},
        lifespan=lifespan,
    )
    app.state.studio = studio
    return app


async def _index(request: Request) -> Response:
    return RedirectResponse("/write", 303)


async def _user_error(request: Request, error: Exception) -> Response:
    """An error that the user can fix."""
    message = localize(str(error), language_of(request))
    if request.url.path.startswith("/api/") or request.method == "POST":
        return JSONResponse({"error": message}, 422)
    return render_error(request, 422, message)


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if request.url.path.startswith("/api/") or request.method == "POST":
        return JSONResponse({"error": getattr(error, "detail", "")}, status)
    return render_error(request, status)
