"""Notices new versions of the lists beside the calls, and has them in memory before they hold.

Owns a connection and a thread of its own: a list of 30 million numbers takes some tenths of a
second to read, which neither the batches nor the guard's look-ups wait for. What it has read the
caches of the bridge find in memory with their next batch; what of it is in force they decide.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3

from dialwarden.errors import LedgerError
from dialwarden.ledger.connection import open_ledger_to_read, replaced, snapshot
from dialwarden.ledger.list_cache import ListBodies, ListCache
from dialwarden.ledger.lists import Head, known_names, live_head, version_of
from dialwarden.ledger.thread import LedgerThread

log = logging.getLogger(__name__)

# How soon after an import a long list holds, its reading apart. One look takes some 20 us.
INTERVAL_S = 0.5


class ListWatch:
    """Reads what is new every half second, from `start` to `stop`.

    Args:
        path: the ledger's.
        bodies: where it goes, shared with `caches`.
        caches: told that they need not read long lists by themselves.
    """

    def __init__(self, path: str, bodies: ListBodies, caches: tuple[ListCache, ...]) -> None:
        self._path = path
        self._caches = caches
        self._own = ListCache(bodies)
        self._thread: LedgerThread | None = None
        self._task: asyncio.Task[None] | None = None
        self._heads: dict[str, Head] | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Look once, so that what is in the ledger now is no news, and then at intervals.

        A ledger that cannot be read harms nobody here: batches then read new versions themselves.
        """
        try:
            self._thread = await LedgerThread.opened(self._connect)
        except (LedgerError, sqlite3.Error) as error:
            log.error("lists: new versions are read while calls wait: %s", error)
            return
        await self._look_once(self._thread)
        for cache in self._caches:
            cache.watched = True
        self._task = asyncio.get_running_loop().create_task(self._run(self._thread))

    async def stop(self) -> None:
        for cache in self._caches:
            cache.watched = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._thread is not None:
            with contextlib.suppress(sqlite3.Error):
                await self._thread.close()

    def _connect(self) -> sqlite3.Connection:
        return open_ledger_to_read(self._path)

    async def _run(self, thread: LedgerThread) -> None:
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self._look_once(thread)

    async def _look_once(self, thread: LedgerThread) -> None:
        try:
            await thread.run(self._look)
        except (LedgerError, sqlite3.Error) as error:
            # The calls meet the same trouble, and say so at each; here once is enough.
            self._say_trouble(str(error))
        except Exception:
            log.exception("lists: looking for new versions failed; tried again")

    def _look(self, conn: sqlite3.Connection) -> None:
        """In the thread."""
        if replaced(conn):
            assert self._thread is not None
            conn = self._thread.reopen()
        trouble = ""
        with snapshot(conn):
            self._own.refresh(conn)
            names = known_names(conn)
            for name in names:
                try:
                    self._own.look_up(conn, (name,), 0)
                except LedgerError as error:
                    trouble = str(error)
                    continue
                self._tell(conn, name)
        if self._heads is None:
            self._heads = {}
            for name in names:
                head = live_head(conn, name)
                if head is not None:
                    self._heads[name] = head
        self._say_trouble(trouble)

    def _tell(self, conn: sqlite3.Connection, name: str) -> None:
        """Say in the log what is in force since the last look, and what was taken back."""
        head = live_head(conn, name)
        if self._heads is None or head is None:
            return
        former = self._heads.get(name)
        if former is not None and former.version != head.version:
            gone = version_of(conn, name, former.version)
            if gone is not None and gone.withdrawn_at is not None:
                log.warning(
                    "list %s: version %d (%s numbers) was taken back by %s%s", name, gone.version,
                    f"{gone.count:,}", gone.withdrawn_by or "somebody",
                    f": {gone.withdrawn_why}" if gone.withdrawn_why else "",
                )  # fmt: skip
        if head != former:
            self._heads[name] = head
            log.info(
                "list %s: version %d is in force: %s numbers, as of %s", name, head.version,
                f"{head.count:,}", head.as_of or "its import",
            )  # fmt: skip

    def _say_trouble(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.error("lists: a new version cannot be read: %s", trouble)
        self._trouble = trouble
