"""Taking up what is there when the link comes up: the audit, and what follows from it.

Owns what is remembered across a lost link: the legs that were followed, and the channels that are
older than our first look, which are nobody's to touch. How the channels and the ledger are laid
side by side is `audit`'s; whether a leg may stay is the guard's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from dialwarden.errors import LedgerError
from dialwarden.gate.gate import Gate
from dialwarden.ledger import legs as leg_table
from dialwarden.ledger.legs import LegId, OpenLeg
from dialwarden.ledger.states import Event as Step
from dialwarden.routing.trunks import Trunks
from dialwarden.watch.audit import Found, LiveChannel, Meanwhile, compare
from dialwarden.watch.events import Event
from dialwarden.watch.guard import Guard
from dialwarden.watch.legs import Leg, Legs
from dialwarden.watch.settlement import Settlement

log = logging.getLogger("dialwarden.watch")


class Lists(Protocol):
    """What is needed of the link."""

    async def ask_list(
        self, action: str, headers: Iterable[tuple[str, str]] = ()
    ) -> list[Event]: ...


class Resuming:
    """What is known of the legs beyond one connection of the link.

    Args:
        rings, answers: told of a followed leg that was found so.
        noted: told of every row of Asterisk's list.
        pbx: whose legs in the ledger are ours.
    """

    def __init__(
        self,
        gate: Gate,
        legs: Legs,
        settlement: Settlement,
        guard: Guard,
        *,
        trunks: Callable[[], Trunks],
        pbx: str,
        rings: Callable[[str], None],
        answers: Callable[[str], None],
        noted: Callable[[Event], None],
    ) -> None:
        self._gate = gate
        self._legs = legs
        self._settlement = settlement
        self._guard = guard
        self._trunks = trunks
        self._pbx = pbx
        self._rings = rings
        self._answers = answers
        self._noted = noted
        self._before: dict[str, Leg] = {}  # followed, when the link was lost
        self._older: frozenset[str] = frozenset()  # up at our first look
        self.first = True
        self.again = False  # the ledger did not tell: to be looked at once more
        self.meanwhile: Meanwhile | None = None  # of the audit that is under way

    def lost(self) -> None:
        """The link is down: what happens to the legs is not seen."""
        for leg in self._legs.clear():
            leg.lost = True
            # One that is still being judged is judged anew, by what is there then.
            if leg.judged:
                self._before[leg.uniqueid] = leg

    async def audit(self, link: Lists) -> None:
        """Look at what is there; from then on nothing is missed.

        Raises:
            DialwardenError: Asterisk does not tell; nothing was changed.
        """
        self.again = False
        meanwhile = self.meanwhile = Meanwhile()
        try:
            open_before = await self._open_legs()
            rows = await link.ask_list("CoreShowChannels")
            open_now = await self._open_legs()
        finally:
            self.meanwhile = None
        # From here until all legs are followed nothing is waited for: no event comes in between.
        channels = meanwhile.applied(rows)
        for row in rows:
            if row.get("uniqueid", "") in channels:
                self._noted(row)
        first, self.first = self.first, False
        self._take_up_again(channels)
        found = compare(channels, open_before, open_now, self._legs, self._trunks())
        self._settle(found)
        self._tell(found, first=first)
        if first:
            self._older = frozenset(channel.uniqueid for channel in found.unknown)
            return
        self._older &= channels.keys()
        new = [
            (channel, leg)
            for channel in found.unknown
            if channel.uniqueid not in self._older and (leg := self._begin(channel)) is not None
        ]
        for channel, leg in new:
            await self._guard.found_unanswered(channel, leg, self._trunks())

    async def _open_legs(self) -> list[OpenLeg]:
        try:
            return await self._gate.ledger.read(partial(leg_table.open_legs, pbx=self._pbx))
        except LedgerError as error:
            log.error("open legs of before are not settled yet: %s", error)
            self.again = True
            return []

    def _take_up_again(self, channels: dict[str, LiveChannel]) -> None:
        """What we followed before, whether the ledger has heard of it or not."""
        before, self._before = self._before, {}
        at = self._gate.now()
        for uniqueid, leg in before.items():
            channel = channels.get(uniqueid)
            if channel is not None:
                leg.lost, leg.unsure = False, True
                self._follow(leg, channel)
            elif leg.attempt is not None:
                self._settlement.record(partial(leg_table.lost, leg=leg.id, at=at))

    def _follow(self, leg: Leg, channel: LiveChannel) -> None:
        self._legs.begin(leg)
        if channel.answered:
            self._answers(leg.uniqueid)
        elif channel.ringing:
            self._rings(leg.uniqueid)

    def _begin(self, channel: LiveChannel) -> Leg | None:
        """A leg that was begun while nobody looked."""
        route = self._trunks().of_channel(channel.channel)
        if route is None:
            return None
        leg = Leg(
            channel.uniqueid,
            channel.channel,
            route.name,
            self._pbx,
            rang=channel.ringing,
            unsure=True,
        )
        self._legs.begin(leg)
        return leg

    def _settle(self, found: Found) -> None:
        at = self._gate.now()
        for open_leg, channel in found.on:
            leg = Leg(
                open_leg.uniqueid, open_leg.channel, "", self._pbx, attempt=open_leg.attempt,
                rang=open_leg.state == Step.RANG, answered=open_leg.state == Step.ANSWERED,
                judged=True, unsure=True,
            )  # fmt: skip
            self._follow(leg, channel)
        for open_leg in found.gone:
            leg_id = LegId(self._pbx, open_leg.uniqueid, open_leg.channel)
            self._settlement.record(partial(leg_table.lost, leg=leg_id, at=at))
        if found.on or found.gone:
            log.info("of the legs that were open, %d are still up and %d ended unseen; these "
                     "attempts stay counted", len(found.on), len(found.gone))  # fmt: skip

    def _tell(self, found: Found, *, first: bool) -> None:
        if first and (found.unknown or found.talking):
            log.info("%d channels on our trunks are older than our link: not touched",
                     len(found.unknown) + len(found.talking))  # fmt: skip
        for channel in () if first else found.talking:
            log.warning("%s is in conversation, begun while the link was down and not in the "
                        "ledger: not touched", self._gate.veiled(channel.channel))  # fmt: skip
