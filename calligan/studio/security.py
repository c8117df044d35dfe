"""Access control, applied to every request before any view.

A page of another site that is open in the browser can send requests to a server on this machine
(DNS rebinding, cross-site requests). So Host must be a name that the server was started for,
requests from other sites are refused, and everything needs a cookie, which only the printed
address sets. SameSite alone is not enough: the page of another server on this machine counts as
the same site.
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
MAX_BYTES = 2**20  # of a request's body
MAX_UPLOAD_BYTES = 256 * 2**20  # of an upload
UPLOADS = "/upload/"  # prefix of upload paths
_METHODS = frozenset({"GET", "HEAD", "POST"})
_SAFE = frozenset({"GET", "HEAD"})
_OWN_SITE = frozenset({"same-origin", "none"})  # Sec-Fetch-Site; "none" is an address typed in
_SECRET_BYTES = 32
_REDIRECT = re.compile(r"/hand/[\w-]{1,40}")  # target of the QR code for phones
_NO_COOKIE = (
    "open the address that `calligan studio` printed\n请打开运行 calligan studio 后显示的网址"
)
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
    """The secrets of a studio: the token in the printed address, and the value of the cookie."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(_SECRET_BYTES))
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def kept(cls, path: Path) -> "Key":
        """A new token, and the cookie's value from a file, which is created if missing.

        Only its owner can read the file. With it, open pages keep working after a restart.
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
    """ASGI middleware that refuses requests not made by this studio's own pages."""

    def __init__(self, app: ASGIApp, key: Key, hosts: frozenset[str] = LOOPBACK) -> None:
        self.app, self.key, self.hosts = app, key, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            return
        send_with_headers = _with_headers(send)
        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, send_with_headers)
            return
        most = MAX_UPLOAD_BYTES if scope["path"].startswith(UPLOADS) else MAX_BYTES
        try:
            await self.app(scope, _limited(receive, most), send_with_headers)
        except _TooLarge:
            await _refusal(413, "too large: give less at once")(scope, receive, send_with_headers)

    def _refused(self, scope: Scope) -> Response | None:
        """The response to a refused request, or None if it is allowed."""
        headers, method = Headers(scope=scope), scope["method"]
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or _name(host) not in self.hosts:
            return _refusal(421, "this studio is not served under that name")
        if method not in _METHODS:
            return _refusal(405, "no such method")
        if headers.get("sec-fetch-site", "none") not in _OWN_SITE:
            return _refusal(403, "another site asked for this; open the address that was printed")
        origin = headers.get("origin")
        if method not in _SAFE and origin is None:
            return _refusal(403, "a request that changes something must say its origin")
        if origin is not None and origin != f"{scope['scheme']}://{host}":
            return _refusal(403, "another site asked for this")
        if _too_large(headers, scope["path"]):
            return _refusal(413, "too large: give less at once")
        return self._without_cookie(scope, headers)

    def _without_cookie(self, scope: Scope, headers: Headers) -> Response | None:
        name = cookie_name(scope)
        given = _cookies(headers.get("cookie", "")).get(name, "")
        if hmac.compare_digest(given.encode(), self.key.cookie.encode()):
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        token = query.get("token", [""])[0]
        if scope["method"] != "GET" or scope["path"] != "/":
            return _refusal(403, _NO_COOKIE)
        if not hmac.compare_digest(token.encode(), self.key.token.encode()):
            return _refusal(403, _NO_COOKIE)
        to = query.get("to", [""])[0]
        answer = RedirectResponse(quote(to) if _REDIRECT.fullmatch(to) else "/", 303)
        answer.set_cookie(name, self.key.cookie, httponly=True, samesite="strict", path="/")
        return answer


def cookie_name(scope: Mapping[str, Any]) -> str:
    """Cookies ignore ports, so each studio on a machine uses its own cookie name."""
    return f"calligan-{(scope.get('server') or ('', 0))[1]}"


def _refusal(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdecimal() else host.lower()


def _cookies(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name: value for name, _, value in pairs}


def _too_large(headers: Headers, path: str) -> bool:
    length = headers.get("content-length", "0")
    most = MAX_UPLOAD_BYTES if path.startswith(UPLOADS) else MAX_BYTES
    return not length.isdecimal() or len(length) > 15 or int(length) > most


def _limited(receive: Receive, most: int) -> Receive:
    """Raise _TooLarge if a body is larger than allowed, whatever its header says."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise _TooLarge
        return message

    return limited


def _with_headers(send: Send) -> Send:
    """Add the security headers to every response; a view's own headers take precedence."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
