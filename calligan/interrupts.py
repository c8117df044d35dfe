"""Ctrl-C and other requests to end, as KeyboardInterrupt, so that clean-up code runs."""

import contextlib
import os
import signal
import time
from types import FrameType

_SAME_REQUEST_S = 0.5  # `timeout` and closed terminals send a signal twice

received: list[int] = []  # the signal that ends this process, if any
_received_at: list[float] = []


def raise_on_signals() -> None:
    """Raise KeyboardInterrupt at SIGINT, SIGTERM and SIGHUP, unless they are ignored (nohup).

    A second request ends the process at once.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


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
