"""frequency: no more than so many attempts in a period, per professional and callee."""

from __future__ import annotations

from itertools import islice

from dialwarden.facts import PastAttempt
from dialwarden.policy.figures import Cap
from dialwarden.rules.case import Case, longest
from dialwarden.verdict import Finding, Reason, Refusal, Rule


def judge_frequency(case: Case) -> Finding:
    """Refuse when a cap is reached. Of several, the one that holds longest is told.

    Attempts count whatever came of them. The facts are newest first; the cap frees itself when
    the `max`-th newest attempt leaves the period, since the older ones have left before it.
    """
    findings = [finding for cap in case.terms.caps if (finding := _judge_cap(cap, case))]
    return longest(findings)


def counts_against(cap: Cap, attempt: PastAttempt, case: Case) -> bool:
    """Whether an attempt is one of those that a cap limits, here and now."""
    return attempt.purpose in cap.purposes and cap.period.holds(attempt.at, case.local, case.zone)


def _judge_cap(cap: Cap, case: Case) -> Refusal | None:
    counted = (attempt.at for attempt in case.facts.attempts if attempt.purpose in cap.purposes)
    decisive = next(islice(counted, cap.max - 1, None), None)
    if decisive is None or not cap.period.holds(decisive, case.local, case.zone):
        return None
    until = cap.period.leaves(decisive, case.zone)
    made = sum(counts_against(cap, attempt, case) for attempt in case.facts.attempts)
    values: dict[str, object] = {
        "made": made,
        "max": cap.max,
        "period": cap.period,
        "professional": case.matter.mandate.professional,
        "until": until,
    }
    return Refusal(Rule.FREQUENCY, Reason("frequency", values), until=until, source=cap.source)
