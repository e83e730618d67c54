"""The guard: a leg on a trunk of ours that nobody asked about is caught as soon as it is dialled.

Owns the decision, at DialBegin: permitted, exempt, or a bypass. A permit is looked for in memory,
and behind the exemptions in the ledger, where another bridge may have written it: an emergency
number needs none, and is let through with the ledger gone too. When in doubt, the leg is caught.

What Asterisk told us is all there is: a callee who answers in the very millisecond in which the
hang-up is under way is cut. One who is known to have answered never is.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

from dialwarden.errors import LedgerError
from dialwarden.gate.bypass import Bypass, BypassLog
from dialwarden.gate.gate import Gate
from dialwarden.gate.reading import read_question
from dialwarden.gate.rulebook import PERMIT_LIFE, Rulebook
from dialwarden.ledger import legs as leg_table
from dialwarden.ledger.legs import Ending
from dialwarden.ledger.permits import OpenPermit, find_permits, leg_known
from dialwarden.ledger.states import State
from dialwarden.numbers import Number, is_emergency, read_number
from dialwarden.question import Door, Question
from dialwarden.routing.trunks import Reach, Trunks
from dialwarden.settings.sections import GuardMode
from dialwarden.verdict import Phrase
from dialwarden.watch.audit import LiveChannel
from dialwarden.watch.events import STATE_RINGING, STATE_UP, Event
from dialwarden.watch.legs import Leg, Legs
from dialwarden.watch.permits import Permits, Use
from dialwarden.watch.settlement import Settlement

log = logging.getLogger("dialwarden.guard")

_INSTANT = timedelta(microseconds=1)
# May still be dialled: a leg that is alive, or that reached somebody, stands in the other states.
_FREE = frozenset({State.RESERVED, State.FAILED})

# Asterisk is asked who dialled before the bypass is on disk: it may not keep that waiting.
ORIGIN_WITHIN_S = 0.5
_NOBODY = frozenset({Ending.FAILED, Ending.CANCELLED})


class Hand(Protocol):
    """What the guard needs of the link."""

    def post(self, action: str, headers: list[tuple[str, str]]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Dial:
    """A leg that begins: what its DialBegin said, and where its string leads.

    Attributes:
        ids: what its call may be known by.
        caller, place: the channel that dialled, and where in the dialplan; "" for an Originate.
    """

    leg: Leg
    reach: Reach
    ids: tuple[str, ...]
    linkedid: str
    dial_string: str
    caller: str
    place: str


class Guard:
    """Judges legs for as long as the bridge runs.

    Args:
        mode: asked at each leg: a reload changes it.
        origin: tells who dialled, from the calling channel and its place in the dialplan.
        dialled_uri: tells where a channel that is up was dialled to, as a dial string; "" unknown.
        pbx: which Asterisk, for the record.
        on_catch: told of every bypass.
    """

    def __init__(
        self,
        gate: Gate,
        permits: Permits,
        legs: Legs,
        settlement: Settlement,
        bypasses: BypassLog,
        hand: Hand,
        *,
        mode: Callable[[], GuardMode],
        origin: Callable[[str, str], Awaitable[Phrase]],
        dialled_uri: Callable[[str], Awaitable[str]],
        pbx: str,
        on_catch: Callable[[], None],
    ) -> None:
        self._gate = gate
        self._permits = permits
        self._legs = legs
        self._settlement = settlement
        self._bypasses = bypasses
        self._hand = hand
        self._mode = mode
        self._origin = origin
        self._dialled_uri = dialled_uri
        self._pbx = pbx
        self._on_catch = on_catch

    def dial_begun(self, event: Event, reach: Reach, ids: tuple[str, ...]) -> None:
        """Judge a leg that Asterisk has begun to dial.

        Args:
            ids: what its call may be known by.
        """
        channel, uniqueid = event.get("destchannel", ""), event.get("destuniqueid", "")
        known = self._legs.get(uniqueid)
        if known is not None and known.channel == channel:
            return  # told twice
        state = event.get("destchannelstate", "")
        leg = Leg(
            uniqueid, channel, reach.trunk, self._pbx,
            rang=state == STATE_RINGING, answered=state == STATE_UP,
        )  # fmt: skip
        caller = event.get("channel", "")
        words = (event.get(name, "") for name in ("context", "exten", "priority"))
        dial = Dial(
            leg, reach, ids, event.get("destlinkedid", ""),
            event.get("dialstring", ""), caller, ",".join(words) if caller else "",
        )  # fmt: skip
        self._judge(dial)

    async def found_unanswered(self, channel: LiveChannel, leg: Leg, trunks: Trunks) -> None:
        """Judge a leg that was begun while our link was down; one whose number nobody tells is told
        of and let go: it may be an emergency call.

        Args:
            leg: is followed already: what happens to it while its number is asked for is not lost.
        """
        uri = await self._dialled_uri(channel.channel)
        if leg.answered or leg.ended or leg.lost:
            self._legs.forget(leg.uniqueid)
            return
        reach = trunks.leg(channel.channel, uri) if uri else None
        if reach is None or not reach.number:
            self._legs.forget(leg.uniqueid)
            log.warning("%s rings, begun while the link was down, and nobody tells what number it "
                        "was: let go", self._gate.veiled(channel.channel))  # fmt: skip
            return
        leg.trunk = reach.trunk
        ids = tuple(dict.fromkeys((channel.uniqueid, channel.linkedid)))
        self._judge(Dial(leg, reach, ids, channel.linkedid, uri, "", ""))

    def _judge(self, dial: Dial) -> None:
        leg, reach, channel = dial.leg, dial.reach, dial.leg.channel
        rulebook = self._gate.rulebook
        if reach.optional and not _is_number(reach.number, rulebook):
            self._permits.doubt(dial.ids)  # whom it is, nobody knows: it may be the callee
            self._legs.forget(leg.uniqueid)
            return
        taken, spent = self._permitted(dial, rulebook)
        if taken:
            return
        if _exempt(dial, rulebook):
            self._legs.forget(leg.uniqueid)
            log.debug("%s is exempt: let through", channel)
            return
        # Known already while the ledger is asked: what happens to the leg meanwhile is not lost.
        self._legs.begin(leg)
        self._gate.keep(self._look_further(dial, rulebook, spent))

    def _permitted(self, dial: Dial, rulebook: Rulebook) -> tuple[bool, frozenset[int]]:
        """Whether a permit in memory covers the leg; and the attempts known to be used up."""
        used = set()
        for permit in self._permits.of_call(dial.ids):
            if permit.number != _digits(dial.reach.number, permit.campaign, rulebook):
                continue
            if permit.use is Use.FREE:
                self._let_through(dial, permit.attempt)
                return True, frozenset()
            used.add(permit.attempt)
        # What the console or a nested Originate() sets off is a call of its own, which may dial
        # from a Local channel at that: such a permit is good for one leg to its number.
        for permit in self._permits.of_number(_readings(dial, rulebook)):
            if permit.use is Use.FREE:
                self._let_through(dial, permit.attempt)
                return True, frozenset()
        return False, frozenset(used)

    def _let_through(self, dial: Dial, attempt: int) -> None:
        leg = dial.leg
        leg.attempt, leg.judged = attempt, True
        if not leg.ended and not leg.lost and leg.uniqueid not in self._legs:
            self._legs.begin(leg)
        self._permits.take(attempt)
        self._settlement.record(
            partial(
                leg_table.dialled, attempt=attempt, leg=leg.id, trunk=leg.trunk, at=self._gate.now()
            )
        )
        self._tell_what_was_missed(leg)

    async def _look_further(self, dial: Dial, rulebook: Rulebook, spent: frozenset[int]) -> None:
        """Ask the ledger: another bridge's permit, an exempt list, what was before our start."""
        leg = dial.leg
        try:
            found = await self._gate.ledger.read(partial(self._find, dial, rulebook, spent))
        except LedgerError as error:
            log.error("ledger: %s; %s has no permit that we know of", error, leg.channel)
            found = None
        except Exception:
            log.exception("looking for a permit failed; %s has none that we know of", leg.channel)
            found = None
        if isinstance(found, str):
            self._legs.forget(leg.uniqueid)
            log.info("%s is on exempt list %s: let through", leg.channel, found)
            return
        if isinstance(found, OpenPermit):
            self._permits.take_up(found, age_s=self._age_s(found))
            found = found.attempt if self._permits.is_free(found.attempt) else None
        # Another dial of the same call may have taken it while we looked.
        if found is None or self._taken_meanwhile(found, leg.uniqueid):
            await self._catch(dial)
        else:
            self._let_through(dial, found)

    def _age_s(self, permit: OpenPermit) -> float:
        return (self._gate.now() - permit.at).total_seconds()

    def _find(
        self, dial: Dial, rulebook: Rulebook, spent: frozenset[int], conn: sqlite3.Connection
    ) -> OpenPermit | int | str | None:
        """The permit or the attempt of the leg, or the exempt list that its number is on."""
        leg = dial.leg
        since = self._gate.now() - PERMIT_LIFE + _INSTANT  # one exactly that old is over
        known = leg_known(conn, leg.id, since=since)
        if known is not None and known not in spent:
            return known  # another bridge on this PBX was quicker
        for permit in find_permits(conn, dial.ids, since=since):
            digits = _digits(dial.reach.number, permit.campaign, rulebook)
            if permit.number == digits and permit.state in _FREE and permit.attempt not in spent:
                return permit
        names = rulebook.exempt_lists
        if names:
            for digits in _readings(dial, rulebook):
                listings = self._gate.ledger.read_lists.look_up(conn, names, digits)
                for name in names:
                    if listings[name].listed:
                        return name
        return None

    def _taken_meanwhile(self, attempt: int, uniqueid: str) -> bool:
        return any(leg.attempt == attempt and leg.uniqueid != uniqueid for leg in self._legs.live())

    def _tell_what_was_missed(self, leg: Leg) -> None:
        """Record what happened to a leg before we knew whose it is."""
        at, attempt = self._gate.now(), leg.attempt
        assert attempt is not None
        if leg.reached:
            self._permits.reached(attempt)
        if leg.rang:
            self._settlement.record(partial(leg_table.rang, leg=leg.id, at=at))
        if leg.answered:
            self._settlement.record(partial(leg_table.answered, leg=leg.id, at=at))
        if leg.ended:
            if leg.ending is Ending.FAILED:
                self._permits.released(attempt)
            self._settlement.record(leg.end_step(at))

    async def _catch(self, dial: Dial) -> None:
        """A bypass: hang it up, or let it go and count it; and write down who it was."""
        leg, mode = dial.leg, self._mode()
        if mode is GuardMode.OFF:
            self._legs.forget(leg.uniqueid)
            return
        # A bypass names no campaign: it may be one of those that are enforced, if any is.
        if self._gate.rulebook.all_shadow:
            mode = GuardMode.REPORT
        # Of one whose link was lost meanwhile nobody knows whether it was answered.
        hang_up = mode is GuardMode.HANGUP and not (leg.answered or leg.ended or leg.lost)
        if hang_up:
            leg.caught = self._hand.post("Hangup", [("Channel", leg.channel), ("Cause", "21")])
            if not leg.caught:
                log.error("%s could not be hung up: the AMI link is down", leg.channel)
        # One that could not be is judged anew when the link is back.
        leg.judged = leg.caught or not hang_up
        self._on_catch()
        bypass = Bypass(
            uniqueid=leg.uniqueid, trunk=leg.trunk, pbx=self._pbx,
            number=dial.reach.number, dial_string=dial.dial_string, channel=leg.channel,
            call=dial.linkedid, caller=dial.caller, by=await self._by(dial),
            hung_up=leg.caught,
        )  # fmt: skip
        # One that is over before it reached anybody: another bridge may have been quicker.
        over = mode is GuardMode.HANGUP and leg.ended and leg.ending in _NOBODY
        counted = leg.reached or not (leg.caught or over)
        if not counted:
            leg.bypass = bypass  # should it reach the callee after all
        self._follow(leg, await self._bypasses.record(bypass, counted=counted))

    async def _by(self, dial: Dial) -> Phrase:
        """Who did it; that nobody can tell never costs the record."""
        try:
            return await asyncio.wait_for(self._origin(dial.caller, dial.place), ORIGIN_WITHIN_S)
        except TimeoutError:
            return Phrase("somebody")
        except Exception:
            log.exception("who dialled %s cannot be told", self._gate.veiled(dial.leg.channel))
            return Phrase("somebody")

    async def reached_all_the_same(self, leg: Leg) -> None:
        """A leg that was hung up too late: it rang, and is an attempt."""
        bypass, leg.bypass = leg.bypass, None
        if bypass is not None and leg.attempt is None:
            self._follow(leg, await self._bypasses.count(bypass))

    def _follow(self, leg: Leg, attempt: int | None) -> None:
        """A leg that nobody allowed has become an attempt: what came of it is followed."""
        if attempt is not None and leg.attempt is None:
            leg.attempt = attempt
            self._tell_what_was_missed(leg)


