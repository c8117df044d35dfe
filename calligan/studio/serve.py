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
_LOOPBACKS = (_LOOPBACK, "::1", "localhost")
_AT_ONCE = 100  # connections


def serve(
    folder: Path = Path(),
    port: int | None = None,
    host: str = _LOOPBACK,
    lan: bool = False,
    browser: bool = True,
    told: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the studio of a project folder until it is interrupted.

    `told` takes the address to open; it holds a token, without which nothing is served. Other
    hosts than the loopback are for those who name them; `lan` listens on this machine's address
    in its network. Raises ConfigError for a taken port.
    """
    host = lan_address() if lan else host
    os.chdir(folder)  # the library finds hands and runs there
    listening = _socket(host, port)
    number = listening.getsockname()[1]
    key, house = Key.kept(STUDIO / "key"), House()
    names = LOOPBACK if host in _LOOPBACKS else LOOPBACK | {host.lower()}
    base = f"http://{f'[{host}]' if ':' in host else host}:{number}"
    address = f"{base}/?token={key.token}"
    house.address = address if lan else ""
    config = uvicorn.Config(
        create_app(house, key, names),
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


def lan_address() -> str:
    """This machine's address in its network. Raises ConfigError where it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # nothing is sent; the route says which address is ours
        except OSError as error:
            raise ConfigError("this machine is in no network; leave --lan out") from error
        return str(asked.getsockname()[0])


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
    where = host if port is None else f"{host}, port {port}"
    raise ConfigError(f"cannot listen on {where}: {said.strerror}; give another --host or --port")
