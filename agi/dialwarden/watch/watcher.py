"""The watcher: Asterisk's events in their order, handed to those whom they concern.

Owns what "seeing" means (the link is up and its audit done), the calls whose whole life was seen,
and the sweep that voids permits nobody dialled. Decides nothing of a call: that is the guard's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sqlite3
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from dialwarden.errors import DialwardenError, LedgerError
from dialwarden.gate.gate import Gate
from dialwarden.gate.rulebook import PERMIT_LIFE
from dialwarden.ledger import attempts
from dialwarden.ledger import legs as leg_table
from dialwarden.ledger.permits import OpenPermit, open_permits
from dialwarden.ledger.states import State
from dialwarden.routing.trunks import Trunks
from dialwarden.watch.events import (
    REACHED,
    STATE_RINGING,
    STATE_UP,
    Ended,
    Event,
    cause_of,
    ids_of,
    is_local,
)
from dialwarden.watch.guard import Guard
from dialwarden.watch.legs import Legs
from dialwarden.watch.permits import Permit, Permits, Use
from dialwarden.watch.resuming import Resuming
from dialwarden.watch.settlement import Settlement

log = logging.getLogger("dialwarden.watch")

SWEEP_EVERY_S = 5.0
# An attempt that was opened so long ago, and has no live leg, has come to its end unseen.
OVERDUE = 2 * PERMIT_LIFE
MOST_CALLS = 32_768  # ids, some 150 bytes each
AUDIT_AGAIN_S = 2.0
_CLOCK_DRIFT_S = 5.0  # between two sweeps
_DIGITS = re.compile(r"[0-9]+")
_NEVER_DIALLED = "the permit was not dialled within its life"


class Link(Protocol):
    """What is needed of the link."""

    @property
    def up(self) -> bool: ...

    async def ask_list(
        self, action: str, headers: Iterable[tuple[str, str]] = ()
    ) -> list[Event]: ...


class Watcher:
    """Listens for as long as the bridge runs.

    Args:
        guard: judges the legs that begin; switched off, it lets them go, and they are followed.
        user_event: what to do with a UserEvent; None for those that are nobody's.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        gate: Gate,
        permits: Permits,
        legs: Legs,
        settlement: Settlement,
        guard: Guard,
        *,
        trunks: Callable[[], Trunks],
        pbx: str,
        user_event: Callable[[Event], Coroutine[Any, Any, None] | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gate = gate
        self._permits = permits
        self._legs = legs
        self._settlement = settlement
        self._guard = guard
        self._trunks = trunks
        self._pbx = pbx
        self._user_event = user_event
        self._clock = clock
        # Uniqueid to the Linkedid it was born with, and each Linkedid to itself.
        self._calls: OrderedDict[str, str] = OrderedDict()
        self._channels: OrderedDict[str, str] = OrderedDict()  # name to linkedid
        self._gone: deque[tuple[float, str]] = deque()  # when, and the Uniqueid
        self._blind_since: float | None = clock()
        self._sweeper: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._offset = gate.now().timestamp() - clock()
        self._jumped_at = float("-inf")
        self._resuming = Resuming(
            gate, legs, settlement, guard, trunks=trunks, pbx=pbx,
            rings=self._rang, answers=self._answered, noted=self._note_channel,
        )  # fmt: skip
        self._handlers: dict[str, Callable[[Event], None]] = {
            "newchannel": self._on_new_channel,
            "rename": self._on_rename,
            "dialbegin": self._on_dial_begin,
            "dialstate": self._on_dial_state,
            "dialend": self._on_dial_end,
            "newstate": self._on_new_state,
            "hangup": self._on_hangup,
            "userevent": self._on_user_event,
        }

    @property
    def seeing(self) -> bool:
        """Whether every leg that begins is seen."""
        return self._blind_since is None

    def linkedid_of(self, channel: str) -> str:
        """The call of a channel that is up; "" when it is not known."""
        return self._channels.get(channel, "")

    async def start(self) -> None:
        """Take up the permits that were out when the bridge stopped."""
        now = self._gate.now()
        try:
            out = await self._gate.ledger.read(partial(open_permits, since=now - PERMIT_LIFE))
        except LedgerError as error:
            log.warning("permits of before the start are looked up as they are dialled: %s", error)
            out = []
        for permit in out:
            self._take_up(permit)
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep_for_ever())

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait({self._sweeper})
        await self._settlement.close()

    def _take_up(self, permit: OpenPermit) -> None:
        age_s = (self._gate.now() - permit.at).total_seconds()
        self._permits.take_up(permit, age_s=age_s)
        if permit.state is State.DIALLED:
            self._permits.take(permit.attempt)

    # From the link, in this order: up, audit, events; down.

    async def link_up(self, link: Link) -> None:
        """Look at what is there; from then on nothing is missed.

        Until Asterisk has told it is asked again.

        Raises:
            DialwardenError: the link was lost before that.
        """
        first = self._resuming.first
        self._link = link
        self._permits.begin_seeing()
        said = False
        while True:
            try:
                await self._resuming.audit(link)
                break
            except DialwardenError as error:
                if not link.up:
                    raise
                if not said:
                    log.error("the guard stays blind: Asterisk does not list its channels (%s), "
                              "asked again every %g s; where that is a matter of rights, give "
                              "its AMI user write = call,reporting,command, `manager reload`, and "
                              "restart dialwarden", error, AUDIT_AGAIN_S)  # fmt: skip
                    said = True
            await asyncio.sleep(AUDIT_AGAIN_S)
        if self._blind_since is not None:
            blind_s = self._clock() - self._blind_since
            self._blind_since = None
            if not first or said:
                log.warning("the guard sees again, after %.1f s", blind_s)

    def link_down(self, why: str) -> None:
        """Events are being missed from here on."""
        if self._blind_since is None:
            self._blind_since = self._clock()
            log.error("the guard is blind: %s", why)
        self._permits.stop_seeing()
        self._calls.clear()
        self._channels.clear()
        self._gone.clear()
        self._resuming.lost()

    def on_event(self, event: Event) -> None:
        """Take one event; they come in Asterisk's order."""
        handler = self._handlers.get(event.get("event", "").lower())
        if handler is not None:
            handler(event)

    def _on_new_channel(self, event: Event) -> None:
        self._note_channel(event)

    def _note_channel(self, event: Event) -> None:
        linkedid = event.get("linkedid", "")
        self._channels[event.get("channel", "")] = linkedid
        if linkedid:
            self._calls.setdefault(linkedid, linkedid)
            self._calls[event.get("uniqueid", "") or linkedid] = linkedid
        while len(self._calls) > MOST_CALLS:
            self._calls.popitem(last=False)
        while len(self._channels) > MOST_CALLS:
            self._channels.popitem(last=False)

    def _on_rename(self, event: Event) -> None:
        linkedid = self._channels.pop(event.get("channel", ""), None)
        if linkedid is not None:
            self._channels[event.get("newname", "")] = linkedid

    def _on_dial_begin(self, event: Event) -> None:
        channel = event.get("destchannel", "")
        if is_local(channel):
            return
        dial_string, ids = event.get("dialstring", ""), self._ids_of(event)
        reach = self._trunks().leg(channel, dial_string)
        if reach is None:
            # A phone of ours, or a trunk that nobody configured: then it may be the callee.
            self._permits.doubt(ids)
            self._permits.doubt_number(_DIGITS.findall(dial_string))
            return
        self._guard.dial_begun(event, reach, ids)

    def _ids_of(self, event: Event) -> tuple[str, ...]:
        """What a dial's call may be known by: also the call that its caller was born in, which may
        have asked before it was bridged with an older one.
        """
        ids = ids_of(event)
        return tuple(dict.fromkeys((*ids, *(self._calls.get(one, one) for one in ids))))

    def _on_dial_state(self, event: Event) -> None:
        if event.get("dialstatus", "").upper() in REACHED:
            self._rang(event.get("destuniqueid", ""))

    def _on_dial_end(self, event: Event) -> None:
        status = event.get("dialstatus", "").upper()
        leg = self._legs.get(event.get("destuniqueid", ""))
        if leg is not None:
            leg.status = status
        if status == Ended.ANSWER:
            self._answered(event.get("destuniqueid", ""))

    def _on_new_state(self, event: Event) -> None:
        state = event.get("channelstate", "")
        if state == STATE_RINGING:
            self._rang(event.get("uniqueid", ""))
        elif state == STATE_UP:
            self._answered(event.get("uniqueid", ""))

    def _rang(self, uniqueid: str) -> None:
        leg = self._legs.get(uniqueid)
        if leg is None:
            if self._resuming.meanwhile is not None:
                self._resuming.meanwhile.rings(uniqueid)
            return
        if leg.rang:
            return
        leg.rang = True
        if leg.attempt is not None:
            self._permits.reached(leg.attempt)
            at = self._gate.now()
            self._settlement.record(partial(leg_table.rang, leg=leg.id, at=at))
        elif leg.bypass is not None:
            self._gate.keep(self._guard.reached_all_the_same(leg))

    def _answered(self, uniqueid: str) -> None:
        leg = self._legs.get(uniqueid)
        if leg is None:
            if self._resuming.meanwhile is not None:
                self._resuming.meanwhile.answers(uniqueid)
            return
        if leg.answered:
            return
        leg.answered = True
        if leg.attempt is not None:
            self._permits.reached(leg.attempt)
            at = self._gate.now()
            self._settlement.record(partial(leg_table.answered, leg=leg.id, at=at))
        elif leg.bypass is not None:
            self._gate.keep(self._guard.reached_all_the_same(leg))

    def _on_hangup(self, event: Event) -> None:
        self._channels.pop(event.get("channel", ""), None)
        self._gone.append((self._clock(), event.get("uniqueid", "")))
        leg = self._legs.end(event.get("uniqueid", ""), cause_of(event))
        if leg is None:
            if self._resuming.meanwhile is not None:
                self._resuming.meanwhile.ends(event.get("uniqueid", ""))
        elif leg.attempt is not None:
            if leg.ending is leg_table.Ending.FAILED:
                self._permits.released(leg.attempt)
            else:
                self._permits.reached(leg.attempt)
            self._settlement.record(leg.end_step(self._gate.now()))
        elif leg.bypass is not None and leg.reached:
            self._gate.keep(self._guard.reached_all_the_same(leg))

    def _on_user_event(self, event: Event) -> None:
        work = self._user_event(event)
        if work is not None:
            self._gate.keep(work)

    # The sweep.

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await self.sweep()
            except LedgerError as error:
                log.warning("open attempts are not settled now: %s", error)
            except Exception:
                log.exception("open attempts are not settled now")

    async def sweep(self) -> None:
        """Void the permits that surely were not dialled; settle what came to its end unseen."""
        never_dialled = [permit for permit in self._permits.expire() if self._surely_unused(permit)]
        self._forget_calls()
        await self._settlement.flushed()
        if self._resuming.again and self.seeing and self._link is not None:
            await self._resuming.audit(self._link)
        now = self._gate.now()
        if never_dialled:
            await self._gate.ledger.transact(partial(_void, permits=never_dialled, at=now))
        if not self._clock_was_steady(now):
            return  # what was allowed a moment ago looks overdue
        await self._gate.ledger.transact(
            partial(leg_table.settle_overdue, before=now - OVERDUE, at=now)
        )

    def _forget_calls(self) -> None:
        """Calls that are over so long that no permit of theirs is out any more."""
        past = self._clock() - OVERDUE.total_seconds()
        while self._gone and self._gone[0][0] <= past:
            self._calls.pop(self._gone.popleft()[1], None)

    def _clock_was_steady(self, now: datetime) -> bool:
        """Whether the wall clock went with the other one for as long as an attempt takes."""
        steady = now.timestamp() - self._clock()
        if abs(steady - self._offset) > _CLOCK_DRIFT_S:
            self._jumped_at = self._clock()
        self._offset = steady
        return self._clock() - self._jumped_at >= OVERDUE.total_seconds()

    def _surely_unused(self, permit: Permit) -> bool:
        """Whether this Asterisk had the call, and we saw all its life, and no dial in it."""
        return (
            permit.seen
            and permit.use is Use.FREE
            and not permit.dialled
            and not permit.in_doubt
            and any(one in self._calls for one in permit.ids)
        )


def _void(conn: sqlite3.Connection, permits: list[Permit], at: datetime) -> None:
    for permit in permits:
        with contextlib.suppress(DialwardenError):  # dialled or settled by another process
            attempts.void(conn, permit.attempt, _NEVER_DIALLED, at)
