"""The job queue, in a SQLite file: each job in a process of its own.

One heavy job runs at a time, and beside it one light one, which takes a minute or so.

A row stays until its job is done, so nothing is lost if the server is killed: the job that was
running then is queued again, and the library resumes it. (Queues such as huey remove a task when
it starts, and would lose it; they would also be more code than this.)
"""

import contextlib
import json
import math
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calligan.errors import DataError

_TABLE = """create table if not exists jobs (
  id integer primary key autoincrement, created real not null, ended real,
  kind text not null, subject text not null, arguments text not null,
  state text not null default 'waiting', cancel integer not null default 0,
  resumed integer not null default 0, what text not null default '',
  done integer not null default 0, total integer not null default 0,
  recent_s real not null default 0, recent_done real not null default 0,
  message text not null default '', result text not null default '{}')"""
OPEN = ("waiting", "running")
_ADDED = ("started_at", "progress_at", "recent_s", "recent_done")  # columns that older files lack
# Work that is about a hand or a font alone. A hand that is learned from a font is a hand's.
_WORK_OF = {"hand": "'learn', 'plan'", "font": "'check', 'match', 'font'"}
LIGHT = ("check", "match", "plan")  # kinds of jobs that run beside a heavy one
# What a learning does before it trains: parts of it, whose own time left says nothing.
PREPARING = ("reading glyphs", "comparing hands", "trying hands", "getting ready")
RUN_MODULE = (sys.executable, "-P", "-m")  # a job's process; tests have a quicker way
_MAX_OPEN_JOBS = 50
_MAX_LISTED = 30
_POLL_S = 0.3
_GRACE_S = 30  # for cancelled work to save and stop
_MIN_MEASURED_S = 10.0  # before the time left is estimated
_TRAINED_SHARE = 0.85  # of a learning's minutes, which are left while it is prepared; see trial.py
_RECENT_S = 120.0  # the speed is an exponential average over so long


@dataclass(frozen=True)
class Job:
    """A job and its result."""

    id: int
    kind: str
    subject: str  # the hand, font or run that it is about
    arguments: dict[str, Any]
    state: str  # waiting, running, finished, failed, cancelled
    resumed: bool  # whether it was interrupted before
    cancel: bool
    what: str  # is being done
    done: int
    total: int
    left_s: float | None
    message: str  # the error, or notes
    result: dict[str, Any]
    created: float
    ended: float | None