def _digits(number: str, campaign: str, rulebook: Rulebook) -> int | None:
    """A dialled number as the campaign that allowed the call reads it."""
    entry = rulebook.entries.get(campaign)
    read = read_number(number, region=entry.region if entry else "", strips=rulebook.strips)
    return read.digits if isinstance(read, Number) else None


def _regions(rulebook: Rulebook) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.region for entry in rulebook.entries.values()))


def _is_number(text: str, rulebook: Rulebook) -> bool:
    return any(
        isinstance(read_number(text, region=region, strips=rulebook.strips), Number)
        for region in _regions(rulebook)
    )


def _texts(dial: Dial, rulebook: Rulebook) -> tuple[str, ...]:
    """What may be the number of a dial string: where it is none, any run of digits in it."""
    number = dial.reach.number
    if number and _is_number(number, rulebook):
        return (number,)
    return (*((number,) if number else ()), *dial.reach.digit_runs)


def _readings(dial: Dial, rulebook: Rulebook) -> tuple[int, ...]:
    """Every number that the dial string may stand for, as any campaign would read it."""
    found = (
        read_number(text, region=region, strips=rulebook.strips)
        for text in _texts(dial, rulebook)
        for region in _regions(rulebook)
    )
    return tuple(dict.fromkeys(read.digits for read in found if isinstance(read, Number)))


def _exempt(dial: Dial, rulebook: Rulebook) -> bool:
    """Whether the number, or any run of digits where there is none, is never judged."""
    if is_emergency(dial.reach.plain, rulebook.emergency, rulebook.strips):
        return True
    campaigns = {entry.region: name for name, entry in rulebook.entries.items()}
    return any(
        read_question(Question(text, campaign, door=Door.GUARD), rulebook).exempt
        for text in _texts(dial, rulebook)
        for campaign in campaigns.values() or ("",)
    )
