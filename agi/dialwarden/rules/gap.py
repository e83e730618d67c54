"""gap: a least time between two attempts."""

from __future__ import annotations

from dialwarden.policy.model import Gap
from dialwarden.rules.case import Case, longest
from dialwarden.verdict import Finding, Reason, Refusal, Rule


def judge_gap(case: Case) -> Finding:
    """Refuse while the last attempt is too recent. Of several gaps, the longest is told."""
    findings = [finding for gap in case.terms.gaps if (finding := _judge_one(gap, case))]
    return longest(findings)


def _judge_one(gap: Gap, case: Case) -> Refusal | None:
    last = next((a.at for a in case.facts.attempts if a.purpose in gap.purposes), None)
    if last is None or not gap.period.holds(last, case.local, case.zone):
        return None
    until = gap.period.leaves(last, case.zone)
    values = {"last": last.astimezone(case.zone), "gap": gap.period, "until": until}
    return Refusal(Rule.GAP, Reason("gap", values), until=until, source=gap.source)
