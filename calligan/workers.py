"""A pool of worker processes for one command."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context


def usable_cores() -> int:
    """Number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def worker_pool() -> Iterator[ProcessPoolExecutor]:
    """One worker process per core; only this process reacts to Ctrl-C.

    A terminal sends SIGINT to the whole process group, and a worker that is still starting would
    print a traceback. So SIGINT is blocked while they start: they inherit the mask, and this
    process receives a pending signal when it is unblocked.
    """
    ignore_sigint = (signal.signal, (signal.SIGINT, signal.SIG_IGN))
    with ProcessPoolExecutor(usable_cores(), get_context("spawn"), *ignore_sigint) as pool:
        blocks = hasattr(signal, "pthread_sigmask")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blocks else set()
        try:
            for _ in range(usable_cores()):  # each task starts a worker while none is idle
                pool.submit(os.getpid)
        finally:
            if blocks:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield pool
