"""What single records do now: which no is in force, which yes is good, what counts against a cap.

Owns no judgement: each record is put before the very rules that judge calls, by itself. For people
who ask why; whether a call may be placed is for `decision`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from dialwarden.facts import Appointment, Consent, Facts, Objection, PastAttempt
from dialwarden.gate.reading import Reading
from dialwarden.ledger.facts import read_facts
from dialwarden.policy.figures import Cap
from dialwarden.rules.case import Case, last_good_day, why_not_good
from dialwarden.rules.frequency import counts_against
from dialwarden.rules.objection import judge_objection
from dialwarden.verdict import Refusal


@dataclass(frozen=True, slots=True)
class NoStanding:
    """What one objection does.

    Attributes:
        until: the first instant without effect; None of one without end, or that is not in force.
        ended_by: "consent" (a later one that is good) or "time"; "" while it is in force.
    """

    in_force: bool
    until: datetime | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class YesStanding:
    """What one consent is good for.

    Attributes:
        flaw: why it is not good, a word of `rules.case.why_not_good`; None when it is.
        last_day: the last local date on which it would be, by its own word and the law's limit.
    """

    flaw: str | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Held:
    """A cap that an attempt counts against, until the instant at which it leaves its period."""

    cap: Cap
    until: datetime


class Standing:
    """The records of one callee before the rules of one campaign, at one instant.

    Where the callee may be in several places the strictest holds, as in a verdict.
    """

    def __init__(
        self,
        conn: sqlite3.Connection,
        reading: Reading,
        at: datetime,
        *,
        as_of: datetime | None = None,
    ) -> None:
        """Read the facts; within the snapshot that the verdict is made in.

        Args:
            as_of: as `Decider.judge_dry` has it.
        """
        entry, number = reading.entry, reading.number
        assert entry is not None
        assert number is not None
        self.professional = entry.mandate.professional
        self._facts = read_facts(
            conn,
            number=number.digits,
            professional=self.professional,
            person=reading.question.person,
            attempts_since=at - entry.history,
            as_of=as_of,
            count_failed=entry.count_failed,
            appointments=True,
        )
        self._reading = reading
        self._at = at
        self._cases = list(self._cases_with(self._facts))

    def objection(self, no: Objection) -> NoStanding | None:
        """None of one that does not reach the campaign."""
        if not any(no in case.objections for case in self._cases):
            return None
        alone = list(self._cases_with(replace(self._facts, objections=(no,))))
        found = [judge_objection(case) for case in alone]
        refusals = [one for one in found if isinstance(one, Refusal)]
        if refusals:
            untils = [one.until for one in refusals if one.until is not None]
            return NoStanding(True, max(untils) if len(untils) == len(refusals) else None)
        lifted = any(case.good_consents for case in alone)
        return NoStanding(False, ended_by="consent" if lifted else "time")

    def consent(self, yes: Consent) -> YesStanding | None:
        """None of one that is not the professional's. Whether it was withdrawn is looked up."""
        asked = (yes.given_at, yes.until, yes.scope, yes.complete)
        known = {(one.given_at, one.until, one.scope, one.complete): one
                 for one in self._facts.consents}  # fmt: skip
        if asked not in known:
            return None
        yes = known[asked]
        flaw, last_day = None, yes.until
        for case in self._cases:
            flaw = flaw or why_not_good(yes, case)
            rule = case.terms.consent
            given = yes.given_at.astimezone(case.zone).date()
            last = last_good_day(yes, given, rule.max_years if rule else None)
            if last < (last_day or date.max):
                last_day = last
        return YesStanding(flaw, last_day)

    def appointment(self, agreed: Appointment) -> bool:
        """Whether it stands, and the law heeds it: not spent, not ended by a no, not over."""
        for case in self._cases:
            rule = case.terms.appointments
            if rule is None or case.local >= agreed.at + rule.tolerance:
                continue
            if any(one.id == agreed.id for one in case.appointments):
                return True
        return False

    def attempt(self, made: PastAttempt) -> tuple[Held, ...]:
        """The caps that an attempt counts against; one that is not counted holds none."""
        if made not in self._facts.attempts:
            return ()
        held: dict[tuple[str, int], Held] = {}
        for case in self._cases:
            for cap in case.terms.caps:
                if counts_against(cap, made, case):
                    until = cap.period.leaves(made.at, case.zone)
                    known = held.get((str(cap.period), cap.max))
                    if known is None or known.until < until:
                        held[str(cap.period), cap.max] = Held(cap, until)
        return tuple(held.values())

    def _cases_with(self, facts: Facts) -> Iterator[Case]:
        if self._reading.refusals:
            return
        matter = self._reading.matter(facts)
        for place, clock in zip(matter.places, matter.zones, strict=True):
            local = self._at.astimezone(clock)
            terms = matter.mandate.terms_on(local.date(), matter.purpose, place.region)
            if terms is not None:
                yield Case(matter, terms, clock, local, place.region)