class Jobs:
    """The queue. Safe for use by several processes and threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with self._open() as base:
            base.execute("pragma journal_mode = wal")
            base.execute(_TABLE)
            there = {row["name"] for row in base.execute("pragma table_info(jobs)")}
            for name in _ADDED:
                if name not in there:
                    base.execute(f"alter table jobs add column {name} real not null default 0")

    def add(self, kind: str, subject: str, arguments: Mapping[str, Any]) -> int:
        """Queue a job and return its number; the same open job is not queued twice.

        Raises DataError if too many are waiting.
        """
        text = json.dumps(dict(arguments), ensure_ascii=False, sort_keys=True)
        with self._open() as base:
            same = base.execute(
                "select id from jobs where kind = ? and subject = ? and arguments = ? and "
                "state in (?, ?)",
                (kind, subject, text, *OPEN),
            ).fetchone()
            if same:
                return int(same["id"])
            waiting = "select count(*) from jobs where state in (?, ?)"
            if base.execute(waiting, OPEN).fetchone()[0] >= _MAX_OPEN_JOBS:
                raise DataError("too many jobs are waiting; cancel some, or wait")
            made = base.execute(
                "insert into jobs (kind, subject, arguments, created) values (?, ?, ?, ?)",
                (kind, subject, text, time.time()),
            )
            return int(made.lastrowid or 0)

    def get(self, number: int) -> Job:
        """A job by its number. Raises DataError if there is none."""
        with self._open() as base:
            row = base.execute("select * from jobs where id = ?", (number,)).fetchone()
        if row is None:
            raise DataError(f"there is no job {number}")
        return _job(row)

    def recent(self, subject: str = "") -> list[Job]:
        """Jobs that run, then those that wait, then the last ones that ended; newest first."""
        where, values = ("where subject = ?", (subject,)) if subject else ("", ())
        order = "order by state = 'running' desc, state = 'waiting' desc, id desc"
        query = f"select * from jobs {where} {order}"
        with self._open() as base:
            rows = base.execute(f"{query} limit {_MAX_LISTED}", values).fetchall()
        return [_job(row) for row in rows]

    def take_next(self, light: bool = False) -> int | None:
        """Mark the next heavy or light job as running, and return its number."""
        marks = ", ".join("?" * len(LIGHT))
        with self._open() as base:
            row = base.execute(
                f"select id from jobs where state = 'waiting' and (kind in ({marks})) = ? "
                "order by resumed desc, id limit 1",
                (*LIGHT, light),
            ).fetchone()
            if row is None:
                return None
            base.execute(
                "update jobs set state = 'running', progress_at = 0, started_at = ? where id = ?",
                (time.time(), row["id"]),
            )
            return int(row["id"])

    def requeue_interrupted(self) -> None:
        """Queue the jobs that were running when the server stopped, before all others."""
        with self._open() as base:
            base.execute("update jobs set state = 'waiting', resumed = 1 where state = 'running'")
            base.execute(
                "update jobs set state = 'cancelled', ended = ? where state = 'waiting' and cancel",
                (time.time(),),
            )

    def cancel(self, number: int) -> None:
        """Cancel a job: at once if it waits; a running one saves its state and stops."""
        with self._open() as base:
            base.execute(
                "update jobs set state = 'cancelled', ended = ? where id = ? and state = 'waiting'",
                (time.time(), number),
            )
            base.execute("update jobs set cancel = 1 where id = ?", (number,))

    def are_open(self, subject: str) -> bool:
        """Whether a job of that subject runs or waits."""
        return any(job.state in OPEN for job in self.recent(subject))

    def rows(self, of: str, subject: str) -> list[dict[str, Any]]:
        """The rows of the ended work of a hand or font alone, whole."""
        with self._open() as base:
            rows = base.execute(f"select * from jobs where {_ended(of)}", (subject,))
            return [dict(row) for row in rows]

    def move(self, of: str, subject: str, to: str | None) -> None:
        """Give the ended work of a hand or font another subject; without one it is forgotten."""
        with self._open() as base:
            if to is None:
                base.execute(f"delete from jobs where {_ended(of)}", (subject,))
            else:
                base.execute(f"update jobs set subject = ? where {_ended(of)}", (to, subject))

    def retry(self, number: int) -> int:
        """Queue a failed or cancelled job again."""
        job = self.get(number)
        if job.state in OPEN:
            raise DataError("that job has not ended yet")
        return self.add(job.kind, job.subject, job.arguments)

    def set_progress(self, number: int, what: str, done: int, total: int) -> None:
        """Store the progress of a running job."""
        now = time.time()
        with self._open() as base:
            row = base.execute("select * from jobs where id = ?", (number,)).fetchone()
            base.execute(
                "update jobs set what = ?, done = ?, total = ?, progress_at = ?, recent_s = ?, "
                "recent_done = ? where id = ?",
                (what, done, total, now, *_recent(row, what, done, now), number),
            )

    def save(self, number: int, result: Mapping[str, Any]) -> None:
        """Store what a running job needs to be resumed."""
        with self._open() as base:
            base.execute("update jobs set result = ? where id = ?", (json.dumps(result), number))

    def end(self, number: int, state: str, message: str = "", result: Any = None) -> None:
        """Store how a job ended; a job that ended stays as it is."""
        with self._open() as base:
            base.execute(
                "update jobs set state = ?, message = ?, result = ?, ended = ? where id = ? and "
                "state = 'running'",
                (state, message, json.dumps(result or {}, ensure_ascii=False), time.time(), number),
            )

    def rename_hand(self, old: str, new: str) -> None:
        """Let the rows of a hand's learning and plans name it otherwise."""
        with self._open() as base:
            base.execute(
                "update jobs set subject = ?, result = replace(result, ?, ?) "
                f"where {_ended('hand')}",
                (new, f'"hands/{old}/', f'"hands/{new}/', old),
            )

    def put_back(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows that were deleted."""
        with self._open() as base:
            columns = [row["name"] for row in base.execute("pragma table_info(jobs)")]
            marks = ", ".join("?" * len(columns))
            for row in rows:
                values = [row.get(name, 0) for name in columns]
                base.execute(f"insert or ignore into jobs values ({marks})", values)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        base = sqlite3.connect(self._path, timeout=30)
        base.row_factory = sqlite3.Row
        try:
            with base:
                yield base
        finally:
            base.close()


class JobRunner:
    """The threads that run the queued jobs, each in a process of its own: heavy and light ones."""

    def __init__(self, folder: Path, jobs: Jobs) -> None:
        self._folder, self._jobs = folder, jobs
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(light,), name="jobs", daemon=True)
            for light in (False, True)
        ]

    def open(self) -> None:
        """Queue interrupted jobs again, and start."""
        self._jobs.requeue_interrupted()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Have the running jobs save their state and stop; the next start resumes them."""
        self._closing.set()
        ending_at = time.monotonic() + _GRACE_S
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, ending_at - time.monotonic()))

    def _work(self, light: bool) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(sqlite3.Error, OSError):  # a full disk, say: try again
                number = self._jobs.take_next(light)
                if number is not None:
                    self._do(number)
                    continue
            self._closing.wait(_POLL_S)

    def _do(self, number: int) -> None:
        """Run a job to its end. Its process stops by itself when this one is gone."""
        log = self._folder / "studio" / "work.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                [*RUN_MODULE, "calligan.studio.worker", str(number)],
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                start_new_session=True,  # Ctrl-C is for the server, which stops it
            )
        assert process.stdin is not None
        ending_at: float | None = None
        while process.poll() is None:
            if ending_at is None and (self._closing.is_set() or self._jobs.get(number).cancel):
                ending_at = time.monotonic() + _GRACE_S
            if self._closing.is_set() and not process.stdin.closed:
                process.stdin.close()
            if ending_at is not None and time.monotonic() > ending_at:
                process.kill()
            time.sleep(_POLL_S)
        process.stdin.close()
        if self._closing.is_set():
            return
        cancelled = self._jobs.get(number).cancel
        message = "" if cancelled else f"the process ended without a message; see {log}"
        self._jobs.end(number, "cancelled" if cancelled else "failed", message)


