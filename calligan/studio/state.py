"""Shared state of a running studio: the drawing thread, the file thread and the job queue."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from calligan.studio import hand_names, removal
from calligan.studio.engine import Engine
from calligan.studio.jobs import JobRunner, Jobs
from calligan.studio.locations import STUDIO

T = TypeVar("T")


class StudioState:
    """The studio of the working directory; hands and runs are those of the commands."""

    def __init__(self, warm: bool = True, works: bool = True) -> None:
        self._warm, self._works = warm, works
        self.address = ""  # in the local network, with --lan
        self.engine = Engine()
        self.downloads = defaultdict[str, asyncio.Lock](asyncio.Lock)  # by the kind of file
        self.jobs = Jobs(STUDIO / "work.sqlite")
        self._files = ThreadPoolExecutor(1, "files")  # reads and changes files, one call at a time
        self._reader_asked = False
        self._reader = ThreadPoolExecutor(1, "reader")
        self._runner = JobRunner(Path(), self.jobs)

    def open(self) -> None:
        """Finish renaming, delete what was removed long ago, and start the threads."""
        self._files.submit(self._tidy)
        if self._warm:
            self.engine.warm()
        if self._works:
            self._runner.open()

    def _tidy(self) -> None:
        hand_names.finish_renaming(self.jobs)
        removal.forget_old()

    def open_reader(self) -> None:
        """Open what judges glyphs, once, so that the first correction is quick."""
        if self._warm and not self._reader_asked:
            self._reader_asked = True
            self._reader.submit(_open_reader)

    async def run_on_files(self, work: Callable[[], T]) -> T:
        """Run a function that reads or changes files, in order of calls; drawing goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._files, work)

    async def run_on_reader(self, work: Callable[[], T]) -> T:
        """Run a function that judges glyphs; what changes files does not wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)

    def close(self) -> None:
        """Stop the threads."""
        self.engine.close()
        self._files.shutdown(cancel_futures=True)
        self._reader.shutdown(cancel_futures=True)
        self._runner.close()


def _open_reader() -> None:
    from calligan.library.checking import open_reader

    open_reader()
