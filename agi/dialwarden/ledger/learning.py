"""Learning which numbers a ledger knows, beside the calls, and again whenever that is needed.

Owns the task that does it in a running bridge. Until it is done each question reads the ledger,
which is slower and no less right: a start waits for nothing here.
"""

from __future__ import annotations

import asyncio
import logging
import time

from dialwarden.errors import LedgerError
from dialwarden.ledger.group_commit import Ledger
from dialwarden.ledger.known import Learning

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_AFTER_TROUBLE_S = 5.0


async def learn(ledger: Ledger) -> None:
    """Read all numbers, in slices, and believe them from the next batch on.

    Raises:
        LedgerUnavailable, LedgerBroken: it could not be read; nothing is believed.
    """
    learning = Learning()
    while await ledger.read(learning.step):
        pass
    await ledger.transact(lambda conn: ledger.known.adopt(conn, learning.numbers))


async def keep_learning(ledger: Ledger) -> None:
    """For as long as the bridge runs: learn at the start, and when a ledger was exchanged."""
    while True:
        if not ledger.known.complete:
            started = time.monotonic()
            try:
                await learn(ledger)
            except LedgerError as error:
                log.info("the ledger's numbers are not in memory, each call reads them: %s", error)
                await asyncio.sleep(_AFTER_TROUBLE_S)
                continue
            except Exception:  # whatever it is, nobody else would begin anew, or tell
                log.exception("the ledger's numbers were not learnt; tried again")
                await asyncio.sleep(_AFTER_TROUBLE_S)
                continue
            log.info("ledger %s: %d numbers in memory after %.1f s", ledger.path,
                     ledger.known.count, time.monotonic() - started)  # fmt: skip
        await asyncio.sleep(_LOOK_EVERY_S)
