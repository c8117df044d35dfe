"""A pool of worker processes for one command."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process


def usable_cores() -> int:
    """Number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def worker_pool() -> Iterator[ProcessPoolExecutor]:
    """One worker process per core; only this process reacts to Ctrl-C and closed terminals.

    Both signals reach the whole process group, and a worker that is still starting would print a
    traceback. So they are blocked while processes start, which inherit that; this process receives
    a pending signal when it is unblocked. Workers end with this process, even if it is killed.
    """
    with _signals_blocked():
        pool = ProcessPoolExecutor(usable_cores(), get_context("spawn"), _end_with_parent)
        for _ in range(usable_cores()):  # each task starts a worker while none is idle
            pool.submit(os.getpid)
    with pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)  # waits: to end meanwhile would be a race
            raise


@contextmanager
def _signals_blocked() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """In a worker: ignore Ctrl-C, and end when the process that started it has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
