"""gap: a least time between two attempts, and after a silent call."""

from __future__ import annotations

from datetime import datetime, timedelta

from dialwarden.policy.figures import Gap, GapAfter
from dialwarden.policy.period import Period, day_start
from dialwarden.question import Dialling
from dialwarden.rules.case import Case, longest
from dialwarden.verdict import Finding, NotJudged, Reason, Refusal, Rule


def judge_gap(case: Case) -> Finding:
    """Refuse while the last attempt, or the last silent call, is too recent.

    Of several gaps, the longest is told. After the gap of a silent call the law may want an agent
    on the line from the start: then automatic dialling is refused, and the rule is not judged
    where nobody said how the call is dialled.
    """
    findings = [finding for gap in case.terms.gaps if (finding := _judge_one(gap, case))]
    refusals = [finding for finding in findings if isinstance(finding, Refusal)]
    return longest(refusals) or next(iter(findings), None)


def _judge_one(gap: Gap, case: Case) -> Refusal | NotJudged | None:
    if gap.after is GapAfter.SILENT:
        return _after_silence(gap, case)
    last = next((a.at for a in case.facts.attempts if a.purpose in gap.purposes), None)
    return _too_soon(gap, last, case, "gap") if last is not None else None


def _after_silence(gap: Gap, case: Case) -> Refusal | NotJudged | None:
    silent = next(iter(case.facts.silent_calls), None)
    if silent is None:
        return None
    dialling = case.matter.dialling
    too_soon = _too_soon(gap, silent.at, case, "gap_silent")
    if too_soon is not None:
        if gap.agent_first and not silent.followed and dialling is Dialling.AUTOMATIC:
            # A machine may not call after the gap either: waiting alone does not help it.
            reason = Reason("gap_silent_agent", too_soon.reason.values)
            return Refusal(Rule.GAP, reason, source=gap.source)
        if not gap.unless_agent or dialling is Dialling.AUTOMATIC:
            return too_soon
        if dialling is Dialling.MANUAL:
            return None
        return NotJudged(Rule.GAP, Reason("gap_dial_unknown", too_soon.reason.values))
    if not gap.agent_first or silent.followed or dialling is Dialling.MANUAL:
        return None
    values = {"last": silent.at.astimezone(case.zone)}
    if dialling is None:
        return NotJudged(Rule.GAP, Reason("gap_dial_unknown", values))
    return Refusal(Rule.GAP, Reason("gap_agent_first", values), source=gap.source)


def _too_soon(gap: Gap, last: datetime, case: Case, key: str) -> Refusal | None:
    until = _ends(gap, last, case)
    if case.local.timestamp() >= until.timestamp():
        return None
    period = gap.period or Period(days=gap.full_days)
    values = {"last": last.astimezone(case.zone), "gap": period, "until": until}
    return Refusal(Rule.GAP, Reason(key, values), until=until, source=gap.source)


def _ends(gap: Gap, last: datetime, case: Case) -> datetime:
    """The first instant after the gap; of full days, the day after `last` is the first."""
    if gap.period is not None:
        return gap.period.leaves(last, case.zone)
    day = last.astimezone(case.zone).date()
    return day_start(day + timedelta(gap.full_days + 1), case.zone)
