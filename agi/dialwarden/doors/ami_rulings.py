"""What becomes of an AMI client's request: relayed as it was judged, or refused.

Owns the order in which what a request would dial is asked of the gate, and the ChannelId by which a
permit travels. What it would dial, `routing` tells; the verdict is the gate's; the wire and the
connection are `ami_client`'s.

An emergency or exempt number passes here before anything is looked up. Whatever else goes wrong is
a refusal: nothing that could not be judged is relayed.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import phonenumbers

from dialwarden.doors.ami_asking import CHANNEL_ID, Asking
from dialwarden.errors import LedgerError
from dialwarden.gate.gate import Gate
from dialwarden.gate.reading import read_question
from dialwarden.gate.record import record_refusal
from dialwarden.gate.verdicts import Answer, refused_as_read
from dialwarden.ledger.permits import id_taken
from dialwarden.log import reason_of
from dialwarden.numbers import Number, is_emergency, read_number
from dialwarden.question import Door, Question
from dialwarden.reasons import sentence
from dialwarden.routing.actions import CONCERNED, TWICE, Demand, demand_of
from dialwarden.routing.caller_id import shown_number
from dialwarden.routing.channel_variables import Cleaned, clean_variables
from dialwarden.routing.trunks import Reach, Trunks
from dialwarden.settings.sections import Gateway
from dialwarden.verdict import Reason, Refusal, Rule
from dialwarden.wire.ami_message import UnsafeText
from dialwarden.wire.ami_request import AmiRequest

log = logging.getLogger("dialwarden.gateway")

# What ids of our making begin with. Unguessable behind that: who knows one passes as its call.
BOUND = "dw-"
# Of a call that cannot be given an id: the console's `channel originate` takes none.
UNBOUND = "dw-unbound-"
_HALVES = (";1", ";2")  # of a Local channel, behind the id that both share
_SHOWN = 40  # characters of a peer's text that a sentence quotes


@dataclass(frozen=True, slots=True)
class Relay:
    """To be sent on.

    Attributes:
        request: exactly what reaches Asterisk.
        answers: ALLOWs reserved for it: taken back when Asterisk answers with an error.
    """

    request: AmiRequest
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not sent on: the client is told `dialwarden: RULE: REASON`."""

    rule: str
    reason: str


class _Refused(Exception):
    """A refusal of ours that the gate was not asked about, and that is still to be recorded."""

    def __init__(self, rule: Rule, reason: str) -> None:
        self.rule = rule
        self.reason = reason
        super().__init__(reason)


