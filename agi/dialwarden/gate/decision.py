"""Questions within one transaction of the ledger: facts, rules, and the record of the answers.

Synchronous, over a connection: the bridge runs it in the ledger's thread within a batch, the
command line runs `judge_dry` by itself. The attempt, or the refusal with its reasons, is written
in the transaction that read the facts, so that no race can put one call too many between them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dialwarden.facts import Appointment, Facts, Listing
from dialwarden.gate.alike import Ruling, Rulings
from dialwarden.gate.reading import Reading
from dialwarden.gate.record import Consulted, basis_of, record_refusal
from dialwarden.gate.repeating import open_attempt, set_apart
from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.verdicts import (
    Answer,
    answer_without_number,
    exempt_verdict,
    judged,
    refused_as_read,
)
from dialwarden.gate.waiving import waived
from dialwarden.ledger import appointments, attempts, refusals
from dialwarden.ledger.attempts import NewAttempt, OpenAttempt
from dialwarden.ledger.basis import Basis, basis_id
from dialwarden.ledger.facts import read_facts
from dialwarden.ledger.known import KnownNumbers
from dialwarden.ledger.list_cache import ListCache
from dialwarden.ledger.overrides import KnownOverrides, overrides_in_force
from dialwarden.ledger.permits import id_taken
from dialwarden.verdict import Reason, Refusal, Rule, Verdict

_SHOWN = 40  # characters of a peer's text that a sentence quotes


# Not frozen: a frozen one of these takes twice the time to make, and each call makes one.
@dataclass(slots=True)
class _Reservation:
    """An ALLOW whose attempt is yet to be written."""

    new: NewAttempt
    verdict: Verdict
    let_go: bool
    consulted: Consulted
    agreed: Appointment | None


class _Round:
    """Questions answered in one go: their attempts are written together.

    An attempt that waits to be written is in no table yet, so whoever could be concerned by it
    has it written first.
    """

    def __init__(self, conn: sqlite3.Connection, known: KnownNumbers | None) -> None:
        self.conn = conn
        self._known = known
        self._answers: list[Answer | None] = []
        self._waiting: list[tuple[int, _Reservation]] = []
        self._numbers: set[int] = set()

    def add(self, answer: Answer | _Reservation) -> None:
        if isinstance(answer, Answer):
            self._answers.append(answer)
        else:
            self._waiting.append((len(self._answers), answer))
            self._numbers.add(answer.new.number)
            self._answers.append(None)

    def before(self, reading: Reading) -> None:
        """Write what a question could ask after, by its number or by any other id."""
        question, number = reading.question, reading.number
        if not self._waiting or number is None:
            return
        if (
            number.digits in self._numbers
            or question.permit
            or question.person
            or question.dial_status
        ):
            self.write()

    def write(self) -> None:
        if not self._waiting:
            return
        known = self._known
        mark = known.newest_objection() if known is not None else None
        news = [one.new for _, one in self._waiting]
        ids = attempts.reserve_all(self.conn, news, objection_mark=mark)
        for (place, one), attempt in zip(self._waiting, ids, strict=True):
            if known is not None:
                known.reserved(attempt, one.new.number)
            if one.agreed is not None:
                # Spent also where the hours would have let the call go: it was the one agreed on.
                appointments.use(self.conn, attempt, one.agreed.id)
            self._answers[place] = Answer(one.verdict, attempt, True, one.let_go, one.consulted)
        self._waiting.clear()
        self._numbers.clear()

    def answers(self) -> list[Answer]:
        self.write()
        return [answer for answer in self._answers if answer is not None]


class Decider:
    """Answers questions over one connection, with the lists and the numbers it has in memory.

    Args:
        known: which numbers need be read of, begun by whoever begins the transaction; None reads
            of every number.
    """

    def __init__(self, lists: ListCache, known: KnownNumbers | None = None) -> None:
        self._lists = lists
        self._known = known
        self._rulings = Rulings()
        self._overrides = KnownOverrides()
        # The ids of bases, for as long as what was found in the ledger still stands.
        self._bases: dict[Basis, int] = {}
        self._bases_epoch = -1

    def decide_all(
        self,
        conn: sqlite3.Connection,
        asked: Sequence[tuple[Reading, Rulebook]],
        clock: Callable[[], datetime],
    ) -> list[Answer]:
        """Judge live questions one after another and record the answers; in a write transaction.

        Args:
            clock: the instant of each judgement.
        """
        if self._known is not None:
            self._known.look(conn)
        together = _Round(conn, self._known)
        for reading, rulebook in asked:
            together.before(reading)
            together.add(self._decide(together, reading, rulebook, clock()))
        return together.answers()

    def _decide(
        self, together: _Round, reading: Reading, rulebook: Rulebook, at: datetime
    ) -> Answer | _Reservation:
        conn = together.conn
        entry, number, question = reading.entry, reading.number, reading.question
        if number is None:
            return self._refuse(together, reading, rulebook, refused_as_read(reading, at), ())
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
            return self._refuse(together, reading, rulebook, refused_as_read(reading, at), ())
        if question.permit and id_taken(conn, question.permit):
            # Whoever comes with the id of another call would pass the guard as that call.
            return self._refuse_taken(together, reading, rulebook, at)
        facts = self._live_facts(conn, reading, listings, at)
        earlier = open_attempt(conn, reading, facts, at)
        facts, earlier = set_apart(facts, earlier, reading.purpose)
        agreed = reading.appointment(facts, at) if facts.appointments else None
        ruling: Ruling | None = None
        if facts.attempts_alone and not reading.refusals:
            ruling = self._rulings.ruling(reading, rulebook, listings, at)
            if facts.attempts and not ruling.holds_for(reading, facts, at):
                ruling = None
        if ruling is not None:
            verdict, consulted = ruling.verdict_of(reading, at), ruling.consulted
        else:
            verdict = judged(reading, facts, at)
            consulted = tuple((name, listings[name].version) for name in reading.lists_asked(at))
        if not verdict.allowed:
            released = self._released(conn, verdict, reading, listings, at)
            if released is None:
                return self._refuse(
                    together, reading, rulebook, verdict, consulted, earlier, ruling
                )
            record_refusal(
                conn, reading, rulebook, verdict, consulted, would=True, waived=released.waived
            )
            verdict, ruling = released, None
        return self._allow(
            together, reading, rulebook, verdict, consulted, earlier, ruling, agreed=agreed
        )

    def _released(
        self,
        conn: sqlite3.Connection,
        verdict: Verdict,
        reading: Reading,
        listings: Mapping[str, Listing],
        at: datetime,
    ) -> Verdict | None:
        """The ALLOW that overrides in force make of a live refusal."""
        epoch = self._known.epoch if self._known is not None else None
        overrides = self._overrides.in_force(conn, reading.campaign, at, epoch=epoch)
        return waived(verdict, reading, listings, overrides, at) if overrides else None

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
            return answer_without_number(reading, at)
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
            earlier = open_attempt(conn, reading, facts, at, dry=True)
            facts, _ = set_apart(facts, earlier, reading.purpose)
        consulted = tuple((name, listings[name].version) for name in reading.lists_asked(at))
        verdict = judged(reading, facts, at)
        if not verdict.allowed:
            overrides = overrides_in_force(conn, at, campaign=reading.campaign)
            verdict = waived(verdict, reading, listings, overrides, at) or verdict
        return Answer(verdict, let_go=reading.shadow and not verdict.allowed, lists=consulted)

    def _live_facts(
        self,
        conn: sqlite3.Connection,
        reading: Reading,
        listings: dict[str, Listing],
        at: datetime,
    ) -> Facts:
        """The facts of now; nothing is read of a number that the ledger has never heard of."""
        known, number = self._known, reading.number
        assert number is not None
        if known is None or reading.question.person or known.told(conn, number.digits):
            return self._facts(conn, reading, listings, at)
        if not known.called(number.digits):
            return Facts(lists=listings)
        return self._facts(conn, reading, listings, at, told=False)

    def _facts(
        self,
        conn: sqlite3.Connection,
        reading: Reading,
        listings: dict[str, Listing],
        at: datetime,
        *,
        as_of: datetime | None = None,
        told: bool = True,
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
            told=told,
            silent=reading.entry.heeds_silence,
            appointments=reading.entry.heeds_appointments,
        )

    def _allow(
        self,
        together: _Round,
        reading: Reading,
        rulebook: Rulebook,
        verdict: Verdict,
        consulted: Consulted,
        earlier: OpenAttempt | None,
        ruling: Ruling | None,
        *,
        agreed: Appointment | None = None,
    ) -> Answer | _Reservation:
        let_go = not verdict.allowed
        if earlier is not None:
            basis = None
            if verdict.waived:  # its next trunk is dialled under an override: that it says so
                under = basis_of(verdict, reading, rulebook, consulted)
                basis = self._basis_id(together.conn, under)
            attempts.repeat(together.conn, earlier.id, basis_id=basis)
            if agreed is not None:
                appointments.use(together.conn, earlier.id, agreed.id)
            return Answer(verdict, earlier.id, let_go=let_go, lists=consulted)
        question, number = reading.question, reading.number
        assert reading.entry is not None
        assert number is not None
        new = NewAttempt(
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
            enforced=not (let_go or verdict.waived),
            basis_id=self._basis_id(
                together.conn,
                ruling.basis if ruling else basis_of(verdict, reading, rulebook, consulted),
            ),
        )
        return _Reservation(new, verdict, let_go, consulted, agreed)

    def _basis_id(self, conn: sqlite3.Connection, basis: Basis) -> int:
        if self._known is None:
            return basis_id(conn, basis)
        if self._bases_epoch != self._known.epoch:
            self._bases.clear()
            self._bases_epoch = self._known.epoch
        found = self._bases.get(basis)
        if found is None:
            found = self._bases[basis] = basis_id(conn, basis)
        return found

    def _refuse_taken(
        self, together: _Round, reading: Reading, rulebook: Rulebook, at: datetime
    ) -> Answer | _Reservation:
        permit = ascii(reading.question.permit[:_SHOWN])
        refusal = Refusal(Rule.BYPASS, Reason("permit_taken", {"channel_id": permit}))
        verdict = refused_as_read(replace(reading, refusals=(refusal,)), at)
        # In shadow mode it goes out all the same, and counts under its call alone.
        bare = replace(reading, question=replace(reading.question, permit=""))
        return self._refuse(together, bare, rulebook, verdict, ())

    def _refuse(
        self,
        together: _Round,
        reading: Reading,
        rulebook: Rulebook,
        verdict: Verdict,
        consulted: Consulted,
        earlier: OpenAttempt | None = None,
        ruling: Ruling | None = None,
    ) -> Answer | _Reservation:
        record_refusal(
            together.conn, reading, rulebook, verdict, consulted, would=reading.shadow,
            findings=ruling.findings(rulebook.language) if ruling else None,
        )  # fmt: skip
        if reading.number is None:
            return answer_without_number(reading, verdict.at)
        if not reading.shadow:
            return Answer(verdict, lists=consulted)
        return self._allow(together, reading, rulebook, verdict, consulted, earlier, ruling)
