"""The studio's server: port, address, and opening the browser."""

import contextlib
import os
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from calligan.errors import ConfigError
from calligan.studio.app import create_app
from calligan.studio.locations import STUDIO
from calligan.studio.security import LOOPBACK, Key
from calligan.studio.state import StudioState

PORT = 8577  # taken where it is free, so that a kept address is good for the next time
_LOOPBACK = "127.0.0.1"
_LOOPBACKS = (_LOOPBACK, "::1", "localhost")
_AT_ONCE = 100  # connections


def serve(
    folder: Path = Path(),
    port: int | None = None,
    host: str = _LOOPBACK,
    lan: bool = False,
    browser: bool = True,
    announce: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the studio of a project folder until it is interrupted.

    `announce` receives the address to open, which holds the access token. Other
    hosts than the loopback are for those who name them; `lan` listens on this machine's address
    in its network. Raises ConfigError for a taken port.
    """
    host = lan_address() if lan else host
    os.chdir(folder)  # the library finds hands and runs there
    listening = listening_socket(host, port)
    number = listening.getsockname()[1]
    key, studio = Key.kept(STUDIO / "key"), StudioState()
    names = LOOPBACK if host in _LOOPBACKS else LOOPBACK | {host.lower()}
    base = f"http://{f'[{host}]' if ':' in host else host}:{number}"
    address = f"{base}/?token={key.token}"
    studio.address = address if lan else ""
    config = uvicorn.Config(
        create_app(studio, key, names),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config, lambda: _announce(address, browser, announce))
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it ends
        server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that calls a function when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then call the function."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def lan_address() -> str:
    """This machine's address in its network. Raises ConfigError where it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent; the route says which address is ours
        except OSError as error:
            raise ConfigError("this machine is in no network; leave --lan out") from error
        return str(probe.getsockname()[0])


def _announce(address: str, browser: bool, announce: Callable[[str], None]) -> None:
    announce(address)
    if browser:
        webbrowser.open(address)


def listening_socket(host: str, port: int | None) -> socket.socket:
    """A socket listening on the port; without one on the usual port, or else any that is free."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (PORT, 0) if port is None else (port,):
        made = socket.socket(kind, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host, number))
            made.listen()  # with SO_REUSEADDR two processes may bind a port, but one may listen
            return made
        except OSError as error:
            made.close()
            error_text = error.strerror
    where = host if port is None else f"{host}, port {port}"
    raise ConfigError(f"cannot listen on {where}: {error_text}; give another --host or --port")
