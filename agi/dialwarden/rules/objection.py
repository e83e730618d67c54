"""objection: the callee said no to this professional."""

from __future__ import annotations

from datetime import datetime, timedelta

from dialwarden.facts import Objection
from dialwarden.policy.period import Period, day_start
from dialwarden.rules.case import Case
from dialwarden.verdict import Finding, Reason, Refusal, Rule


def judge_objection(case: Case) -> Finding:
    """Refuse while an objection stands; a later consent that is good ends it.

    The regime in force at the call decides how long: `days` full calendar days, the day after
    the no being the first, or without end. For the bonds it names, a floor takes the place of
    "without end".
    """
    objections = case.facts.objections and case.objections
    if not objections or case.good_consents:
        return None  # a good consent is later than every objection that reaches this campaign
    rule = case.terms.objection
    newest = max(objections, key=lambda objection: objection.at)
    said = newest.at.astimezone(case.zone)
    days = rule.days or (rule.floor_days if case.bound_by(rule.floor_for) else 0)
    if not days:
        return Refusal(
            Rule.OBJECTION, Reason("objection_endless", {"said": said}), source=rule.source
        )
    until = _end(newest, days, case)
    if case.local >= until:
        return None
    return Refusal(
        Rule.OBJECTION,
        Reason("objection_days", {"said": said, "days": Period(days=days), "until": until}),
        until=until,
        source=rule.source,
    )


def _end(objection: Objection, days: int, case: Case) -> datetime:
    """The first instant after `days` full days; the day of the objection itself is none."""
    said = objection.at.astimezone(case.zone).date()
    return day_start(said + timedelta(days + 1), case.zone)
