"""A SQLite connection in a thread of its own, that whole functions are handed to."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from typing import TypeVar, cast

import aiosqlite

T = TypeVar("T")


class LedgerThread(aiosqlite.Connection):
    """A connection that runs whole functions in its thread, and can be opened anew.

    The one place that leans on aiosqlite's internals (`_execute`, `_connection`, 0.22, pinned):
    its public methods hop to the thread once a statement, which is some ten hops a question.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        # A bridge that dies without closing must not be kept alive by this thread.
        self._thread.daemon = True
        self._connector = connector

    @classmethod
    async def opened(cls, connector: Callable[[], sqlite3.Connection]) -> LedgerThread:
        """A thread with its connection open.

        What the connector raises comes out after the thread has ended: aiosqlite has it report
        its end to the loop, which would be closed by then and answered with a traceback.
        """
        thread = cls(connector)
        try:
            await thread
        except BaseException:
            await asyncio.to_thread(thread._thread.join)
            raise
        return thread

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        done = await self._execute(  # type: ignore[no-untyped-call]
            lambda: work(self._conn)
        )
        return cast(T, done)

    def reopen(self) -> sqlite3.Connection:
        """In the thread only. The former connection stays when the new one cannot be had."""
        fresh = self._connector()
        with contextlib.suppress(sqlite3.Error):
            self._conn.close()
        self._connection = fresh
        return fresh
