"""Who is let in: checked for every request, before any view sees it.

A page that a browser has open elsewhere can send requests to a server on this machine (DNS
rebinding, cross-site requests). So the Host must be one that the server was started for, what
comes from another site is refused, and everything needs a cookie, which only the printed address
gives. SameSite alone is not enough: another program's page on this machine is of the same site.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from calligan.storage import write_bytes

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
MOST_BYTES = 2**20  # of a request's body
MOST_UPLOAD_BYTES = 256 * 2**20  # of one that brings files
UPLOADS = "/upload/"  # paths that take files begin so
_METHODS = frozenset({"GET", "HEAD", "POST"})
_SAFE = frozenset({"GET", "HEAD"})
_OWN_SITE = frozenset({"same-origin", "none"})  # Sec-Fetch-Site; "none" is an address typed in
_SECRET_BYTES = 32
_WHERE_TO = re.compile(r"/hand/[\w-]{1,40}")  # a telephone goes on where the page was
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Key:
    """The secrets of one studio: the token in the printed address, and what the cookie holds."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(_SECRET_BYTES))
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def kept(cls, path: Path) -> "Key":
        """A fresh token, and the cookie's secret as a file has it, which is made if need be.

        The file is readable by its owner alone. It lets open pages go on after a restart.
        """
        if path.is_file() and len(text := path.read_text("ascii", "replace").strip()) >= 32:
            return cls(cookie=text)
        made = cls()
        write_bytes(path, b"")
        path.chmod(0o600)
        path.write_text(made.cookie, "ascii")
        return made


class _TooLarge(Exception):
    pass


class Guard:
    """ASGI middleware that refuses whatever was not asked for by this studio's own pages."""

    def __init__(self, app: ASGIApp, key: Key, hosts: frozenset[str] = LOOPBACK) -> None:
        self.app, self.key, self.hosts = app, key, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            return
        armed = _armed(send)
        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, armed)
            return
        most = MOST_UPLOAD_BYTES if scope["path"].startswith(UPLOADS) else MOST_BYTES
        try:
            await self.app(scope, _limited(receive, most), armed)
        except _TooLarge:
            await _no(413, "too large: give less at once")(scope, receive, armed)

    def _refused(self, scope: Scope) -> Response | None:
        """The answer to a request that is not let in; None for one that is."""
        headers, method = Headers(scope=scope), scope["method"]
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or _name(host) not in self.hosts:
            return _no(421, "this studio is not served under that name")
        if method not in _METHODS:
            return _no(405, "no such method")
        if headers.get("sec-fetch-site", "none") not in _OWN_SITE:
            return _no(403, "another site asked for this; open the address that was printed")
        origin = headers.get("origin")
        if method not in _SAFE and origin is None:
            return _no(403, "a request that changes something must say its origin")
        if origin is not None and origin != f"{scope['scheme']}://{host}":
            return _no(403, "another site asked for this")
        if _too_large(headers, scope["path"]):
            return _no(413, "too large: give less at once")
        return self._without_cookie(scope, headers)

    def _without_cookie(self, scope: Scope, headers: Headers) -> Response | None:
        name = cookie_name(scope)
        given = _cookies(headers.get("cookie", "")).get(name, "")
        if hmac.compare_digest(given.encode(), self.key.cookie.encode()):
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        token = query.get("token", [""])[0]
        if scope["method"] != "GET" or scope["path"] != "/":
            return _no(403, "open the address that `calligan studio` printed")
        if not hmac.compare_digest(token.encode(), self.key.token.encode()):
            return _no(403, "open the address that `calligan studio` printed")
        to = query.get("to", [""])[0]
        answer = RedirectResponse(quote(to) if _WHERE_TO.fullmatch(to) else "/", 303)
        answer.set_cookie(name, self.key.cookie, httponly=True, samesite="strict", path="/")
        return answer


def cookie_name(scope: Mapping[str, Any]) -> str:
    """Cookies know no ports: each studio on a machine has a cookie of its own name."""
    return f"calligan-{(scope.get('server') or ('', 0))[1]}"


def _no(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdecimal() else host.lower()


def _cookies(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name: value for name, _, value in pairs}


def _too_large(headers: Headers, path: str) -> bool:
    told = headers.get("content-length", "0")
    most = MOST_UPLOAD_BYTES if path.startswith(UPLOADS) else MOST_BYTES
    return not told.isdecimal() or len(told) > 15 or int(told) > most


def _limited(receive: Receive, most: int) -> Receive:
    """A body that breaks off where it grows too large, whatever its header said."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise _TooLarge
        return message

    return limited


def _armed(send: Send) -> Send:
    """Answers with the headers that every one of them needs; a view's own are kept."""

    async def armed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return armed
