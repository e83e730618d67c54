"""When the calendar opens next: what a person is told who is refused by the hours or a holiday.

Owns no refusal. A rule's own `until` knows that rule and its regime only: after the last window of
24 December it is Christmas at ten. This looks at holidays, hours and the regimes to come together,
and at nothing else.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dialwarden.policy.hours import openings
from dialwarden.policy.period import day_start, earlier
from dialwarden.rules.case import Case
from dialwarden.verdict import Rule

_HORIZON_DAYS = 400


def opens_after(case: Case) -> datetime | None:
    """The first instant after a case's at which neither holiday nor hours close, aware; or None."""
    found = None
    for days in range(_HORIZON_DAYS):
        found = _opening_on(case, case.today + timedelta(days))
        if found is not None:
            break
    return earlier(found, _agreed(case))


def _opening_on(case: Case, day: date) -> datetime | None:
    """The first opening of a local date that lies after the case's instant."""
    matter, now = case.matter, case.local
    start = day_start(day, case.zone)
    terms = matter.mandate.terms_on(day, matter.purpose, case.region)
    if terms is None or day in terms.house.closed:
        return None
    local = now if day == case.today else start
    there = Case(matter, terms, case.zone, local, case.region)
    if there.closing(day) is not None and not there.lifted_by_consent(Rule.HOLIDAY):
        return None
    known = there.day(day)
    free = bool(terms.law) and there.lifted_by_consent(Rule.HOURS)
    windows = known.house_windows if free else known.windows
    if windows is None:
        return start if start.timestamp() > now.timestamp() else None
    beginnings = openings(windows, day, case.zone)
    return next((at for at in beginnings if at.timestamp() > now.timestamp()), None)


def _agreed(case: Case) -> datetime | None:
    """The first appointment to come, where the law lets it lift both."""
    rule = case.terms.appointments
    if rule is None or not {Rule.HOURS, Rule.HOLIDAY} <= rule.waives:
        return None
    ahead = (at for at in case.awaited(Rule.HOURS) if at.timestamp() > case.local.timestamp())
    return next(ahead, None)
