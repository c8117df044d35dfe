"""Work that takes long, as rows of a SQLite file: one piece at a time, in a process of its own.

A row stays until its work is done, so that nothing is lost where the server is killed: what was
running then is taken up again, and the library's calls go on where they were. (huey and its like
take a task off the queue when it begins, and so lose it; they would have been the larger part.)
"""

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calligan.errors import DataError

_TABLE = """create table if not exists work (
  id integer primary key autoincrement, created real not null, ended real,
  kind text not null, subject text not null, arguments text not null,
  state text not null default 'waiting', cancel integer not null default 0,
  resumed integer not null default 0, what text not null default '',
  done integer not null default 0, total integer not null default 0,
  phase_at real not null default 0, phase_done integer not null default 0,
  said text not null default '', result text not null default '{}')"""
_OPEN = ("waiting", "running")
_MOST_OPEN = 50
_SHOWN = 30
_POLL_S = 0.3
_GRACE_S = 30  # for cancelled work to save and stop
_LEAST_DONE_S = 2.0  # before time left is told


@dataclass(frozen=True)
class Job:
    """A piece of work and what became of it."""

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
    said: str  # what went wrong, or is worth knowing
    result: dict[str, Any]
    created: float
    ended: float | None


class Jobs:
    """The queue's file. Any process and thread may hold one."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with self._open() as base:
            base.execute("pragma journal_mode = wal")
            base.execute(_TABLE)

    def add(self, kind: str, subject: str, arguments: Mapping[str, Any]) -> int:
        """Queue a piece of work; its number. The same work that is still open is not queued twice.

        Raises DataError where far too much is waiting.
        """
        text = json.dumps(dict(arguments), ensure_ascii=False, sort_keys=True)
        with self._open() as base:
            same = base.execute(
                "select id from work where kind = ? and subject = ? and arguments = ? and "
                "state in (?, ?)",
                (kind, subject, text, *_OPEN),
            ).fetchone()
            if same:
                return int(same["id"])
            waiting = "select count(*) from work where state in (?, ?)"
            if base.execute(waiting, _OPEN).fetchone()[0] >= _MOST_OPEN:
                raise DataError("too much work is waiting; cancel some, or wait")
            made = base.execute(
                "insert into work (kind, subject, arguments, created) values (?, ?, ?, ?)",
                (kind, subject, text, time.time()),
            )
            return int(made.lastrowid or 0)

    def get(self, number: int) -> Job:
        """One piece. Raises DataError where there is none of that number."""
        with self._open() as base:
            row = base.execute("select * from work where id = ?", (number,)).fetchone()
        if row is None:
            raise DataError(f"there is no work {number}")
        return _job(row)

    def recent(self, subject: str = "") -> list[Job]:
        """What is open, and what ended last, the newest first."""
        where, values = ("where subject = ?", (subject,)) if subject else ("", ())
        query = f"select * from work {where} order by state in ('waiting', 'running') desc, id desc"
        with self._open() as base:
            rows = base.execute(f"{query} limit {_SHOWN}", values).fetchall()
        return [_job(row) for row in rows]

    def take(self) -> int | None:
        """The number of the piece to do next, which is running from now on."""
        with self._open() as base:
            row = base.execute(
                "select id from work where state = 'waiting' order by resumed desc, id limit 1"
            ).fetchone()
            if row is None:
                return None
            base.execute(
                "update work set state = 'running', phase_at = 0 where id = ?", (row["id"],)
            )
            return int(row["id"])

    def take_up(self) -> None:
        """Queue again what was running when everything stopped, before all else."""
        with self._open() as base:
            base.execute("update work set state = 'waiting', resumed = 1 where state = 'running'")
            base.execute(
                "update work set state = 'cancelled', ended = ? where state = 'waiting' and cancel",
                (time.time(),),
            )

    def cancel(self, number: int) -> None:
        """Ask for an end: what waits is cancelled at once, what runs saves and stops."""
        with self._open() as base:
            base.execute(
                "update work set state = 'cancelled', ended = ? where id = ? and state = 'waiting'",
                (time.time(), number),
            )
            base.execute("update work set cancel = 1 where id = ?", (number,))

    def again(self, number: int) -> int:
        """Queue once more what failed or was cancelled."""
        job = self.get(number)
        if job.state in _OPEN:
            raise DataError("that work is not done yet")
        return self.add(job.kind, job.subject, job.arguments)

    def moved(self, number: int, what: str, done: int, total: int) -> None:
        """Say how far a running piece is."""
        with self._open() as base:
            base.execute(
                "update work set phase_at = case when what = ? and phase_at then phase_at else ? "
                "end, phase_done = case when what = ? and phase_at then phase_done else ? end, "
                "what = ?, done = ?, total = ? where id = ?",
                (what, time.time(), what, done, what, done, total, number),
            )

    def keep(self, number: int, result: Mapping[str, Any]) -> None:
        """Keep what a running piece has so far."""
        with self._open() as base:
            base.execute("update work set result = ? where id = ?", (json.dumps(result), number))

    def end(self, number: int, state: str, said: str = "", result: Any = None) -> None:
        """Say what became of a piece; once ended, it stays so."""
        with self._open() as base:
            base.execute(
                "update work set state = ?, said = ?, result = ?, ended = ? where id = ? and "
                "state = 'running'",
                (state, said, json.dumps(result or {}, ensure_ascii=False), time.time(), number),
            )

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        base = sqlite3.connect(self._path, timeout=30)
        base.row_factory = sqlite3.Row
        try:
            with base:
                yield base
        finally:
            base.close()


class Workshop:
    """The thread that does what is queued, each piece in a process of its own."""

    def __init__(self, folder: Path, jobs: Jobs) -> None:
        self._folder, self._jobs = folder, jobs
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="workshop", daemon=True)

    def open(self) -> None:
        """Take up what was interrupted, and begin."""
        self._jobs.take_up()
        self._thread.start()

    def close(self) -> None:
        """Have the running piece save and stop; it goes on with the next start."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_GRACE_S)

    def _work(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(sqlite3.Error, OSError):  # a full disk, say: try again
                number = self._jobs.take()
                if number is not None:
                    self._do(number)
                    continue
            self._closing.wait(_POLL_S)

    def _do(self, number: int) -> None:
        """Run a piece to its end. Its process stops by itself where this one is gone."""
        log = self._folder / "studio" / "work.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "calligan.studio.worker", str(number)],
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                start_new_session=True,  # Ctrl-C is for the server, which tells it
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
        said = "" if cancelled else f"it ended without a word; {log} may say why"
        self._jobs.end(number, "cancelled" if cancelled else "failed", said)


def _job(row: sqlite3.Row) -> Job:
    left = None
    passed, done = time.time() - row["phase_at"], row["done"] - row["phase_done"]
    if row["state"] == "running" and row["phase_at"] and done > 0 and passed > _LEAST_DONE_S:
        left = (row["total"] - row["done"]) * passed / done
    names = ("id", "kind", "subject", "state", "what", "done", "total", "said", "created", "ended")
    return Job(
        **{name: row[name] for name in names},
        arguments=json.loads(row["arguments"]),
        result=json.loads(row["result"]),
        resumed=bool(row["resumed"]),
        cancel=bool(row["cancel"]),
        left_s=left,
    )
