"""One question within one transaction of the ledger: facts, rules, and the record of the answer.

Synchronous, over a connection: the bridge runs it in the ledger's thread within a batch, the
command line runs `judge_dry` by itself. The attempt, or the refusal with its reasons, is written
in the transaction that read the facts, so that no race can put one call too many between them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dialwarden.facts import Facts, Listing
from dialwarden.gate.reading import Reading, is_diallable
from dialwarden.gate.record import Consulted, basis_of, record_refusal
from dialwarden.gate.rulebook import PERMIT_LIFE, Rulebook
from dialwarden.ledger import appointments, attempts, refusals
from dialwarden.ledger.attempt_lookup import last_of_call
from dialwarden.ledger.attempts import NewAttempt, OpenAttempt
from dialwarden.ledger.basis import basis_id
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.list_cache import ListCache
from dialwarden.ledger.permits import id_taken
from dialwarden.ledger.states import Event, IllegalTransition, Outcome
from dialwarden.question import Purpose
from dialwarden.rules.judge import judge, next_allowed
from dialwarden.verdict import Decision, Reason, Refusal, Rule, Verdict

# What became of the last dial on the asking channel (Asterisk's DIALSTATUS): these say that no
# callee was reached and another trunk may try. All others end the attempt.
_FAILED_OVER = frozenset({"CHANUNAVAIL", "CONGESTION"})
# The others: what happened to the leg, and what came of the attempt.
_ENDS: Mapping[str, tuple[Event | None, Outcome]] = {
    "ANSWER": (Event.ANSWERED, Outcome.ANSWERED),
    "BUSY": (Event.BUSY, Outcome.BUSY),
    "NOANSWER": (Event.RANG, Outcome.NO_ANSWER),
    "CANCEL": (None, Outcome.CANCELLED),
}
_NEVER_RANG = (None, Outcome.FAILED)
# 603, 408 and 5xx behind a 180 end as CHANUNAVAIL or CONGESTION too (measured on Asterisk
# 22.10.1): the callee's phone rang all the same, and what rang counts.
_RANG = (Event.RANG, Outcome.NO_ANSWER)
_SHOWN = 40  # characters of a peer's text that a sentence quotes


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict, and what was recorded of it.

    Attributes:
        attempt: id of the attempt that an ALLOW reserved or repeats; None when nothing counts.
        reserved: the attempt is this question's own, not one that it repeats.
        let_go: shadow mode: the verdict refuses, and the call goes out all the same.
        lists: the versions consulted, by list.
    """

    verdict: Verdict
    attempt: int | None = None
    reserved: bool = False
    let_go: bool = False
    lists: Consulted = ()

    @property
    def allowed(self) -> bool:
        return self.verdict.allowed or self.let_go


def exempt_verdict(reading: Reading, exempt: str, at: datetime) -> Verdict:
    """ALLOW with the number as dialled: never judged, nothing counted."""
    return Verdict(
        Decision.ALLOW,
        at,
        exempt=exempt,
        number=reading.question.dialled,
        campaign=reading.campaign,
    )


def refused_as_read(reading: Reading, at: datetime) -> Verdict:
    """REFUSE for what is wrong in the question itself; waiting does not mend it."""
    mandate = reading.entry.mandate if reading.entry else None
    return Verdict(
        Decision.REFUSE,
        at.astimezone(reading.zones[0]) if reading.zones else at,
        number=reading.number.e164 if reading.number else "",
        campaign=reading.campaign,
        professional=mandate.professional if mandate else "",
        policy=mandate.policy.id if mandate else "",
        zones=reading.zone_names,
        refusals=reading.refusals,
    )


def not_decided(reading: Reading, at: datetime, reason: Reason) -> Verdict:
    """REFUSE, `unavailable`; or for what is wrong in the question itself, if anything is."""
    refusals = reading.refusals or (Refusal(Rule.UNAVAILABLE, reason),)
    return refused_as_read(replace(reading, refusals=refusals), at)


def judged(reading: Reading, facts: Facts, at: datetime) -> Verdict:
    """The rules' verdict on a question with its facts; pure."""
    if reading.refusals:
        return refused_as_read(reading, at)
    assert reading.entry is not None
    assert reading.number is not None
    mandate = reading.entry.mandate
    matter = reading.matter(facts)
    judgement = judge(matter, at)
    refused = bool(judgement.refusals)
    return Verdict(
        decision=Decision.REFUSE if refused else Decision.ALLOW,
        at=at.astimezone(reading.zones[0]),
        number=reading.number.e164,
        campaign=reading.campaign,
        professional=mandate.professional,
        policy=mandate.policy.id,
        regime="&".join(judgement.regimes),
        zones=reading.zone_names,
        refusals=judgement.refusals,
        not_judged=judgement.not_judged,
        next=next_allowed(matter, at, judgement) if refused else None,
        unverified=judgement.unverified,
    )


