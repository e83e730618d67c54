"""hours: the windows of the weekday on the callee's clock."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from dialwarden.policy.hours import WeekHours, Windows, is_open, openings
from dialwarden.rules.case import Case
from dialwarden.verdict import Finding, Reason, Refusal, Rule

# A week has every weekday; one day more, because today's windows may all be over, and one for
# a window that a clock change swallows whole.
_SEARCH_DAYS = 15


def judge_hours(case: Case) -> Finding:
    """Refuse outside the windows of the weekday: half-open, in the callee's zone."""
    terms = case.terms
    hours, law = terms.hours, terms.law_hours
    if law is not None and terms.waives(Rule.HOURS) and case.good_consents:
        hours, law = terms.house.hours, None
    if hours is None:
        return None
    windows = hours.on(case.today)
    if is_open(windows, case.local):
        return None
    by_law = law is not None and not is_open(law.on(case.today), case.local)
    values: dict[str, object] = {"local": case.local}
    if windows:
        values["windows"] = _written(windows)
    return Refusal(
        Rule.HOURS,
        Reason("hours" if windows else "hours_weekday", values),
        until=next_opening(hours, case.local, case.zone),
        source=terms.hours_source if by_law else terms.house.source,
    )


@lru_cache(maxsize=512)  # a search for the next instant judges the same few days again and again
def _written(windows: Windows) -> str:
    return ", ".join(str(window) for window in windows)


def next_opening(hours: WeekHours, local: datetime, zone: tzinfo) -> datetime | None:
    """The first instant after `local` at which it is open, aware in `zone`; None when never.

    Aware datetimes of one zone compare by wall clock; around a clock change that is wrong, so
    instants are compared.
    """
    now = local.timestamp()
    for days in range(_SEARCH_DAYS):
        day = local.date() + timedelta(days)
        for opening in openings(hours.on(day), day, zone):
            if opening.timestamp() > now:
                return opening
    return None
