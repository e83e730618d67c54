"""Verdicts: what is said of a question, made from how it was read and what the rules find.

Pure but for what it is given: no ledger, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from dialwarden.facts import Facts
from dialwarden.gate.reading import Reading
from dialwarden.gate.record import Consulted
from dialwarden.rules.judge import judge, next_allowed
from dialwarden.verdict import Decision, Reason, Refusal, Rule, Verdict


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


def answer_without_number(reading: Reading, at: datetime) -> Answer:
    """The answer to a question whose number was not read: nobody is there to count it for.

    In shadow mode it goes out as it would without us.
    """
    verdict = refused_as_read(reading, at)
    if not reading.shadow:
        return Answer(verdict)
    return Answer(replace(verdict, number=reading.question.dialled), let_go=True)


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
