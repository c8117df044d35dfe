"""The process that does one piece of long work: `python -m calligan.studio.worker NUMBER`."""

import os
import sys
import threading
import time
import traceback
from pathlib import Path

from calligan.errors import CalliganError, Cancelled
from calligan.storage import locked
from calligan.studio.jobs import Job, Jobs

_TOLD_EVERY_S = 0.25
_ASKED_EVERY_S = 0.5
_TOO_LONG_S = 60  # to go on when the server is gone
_NICE = 5  # the page comes first


class Course:
    """How far the work is, told to the queue; and whether it is to stop."""

    def __init__(self, jobs: Jobs, number: int) -> None:
        self._jobs, self._number = jobs, number
        self.kept = jobs.get(number).result  # before an interruption
        self._told_at = self._asked_at = 0.0
        self._what, self._stop = "", False
        self.orphaned = threading.Event()
        self.notes: list[str] = []

    def progress(self, what: str, done: int, total: int) -> None:
        """Tell, now and then."""
        now = time.monotonic()
        if what != self._what or now - self._told_at > _TOLD_EVERY_S or done >= total:
            self._what, self._told_at = what, now
            self._jobs.moved(self._number, what, done, total)

    def cancel(self) -> bool:
        """Whether to stop, since somebody said so or the server is gone."""
        now = time.monotonic()
        if now - self._asked_at > _ASKED_EVERY_S:
            self._asked_at = now
            self._stop = self._jobs.get(self._number).cancel
        return self._stop or self.orphaned.is_set()

    def keep(self, **values: str) -> None:
        """Keep what is needed to go on after an interruption."""
        self.kept = {**self.kept, **values}
        self._jobs.keep(self._number, self.kept)

    def note(self, line: str) -> None:
        """Keep a line for people."""
        self.notes.append(line)

    def watch(self) -> None:
        """Notice when the server is gone: its end of standard input closes."""
        while os.read(0, 1):  # not sys.stdin, whose lock would outlive the work
            pass
        self.orphaned.set()
        time.sleep(_TOO_LONG_S)
        os._exit(1)


def main(number: int, folder: Path = Path("studio")) -> None:
    """Do a piece and say what became of it. One at a time, whoever started it."""
    jobs = Jobs(folder / "work.sqlite")
    course = Course(jobs, number)
    threading.Thread(target=course.watch, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_NICE)
    with locked(folder / "work.lock"):  # one whose server was killed may still be saving
        _do(jobs, jobs.get(number), course)


def _do(jobs: Jobs, job: Job, course: Course) -> None:
    from calligan.studio.tasks import TASKS

    try:
        result = TASKS[job.kind](job.subject, job.arguments, course)
        jobs.end(job.id, "finished", "\n".join(course.notes[-20:]), result)
    except Cancelled as error:
        if not course.orphaned.is_set():
            jobs.end(job.id, "cancelled", str(error))
    except CalliganError as error:
        jobs.end(job.id, "failed", str(error))
    except Exception as error:
        traceback.print_exc()
        said = f"unexpected: {type(error).__name__}: {error}; studio/work.log has more"
        jobs.end(job.id, "failed", said)


if __name__ == "__main__":
    main(int(sys.argv[1]))