def _ended(of: str) -> str:
    """The condition for the ended work of a hand or font, whose name is its one parameter."""
    return f"kind in ({_WORK_OF[of]}) and subject = ? and state not in ('waiting', 'running')"


def _recent(row: sqlite3.Row, what: str, done: int, now: float) -> tuple[float, float]:
    """Seconds and units done of a phase until now, of which older ones count less and less."""
    if row["what"] != what or not row["progress_at"] or done < row["done"]:
        return 0.0, 0.0
    passed_s = now - row["progress_at"]
    kept = math.exp(-passed_s / _RECENT_S)
    return row["recent_s"] * kept + passed_s, row["recent_done"] * kept + done - row["done"]


def _left_s(row: sqlite3.Row) -> float | None:
    """The estimated time to the end of a running job; None where there is no saying.

    It goes down between two reports of progress, which may be a minute apart. A job that is not
    done when that time is over may take any longer.
    """
    if row["state"] != "running":
        return None
    left = _estimated_left_s(row, time.time())
    return None if left is None or left <= 0 else left


def _estimated_left_s(row: sqlite3.Row, now: float) -> float | None:
    """As `_left_s`, but zero or negative once the estimated time is over."""
    measured_s, done = row["recent_s"], row["recent_done"]
    if row["what"] in PREPARING or done <= 0 or measured_s < _MIN_MEASURED_S:
        return _planned_left_s(row, now)
    left: float = (row["total"] - row["done"]) * measured_s / done - (now - row["progress_at"])
    return left


def _planned_left_s(row: sqlite3.Row, now: float) -> float | None:
    """The time left of a job that takes a given number of minutes, if that is not measured yet."""
    arguments = json.loads(row["arguments"])
    minutes = arguments.get("minutes")
    if not minutes or arguments.get("steps"):
        return None
    if row["resumed"] and row["what"] != "training":  # who knows how much was done before
        return None
    planned_s, passed_s = 60 * minutes, now - row["started_at"]
    if row["what"] == "training":  # counted in seconds
        return float(row["total"] - row["done"] - (now - row["progress_at"]))
    least_s = _TRAINED_SHARE * planned_s if row["what"] in PREPARING else 0
    return float(max(planned_s - passed_s, least_s))


def _job(row: sqlite3.Row) -> Job:
    names = (
        "id",
        "kind",
        "subject",
        "state",
        "what",
        "done",
        "total",
        "message",
        "created",
        "ended",
    )
    return Job(
        **{name: row[name] for name in names},
        arguments=json.loads(row["arguments"]),
        result=json.loads(row["result"]),
        resumed=bool(row["resumed"]),
        cancel=bool(row["cancel"]),
        left_s=_left_s(row),
    )
