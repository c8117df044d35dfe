"""Ctrl-C and other requests to end, as KeyboardInterrupt, so that clean-up code runs."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SAME_REQUEST_S = 0.5  # `timeout` and closed terminals send a signal twice

received: list[int] = []  # the signal that ends this process, if any
_received_at: list[float] = []


def raise_on_signals() -> None:
    """Raise KeyboardInterrupt at SIGINT, SIGTERM and SIGHUP, unless they are ignored (nohup).

    A second request ends the process at once.
    """
    for number in _numbers():
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


@contextmanager
def stop_on_signals(on_request: Callable[[], object]) -> Iterator[list[int]]:
    """Collect the signals that ask to end, instead of raising KeyboardInterrupt.

    After the first, for which `on_request` is called, they do again what they did before.
    """
    collected: list[int] = []

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    def collect(number: int, frame: FrameType | None) -> None:
        collected.append(number)
        on_request()
        restore()

    handlers = {number: signal.getsignal(number) for number in _numbers()}
    before = {each: by for each, by in handlers.items() if by not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, collect)
    try:
        yield collected
    finally:
        restore()


def _numbers() -> list[int]:
    """The signals that ask to end; Windows has no SIGHUP."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _interrupt(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if not received:
        received.append(number)
        _received_at.append(now)
        raise KeyboardInterrupt
    if now - _received_at[0] > _SAME_REQUEST_S:
        with contextlib.suppress(OSError):  # the terminal may be closed
            os.write(2, b"calligan: interrupted twice; ended at once\n")
        os._exit(128 + received[0])
