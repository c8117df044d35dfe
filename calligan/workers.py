"""Processes that share the work of one command."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def worker_pool() -> Iterator[ProcessPoolExecutor]:
    """Processes on all cores, which leave Ctrl-C to this one.

    A terminal sends it to all of them, and one that is just being started would end in a traceback:
    so it is blocked while they start, which they inherit, and comes through here afterwards.
    """
    ignored = (signal.signal, (signal.SIGINT, signal.SIG_IGN))
    with ProcessPoolExecutor(usable_cores(), get_context("spawn"), *ignored) as pool:
        blocks = hasattr(signal, "pthread_sigmask")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blocks else set()
        try:
            for _ in range(usable_cores()):  # one starts with each task, while none is idle
                pool.submit(os.getpid)
        finally:
            if blocks:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield pool
