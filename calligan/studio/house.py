"""What one studio has: the drawing thread, the queue of long work."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from calligan.studio.engine import Engine
from calligan.studio.jobs import Jobs, Workshop
from calligan.studio.places import STUDIO

T = TypeVar("T")


class House:
    """The studio of the working directory, where hands and runs lie as the commands keep them."""

    def __init__(self, warm: bool = True, works: bool = True) -> None:
        self._warm, self._works = warm, works
        self.address = ""  # in the local network, if it is served there
        self.engine = Engine()
        self.jobs = Jobs(STUDIO / "work.sqlite")
        self.bench = ThreadPoolExecutor(1, "bench")  # reads what is uploaded, one at a time
        self._workshop = Workshop(Path(), self.jobs)

    def open(self) -> None:
        """Begin what goes on beside the pages."""
        if self._warm:
            self.engine.warm()
        if self._works:
            self._workshop.open()

    async def read(self, work: Callable[[], T]) -> T:
        """Read what was uploaded, after what came before; pages are drawn meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self.bench, work)

    def close(self) -> None:
        """Stop it."""
        self.engine.close()
        self.bench.shutdown(cancel_futures=True)
        self._workshop.close()
