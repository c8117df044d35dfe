"""Draw on all cores: threads with one torch thread each.

torch releases Python's lock while it computes, so that threads of one process use all cores.
Torch's own threads wait for each other within every layer: on two cores that other work shares they
took five times as long (docs/scale.md). One thread also draws a glyph the same in every batch.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

from calligan.workers import usable_cores

Item = TypeVar("Item")
Result = TypeVar("Result")
_AHEAD = 2  # tasks begun for each thread before the first result is taken


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[Result, None, None]:
    """The results of `work` for each item, in their order. Closing the iterator ends the work."""
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(_pool().submit(work, item))
            if len(waiting) > _AHEAD * usable_cores():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        wait([future for future in waiting if not future.cancel()])


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(usable_cores(), "drawing", initializer=_use_one_thread)


def _use_one_thread() -> None:
    import torch

    torch.set_num_threads(1)