class Decider:
    """Answers questions over one connection, with the lists it has in memory."""

    def __init__(self, lists: ListCache) -> None:
        self._lists = lists

    def decide(
        self, conn: sqlite3.Connection, reading: Reading, rulebook: Rulebook, at: datetime
    ) -> Answer:
        """Judge a live question and record the answer; needs a write transaction."""
        entry, number, question = reading.entry, reading.number, reading.question
        if number is None:
            return self._refuse(conn, reading, rulebook, refused_as_read(reading, at), ())
        names = (*rulebook.exempt_lists, *(entry.lists if entry else ()))
        listings = self._lists.look_up(conn, names, number.digits)
        for name in rulebook.exempt_lists:
            if listings[name].listed:
                refusals.record_exempt(
                    conn,
                    at=at,
                    call=question.call,
                    number=number.digits,
                    listed_in=name,
                    campaign=reading.campaign,
                    door=question.door,
                    asked_by=question.asked_by,
                )
                return Answer(exempt_verdict(reading, name, at))
        if entry is None:
            return self._refuse(conn, reading, rulebook, refused_as_read(reading, at), ())
        if question.permit and id_taken(conn, question.permit):
            # Whoever comes with the id of another call would pass the guard as that call.
            return self._refuse_taken(conn, reading, rulebook, at)
        facts = self._facts(conn, reading, listings, at)
        earlier = self._open_attempt(conn, reading, facts, at)
        facts, earlier = _set_apart(facts, earlier, reading.purpose)
        agreed = reading.appointment(facts, at) if facts.appointments else None
        verdict = judged(reading, facts, at)
        consulted = tuple((name, listings[name].version) for name in reading.lists_asked(at))
        if not verdict.allowed:
            return self._refuse(conn, reading, rulebook, verdict, consulted, earlier)
        answer = self._allow(conn, reading, rulebook, verdict, consulted, earlier)
        if agreed is not None and answer.attempt is not None:
            # Spent also where the hours would have let the call go: it was the call agreed on.
            appointments.use(conn, answer.attempt, agreed.id)
        return answer

    def judge_dry(
        self,
        conn: sqlite3.Connection,
        reading: Reading,
        rulebook: Rulebook,
        at: datetime,
        *,
        as_of: datetime | None = None,
    ) -> Answer:
        """Judge without recording anything; a read transaction is enough.

        Args:
            as_of: use only what was dated at or before this instant, and the list versions of
                then; None for everything on record.
        """
        entry, number = reading.entry, reading.number
        if number is None:
            return Answer(refused_as_read(reading, at))
        names = (*rulebook.exempt_lists, *(entry.lists if entry else ()))
        if as_of is None:
            listings = self._lists.look_up(conn, names, number.digits)
        else:
            # Of several candidate dates the earliest: an older version is never the laxer choice.
            zones = reading.zones or (UTC,)
            day = min(as_of.astimezone(zone).date() for zone in zones)
            listings = self._lists.look_up(conn, names, number.digits, as_of, day)
        for name in rulebook.exempt_lists:
            if listings[name].listed:
                return Answer(exempt_verdict(reading, name, at))
        if entry is None:
            return Answer(refused_as_read(reading, at))
        facts = self._facts(conn, reading, listings, at, as_of=as_of)
        if as_of is None:
            earlier = self._open_attempt(conn, reading, facts, at, dry=True)
            facts, _ = _set_apart(facts, earlier, reading.purpose)
        consulted = tuple((name, listings[name].version) for name in reading.lists_asked(at))
        verdict = judged(reading, facts, at)
        shadow = not verdict.allowed and not entry.enforce
        return Answer(verdict, let_go=shadow, lists=consulted)

    def _facts(
        self,
        conn: sqlite3.Connection,
        reading: Reading,
        listings: dict[str, Listing],
        at: datetime,
        *,
        as_of: datetime | None = None,
    ) -> Facts:
        assert reading.entry is not None
        assert reading.number is not None
        return read_facts(
            conn,
            number=reading.number.digits,
            professional=reading.entry.mandate.professional,
            person=reading.question.person,
            attempts_since=at - reading.entry.history,
            as_of=as_of,
            lists=listings,
            count_failed=reading.entry.count_failed,
            silent=reading.entry.heeds_silence,
            appointments=reading.entry.heeds_appointments,
        )

    @staticmethod
    def _open_attempt(
        conn: sqlite3.Connection,
        reading: Reading,
        facts: Facts,
        at: datetime,
        *,
        dry: bool = False,
    ) -> OpenAttempt | None:
        """The attempt of this call and number that may still be dialled, if there is one.

        What became of the channel's former dial tells a trunk that failed from a callee who was
        reached: the latter's attempt is over, and the question a new one.
        """
        question, number = reading.question, reading.number
        assert reading.entry is not None
        assert number is not None
        if not question.call:
            return None
        status = question.dial_status.upper()
        if status and (question.rang or status not in _FAILED_OVER):
            if not dry:
                _end_last_attempt(conn, question.call, status, at, rang=question.rang)
            return None
        # Most callees were not called within the last minute: one look-up less for them.
        if not facts.attempts or at - facts.attempts[0].at >= PERMIT_LIFE:
            return None
        professional = reading.entry.mandate.professional
        earlier = attempts.open_attempt(conn, question.call, number.digits, professional)
        if earlier is None or not timedelta(0) <= at - earlier.at < PERMIT_LIFE:
            return None
        if status:
            last = last_of_call(conn, question.call)
            if last is None or last.id != earlier.id:
                return None  # the status speaks of another number's dial: this one's is unknown
        return earlier

    def _allow(
        self,
        conn: sqlite3.Connection,
        reading: Reading,
        rulebook: Rulebook,
        verdict: Verdict,
        consulted: Consulted,
        earlier: OpenAttempt | None,
        *,
        enforced: bool = True,
    ) -> Answer:
        if earlier is not None:
            attempts.repeat(conn, earlier.id)
            return Answer(verdict, earlier.id, let_go=not enforced, lists=consulted)
        question, number = reading.question, reading.number
        assert reading.entry is not None
        assert number is not None
        reserved = attempts.reserve(
            conn,
            NewAttempt(
                number=number.digits,
                professional=verdict.professional,
                campaign=reading.campaign,
                purpose=reading.purpose,
                door=question.door,
                at=verdict.at,
                call=question.call,
                asked_by=question.asked_by,
                permit=question.permit or None,
                person=question.person,
                caller_id=question.caller_id,
                region=question.region,
                dialling=reading.dialling,
                relationship=question.relationship,
                zones=reading.zone_names,
                enforced=enforced,
                basis_id=basis_id(conn, basis_of(verdict, reading, rulebook, consulted)),
            ),
        )
        return Answer(verdict, reserved, reserved=True, let_go=not enforced, lists=consulted)

    def _refuse_taken(
        self, conn: sqlite3.Connection, reading: Reading, rulebook: Rulebook, at: datetime
    ) -> Answer:
        permit = ascii(reading.question.permit[:_SHOWN])
        refusal = Refusal(Rule.BYPASS, Reason("permit_taken", {"channel_id": permit}))
        verdict = refused_as_read(replace(reading, refusals=(refusal,)), at)
        # In shadow mode it goes out all the same, and counts under its call alone.
        bare = replace(reading, question=replace(reading.question, permit=""))
        return self._refuse(conn, bare, rulebook, verdict, ())

    def _refuse(
        self,
        conn: sqlite3.Connection,
        reading: Reading,
        rulebook: Rulebook,
        verdict: Verdict,
        consulted: Consulted,
        earlier: OpenAttempt | None = None,
    ) -> Answer:
        dialled = reading.question.dialled
        shadow = reading.entry is not None and not reading.entry.enforce
        let_go = shadow and (reading.number is not None or is_diallable(dialled))
        record_refusal(conn, reading, rulebook, verdict, consulted, would=let_go)
        if not let_go:
            return Answer(verdict, lists=consulted)
        if reading.number is None:  # nobody to count it for; it goes out as it would without us
            return Answer(replace(verdict, number=dialled), let_go=True, lists=consulted)
        return self._allow(conn, reading, rulebook, verdict, consulted, earlier, enforced=False)


