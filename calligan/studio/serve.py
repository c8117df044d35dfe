"""The studio's server: a port, an address, and a browser that opens it."""

import contextlib
import os
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from calligan.errors import ConfigError
from calligan.studio.app import create_app
from calligan.studio.house import House
from calligan.studio.places import STUDIO
from calligan.studio.security import LOOPBACK, Key

PORT = 8577  # taken where it is free, so that a kept address is good for the next time
_LOOPBACK = "127.0.0.1"
_AT_ONCE = 100  # connections


def serve(
    folder: Path = Path(),
    port: int | None = None,
    host: str = _LOOPBACK,
    browser: bool = True,
    told: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the studio of a project folder until it is interrupted.

    `told` takes the address to open; it holds a token, without which nothing is served. Other
    hosts than the loopback are for those who name them. Raises ConfigError for a taken port.
    """
    os.chdir(folder)  # the library finds hands and runs there
    listening = _socket(host, port)
    number = listening.getsockname()[1]
    key = Key.kept(STUDIO / "key")
    names = LOOPBACK if host in ("127.0.0.1", "::1", "localhost") else LOOPBACK | {host.lower()}
    address = f"http://{f'[{host}]' if ':' in host else host}:{number}/?token={key.token}"
    config = uvicorn.Config(
        create_app(House(), key, names),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config, lambda: _opened(address, browser, told))
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it ends
        server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def _opened(address: str, browser: bool, told: Callable[[str], None]) -> None:
    told(address)
    if browser:
        webbrowser.open(address)


def _socket(host: str, port: int | None) -> socket.socket:
    """A socket bound to the port; without one to the usual port, or else to any that is free."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (PORT, 0) if port is None else (port,):
        made = socket.socket(kind, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host, number))
            return made
        except OSError as error:
            made.close()
            said = error
    raise ConfigError(f"cannot listen on {host}:{port}: {said.strerror}; give another --port")
