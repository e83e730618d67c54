"""One batch of works, in the ledger's thread: one transaction, each work in it, COMMIT.

Owns what a work that fails costs the others, how long a lock is waited for, and whether a
connection can still be trusted after an error. Refuses to know who waits, and how works become
a batch: see `group_commit`.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

from dialwarden.errors import LedgerError
from dialwarden.ledger.connection import replaced, roll_back, translated
from dialwarden.ledger.known import KnownNumbers
from dialwarden.ledger.list_cache import ListCache
from dialwarden.ledger.log_copy import copy_rest
from dialwarden.ledger.thread import LedgerThread

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
# A lock that outlasted a whole wait is not about to end: until a batch was written again, each that
# follows within `REMEMBERED_S` waits for this long only, so that nobody queues to be refused.
BRIEFLY_MS = 20
# A lock that was met this long ago is another one by now, and waited for like any.
REMEMBERED_S = 5.0
# Works of one kind that are cheaper together: the results of some things, in their order.
Together = Callable[[sqlite3.Connection, Sequence[Any]], Sequence[T]]


class Job(Generic[T]):
    """A work that waits for its batch, and whoever waits for its result.

    Args:
        work: what is run; of a `Together`, for `item` and for its neighbours in the batch at once.
        future: cancelled when nobody waits any more. Without `done` it is given the result.
        late: told a result that was committed although nobody waited for it, or could take it.
        done: told, in the loop, when there is a result or an error; it then sees to the future.
    """

    __slots__ = ("done", "error", "future", "item", "late", "result", "together", "work")

    def __init__(
        self,
        work: Work[T] | None,
        future: asyncio.Future[Any],
        late: Callable[[T], None] | None,
        *,
        together: Together[T] | None = None,
        item: object = None,
        done: Callable[[Job[T]], None] | None = None,
    ) -> None:
        self.work = work
        self.together = together
        self.item = item
        self.future = future
        self.late = late
        self.done = done
        self.result: T | None = None
        self.error: BaseException | None = None

    def run(self, conn: sqlite3.Connection) -> None:
        """By itself."""
        if self.together is not None:
            (self.result,) = self.together(conn, (self.item,))
        else:
            assert self.work is not None
            self.result = self.work(conn)

    def resolve(self) -> None:
        if self.future.done():
            if self.error is None:
                self.tell_late()
        elif self.done is not None:
            self._tell_done(self.done)
        elif self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(cast(T, self.result))

    def fail(self, problem: LedgerError) -> None:
        # What was worked out was not written: it is no result, and least of all an ALLOW.
        self.result = None
        # One error for each: raised in many tasks, the same one would gather their tracebacks.
        self.error = type(problem)(problem.path, problem.what, problem.do)
        self.resolve()

    def _tell_done(self, done: Callable[[Job[T]], None]) -> None:
        try:
            done(self)
        except Exception as error:  # whatever it is: others of the batch wait behind it
            log.exception("a result was not taken")
            if not self.future.done():
                self.future.set_exception(error)
                if self.error is None:
                    self.tell_late()

    def tell_late(self) -> None:
        """The caller has gone; what was committed for it stands all the same."""
        if self.late is None:
            return
        try:
            self.late(cast(T, self.result))
        except Exception:  # whatever it is: others of the batch wait behind it
            log.exception("a result that came too late was not taken back")


class Batch:
    """Runs batches over one connection, one after another. Used in its thread only.

    Args:
        path: the ledger's, for messages.
        lists, known: refreshed at the beginning of every batch.
        busy_timeout_s: how long a lock of another process is waited for.
    """

    def __init__(
        self,
        path: str,
        thread: LedgerThread,
        lists: ListCache,
        known: KnownNumbers,
        busy_timeout_s: float,
    ) -> None:
        self._path = path
        self._thread = thread
        self._lists = lists
        self._known = known
        self._wait_ms = int(busy_timeout_s * 1000)
        self._waits: tuple[sqlite3.Connection, int] | None = None  # as the connection is set now
        # Until when a lock is waited for briefly (time.monotonic): the last batch waited in vain.
        self._briefly_until = 0.0
        self._doubtful = False
        self._told = False  # that it was opened anew, since a batch was last written

    def commit(self, conn: sqlite3.Connection, jobs: list[Job[Any]]) -> int:
        """Run and commit one batch; returns how many works were in it.

        What it raises is everybody's.
        """
        conn = self._checked(conn)
        in_vain = time.monotonic() < self._briefly_until
        self._set_wait(conn, BRIEFLY_MS if in_vain else self._wait_ms)
        try:
            wanted = self._run_works(conn, jobs)
            conn.execute("COMMIT")
            self._known.committed()
        except BaseException as error:
            locked = _code(error) == sqlite3.SQLITE_BUSY
            self._briefly_until = time.monotonic() + REMEMBERED_S if locked else 0.0
            self._doubtful = self._doubtful or not _harmless(error)
            try:
                roll_back(conn)
            except sqlite3.Error:
                self._doubtful = True
            raise
        self._briefly_until, self._told = 0.0, False
        return wanted

    def copy_rest(self, conn: sqlite3.Connection) -> int:
        """As `log_copy.copy_rest`; calls come behind it, so it waits for no lock."""
        self._set_wait(conn, BRIEFLY_MS)
        return copy_rest(conn)

    def doubt(self) -> None:
        """Have the next batch read from the file: what is in memory may no longer be in it."""
        self._doubtful = True

    def _set_wait(self, conn: sqlite3.Connection, wait_ms: int) -> None:
        wait_ms = min(wait_ms, self._wait_ms)
        if self._waits != (conn, wait_ms):
            conn.execute(f"PRAGMA busy_timeout = {wait_ms}")
            self._waits = (conn, wait_ms)

    def _checked(self, conn: sqlite3.Connection) -> sqlite3.Connection:
        """A connection to what the ledger's name stands for now.

        Raises:
            LedgerUnavailable: there is no such file; a later batch may find one.
            LedgerBroken: the log beside it is not its own.
        """
        if not replaced(conn) and not self._doubtful:
            return conn
        self._doubtful = True
        conn = self._thread.reopen()
        self._doubtful = False
        if not self._told:  # a disk that fails has it opened anew by every batch
            log.warning("ledger %s: opened anew", self._path)
            self._told = True
        return conn

    def _run_works(self, conn: sqlite3.Connection, jobs: list[Job[Any]]) -> int:
        self._begin(conn)
        wanted = []
        for job in jobs:
            # Asked once: whoever is cancelled from here on is told of what was committed.
            if job.future.done():
                job.late = None
            else:
                wanted.append(job)
        try:
            self._run_together(conn, wanted)
        except Exception as error:
            _raise_if_ours(error, conn)
        else:
            return len(wanted)
        # Somebody raised. Once more from the start, with a savepoint around each, so that this
        # costs one more run however many raise; without one they are some 2 us a work cheaper.
        roll_back(conn)
        self._begin(conn)
        for job in wanted:
            conn.execute("SAVEPOINT work")
            try:
                job.run(conn)
            except Exception as error:
                _raise_if_ours(error, conn)
                job.error = error
                job.result = None  # of the first run
                conn.execute("ROLLBACK TO work")
                self._known.begin(conn)
            self._known.written()
            conn.execute("RELEASE work")
        return len(wanted)

    def _begin(self, conn: sqlite3.Connection) -> None:
        conn.execute("BEGIN IMMEDIATE")
        # The lists are others' to write: without a commit of theirs there is nothing to notice.
        if self._known.begin(conn):
            self._lists.refresh(conn)
        else:
            self._lists.settle()

    def _run_together(self, conn: sqlite3.Connection, jobs: list[Job[Any]]) -> None:
        """All in their order; neighbours of one kind in one go."""
        for together, group in groupby(jobs, attrgetter("together")):
            if together is None:
                for job in group:
                    job.run(conn)
                self._known.written()
                continue
            members = list(group)
            results = together(conn, [job.item for job in members])
            for job, result in zip(members, results, strict=True):
                job.result = result


def _harmless(error: BaseException) -> bool:
    """Whether the connection is as good as before: it only had to wait, or had no room."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL)


def _code(error: BaseException) -> int:
    """SQLite's primary result code; what is no error of SQLite's counts as one of the disk."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR)
    return code & 0xFF


def _raise_if_ours(error: Exception, conn: sqlite3.Connection) -> None:
    """Raise what is the ledger's trouble and not the work's: it concerns the whole batch.

    A transaction that is gone is that too: SQLite rolls back by itself when the disk is full. A
    `LedgerError` is the work's own: one list that is damaged harms nobody who does not ask for it.
    """
    if not conn.in_transaction:
        raise error
    if isinstance(error, sqlite3.Error) and translated(error, "") is not None:
        raise error
