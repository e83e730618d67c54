"""holiday: public holidays of the regime, and the dates a campaign closed by itself."""

from __future__ import annotations

from datetime import date, timedelta

from dialwarden.policy.calendar import holiday_on
from dialwarden.policy.period import day_start
from dialwarden.rules.case import Case
from dialwarden.verdict import Finding, Reason, Refusal, Rule

# Nobody closes a whole year; a calendar that says so gives no end rather than a long search.
_LONGEST_CLOSURE_DAYS = 400


def judge_holiday(case: Case) -> Finding:
    """Refuse on a holiday or a closed date, by the callee's own date."""
    holidays = case.terms.holidays
    if holidays is not None and case.terms.waives(Rule.HOLIDAY) and case.good_consents:
        holidays = None
    closed = case.terms.house.closed

    def name(day: date) -> str | None:
        return holiday_on(holidays, day) if holidays is not None else None

    today = case.today
    holiday = name(today)
    if holiday is None and today not in closed:
        return None
    until = None
    for days in range(1, _LONGEST_CLOSURE_DAYS):
        day = today + timedelta(days)
        if day not in closed and name(day) is None:
            until = day_start(day, case.zone)
            break
    if holiday is None or holidays is None:
        reason = Reason("closed_date", {"day": today})
        return Refusal(Rule.HOLIDAY, reason, until=until, source=case.terms.house.source)
    reason = Reason("holiday", {"day": today, "name": holiday})
    return Refusal(Rule.HOLIDAY, reason, until=until, source=holidays.source)
