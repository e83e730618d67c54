"""Callees of whom nothing is on record: whoever is called alike is judged alike, for a minute.

Most questions are about a number that was never called and never said anything. What the rules say
of it hangs on the campaign, on where it may be, on what the question claims, on the lists and on
the clock, and windows, days and laws begin and end on whole minutes. So one ALLOW serves all such
questions of that minute: the calendar of a region and a day is worked out once, not a call. A
refusal may say what time it is, to the second, and serves for that one. Of a callee who was called
before, and of whom nothing else is on record, the ALLOW holds where no rule minds those attempts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from dialwarden.facts import Facts, Listing
from dialwarden.gate.reading import Reading
from dialwarden.gate.record import Consulted, basis_of, findings_of
from dialwarden.gate.rulebook import Rulebook
from dialwarden.gate.verdicts import judged
from dialwarden.ledger.basis import Basis
from dialwarden.rules.judge import attempts_matter
from dialwarden.verdict import Verdict

# Distinct kinds of question within a minute; callers' numbers and relationships make most of them.
_MOST = 4096
_MINUTE_S = 60


@dataclass(slots=True)
class Ruling:
    """What is said of every question of one kind.

    Attributes:
        verdict: of the first such question; those of the others differ in number and instant.
        second: of the judgement, in Unix time.
        held: what the key names by its address, kept so that the address stays its own.
    """

    verdict: Verdict
    consulted: Consulted
    basis: Basis
    zone: tzinfo
    second: int
    held: object
    _findings: str = field(default="")

    def verdict_of(self, reading: Reading, at: datetime) -> Verdict:
        """The verdict on another question of the kind."""
        first = self.verdict
        assert reading.number is not None
        return Verdict(
            first.decision,
            at.astimezone(self.zone),
            None,
            reading.number.e164,
            first.campaign,
            first.professional,
            first.policy,
            first.regime,
            first.zones,
            first.refusals,
            first.not_judged,
            first.next,
            first.unverified,
        )

    def holds_for(self, reading: Reading, facts: Facts, at: datetime) -> bool:
        """Whether it is said of a callee, too, who was called before and never said anything.

        A refusal may be another one then: only an ALLOW can be told from the attempts alone.
        """
        return self.verdict.allowed and not attempts_matter(reading.matter(facts), at)

    def findings(self, language: str) -> str:
        """The refusals as they are kept."""
        if not self._findings:
            self._findings = findings_of(self.verdict, language)
        return self._findings


class Rulings:
    """The rulings of the minute, by kind of question. One thread at a time."""

    def __init__(self) -> None:
        self._rulings: dict[tuple[object, ...], Ruling] = {}
        self._minute = 0
        self._rulebook: Rulebook | None = None

    def ruling(
        self, reading: Reading, rulebook: Rulebook, listings: dict[str, Listing], at: datetime
    ) -> Ruling:
        """What the rules say of a question when nothing is on record of its callee.

        Args:
            reading: one without refusals, whose number was read.
            listings: what every list of the campaign says of the number.
        """
        second = int(at.timestamp())
        minute = second // _MINUTE_S
        if minute != self._minute or rulebook is not self._rulebook or len(self._rulings) >= _MOST:
            self._rulings.clear()
            self._minute = minute
            self._rulebook = rulebook
        question = reading.question
        key = (
            reading.campaign,
            id(reading.places),
            question.purpose,
            question.dialling,
            question.relationship,
            reading.caller_id,
            *listings.values(),
        )
        found = self._rulings.get(key)
        if found is None or not (found.verdict.allowed or found.second == second):
            found = self._rulings[key] = self._judge(reading, rulebook, listings, at)
        return found

    @staticmethod
    def _judge(
        reading: Reading, rulebook: Rulebook, listings: dict[str, Listing], at: datetime
    ) -> Ruling:
        verdict = judged(reading, Facts(lists=listings), at)
        consulted = tuple((name, listings[name].version) for name in reading.lists_asked(at))
        return Ruling(
            verdict,
            consulted,
            basis_of(verdict, reading, rulebook, consulted),
            reading.zones[0],
            int(at.timestamp()),
            reading.places,
        )
