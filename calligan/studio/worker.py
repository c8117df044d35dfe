"""The process that runs one job: `python -m calligan.studio.worker NUMBER`."""

import os
import sys
import threading
import time
import traceback
from pathlib import Path

from calligan.errors import CalliganError, Cancelled
from calligan.storage import locked
from calligan.studio.jobs import LIGHT, Job, Jobs

_REPORT_EVERY_S = 0.25
_CHECK_EVERY_S = 0.5
_MAX_ORPHANED_S = 60  # to save after the server is gone
_NICE = 5  # drawing for the page has priority


class JobContext:
    """Reports a job's progress to the queue, and says whether to stop."""

    def __init__(self, jobs: Jobs, number: int) -> None:
        self._jobs, self._number = jobs, number
        self.saved = jobs.get(number).result  # by an interrupted run of this job
        self._reported_at = self._checked_at = 0.0
        self._what, self._stop = "", False
        self.orphaned = threading.Event()
        self.notes: list[str] = []

    def progress(self, what: str, done: int, total: int) -> None:
        """Report progress, at most a few times a second."""
        now = time.monotonic()
        if what != self._what or now - self._reported_at > _REPORT_EVERY_S or done >= total:
            self._what, self._reported_at = what, now
            self._jobs.set_progress(self._number, what, done, total)

    def cancel(self) -> bool:
        """Whether the job was cancelled or the server is gone."""
        now = time.monotonic()
        if now - self._checked_at > _CHECK_EVERY_S:
            self._checked_at = now
            self._stop = self._jobs.get(self._number).cancel
        return self._stop or self.orphaned.is_set()

    def save(self, **values: str) -> None:
        """Store values that are needed to resume after an interruption."""
        self.saved = {**self.saved, **values}
        self._jobs.save(self._number, self.saved)

    def note(self, line: str) -> None:
        """Add a line to the job's notes."""
        self.notes.append(line)

    def watch(self) -> None:
        """Wait until the server is gone: its end of standard input closes."""
        while os.read(0, 1):  # not sys.stdin, whose lock would block the exit
            pass
        self.orphaned.set()
        time.sleep(_MAX_ORPHANED_S)
        os._exit(1)


def main(number: int, folder: Path = Path("studio")) -> None:
    """Run a job and store how it ended. One heavy and one light at a time, whoever started it."""
    jobs = Jobs(folder / "work.sqlite")
    lock = "work-light.lock" if jobs.get(number).kind in LIGHT else "work.lock"
    context = JobContext(jobs, number)
    threading.Thread(target=context.watch, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_NICE)
    with locked(folder / lock):  # the job of a killed server may still be saving
        _do(jobs, jobs.get(number), context)


def _do(jobs: Jobs, job: Job, context: JobContext) -> None:
    from calligan.studio.tasks import TASKS

    try:
        result = TASKS[job.kind](job.subject, job.arguments, context)
        jobs.end(job.id, "finished", "\n".join(context.notes[-20:]), result)
    except Cancelled as error:
        if not context.orphaned.is_set():
            jobs.end(job.id, "cancelled", str(error))
    except CalliganError as error:
        jobs.end(job.id, "failed", str(error))
    except Exception as error:
        traceback.print_exc()
        message = f"unexpected: {type(error).__name__}: {error}; studio/work.log has more"
        jobs.end(job.id, "failed", message)


if __name__ == "__main__":
    main(int(sys.argv[1]))
