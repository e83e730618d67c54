"""Watches the overrides of a running bridge: says in the log when one begins and when it is over.

Owns what is said, and what `/healthz` shows. What they do to calls does not hang on it: each
question reads for itself what is in force.
"""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

from dialwarden.errors import LedgerError
from dialwarden.gate.gate import Gate
from dialwarden.ledger.overrides import (
    NoSuchOverride,
    Override,
    find_override,
    list_overrides,
    overrides_in_force,
)
from dialwarden.log import log

# How soon after its beginning or end one is told. A look takes some 20 us.
INTERVAL_S = 1.0


class OverrideWatch:
    """Looks every second, from `start` to `stop`; a person should know who let what go."""

    def __init__(self, gate: Gate, *, interval_s: float = INTERVAL_S) -> None:
        self._gate = gate
        self._interval_s = interval_s
        self._told: dict[int, Override] = {}  # begun, and not told to be over
        self._looked: datetime | None = None
        self._troubled = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Say what is in force, and go on looking; a ledger that cannot be read stops nothing."""
        await self._look_once()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    @property
    def in_force(self) -> tuple[Override, ...]:
        """Those in force now, as of the last look."""
        now = self._gate.now()
        return tuple(one for one in self._told.values() if one.in_force(now))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            await self._look_once()

    async def _look_once(self) -> None:
        now = self._gate.now()
        try:
            found, gone = await self._gate.ledger.read(lambda conn: self._read(conn, now))
        except LedgerError:
            return  # the calls meet the same trouble, and say so at each
        except Exception:
            if not self._troubled:
                log.exception("overrides: looking for new ones failed; tried again")
            self._troubled = True
            return
        self._troubled = False
        first, self._looked = self._looked is None, now
        for one in found:
            if one.id not in self._told:
                self._say_begun(one, first=first)
            self._told[one.id] = one
        for override, last in gone.items():
            if last is not None:
                self._told[override] = last
            else:
                self._say_over(self._told.pop(override), lost=True)
        for one in list(self._told.values()):
            if not one.in_force(now):
                self._say_over(self._told.pop(one.id))

    def _read(
        self, conn: sqlite3.Connection, now: datetime
    ) -> tuple[list[Override], dict[int, Override | None]]:
        """Those that were in force since the last look; and the others that were told, as they are.

        None for one that the ledger has no more: it was restored from a copy.
        """
        if self._looked is None:
            return overrides_in_force(conn, now), {}
        # A clock that was set back: what was over may be in force again.
        since, until = min(self._looked, now), now + timedelta.resolution
        found = list(list_overrides(conn, since=since, until=until))
        gone: dict[int, Override | None] = {}
        for override in self._told.keys() - {one.id for one in found}:
            try:
                gone[override] = find_override(conn, override)
            except NoSuchOverride:
                gone[override] = None
        return found, gone

    def _say_begun(self, one: Override, *, first: bool) -> None:
        log.warning(
            "override %d %s: campaign %s, %s let go until %s, by %s: %s", one.id,
            "is in force" if first else "begins", one.campaign, "&".join(one.rules),
            one.until.astimezone(UTC).isoformat(timespec="seconds"),
            self._gate.veiled_words(one.by), self._gate.veiled_words(one.why),
        )  # fmt: skip

    def _say_over(self, one: Override, *, lost: bool = False) -> None:
        if lost:
            how = "the ledger does not have it any more"
        elif one.ended_at is None:
            back = self._gate.now() < one.since
            how = "the clock was set back to before it began" if back else "its time is up"
        else:
            why = f": {one.ended_why}" if one.ended_why else ""
            how = self._gate.veiled_words(f"ended by {one.ended_by}{why}")
        log.warning(
            "override %d is over: campaign %s, %s enforced again; %s", one.id, one.campaign,
            "&".join(one.rules), how,
        )  # fmt: skip
