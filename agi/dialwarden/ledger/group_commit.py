"""Group commit: many questions, one transaction, one fsync, and no answer before it.

Owns the queue and the two connections of the bridge; what goes on in a batch is in `batch`. Knows
no table.

Two guarantees. A result leaves only after the COMMIT that holds it has returned. A work that
fails, or whose caller has gone, costs the others nothing but a second run.

    transact() ──► queue ──► batch: BEGIN IMMEDIATE, works, COMMIT ──► results
                     ▲                     │ (the aiosqlite thread)
                     └── fills meanwhile ──┘

One hop to the thread a batch: at 128 questions at once that is what makes a durable answer
cheap, since the hop and the fsync cost more than the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from dialwarden.errors import LedgerBroken, LedgerError, LedgerUnavailable
from dialwarden.ledger.batch import Batch, Job, Work
from dialwarden.ledger.connection import (
    open_ledger,
    replaced,
    snapshot,
    translated,
)
from dialwarden.ledger.known import KnownNumbers
from dialwarden.ledger.list_cache import ListBodies, ListCache
from dialwarden.ledger.list_watch import ListWatch
from dialwarden.ledger.log_copy import copy_most
from dialwarden.ledger.thread import LedgerThread
from dialwarden.ledger.trouble import TroubleLog

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH_LIMIT = 256  # works; some 20 ms of them, so that a late comer waits for no more
QUEUE_LIMIT = 8192  # works; beyond that the answer would come after its deadline anyway
READ_LIMIT = 2048  # reads waiting; some 0.3 s of them, measured with a callee of five attempts
# For a lock to end before a batch is refused; a part of an import takes a tenth of it. Beyond it a
# verdict would come after its deadline.
BUSY_TIMEOUT_S = 1.0

# Where one batch follows another, the next is joined by what comes within this: each costs as much
# as several works, so that under load all are answered the sooner. A first one never waits.
GATHER_S = 0.001

# The log is copied into the file from the reading thread when it holds about this many pages of
# 4 KiB; the writer then only copies what came in meanwhile. A work writes some 6 pages: its row's,
# and a leaf of each index.
CHECKPOINT_PAGES = 2048
_PAGES_A_WORK = 6
# What an import of millions of rows leaves behind is cut back to this.
_LOG_LIMIT_BYTES = 64 * 1024 * 1024


class Ledger:
    """The bridge's ledger. Used from the event loop that opened it.

    Attributes:
        lists: what the lists say; fresh inside every work given to `transact`.
        known: the numbers that need be read of; to be looked at inside a work.
        list_watch: reads their new versions beside the batches, once somebody starts it.
        batches, works: transactions committed, and works that were in them.
    """

    def __init__(
        self,
        path: str,
        thread: LedgerThread,
        reader: LedgerThread,
        *,
        busy_timeout_s: float,
        batch_limit: int,
    ) -> None:
        bodies = ListBodies()
        self.path = path
        self.lists = ListCache(bodies)
        self.read_lists = ListCache(bodies)
        self.known = KnownNumbers()
        self.list_watch = ListWatch(path, bodies, (self.lists, self.read_lists))
        self.batches = 0
        self.works = 0
        self._thread = thread
        self._reader = reader
        self._batch_limit = batch_limit
        self._batch = Batch(path, thread, self.lists, self.known, busy_timeout_s)
        self._trouble = TroubleLog(path)
        self._queue: deque[Job[Any]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._checkpoint: asyncio.Task[None] | None = None
        self._closing = False
        self._in_a_row = False  # the last batch ended with works waiting for the next
        self._log_pages = 0
        # Taken in the loop, given back in the thread: a read waits until the thread gets to it,
        # even when its caller has gone.
        self._read_slots = threading.Semaphore(READ_LIMIT)

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        create: bool = True,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        batch_limit: int = BATCH_LIMIT,
    ) -> Ledger:
        """Open, make or migrate the ledger.

        Raises:
            LedgerUnavailable, LedgerBroken: as `open_ledger`.
        """
        name = os.path.abspath(path)  # noqa: ASYNC240, PTH100  text, as in open_ledger

        def connect(*, make: bool = False) -> sqlite3.Connection:
            return open_ledger(name, create=make, busy_timeout_s=busy_timeout_s)

        def connect_writer() -> sqlite3.Connection:
            # Later ones never make the file: a ledger that vanished has not become an empty
            # one, and every cap and objection in it with it.
            conn = connect(make=create and not opened)
            opened.append(True)
            conn.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT_BYTES}")
            return conn

        opened: list[bool] = []
        thread = await LedgerThread.opened(connect_writer)
        try:
            reader = await LedgerThread.opened(connect)
        except BaseException:
            await thread.close()
            raise
        return cls(name, thread, reader, busy_timeout_s=busy_timeout_s, batch_limit=batch_limit)

    async def transact(
        self,
        work: Work[T],
        *,
        late: Callable[[T], None] | None = None,
    ) -> T:
        """Run a work in the next batch; its result, once it is on disk.

        Cancelled before its batch begins, the work is not run.

        Args:
            work: synchronous, quick, without effects besides the ledger's: it may run twice.
                `self.lists` may be looked up in it without another refresh.
            late: told the result of a work that was committed although its caller was cancelled.
                Called in the loop; what it raises is logged.

        Raises:
            LedgerUnavailable, LedgerBroken: nothing of the work is known to be recorded. After
                a disk that failed at the commit something may be: an attempt may be wasted,
                never hidden.
            Exception: the work's own; nothing of it is recorded.
        """
        job: Job[T] = Job(work, asyncio.get_running_loop().create_future(), late)
        self.enqueue(job)
        try:
            return cast(T, await job.future)
        except asyncio.CancelledError:
            # Resolved already, and cancelled before this task woke: nobody else knows of it.
            if job.future.done() and not job.future.cancelled() and job.error is None:
                job.tell_late()
            raise

    def enqueue(self, job: Job[Any]) -> None:
        """Have a job run in the next batch; whoever waits for it does so at its own future.

        Raises:
            LedgerUnavailable: it will not be run.
        """
        if self._closing:
            raise LedgerUnavailable(self.path, "is closing")
        if len(self._queue) >= QUEUE_LIMIT:
            raise LedgerUnavailable(self.path, f"{QUEUE_LIMIT} works are waiting already")
        self._queue.append(job)
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._run_batches())

    async def read(self, work: Work[T]) -> T:
        """Run a work that only reads, beside the batches; `self.read_lists` is fresh in it.

        Cancelled before the thread gets to it, the work is not run.

        Raises:
            LedgerUnavailable, LedgerBroken: it could not be read.
        """
        wanted = True

        def run(conn: sqlite3.Connection) -> T:
            self._read_slots.release()
            if not wanted:
                return cast(T, None)
            if replaced(conn):
                conn = self._reader.reopen()
            with snapshot(conn):
                self.read_lists.refresh(conn)
                return work(conn)

        if self._closing:
            raise LedgerUnavailable(self.path, "is closing")
        if not self._read_slots.acquire(blocking=False):
            raise LedgerUnavailable(self.path, f"{READ_LIMIT} reads are waiting already")
        try:
            return await self._reader.run(run)
        finally:
            wanted = False

    @property
    def waiting(self) -> int:
        """Works that wait for their batch."""
        return len(self._queue)

    async def come_round(self) -> None:
        """Return when the thread that writes has done what it was at: it lives, whatever the file
        is like."""
        await self._thread.run(_nothing)

    async def take_nothing(self, *, written: bool) -> None:
        """Return when a work that changes nothing went the way of every work.

        Args:
            written: a page is written all the same; else a full disk is not noticed.

        Raises:
            LedgerUnavailable, LedgerBroken: a call's work would not have been taken.
        """
        await self.transact(_same_version if written else _nothing)

    async def close(self) -> None:
        """Finish what is queued, copy the log into the file, close. Refuses new works at once.

        What of the log somebody still reads is left to whoever has the ledger open after us: to
        wait for readers SQLite would hold the write lock, against a successor's first calls.
        """
        self._closing = True
        await self.list_watch.stop()
        for task in (self._pump, self._checkpoint):
            if task is not None:
                await asyncio.wait({task})
        with contextlib.suppress(sqlite3.Error):
            await self._reader.close()
        try:
            await self._thread.run(copy_most)
        except (sqlite3.Error, LedgerError) as error:
            log.warning("ledger %s: the log stays beside the file (%s)", self.path, error)
        with contextlib.suppress(sqlite3.Error):
            await self._thread.close()

    async def _run_batches(self) -> None:
        try:
            while self._queue:
                if self._in_a_row:
                    await asyncio.sleep(GATHER_S)
                jobs: list[Job[Any]] = []
                while self._queue and len(jobs) < self._batch_limit:
                    job = self._queue.popleft()
                    if job.future.done():
                        job.late = None  # it was never run: there is nothing to be told
                        job.resolve()
                    else:
                        jobs.append(job)
                if jobs:
                    await self._run_batch(jobs)
                self._in_a_row = True
        finally:
            self._pump = None
            self._in_a_row = False
            for job in self._queue:  # empty, unless the loop is being torn down
                job.fail(LedgerUnavailable(self.path, "is closing"))
            self._queue.clear()

    async def _run_batch(self, jobs: list[Job[Any]]) -> None:
        try:
            await self._thread.run(lambda conn: self._commit(conn, jobs))
        except BaseException as error:  # whatever it is, nobody is left waiting for it
            problem = self._problem(error)
            self._trouble.failed(problem, len(jobs))
            for job in jobs:
                job.fail(problem)
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        self._trouble.worked()
        for job in jobs:
            job.resolve()
        if self._log_pages >= CHECKPOINT_PAGES and self._checkpoint is None:
            self._log_pages = 0
            self._checkpoint = asyncio.get_running_loop().create_task(self._copy_log())

    def _problem(self, error: BaseException) -> LedgerError:
        ours = translated(error, self.path) if isinstance(error, sqlite3.Error) else None
        if ours is None:
            ours = error if isinstance(error, LedgerError) else None
        if ours is None:
            log.error("ledger %s: a batch failed", self.path, exc_info=error)
            ours = LedgerUnavailable(self.path, f"a batch failed ({error!r})")
        return ours

    async def _copy_log(self) -> None:
        """Copy the log into the file, nearly all of it beside the batches."""

        def beside(conn: sqlite3.Connection) -> int:
            # Where nobody reads, this is what notices a ledger that was restored.
            return copy_most(self._reader.reopen() if replaced(conn) else conn)

        try:
            await self._reader.run(beside)
            await self._thread.run(self._batch.copy_rest)
        except (sqlite3.Error, LedgerError, ValueError) as error:
            problem = translated(error, self.path) if isinstance(error, sqlite3.Error) else error
            if isinstance(problem, LedgerBroken):
                self._batch.doubt()
            self._trouble.not_copied(error)
        finally:
            self._checkpoint = None

    def _commit(self, conn: sqlite3.Connection, jobs: list[Job[Any]]) -> None:
        """In the thread."""
        wanted = self._batch.commit(conn, jobs)
        self.batches += 1
        self.works += wanted
        self._log_pages += _PAGES_A_WORK * wanted


def _nothing(_: sqlite3.Connection) -> None:
    """What any thread that lives can do."""


def _same_version(conn: sqlite3.Connection) -> None:
    """Write the file's head as it is: a page to the log, and an fsync."""
    (version,) = conn.execute("PRAGMA user_version").fetchone()
    conn.execute(f"PRAGMA user_version = {version}")