class Rulings:
    """Rules on requests, for every client of the gateway.

    Args:
        trunks, settings: those in force, asked for at every request.
        aliases: the console's, alias to command; asked for when a `Command` comes.
        linkedid_of: the call that a channel belongs to; "" when it is not known.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        trunks: Callable[[], Trunks],
        settings: Callable[[], Gateway],
        aliases: Callable[[], Mapping[str, str]],
        linkedid_of: Callable[[str], str],
    ) -> None:
        self._gate = gate
        self._trunks = trunks
        self._settings = settings
        self._aliases = aliases
        self._linkedid_of = linkedid_of

    def concerns(self, request: AmiRequest) -> bool:
        """Whether `rule` must be asked at all; what it need not be asked about dials nothing."""
        return request.action.lower() in CONCERNED

    async def rule(self, request: AmiRequest, *, user: str, peer: str) -> Relay | Refuse:
        """Judge a request; on `Relay` what it dials is reserved, on disk.

        Never raises but for its own cancellation, and then nothing stays reserved.

        Args:
            user: the AMI user that the client is logged in as.
            peer: its address, for the record.
        """
        try:
            asking = self._read(request, user, peer)
            try:
                return await self._judged(asking)
            except _Refused as refused:
                return self._refuse(asking, refused)
        except Exception as error:
            log.exception("judging failed; refused, action %s", ascii(request.action[:_SHOWN]))
            why = Reason("unavailable_error", {"why": type(error).__name__})
            return Refuse(Rule.UNAVAILABLE, self._said(why))

    def take_back(self, relay: Relay, why: str) -> None:
        """Release what was reserved for a request that surely dialled nothing."""
        for answer in relay.answers:
            self._gate.undelivered(answer, why)

    def _read(self, request: AmiRequest, user: str, peer: str) -> Asking:
        settings, action = self._settings(), request.action.lower()
        asked_by = f"{user}@{peer}"
        demand = demand_of(
            request,
            self._trunks(),
            aliases=self._aliases() if action == "command" else {},
            may_change_dialplan=_is_among(user, settings.dialplan_users),
        )
        originates = action == "originate"
        headers = request.headers
        return Asking(
            request,
            demand,
            tuple(reach for reach in demand.reaches if self._is_ours(reach, demand)),
            next((c for name, c in settings.campaigns.items() if _is_among(user, (name,))), ()),
            clean_variables(headers) if originates else Cleaned(None, headers, headers),
            originates,
            asked_by,
            shown_number(request.get("CallerID")) if originates else None,
        )

    async def _judged(self, asking: Asking) -> Relay | Refuse:
        demand, problem = asking.demand, asking.demand.problem
        exempt = bool(asking.reaches) and all(map(self._is_exempt, asking.reaches))
        if problem and not (exempt and problem == TWICE):
            raise _Refused(*problem)
        if exempt:
            for reach in asking.reaches:
                await self._gate.ask(asking.question(reach))
            return Relay(asking.cleansed)
        if not asking.reaches and self._goes_to_emergency(asking):
            return Relay(asking.cleansed)
        if asking.cleaned.problem:
            raise _Refused(Rule.BYPASS, asking.cleaned.problem)
        if not asking.may_name:
            raise _Refused(Rule.CAMPAIGN, _campaign_told(asking))
        taken = await self._taken(asking)
        if not asking.reaches:
            if taken:
                raise _Refused(Rule.BYPASS, self._said(_taken_told(taken)))
            return Relay(asking.cleansed)
        if not demand.places_call:
            return await self._looked_at(asking)
        if self._names_one_twice(asking):
            raise _Refused(*TWICE)
        return await self._reserved(asking, taken)

    async def _looked_at(self, asking: Asking) -> Relay | Refuse:
        """Judge what a request lets happen later: nothing is reserved for it."""
        for reach in asking.reaches:
            answer = await self._gate.peek(asking.question(reach))
            if not answer.allowed:
                return self._told(answer)
        return Relay(asking.cleansed)

    async def _reserved(self, asking: Asking, taken: str) -> Relay | Refuse:
        """Judge what a request dials: all of it is allowed and reserved, or none."""
        request, permit = asking.cleansed, ""
        if asking.demand.channel:
            call = self._linkedid_of(asking.demand.channel)
            if not call:
                why = "the call of the channel is not known"
                reason = Reason("unavailable_error", {"why": why})
                answer = self._gate.unanswered(asking.question(asking.reaches[0]), reason)
                return self._told(answer)
        else:
            call = permit = request.get(CHANNEL_ID) if asking.originates else ""
            if not permit:
                call = permit = f"{BOUND if asking.originates else UNBOUND}{secrets.token_hex(12)}"
            if asking.originates:
                request = _with_channel_id(request, permit)
        answers: list[Answer] = []
        try:
            for reach in asking.reaches:
                # The first is bound to the id, and refused when that is another call's.
                bound = (taken or permit) if not answers else ""
                answer = await self._gate.ask(asking.question(reach, call=call, permit=bound))
                if not answer.allowed:
                    self._release(answers)
                    return self._told(answer)
                answers.append(answer)
        except BaseException:
            self._release(answers)
            raise
        return Relay(request, tuple(answers))

    def _release(self, answers: list[Answer]) -> None:
        for answer in answers:
            self._gate.undelivered(answer, "another destination of the same request was refused")

    async def _taken(self, asking: Asking) -> str:
        """The id of another call that a request comes with; "" when it comes with none.

        An id is also another call's when it is one half of that call's Local channel.
        """
        wanted = [other for one in asking.channel_ids for other in _spellings(one)]
        if not wanted:
            return ""

        def work(conn: sqlite3.Connection) -> str:
            return next((one for one in wanted if id_taken(conn, one)), "")

        try:
            return await self._gate.ledger.read(work)
        except LedgerError as error:
            reason = Reason("unavailable_ledger", {"why": error.what})
            raise _Refused(Rule.UNAVAILABLE, self._said(reason)) from None

    def _is_ours(self, reach: Reach, demand: Demand) -> bool:
        """Whether a destination is to be judged: what may be one is when it is a number.

        An extension of the dialplan is one only where such a number exists: 8600051 is a
        conference in many dialers, and would be a possible number of several countries.
        """
        if not reach.optional:
            return True
        rulebook = self._gate.rulebook
        if self._is_exempt(reach):
            return True
        for region in {entry.region for entry in rulebook.entries.values()}:
            read = read_number(reach.number, region=region, strips=rulebook.strips)
            if isinstance(read, Number) and (demand.places_call or _exists(read)):
                return True
        return False

    def _is_exempt(self, reach: Reach) -> bool:
        rulebook = self._gate.rulebook
        if is_emergency(reach.plain, rulebook.emergency, rulebook.strips):
            return True
        question = Question(reach.number)
        return bool(reach.number and read_question(question, self._gate.rulebook).exempt)

    def _names_one_twice(self, asking: Asking) -> bool:
        """Whether one callee is dialled twice, written in two ways."""
        readings = [read_question(asking.question(r), self._gate.rulebook) for r in asking.reaches]
        numbers = [reading.number.digits for reading in readings if reading.number is not None]
        return len(numbers) > len(set(numbers))

    def _goes_to_emergency(self, asking: Asking) -> bool:
        """Whether an Originate that stays inside asks the dialplan for an emergency number."""
        if not asking.originates:
            return False
        channel = asking.request.get("Channel").partition("/")[2].partition("@")[0]
        rulebook = self._gate.rulebook
        return any(
            is_emergency(text, rulebook.emergency, rulebook.strips)
            for text in (channel, asking.request.get("Exten"))
        )

    def _told(self, answer: Answer) -> Refuse:
        return Refuse(answer.verdict.rules[0], reason_of(answer, self._gate.rulebook.language))

    def _said(self, reason: Reason) -> str:
        return sentence(reason, self._gate.rulebook.language)

    def _refuse(self, asking: Asking, refused: _Refused) -> Refuse:
        """Refuse what the gate was not asked about, and write it down."""
        gate, started = self._gate, time.perf_counter()
        rulebook = gate.rulebook
        reach = next((reach for reach in asking.reaches if reach.number), None)
        number = reach.number if reach else ""
        question = Question(number, asking.campaign, door=Door.GATEWAY, asked_by=asking.asked_by)
        reading = read_question(question, rulebook)
        reason = Reason("request", {"detail": refused.reason})
        reading = replace(reading, refusals=(Refusal(refused.rule, reason),))
        verdict = refused_as_read(reading, gate.now())

        async def record() -> None:
            try:
                await gate.ledger.transact(
                    lambda conn: record_refusal(conn, reading, rulebook, verdict)
                )
            except Exception as error:  # it is in the log stream all the same
                log.info("a refusal is in this log only: %s", error)

        gate.keep(record())
        gate.say(Answer(verdict), question, rulebook, started)
        return Refuse(refused.rule, refused.reason)


def _with_channel_id(request: AmiRequest, channel_id: str) -> AmiRequest:
    try:
        return request.with_header(CHANNEL_ID, channel_id)
    except UnsafeText as error:
        raise _Refused(
            Rule.UNAVAILABLE, f"no ChannelId can be put into the request: {error}"
        ) from None


def _spellings(channel_id: str) -> tuple[str, ...]:
    """A ChannelId, what it is a half of, and its halves."""
    base = channel_id[:-2] if channel_id.endswith(_HALVES) else channel_id
    return tuple(dict.fromkeys((channel_id, base, *(base + half for half in _HALVES))))


def _taken_told(channel_id: str) -> Reason:
    return Reason("permit_taken", {"channel_id": ascii(channel_id[:_SHOWN])})


def _campaign_told(asking: Asking) -> str:
    allowed = ", ".join(asking.campaigns) or "none"
    return (
        f"campaign {asking.named[:_SHOWN]!a} is not one that this AMI user may name "
        f"({allowed}); name one of them, or list it under [gateway.campaigns]"
    )


def _is_among(user: str, names: tuple[str, ...]) -> bool:
    """Asterisk finds a manager user in any case."""
    return user.lower() in {name.lower() for name in names}


def _exists(number: Number) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.parse(number.e164))
