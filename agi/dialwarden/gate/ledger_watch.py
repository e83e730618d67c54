"""Whether the ledger would take a call's work, found out while no call asks it.

Owns when the ledger is tried, and how long that may take. What comes of it stands in the gate's
`ledger_trouble`, where calls leave it too: without calls a ledger that is away would look well, and
one that is well again would look away until the next call.
"""

from __future__ import annotations

import asyncio
import logging

from dialwarden.errors import LedgerError
from dialwarden.gate.gate import Gate

log = logging.getLogger(__name__)


class LedgerWatch:
    """Tries the ledger of one gate. Used from its loop."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._batches = gate.ledger.batches
        self._trying: asyncio.Task[None] | None = None

    async def look(self, within_s: float) -> None:
        """Try the ledger where nothing was written since the last look, or what was given failed.

        Args:
            within_s: a ledger that has not answered by then is in trouble; whoever has it stand
                still is waited for by one try alone, however often this is called.
        """
        ledger = self._gate.ledger
        quiet, self._batches = ledger.batches == self._batches, ledger.batches
        if self._trying is None or self._trying.done():
            if not quiet and not self._gate.ledger_trouble:
                return
            self._trying = self._gate.keep(self._try())
        await asyncio.wait({self._trying}, timeout=within_s)
        if not self._trying.done():
            self._gate.ledger_trouble = f"ledger {ledger.path}: no answer within {within_s:g} s"

    async def _try(self) -> None:
        """What ended in trouble is well when something could be written: on a full disk a
        transaction without a change succeeds."""
        in_trouble = bool(self._gate.ledger_trouble)
        try:
            await self._gate.ledger.take_nothing(written=in_trouble)
        except LedgerError as error:
            self._gate.ledger_trouble = str(error)
        else:
            self._batches = self._gate.ledger.batches  # ours is none of a call's
            if in_trouble:
                self._gate.ledger_trouble = ""
