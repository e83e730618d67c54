"""What became of the legs, on its way into the ledger, in the order in which it happened.

Owns a queue between the events, which do not wait, and the ledger, which may. While the ledger
cannot be written, what happened waits here, bounded; what is dropped then leaves its attempts open,
and counted.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import islice

from dialwarden.errors import LedgerError
from dialwarden.ledger.group_commit import Ledger

log = logging.getLogger("dialwarden.settlement")

Step = Callable[[sqlite3.Connection], object]

MOST_WAITING = 50_000
MOST_AT_ONCE = 500
RETRY_S = 0.5


class Settlement:
    """Writes steps in order; used from the loop."""

    def __init__(self, ledger: Ledger, *, most_waiting: int = MOST_WAITING) -> None:
        self._ledger = ledger
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[int, Step]] = deque()  # numbered: some may be dropped in front
        self._recorded = 0
        self._pump: asyncio.Task[None] | None = None
        self._dropped = 0
        self._blocked = False

    @property
    def waiting(self) -> int:
        """Steps not yet on disk."""
        return len(self._waiting)

    def record(self, step: Step) -> None:
        """Bring a step to the ledger, after those before it. May run twice; must be idempotent."""
        if len(self._waiting) >= self._most_waiting:
            self._waiting.popleft()
            self._dropped += 1
        self._recorded += 1
        self._waiting.append((self._recorded, step))
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._write())

    async def flushed(self) -> None:
        """Return once what was recorded so far is on disk, or cannot be brought there now."""
        last = self._recorded  # on a busy PBX there is always more behind it
        while self._pump is not None and not self._blocked:
            if not self._waiting or self._waiting[0][0] > last:
                return
            await asyncio.wait({self._pump}, timeout=RETRY_S)

    async def close(self) -> None:
        """Write what waits, unless the ledger cannot be written: then it is told and left."""
        await self.flushed()
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait({self._pump})
        if self._waiting:
            log.error(
                "%d events of calls are not in the ledger; their attempts stay counted and open",
                len(self._waiting),
            )

    async def _write(self) -> None:
        try:
            while self._waiting:
                numbered = list(islice(self._waiting, MOST_AT_ONCE))
                steps = [step for _, step in numbered]
                try:
                    await self._ledger.transact(partial(_run, steps=steps))
                except LedgerError as error:
                    if not self._blocked:
                        self._blocked = True
                        log.error("what became of calls waits for the ledger: %s", error)
                    await asyncio.sleep(RETRY_S)
                    continue
                except Exception:
                    # One step is wrong: each by itself, so that it costs none but itself.
                    log.exception("an event of a call is not recorded")
                    await self._one_by_one(numbered)
                else:
                    self._take_off(numbered[-1][0])
        finally:
            self._pump = None

    async def _one_by_one(self, numbered: list[tuple[int, Step]]) -> None:
        for number, step in numbered:
            try:
                await self._ledger.transact(step)
            except LedgerError:
                return  # this one and those behind it wait on
            except Exception as error:
                log.error("an event of a call is not recorded: %r", error)
            self._take_off(number)

    def _take_off(self, last: int) -> None:
        if self._blocked:
            self._blocked = False
            log.info("the ledger takes again what became of calls")
        if self._dropped:
            log.error("%d events of calls were dropped while the ledger could not be written; "
                      "their attempts stay counted and open", self._dropped)  # fmt: skip
            self._dropped = 0
        while self._waiting and self._waiting[0][0] <= last:
            self._waiting.popleft()


def _run(conn: sqlite3.Connection, steps: list[Step]) -> None:
    for step in steps:
        step(conn)
