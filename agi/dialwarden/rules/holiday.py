"""holiday: public holidays of the regime, and the dates a campaign closed by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from dialwarden.policy.days import Closing, Holiday
from dialwarden.policy.period import day_start, earlier
from dialwarden.rules.case import Case
from dialwarden.verdict import Finding, NotJudged, Reason, Refusal, Rule

# Nobody closes a whole year; a calendar that says so gives no end rather than a long search.
_LONGEST_CLOSURE_DAYS = 400

_KEYS = {
    Closing.NATIONAL: "holiday",
    Closing.REGIONAL: "holiday_regional",
    Closing.ADVISORY: "holiday_advisory",
}


def judge_holiday(case: Case) -> Finding:
    """Refuse on a holiday or a closed date, by the callee's own date.

    A regional holiday that closes only where it is known that the callee is there leaves the rule
    not judged where that is not known.
    """
    today = case.today
    day = case.day(today)
    closed = case.terms.house.closed
    if day.holiday is None and day.doubt is None and today not in closed:
        return None
    lifted = case.lifted(Rule.HOLIDAY)
    holiday = None if lifted else case.closing(today)
    if holiday is None and today not in closed:
        if lifted or day.doubt is None:
            return None
        values = {"day": today, "name": day.doubt.name, "region": day.doubt.region}
        return NotJudged(Rule.HOLIDAY, Reason("holiday_region_unknown", values))
    until = _until(case, lifted=case.lifted_by_consent(Rule.HOLIDAY))
    if holiday is None or until is None:
        key = "closed_date" if until is not None else "closed_dates"
        reason = Reason(key, {"day": today, "opens": until})
        return Refusal(Rule.HOLIDAY, reason, until=until, source=case.terms.house.source)
    reason = _reason(today, holiday, until)
    return Refusal(Rule.HOLIDAY, reason, until=until, source=holiday.source)


def _reason(day: date, holiday: Holiday, until: datetime | None) -> Reason:
    values = {"day": day, "name": holiday.name, "region": holiday.region, "opens": until}
    return Reason(_KEYS[holiday.kind], values)


def _until(case: Case, *, lifted: bool) -> datetime | None:
    """The first date that nothing closes, or the first appointment on one that the house left open.

    Args:
        lifted: the law's holidays do not bind this callee at all.
    """
    closed = case.terms.house.closed
    until = None
    for days in range(1, _LONGEST_CLOSURE_DAYS):
        day = case.today + timedelta(days)
        if day not in closed and (lifted or case.closing(day) is None):
            until = day_start(day, case.zone)
            break
    return earlier(until, next(_agreed_on_open_dates(case), None))


def _agreed_on_open_dates(case: Case) -> Iterator[datetime]:
    """From when on appointments lift the law's holidays on dates that the house left open."""
    for begin in case.awaited(Rule.HOLIDAY):
        # One may reach from a date that is closed into one that is not.
        for at in (begin, day_start(begin.date() + timedelta(1), case.zone)):
            if at.date() not in case.terms.house.closed and case.agreed_at(at):
                yield at