def _end_last_attempt(
    conn: sqlite3.Connection, call: str, status: str, at: datetime, *, rang: bool
) -> None:
    """Settle the attempt that the former dial of this call was made for."""
    last = last_of_call(conn, call)
    if last is None or last.over:
        return
    event, outcome = _ENDS.get(status, _RANG if rang else _NEVER_RANG)
    # Who followed the leg itself may have seen more than the channel tells: that stands then, and
    # leaves the attempt no more open than this would.
    with contextlib.suppress(IllegalTransition):
        if event is not None:
            attempts.advance(conn, last.id, event, at)
        attempts.settle(conn, last.id, outcome, at)


def _set_apart(
    facts: Facts, earlier: OpenAttempt | None, purpose: Purpose
) -> tuple[Facts, OpenAttempt | None]:
    """The facts without an open attempt: it is not to be counted against itself.

    One that is not among them was for another professional, person or purpose. It is not
    repeated: that would be a call that counts for nobody whom this question is about.
    """
    if earlier is None:
        return facts, None
    kept = list(facts.attempts)
    for index, attempt in enumerate(kept):
        if attempt.at == earlier.at and attempt.purpose is purpose:
            del kept[index]
            agreed = tuple(
                replace(one, used_by=None) if one.used_by == earlier.id else one
                for one in facts.appointments
            )
            return replace(facts, attempts=tuple(kept), appointments=agreed), earlier
    return facts, None
